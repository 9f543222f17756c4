//! Services of the `tower` crate as HTTP handlers (feature `tower`): an axum `Router`, with its extractors and the
//! middleware of tower-http, runs on Mongoose as it is.
//!
//! ```
//! use std::convert::Infallible;
//! use std::future::{Ready, ready};
//! use std::task::{Context, Poll};
//!
//! use mongoose::{Manager, tower};
//!
//! #[derive(Clone)]
//! struct Hello; // or an axum::Router
//!
//! impl tower_service::Service<http::Request<tower::Body>> for Hello {
//!     type Response = http::Response<tower::Body>;
//!     type Error = Infallible;
//!     type Future = Ready<Result<Self::Response, Infallible>>;
//!
//!     fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
//!         Poll::Ready(Ok(()))
//!     }
//!
//!     fn call(&mut self, request: http::Request<tower::Body>) -> Self::Future {
//!         ready(Ok(http::Response::new(format!("hello, {}", request.uri().path()).into())))
//!     }
//! }
//!
//! let manager = Manager::new()?;
//! manager.http("http://127.0.0.1:0", tower::Serve::new(Hello))?;
//! # Ok::<(), mongoose::Error>(())
//! ```
//!
//! **Futures** are polled on the loop's own thread, at once when a request comes and then whenever they are woken, by
//! whatever thread: they need not be `Send`, and one that is ready at once costs no detour. A future must not block:
//! everybody else waits meanwhile. One that needs a runtime, say for a timer or a database, needs that to be entered.
//! Each request has a clone of the service, which is called once it is ready.
//!
//! **On several cores** each of the [`Workers`](crate::Workers) serves a clone, within a tokio runtime of its own where
//! the services need one:
//!
//! ```text
//! let router = Router::new().route("/", get(page)).with_state(state);
//! let workers = Workers::builder(0).tokio().start(move |_, registry| {
//!     registry.http("http://0.0.0.0:8000", tower::Serve::new(router.clone()))?;
//!     Ok(())
//! })?;
//! workers.run_until_signal()
//! ```
//!
//! **A request that is aborted** has its future dropped: when the connection breaks, and also when the peer ends its
//! direction alone, unless [`Serve::half_close`] says otherwise. So has one that takes longer than
//! [`Limits::reply_time`](crate::Limits::reply_time), which is answered 504.
//!
//! **Bodies** are streamed both ways. Of a request's, some 64 KB wait to be read, then the connection is not read until
//! they are; of a response's, the next piece is asked for when less than 64 KB wait to be sent. A response may come before
//! the request's body was read, and while it is: what is left of a body that nobody reads is thrown away up to 64 KB, past
//! which the connection closes. `100 Continue` is sent when the body is asked for
//! first, unless the response has begun by then: also to a service whose response is the request's body. There is no limit to the body
//! but the service's own: axum's `DefaultBodyLimit` and tower-http's `RequestBodyLimit` do as they say.
//!
//! **Errors and panics.** An error of the service is answered 500, one of a response's body closes the connection without
//! the mark of a whole body. A panic closes the connection and goes on from [`poll`](crate::Manager::poll), as that of any
//! handler; tower-http's `CatchPanic` answers 500 instead.
//!
//! **WebSockets** are accepted by an [`Upgrade`], which is in the extensions of requests that ask for one.
//!
//! **What is not there.** Trailers are dropped, both ways. axum's own `WebSocketUpgrade` and whatever else needs
//! `hyper::upgrade::OnUpgrade` answer that the connection cannot be upgraded, because hyper lets nobody else make one.
//! `ConnectInfo` is not set, but the request's extensions have a [`Peer`].
//!
//! **Licences.** axum itself depends on `sync_wrapper`, which is under Apache-2.0 alone. The FSF holds that to be
//! incompatible with GPL-2.0-only, Mongoose's licence where you have no other: ask before you distribute the two in one
//! program. What this feature brings is under MIT.

mod body;
mod request;
mod respond;
mod serve;
mod upgrade;
mod waker;

pub use body::Body;
pub use serve::{Peer, Serve};
pub use upgrade::Upgrade;
