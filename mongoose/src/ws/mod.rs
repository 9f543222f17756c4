//! WebSocket (RFC 6455): messages in both directions, on the connections of an HTTP server or of our own.
//!
//! A server [upgrades](upgrade()) a request, a client [connects](connect()); from then on both are a [`Handler`] that
//! gets [`Event`]s of a [`Connection`].
//!
//! ```
//! use mongoose::{Manager, http, ws};
//!
//! let mut manager = Manager::new()?;
//! let listener = manager.http("http://127.0.0.1:0", |request: http::Request<'_>, reply: http::Reply<'_>| {
//!     // An echo for each who asks.
//!     ws::upgrade(request, reply).accept(|peer: &ws::Connection<'_>, event: ws::Event<'_>| match event {
//!         ws::Event::Message(message) => peer.send(message),
//!         _ => Ok(()),
//!     })
//! })?;
//!
//! let handle = manager.handle();
//! ws::connect(&manager, &format!("ws://{}/", listener.local_addr())).open(
//!     move |peer: &ws::Connection<'_>, event: ws::Event<'_>| match event {
//!         ws::Event::Open => peer.send_text("hello"),
//!         ws::Event::Message(ws::Message::Text(text)) => {
//!             assert_eq!(text, "hello");
//!             peer.close(ws::CloseCode::NORMAL, "that is all")
//!         }
//!         ws::Event::Close(close) => {
//!             assert_eq!(close.code, ws::CloseCode::NORMAL);
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
//! Every rule of RFC 6455 is checked, and a peer that breaks one is closed with the code for it. Text is UTF-8, checked
//! as it comes. Compression is not offered. How large a message may be, and how long a peer may be silent, is in
//! [`Limits`].

mod accept;
mod agreement;
mod close;
mod connect;
mod connection;
mod handler;
mod limits;
mod link;
mod message;
mod opening;
mod outgoing;
mod sender;
mod tunnel;
mod upgrade;

#[cfg(feature = "tower")]
pub(crate) use agreement::{Opening, Terms};
pub use close::{CloseCode, CloseFrame};
pub(crate) use connect::Passage;
pub use connect::{Connect, connect};
pub use connection::Connection;
pub use handler::{Event, Handler};
pub use limits::Limits;
pub use message::{Message, Piece, SharedMessage};
pub use sender::Sender;
pub use upgrade::{Upgrade, upgrade};
