//! The handler of raw connections, and what it is told.

use crate::{Connection, Error};

/// What happened on a connection.
///
/// Each variant is one of C's `MG_EV_*`. Not here: `MG_EV_OPEN` (creation answers the id), `MG_EV_POLL` (use a
/// [timer](crate::Registry::every)) and `MG_EV_RESOLVE` (part of connecting).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'e> {
    /// A listener accepted the connection.
    #[doc(alias = "MG_EV_ACCEPT")]
    Accept,
    /// The connection we asked for is there.
    #[doc(alias = "MG_EV_CONNECT")]
    Connect,
    /// Bytes have arrived: [`Connection::received`] shows them. What is not [consumed](Connection::consume) is shown
    /// again with the next ones, and after [`resume`](Connection::resume) or [`Write`](Event::Write).
    #[doc(alias = "MG_EV_READ")]
    Read,
    /// All output has left, after some of it had to wait. C fires `MG_EV_WRITE` at each write.
    #[doc(alias = "MG_EV_WRITE")]
    Write,
    /// The peer has ended its direction; all it sent was shown before. The connection drains next: what this handler
    /// sends now still leaves. To send later, [keep it open](Connection::keep_open). C closes at once, and what waits
    /// to be sent is lost.
    End,
    /// Another thread [sent](crate::Handle::wakeup) a payload, whole whatever its size.
    #[doc(alias = "MG_EV_WAKEUP")]
    Wakeup(&'e [u8]),
    /// C code fired an event of the user's own, `MG_EV_USER` or above: the number less `MG_EV_USER`.
    #[doc(alias = "MG_EV_USER")]
    User(u32),
    /// Something failed; the connection closes next (but for an error that an HTTP handler itself returned).
    #[doc(alias = "MG_EV_ERROR")]
    Error(&'e Error),
    /// The connection is closing: the last event. Nothing can be sent any more.
    #[doc(alias = "MG_EV_CLOSE")]
    Close,
}

impl Event<'_> {
    /// The event's name, for logs: `Read`, say. [`event_name`](crate::event_name) is the same for C's numbers.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Accept => "Accept",
            Self::Connect => "Connect",
            Self::Read => "Read",
            Self::Write => "Write",
            Self::End => "End",
            Self::Wakeup(_) => "Wakeup",
            Self::User(_) => "User",
            Self::Error(_) => "Error",
            Self::Close => "Close",
        }
    }
}

/// Handles the events of raw connections. Any `FnMut(&Connection<'_>, Event<'_>) -> Result<(), Error>` is one.
///
/// An error that it returns is given back to it as [`Event::Error`], and the connection closes.
///
/// ```
/// use mongoose::{Connection, Event, Manager};
///
/// let mut manager = Manager::new()?;
/// let echo = manager.tcp("tcp://127.0.0.1:0", |connection: &Connection<'_>, event: Event<'_>| {
///     if let Event::Read = event {
///         connection.send(connection.received())?;
///         connection.consume(usize::MAX);
///     }
///     Ok(())
/// })?;
/// # Ok::<(), mongoose::Error>(())
/// ```
pub trait Handler: 'static {
    /// Handles one event.
    ///
    /// # Errors
    /// Whatever should close the connection.
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
