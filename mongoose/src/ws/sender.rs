//! What other threads hold of a WebSocket.

use super::connection::checked_close;
use super::{CloseCode, SharedMessage};
use crate::engine::Payload;
use crate::gate::ws::Opcode;
use crate::{ConnectionId, Error, Handle};

/// Sends messages on a WebSocket from any thread, without waiting and without loss.
///
/// `Ok` means queued. What a connection that is gone or full could not take is dropped and counted in
/// [`Stats::undelivered`](crate::Stats::undelivered); to be told, [post](Handle::post) a closure that
/// [finds](crate::Registry::websocket) the connection and sends.
///
/// ```
/// use mongoose::{Error, ws};
///
/// fn ticking(peer: &ws::Connection<'_>) -> Result<(), Error> {
///     let sender = peer.sender();
///     std::thread::spawn(move || {
///         while sender.send(ws::SharedMessage::text("tick")).is_ok() {
///             std::thread::sleep(std::time::Duration::from_secs(1));
///         }
///     });
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Sender {
    handle: Handle,
    id: ConnectionId,
}

impl Sender {
    pub(super) fn new(handle: Handle, id: ConnectionId) -> Self {
        Self { handle, id }
    }

    /// The connection that it sends on.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// Sends a message.
    ///
    /// # Errors
    /// [`Error::Gone`] when the manager was dropped.
    pub fn send(&self, message: SharedMessage) -> Result<(), Error> {
        self.post(move |connection| connection.send_shared(&message))
    }

    /// Sends text. Owned text is not copied.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_text(&self, text: impl Into<Payload<'static>> + AsRef<str>) -> Result<(), Error> {
        let text = text.into();
        self.post(move |connection| connection.send_data(Opcode::Text, text))
    }

    /// Sends bytes. Owned ones are not copied.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_binary(&self, bytes: impl Into<Payload<'static>>) -> Result<(), Error> {
        let bytes = bytes.into();
        self.post(move |connection| connection.send_data(Opcode::Binary, bytes))
    }

    /// Begins the closing handshake, behind what was sent before.
    ///
    /// # Errors
    /// As [`send`](Self::send); [`Error::Frame`] for a code or a reason that is none to
    /// [send](super::Connection::close).
    pub fn close(&self, code: CloseCode, reason: &str) -> Result<(), Error> {
        let payload = checked_close(code, reason)?;
        self.post(move |connection| connection.begin_close(&payload))
    }

    fn post(
        &self,
        send: impl FnOnce(&super::Connection<'_>) -> Result<(), Error> + Send + 'static,
    ) -> Result<(), Error> {
        let id = self.id;
        self.handle.post(move |registry| {
            if registry.websocket(id).and_then(|connection| send(&connection)).is_err() {
                registry.count_undelivered();
            }
        })
    }
}
