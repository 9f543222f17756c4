//! JSON-RPC: who is answered, and with what.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use mongoose::json;
use mongoose::jsonrpc::{self, Call, Client, ErrorObject, Server};
use serde_json::Value;

/// No batch has more.
const BATCH: usize = 3;

/// A text as a call, and as an answer.
pub fn jsonrpc(bytes: &[u8]) {
    server(bytes);
    client(bytes);
}

fn server(bytes: &[u8]) {
    let called = Rc::new(RefCell::new(Vec::new()));
    let mut server = Server::new();
    let calls = Rc::clone(&called);
    server
        .method("echo", move |call: Call<'_>| {
            calls.borrow_mut().push(call.id().map(|id| id.text().to_owned()));
            Ok(call.raw_params().map(|params| params.text().to_owned()))
        })
        .method("a.*.b", |call: Call<'_>| {
            let captures = call.captures().concat();
            if captures.is_empty() { Err(ErrorObject::new(1, "nothing")) } else { Ok(captures) }
        })
        .list_methods()
        .max_batch(BATCH);
    let answer = server.process(bytes, &());
    let called = called.take();
    assert!(called.len() <= BATCH);
    let Some(text) = answer else {
        assert!(json::parse(bytes).is_ok(), "what cannot be read is answered");
        assert!(called.iter().all(Option::is_none), "what has an id is answered");
        return;
    };
    // Two that answer each other's answers would never end.
    assert!(jsonrpc::is_response(&text) && server.process(&text, &()).is_none(), "{text}");
    let answers = match serde_json::from_str::<Value>(&text) {
        Ok(Value::Array(answers)) => answers,
        // An id may be a number that is no float, and their depth has an end before ours.
        Err(error) => {
            let said = error.to_string();
            assert!(["number out of range", "recursion limit"].iter().any(|it| said.contains(it)), "{said}");
            return;
        }
        Ok(one) => vec![one],
    };
    assert!((1..=BATCH).contains(&answers.len()), "{text}");
    for answer in &answers {
        let members: BTreeSet<&str> =
            answer.as_object().expect("an object").keys().map(|key| &**key).collect();
        let outcome = if members.contains("result") { "result" } else { "error" };
        assert_eq!(members, BTreeSet::from(["jsonrpc", outcome, "id"]), "{text}");
        assert_eq!(answer["jsonrpc"], "2.0");
        assert!(
            outcome == "result" || answer["error"]["code"].is_i64() && answer["error"]["message"].is_string()
        );
    }
    assert!(called.iter().flatten().count() <= answers.len(), "each call with an id has its answer: {text}");
}

fn client(bytes: &[u8]) {
    const CALLS: usize = 3;
    let mut client = Client::new();
    for _ in 0..CALLS {
        client.call("echo", &()).expect("parameters of nothing");
    }
    match client.receive(bytes) {
        Ok(responses) => {
            let answered: BTreeSet<u64> = responses.iter().filter_map(jsonrpc::Response::id).collect();
            assert_eq!(client.waiting() + answered.len(), CALLS);
            assert!(responses.iter().all(|response| response.id().is_some() || response.outcome().is_err()));
            if !answered.is_empty() {
                assert!(client.receive(bytes).is_err(), "nothing is answered twice");
            }
        }
        Err(_) => assert_eq!(client.waiting(), CALLS, "nothing of it counts"),
    }
}
