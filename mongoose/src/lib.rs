//! HTTP, WebSocket, TCP and UDP on one small event loop: the safe Rust home of [Mongoose](https://mongoose.ws), Cesanta's C library.
//!
//! ```no_run
//! use mongoose::{Manager, http};
//!
//! let mut manager = Manager::new()?;
//! manager.http("http://127.0.0.1:8000", |request: http::Request<'_>, reply: http::Reply<'_>| match request.path() {
//!     "/hello" => reply.text("Hello, World!"),
//!     "/echo" => reply.body(request.body()),
//!     _ => reply.status(404).text("not found"),
//! })?;
//! manager.run_until_signal()?;
//! # Ok::<(), mongoose::Error>(())
//! ```
//!
//! # A tour
//!
//! The [guide] has pages to read: the first hour, the loop, streaming, deployment, and for those who come from elsewhere.
//!
//! **The loop.** A [`Manager`] owns an event loop: it lives on one thread, and everything happens while you
//! [`poll`](Manager::poll) or [`run`](Manager::run) it. All that can be done besides, such as listening, connecting and
//! setting timers, is on the [`Registry`] that it derefs to, and handlers reach the same one through their
//! [`Connection`].
//!
//! **Handlers.** [`http::Handler`] answers requests, [`Handler`] takes the events of raw connections, each direction of which ends by itself; closures are
//! handlers. One handler serves all connections of a listener, or [each](Registry::http_each) gets its own, whose fields
//! are the connection's state. A handler is never entered while another of the same manager runs.
//!
//! **Bodies of any length.** A handler may take a request's body [in pieces](http::Upload), and answer with one that is
//! [made while it is sent](http::BodySource), [written by another thread](http::Reply::channel), or a
//! [file](http::Files). A peer that does not read, or a handler that pauses, holds the other back.
//!
//! **Clients.** [`http::Client`] sends requests on the loop and keeps connections; [`http::get`] and its like block.
//!
//! **WebSocket.** [`ws::upgrade`](ws::upgrade()) makes a request one, [`ws::connect`](ws::connect()) goes to a server;
//! both ends are a [`ws::Handler`].
//!
//! **TLS.** Listeners, connections and requests take a configuration of the module `tls`; with it a URL says `https://` or
//! `tls://`, and without it that is an error.
//!
//! **MQTT.** [`mqtt::Client`] keeps a session with a server over as many connections as it takes. [`ListenerBuilder::mqtt`] hands
//! the packets of clients to those who write servers.
//!
//! **More than one core, more than one machine.** [`Workers`] runs a loop on each core. Processes on several hosts share what
//! they have to by a broker, each with an [`mqtt::Client`]: the example `scale_out` says how.
//!
//! **Time.** Timers and deadlines run by the monotonic clock, [`Instant`](std::time::Instant): setting the system's clock
//! moves none of them. What is shown to others or judged by date, as the `Date` of a reply, cookies and certificates, goes
//! by the system's, [`SystemTime`](std::time::SystemTime). [`Registry::sntp`] tells the time of a server, and moves
//! neither.
//!
//! **Datagrams.** [`Registry::udp`] makes a socket of datagrams, with a [`udp::Handler`] of its own.
//!
//! **Small things.** [`json`] finds values by path, [`glob`] matches patterns, [`base64`], [`digest`] and [`random`] do what
//! they say. With the feature `json-rpc`, `jsonrpc` calls methods of peers, and has them call ours.
//!
//! **Views and ids.** What a handler sees of a request or of received bytes is a view of the receive buffer: nothing is
//! copied, and the compiler sees to it that nothing is kept. What is kept is a [`ConnectionId`], which finds
//! [the connection](Registry::connection) again or says that it is [closed](Error::Closed).
//!
//! **Other threads.** A [`Handle`] posts closures to the loop and sends bytes of any size, without loss.
//! [`http::Reply::defer`] answers a request from another thread.
//!
//! **Limits.** What a peer may make the loop hold, and for how long, is bounded by [`Limits`], which are on by default.
//!
//! **Panics.** A panic in a handler closes its connection, and goes on from [`poll`](Manager::poll); the manager is
//! usable afterwards.
//!
//! **C.** [`sys`] has the raw functions, and [`Connection::as_raw`] what they take. Search these pages for a C name such
//! as `mg_http_listen` to find its counterpart.
//!
//! **Logging.** Errors are values, and nothing is logged but what has no other way: with the feature `log`, warnings about
//! dangerous configurations, with the target `mongoose` (else on the standard error), and what C's code says, with the
//! target `mongoose::c`. Install the logger before the first manager: C asks for the level
//! (`log::max_level()`) once. For `tracing`, [tracing-log](https://docs.rs/tracing-log) takes both.
//!
//! **Tracing.** With the feature `tracing`, the code that handles events runs within spans of the `tracing` crate, with the
//! target `mongoose` and fields as OpenTelemetry names them:
//!
//! - `connection`, of level DEBUG, of every connection and socket of datagrams: `connection.id`, `network.transport`,
//!   `network.peer.address` and `.port`, `network.local.address` and `.port`.
//! - `request`, of level INFO, from the end of a request's head to that of its reply, within the span of the connection
//!   where that is enabled: `connection.id`, `request.id`, `http.request.method`, `url.path`, `url.query`, `url.scheme`,
//!   `network.protocol.version`, `http.response.status_code`, and `http.route` where `http::Router` is the handler.
//! - `request` of an [`http::Client`], within the span that it was made in, until its handler has returned, with
//!   redirects and retries: `http.request.method`, `url.full` without credentials, `http.response.status_code`. That of a
//!   `tokio::HttpClient` is within the span of the task.
//!
//! `otel.kind` tells the two apart; `otel.name` is the method, and `otel.status_code` says `ERROR` after a status from
//! 500 and a request of ours that failed. URLs are as they are sent: what a query holds is for all to read. Failures of connections and errors of HTTP are events of level DEBUG. A reply that is put off or
//! streamed keeps its span open; a thread that makes it enters a clone of `tracing::Span::current()` of the handler's.
//! Spans of tower's layers, such as tower-http's `TraceLayer`, are within that of the request. To export each request as a
//! trace of its own, enable `mongoose=info`. In a program without a subscriber the spans cost some hundred instructions a
//! request.
//!
//! # Features
//!
//! | feature       | what it adds                                                                    |
//! |---------------|---------------------------------------------------------------------------------|
//! | `bytes`       | [`Payload`] from `bytes::Bytes` and back, without a copy                        |
//! | `cookies`     | `request.cookies()`, `request.cookie(name)`, `reply.cookie(...)`                |
//! | `gzip`        | `RequestBuilder::gzip`: compressed responses for the HTTP client                 |
//! | `http`        | the types of the `http` crate: `request.to_http()`, `reply.respond(...)`; `client.request_from(...)`, `response.to_http()` |
//! | `include_dir` | folders that are embedded in the program, served as files are                   |
//! | `json-rpc`    | `jsonrpc`: calls of methods, as server and client                               |
//! | `log`         | C's log and our warnings, by the `log` crate                                    |
//! | `metrics`     | `metrics`: what a manager counts, for the `metrics` crate                        |
//! | `router`      | `http::Router`                                                                  |
//! | `serde`       | `request.json::<T>()`, `reply.json(&value)`; the same of the client's           |
//! | `tls-builtin` | without `tls-rustls`: the same for small programs, by Mongoose's own cryptography |
//! | `tls-rustls`  | on by default; `tls`: listeners and clients speak it, by rustls                 |
//! | `tokio`       | `tokio`: a manager within a tokio runtime, clients for tasks (where there is epoll) |
//! | `tower`       | `tower`: any `tower::Service`, such as axum's `Router`, as an HTTP handler      |
//! | `tracing`     | spans of connections and requests, for the `tracing` crate                       |
//!
//! # Licence
//!
//! This crate is MIT, but it links Mongoose, which is GPL-2.0-only or commercial: so is your program, unless you hold a
//! commercial Mongoose licence.

