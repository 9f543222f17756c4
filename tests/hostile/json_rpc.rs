//! JSON-RPC: what C answers, and what the specification asks for.

use mongoose::jsonrpc::{Call, ErrorObject, Server, is_response};
use mongoose::{http, json};
use mongoose_tests::{Client, Random, raw, scaled};

/// With the one method that C's has.
fn server() -> Server {
    let mut server = Server::new();
    server.list_methods();
    server
}

#[test]
fn hazard_65_a_call_is_answered_as_both_do() {
    let request = r#"{"jsonrpc": "2.0", "id": "a", "method": "rpc.list"}"#;
    assert_eq!(raw::json_rpc(request), r#"{"id":"a","result":["rpc.list"]}"#, "C says no version");
    assert_eq!(server().process(request, &()).as_deref(), Some(r#"{"jsonrpc":"2.0","result":[],"id":"a"}"#));
}

#[test]
fn hazard_65_a_notification_is_never_answered() {
    let request = r#"{"jsonrpc": "2.0", "method": "nothing"}"#;
    assert!(raw::json_rpc(request).contains("-32601"));
    assert_eq!(server().process(request, &()), None);
}

#[test]
fn hazard_65_an_answer_is_never_answered() {
    let answer = r#"{"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": "no"}}"#;
    assert!(is_response(answer));
    // Two of C's peers would send this to each other for ever.
    let loops = raw::json_rpc(answer);
    assert!(loops.contains("\"error\""), "{loops}");
    assert!(raw::json_rpc(&loops).contains("\"error\""));
    assert_eq!(server().process(answer, &()), None);
}

#[test]
fn hazard_65_a_batch_is_answered_by_a_batch() {
    let batch =
        r#"[{"jsonrpc": "2.0", "id": 1, "method": "rpc.list"}, {"jsonrpc": "2.0", "method": "rpc.list"}]"#;
    assert!(raw::json_rpc(batch).contains("-32700"));
    assert_eq!(server().process(batch, &()).as_deref(), Some(r#"[{"jsonrpc":"2.0","result":[],"id":1}]"#));
}

#[test]
fn hazard_65_what_is_behind_the_call_is_seen() {
    let request = r#"{"jsonrpc": "2.0", "id": 1, "method": "rpc.list"} and more"#;
    assert!(raw::json_rpc(request).contains("result"));
    let answer = server().process(request, &()).expect("an error");
    assert_eq!(json::get_i64(&answer, "$.error.code").expect("JSON"), Some(-32700));
}

#[test]
fn by_http_a_call_is_a_post_of_json() {
    let site = mongoose_tests::Server::http(|| {
        let mut server = Server::new();
        server.method("half", |call: Call<'_, u16>| match call.params::<(u64,)>()? {
            (number,) if number % 2 == 0 => Ok((number / 2, *call.context(), call.is_notification())),
            _ => Err(ErrorObject::new(7, "odd").with_data(call.method())),
        });
        move |request: http::Request<'_>, reply: http::Reply<'_>| server.http(request, reply, &443)
    });
    let mut client = Client::connect(site.address);
    let mut post = |content_type: &str, body: &str| {
        let (length, head) = (body.len(), "POST / HTTP/1.1\r\nHost: test\r\n");
        client.send(format!("{head}Content-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}"));
        client.response()
    };
    let call = |params: &str| format!(r#"{{"jsonrpc":"2.0","id":[1],"method":"half","params":{params}}}"#);
    let (right, json) = (|params: &str| call(params).replace("[1],", "1,"), "application/json");
    let answer = post(json, &right("[8]"));
    assert_eq!((answer.status, answer.text()), (200, r#"{"jsonrpc":"2.0","result":[4,443,false],"id":1}"#));
    assert_eq!(answer.header("Content-Type"), Some(json));
    let answer = post("application/json; charset=utf-8", &right("[7]"));
    let error = r#"{"jsonrpc":"2.0","error":{"code":7,"message":"odd","data":"half"},"id":1}"#;
    assert_eq!((answer.status, answer.text()), (200, error), "an error of the call is none of HTTP's");
    assert!(post(json, &right("{}")).text().contains("-32602"), "params of another type");
    assert!(post(json, &call("[8]")).text().contains("-32600"), "an id that is none");
    let answer = post(json, r#"{"jsonrpc":"2.0","method":"half","params":[8]}"#);
    assert_eq!((answer.status, answer.text()), (204, ""), "nothing is said of a notification");
    assert_eq!(post("text/plain", &right("[8]")).status, 415, "what a page of another site can send unasked");
    let answer = client.get("/");
    assert_eq!((answer.status, answer.header("Allow")), (405, Some("POST")));
}

#[test]
fn whatever_a_peer_sends_the_answer_is_json_and_no_call() {
    let parts = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"jsonrpc\"",
        "\"2.0\"",
        "\"method\"",
        "\"rpc.list\"",
        "\"id\"",
        "1",
        "null",
        "\"params\"",
        "\"\\ud800\"",
        "\"result\"",
        "\"error\"",
        " ",
        "\"",
        r#"{"jsonrpc":"2.0","id":1,"method":"rpc.list"}"#,
        r#"{"jsonrpc":"2.0","id":"\n","method":"x","params":[]}"#,
    ];
    let (server, mut random) = (server(), Random::new(65));
    for _ in 0..scaled(20_000) {
        let count = random.below(9);
        let mut text: String = (0..count).map(|_| parts[random.below(parts.len())]).collect();
        if random.below(2) == 0 {
            text = format!("[{text}]");
        }
        if let Some(answer) = server.process(&text, &()) {
            assert!(is_response(&answer), "{text}: {answer}");
            assert_eq!(server.process(&answer, &()), None, "{text}: {answer}");
        }
    }
}
