//! JSON-RPC over WebSocket and HTTP: `cargo run --release --features json-rpc --example json_rpc`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use mongoose::jsonrpc::{self, Call, Client, ErrorObject};
use mongoose::{ConnectionId, Error, Manager, http, json, ws};

const HELP: &str = "\
JSON-RPC 2.0 over WebSocket and HTTP.

Usage: json_rpc [URL]                             serves: http://127.0.0.1:8000
       json_rpc --call URL METHOD [PARAMS]        calls, and prints the result

As a server it takes WebSockets at /ws and POST requests at /. Its methods:
  math.add [A, B]      the sum of two whole numbers
  echo ANYTHING        the parameters
  tell TEXT            sends the notification `told` with [TEXT] to all others, by
                       WebSocket alone; the result is to how many
  rpc.list             these

As a client it calls by WebSocket, such as
  json_rpc --call ws://127.0.0.1:8000/ws math.add '[40, 2]'
and ends with 0 for a result, 1 for an error.
";

/// Who is connected by WebSocket, and how to reach them.
type Peers = Rc<RefCell<BTreeMap<ConnectionId, ws::Sender>>>;

/// Who calls: nobody in particular by HTTP.
type Caller = Option<ConnectionId>;

/// The methods.
fn methods(peers: &Peers) -> jsonrpc::Server<Caller> {
    let mut server = jsonrpc::Server::new();
    server
        .method("math.add", |call: Call<'_, Caller>| {
            let (a, b): (i64, i64) = call.params()?;
            a.checked_add(b).ok_or(ErrorObject::new(1, "the sum is too large"))
        })
        .method("echo", |call: Call<'_, Caller>| call.params::<serde_json::Value>());
    let peers = Rc::clone(peers);
    server.method("tell", move |call: Call<'_, Caller>| {
        let Some(caller) = call.context() else {
            return Err(ErrorObject::new(2, "by WebSocket alone"));
        };
        let (text,): (String,) = call.params()?;
        let message = ws::SharedMessage::text(Client::notification("told", &[text])?);
        let peers = peers.borrow();
        let others = peers.values().filter(|peer| peer.id() != *caller);
        Ok(others.filter(|peer| peer.send(message.clone()).is_ok()).count())
    });
    server.list_methods();
    server
}

fn serve(url: &str) -> Result<(), Error> {
    let mut manager = Manager::new()?;
    let peers = Peers::default();
    let server = Rc::new(methods(&peers));
    let listener = manager.http(url, move |request: http::Request<'_>, reply: http::Reply<'_>| {
        if request.path() != "/ws" {
            return server.http(request, reply, &None);
        }
        let (server, peers) = (Rc::clone(&server), Rc::clone(&peers));
        ws::upgrade(request, reply).accept(move |peer: &ws::Connection<'_>, event: ws::Event<'_>| match event
        {
            ws::Event::Open => {
                peers.borrow_mut().insert(peer.id(), peer.sender());
                Ok(())
            }
            ws::Event::Message(message) => server.websocket(peer, message, &Some(peer.id())),
            ws::Event::Close(_) => {
                peers.borrow_mut().remove(&peer.id());
                Ok(())
            }
            _ => Ok(()),
        })
    })?;
    eprintln!("listening on http://{}", listener.local_addr());
    manager.run_until_signal()
}

/// Calls one method, and prints what it answers.
fn call(url: &str, method: &str, params: &str) -> Result<(), Error> {
    let mut client = Client::new();
    let params: serde_json::Value = json::parse(params)?.deserialize()?;
    let (_, text) = client.call(method, &params)?;
    let mut manager = Manager::new()?;
    let handle = manager.handle();
    let outcome = Rc::new(RefCell::new(Err(Error::handler("no answer"))));
    let found = Rc::clone(&outcome);
    ws::connect(&manager, url).open(move |peer: &ws::Connection<'_>, event: ws::Event<'_>| {
        match event {
            ws::Event::Open => return peer.send_text(&*text),
            // What the server calls meanwhile is not for us.
            ws::Event::Message(message) if !jsonrpc::is_response(message.as_bytes()) => return Ok(()),
            ws::Event::Message(message) => {
                let responses = client.receive(message.as_bytes())?;
                if let Some(response) = responses.first() {
                    *found.borrow_mut() = response.result::<serde_json::Value>();
                    peer.close(ws::CloseCode::NORMAL, "")?;
                }
            }
            ws::Event::Error(error) => *found.borrow_mut() = Err(Error::handler(error.to_string())),
            ws::Event::Close(_) => handle.stop(),
            _ => {}
        }
        Ok(())
    })?;
    let _deadline = manager.once(Duration::from_secs(30), {
        let handle = manager.handle();
        move |_: &mongoose::Registry| handle.stop()
    });
    manager.run()?;
    println!("{}", outcome.replace(Ok(serde_json::Value::Null))?);
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments[..] {
        [] => serve("http://127.0.0.1:8000"),
        ["--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        ["--call", url, method] => call(url, method, "null"),
        ["--call", url, method, params] => call(url, method, params),
        [url] if !url.starts_with("--") => serve(url),
        _ => {
            eprintln!("json_rpc: a wrong command line (--help says more)");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("json_rpc: {error}");
            ExitCode::FAILURE
        }
    }
}
