//! The handler of a WebSocket, and what it is told.

use super::{CloseFrame, Connection, Message, Piece};
use crate::Error;

/// What happened on a WebSocket.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'e> {
    /// The handshake is done: messages may be sent.
    #[doc(alias = "MG_EV_WS_OPEN")]
    Open,
    /// A message has arrived, as a whole.
    #[doc(alias = "MG_EV_WS_MSG")]
    Message(Message<'e>),
    /// A part of a message has arrived, where they are taken [in pieces](super::Upgrade::pieces).
    Piece(Piece<'e>),
    /// The peer sent a ping, 125 bytes at most. It was answered with a pong before, unless we have closed.
    #[doc(alias = "MG_EV_WS_CTL")]
    Ping(&'e [u8]),
    /// The peer sent a pong, in answer to a ping or of its own accord.
    #[doc(alias = "MG_EV_WS_CTL")]
    Pong(&'e [u8]),
    /// All that waited to be sent has left.
    #[doc(alias = "MG_EV_WRITE")]
    Write,
    /// Another thread [sent](crate::Handle::wakeup) a payload.
    #[doc(alias = "MG_EV_WAKEUP")]
    Wakeup(&'e [u8]),
    /// C code fired an event of the user's own, `MG_EV_USER` or above: the number less `MG_EV_USER`.
    #[doc(alias = "MG_EV_USER")]
    User(u32),
    /// Something failed, and the connection closes: [`Error::WebSocket`] when the peer broke the protocol,
    /// [`Error::Handshake`] when a server did not agree, [`Error::Truncated`] when the connection ended inside a
    /// message, [`Error::Deadline`] for a peer that is silent, or what this handler answered.
    #[doc(alias = "MG_EV_ERROR")]
    Error(&'e Error),
    /// The connection is closing: the last event. Nothing can be sent any more.
    #[doc(alias = "MG_EV_CLOSE")]
    Close(CloseFrame<'e>),
}

impl Event<'_> {
    /// The event's name, for logs: `Message`, say.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::Message(_) => "Message",
            Self::Piece(_) => "Piece",
            Self::Ping(_) => "Ping",
            Self::Pong(_) => "Pong",
            Self::Write => "Write",
            Self::Wakeup(_) => "Wakeup",
            Self::User(_) => "User",
            Self::Error(_) => "Error",
            Self::Close(_) => "Close",
        }
    }
}

/// Handles the events of one WebSocket. Any `FnMut(&Connection<'_>, Event<'_>) -> Result<(), Error>` is one; closures
/// name the two types.
///
/// ```
/// use mongoose::{Error, ws};
///
/// struct Counter {
///     messages: u64,
/// }
///
/// impl ws::Handler for Counter {
///     fn event(&mut self, peer: &ws::Connection<'_>, event: ws::Event<'_>) -> Result<(), Error> {
///         if let ws::Event::Message(_) = event {
///             self.messages += 1;
///             peer.send_text(format!("{} so far", self.messages))?;
///         }
///         Ok(())
///     }
/// }
/// ```
pub trait Handler: 'static {
    /// Handles one event.
    ///
    /// # Errors
    /// Whatever should close the connection, with [1011](super::CloseCode::INTERNAL_ERROR). It is given back as
    /// [`Event::Error`]. [`Error::Closed`] after [`close`](Connection::close) is none.
    fn event(&mut self, connection: &Connection<'_>, event: Event<'_>) -> Result<(), Error>;
}

impl<F> Handler for F
where
    F: FnMut(&Connection<'_>, Event<'_>) -> Result<(), Error> + 'static,
{
    fn event(&mut self, connection: &Connection<'_>, event: Event<'_>) -> Result<(), Error> {
        self(connection, event)
    }
}