#![deny(unsafe_code)]
// docs.rs writes beside each item which feature it needs; `_tls` is none that anybody turns on.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(docsrs, doc(auto_cfg(hide(feature = "_tls"))))]

#[cfg(not(unix))]
compile_error!("the safe crate runs on Unix so far; mongoose-sys builds on Windows too");

pub mod base64;
pub mod digest;
mod dns;
mod engine;
mod error;
mod event_name;
#[allow(unsafe_code, reason = "the one module that may: see its documentation")]
mod ffi;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod gate;
pub mod glob;
#[cfg(any(doc, doctest))]
pub mod guide;
pub mod http;
pub mod json;
#[cfg(feature = "json-rpc")]
pub mod jsonrpc;
#[cfg(feature = "metrics")]
pub mod metrics;
pub mod mqtt;
mod net;
pub mod random;
pub mod sntp;
#[cfg(feature = "_tls")]
#[cfg_attr(docsrs, doc(cfg(any(feature = "tls-rustls", feature = "tls-builtin"))))]
pub mod tls;
#[cfg(all(feature = "tokio", target_os = "linux", not(mongoose_portable)))]
pub mod tokio;
#[cfg(feature = "tower")]
pub mod tower;
pub mod url;
mod version;
mod warning;
pub mod ws;

pub use mongoose_sys as sys;

pub use dns::Dns;
pub use engine::{
    Connection, ConnectionId, Connector, Handle, Limits, Listener, ListenerBuilder, Lookup, Manager, Payload,
    Registry, State, Stats, Timer, Workers, WorkersBuilder,
};
pub use error::Error;
pub use event_name::event_name;
pub use ffi::{inherited_sockets, uptime};
pub use net::{AccessList, Event, Handler, udp};
pub use version::MONGOOSE_VERSION;
