//! [JSON-RPC 2.0](https://www.jsonrpc.org/specification): calls of methods, over any transport.
//!
//! A [`Server`] has methods, and makes of a text that arrived the one that answers it. A [`Client`] makes the text of a
//! call, and finds out of an answer which call it is for. Neither knows how texts travel: over WebSocket by
//! [`Server::websocket`], over HTTP by [`Server::http`], and over anything else by [`Server::process`].
//!
//! ```
//! use mongoose::jsonrpc::{Call, Client, ErrorObject, Server};
//! use mongoose::{Manager, http, ws};
//! use std::rc::Rc;
//!
//! let mut server = Server::new();
//! server.method("math.add", |call: Call<'_>| {
//!     let (a, b): (i64, i64) = call.params()?;
//!     a.checked_add(b).ok_or(ErrorObject::new(1, "too large"))
//! });
//! server.list_methods();
//! let server = Rc::new(server);
//!
//! let mut manager = Manager::new()?;
//! let listener = manager.http("http://127.0.0.1:0", move |request: http::Request<'_>, reply: http::Reply<'_>| {
//!     let server = Rc::clone(&server);
//!     match request.path() {
//!         "/ws" => ws::upgrade(request, reply).accept(move |peer: &ws::Connection<'_>, event: ws::Event<'_>| {
//!             match event {
//!                 ws::Event::Message(message) => server.websocket(peer, message, &()),
//!                 _ => Ok(()),
//!             }
//!         }),
//!         _ => server.http(request, reply, &()),
//!     }
//! })?;
//!
//! let (mut client, handle) = (Client::new(), manager.handle());
//! ws::connect(&manager, &format!("ws://{}/ws", listener.local_addr())).open(
//!     move |peer: &ws::Connection<'_>, event: ws::Event<'_>| match event {
//!         ws::Event::Open => {
//!             let (_id, text) = client.call("math.add", &(40, 2))?;
//!             peer.send_text(text)
//!         }
//!         ws::Event::Message(message) => {
//!             for response in client.receive(message.as_bytes())? {
//!                 assert_eq!(response.result::<i64>()?, 42);
//!             }
//!             handle.stop();
//!             Ok(())
//!         }
//!         _ => Ok(()),
//!     },
//! )?;
//! manager.run()?;
//! # Ok::<(), mongoose::Error>(())
//! ```
//!
//! Every rule of the specification is kept: `"jsonrpc": "2.0"` is asked for and given, a notification is never answered,
//! an error has its code and the call's `id`, a batch is answered by a batch. A text may nest 128 levels deep, and a batch
//! may have [so many calls](Server::max_batch); how long a text may be is its transport's limit. C's `mg_rpc_*` know
//! no batches, no version, and send an error for a notification.
//!
//! Both ends of a connection may call each other: what [`is_response`] is for the client, what is not is for the server.
//! Parameters and results are types, by `serde`. For calls that take long, or on an async runtime, there is
//! [jsonrpsee](https://docs.rs/jsonrpsee).

mod call;
mod client;
mod error_object;
mod server;
mod transports;

use crate::json;

pub use call::Call;
pub use client::{Client, Response};
pub use error_object::ErrorObject;
pub use server::Server;

/// Whether a text is an answer, or a batch of them, rather than a call: it has a `result` or an `error`, and no `method`.
///
/// ```
/// use mongoose::jsonrpc::is_response;
///
/// assert!(is_response(r#"{"jsonrpc": "2.0", "id": 1, "result": null}"#));
/// assert!(!is_response(r#"{"jsonrpc": "2.0", "id": 1, "method": "m"}"#));
/// ```
pub fn is_response(text: impl AsRef<[u8]>) -> bool {
    json::parse(text.as_ref()).is_ok_and(|value| match value.elements().next() {
        Some(first) => is_response_object(first),
        None => is_response_object(value),
    })
}

fn is_response_object(value: json::Value<'_>) -> bool {
    let has = |name: &str| value.members().any(|(found, _)| found == name);
    !has("method") && (has("result") || has("error"))
}

/// Whether an object says which version it is of.
fn is_version_2(value: json::Value<'_>) -> bool {
    let version = value.member("jsonrpc").ok().flatten().and_then(|version| version.as_str());
    version.as_deref() == Some("2.0")
}
