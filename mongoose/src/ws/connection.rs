//! One WebSocket, as handlers and the program see it.

use std::cell::Cell;
use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;

use super::outgoing::write_frame;
use super::{CloseCode, Limits, Message, Sender, SharedMessage};
use crate::engine::Payload;
use crate::gate::ws::{CLOSE_REASON_MAX, CONTROL_MAX, Kind, Opcode, Role, close_payload, is_sendable};
use crate::{ConnectionId, Error, Handle, Registry};

/// What whoever sends on a connection has to know.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) role: Role,
    pub(super) limits: Limits,
    /// The subprotocol.
    pub(super) protocol: Option<Box<str>>,
    /// A message is being sent in pieces.
    unfinished: Cell<Option<Kind>>,
    /// We sent a close frame.
    pub(super) closing: Cell<bool>,
    /// Nobody speaks WebSocket any more.
    pub(super) over: Cell<bool>,
}

impl Shared {
    pub(super) fn new(role: Role, limits: Limits, protocol: Option<Box<str>>) -> Rc<Self> {
        let (unfinished, closing, over) = Default::default();
        Rc::new(Self { role, limits, protocol, unfinished, closing, over })
    }
}

/// A WebSocket, for as long as an event lasts (or the manager is borrowed). Keep [`id`](Self::id) to find it
/// [again](Registry::websocket), or a [`Sender`] to reach it from another thread.
///
/// What is sent leaves when the running handler has returned, in the order of the calls.
#[derive(Clone)]
pub struct Connection<'r> {
    connection: crate::Connection<'r>,
    shared: Rc<Shared>,
}

impl<'r> Connection<'r> {
    pub(super) fn new(connection: crate::Connection<'r>, shared: Rc<Shared>) -> Self {
        Self { connection, shared }
    }

    pub(crate) fn find(connection: crate::Connection<'r>) -> Result<Self, Error> {
        match connection.shared::<Shared>() {
            Some(shared) if !shared.over.get() => Ok(Self { connection, shared }),
            _ => Err(Error::Closed),
        }
    }

    /// What names the connection once this borrow is over.
    pub fn id(&self) -> ConnectionId {
        self.connection.id()
    }

    /// The registry of the connection's manager.
    pub fn registry(&self) -> &'r Registry {
        self.connection.registry()
    }

    /// A handle for other threads.
    pub fn handle(&self) -> Handle {
        self.connection.handle()
    }

    /// Sends messages on this connection from any thread.
    pub fn sender(&self) -> Sender {
        Sender::new(self.handle(), self.id())
    }

    /// Our address and port.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.connection.local_addr()
    }

    /// The peer's address and port.
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        self.connection.remote_addr()
    }

    /// The subprotocol that was agreed on.
    pub fn protocol(&self) -> Option<&str> {
        self.shared.protocol.as_deref()
    }

    /// The connection below. Bytes that are sent on it go out between frames as they are.
    pub fn connection(&self) -> &crate::Connection<'r> {
        &self.connection
    }

    /// Sends a message in one frame; an echo is `connection.send(message)`.
    ///
    /// # Errors
    /// [`Error::Closed`] once the connection is closing; [`Error::OutputFull`] when something waits already and it would
    /// be more than [`Limits::output`]: nothing is taken then, and [`Event::Write`](super::Event::Write) comes once all
    /// that waits has left; [`Error::Frame`] while another message is sent [in pieces](Self::send_piece).
    #[doc(alias = "mg_ws_send")]
    #[doc(alias = "mg_ws_wrap")]
    pub fn send(&self, message: Message<'_>) -> Result<(), Error> {
        self.send_data(message.kind().opcode(), message.as_bytes().into())
    }

    /// Sends text. Owned text goes out without a copy, but for what a client has to mask.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    #[doc(alias = "mg_ws_printf")]
    pub fn send_text<'b>(&self, text: impl Into<Payload<'b>> + AsRef<str>) -> Result<(), Error> {
        self.send_data(Opcode::Text, text.into())
    }

    /// Sends bytes. Owned and shared ones go out without a copy, but for what a client has to mask.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_binary<'b>(&self, bytes: impl Into<Payload<'b>>) -> Result<(), Error> {
        self.send_data(Opcode::Binary, bytes.into())
    }

    /// Sends a message that others get too; its payload is not copied, but by clients.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_shared(&self, message: &SharedMessage) -> Result<(), Error> {
        self.send_data(message.opcode, message.payload.clone())
    }

    /// Sends a message in pieces, each in a frame of its own: the first call begins it, the one with `last` ends it. That
    /// is how one of any length goes out of a source, as fast as the peer reads, and with no more than
    /// [`Limits::output`] in memory:
    ///
    /// ```
    /// use std::io::Read;
    /// use mongoose::{Error, ws};
    ///
    /// struct Download {
    ///     file: std::fs::File,
    /// }
    ///
    /// impl ws::Handler for Download {
    ///     fn event(&mut self, peer: &ws::Connection<'_>, event: ws::Event<'_>) -> Result<(), Error> {
    ///         // When it is open, and whenever all that waited has left.
    ///         if !matches!(event, ws::Event::Open | ws::Event::Write) {
    ///             return Ok(());
    ///         }
    ///         let mut piece = [0; 32 << 10];
    ///         while peer.has_room(piece.len()) {
    ///             let count = self.file.read(&mut piece).map_err(Error::handler)?;
    ///             peer.send_piece(ws::Message::Binary(&piece[..count]), count == 0)?;
    ///             if count == 0 {
    ///                 return peer.close(ws::CloseCode::NORMAL, "");
    ///             }
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`send`](Self::send), but for that [`Error::Frame`] says that text and bytes are in one message.
    pub fn send_piece(&self, piece: Message<'_>, last: bool) -> Result<(), Error> {
        let kind = piece.kind();
        let opcode = match self.shared.unfinished.get() {
            None => kind.opcode(),
            Some(begun) if begun == kind => Opcode::Continuation,
            Some(_) => return Err(Error::Frame("a message is text or bytes, not both")),
        };
        self.check_room(piece.as_bytes().len())?;
        self.write(opcode, last, piece.as_bytes().into());
        self.shared.unfinished.set((!last).then_some(kind));
        Ok(())
    }

    /// Sends a ping of 125 bytes at most; [`Event::Pong`](super::Event::Pong) has the same. Pings that find out whether
    /// the peer is there are [sent](Limits::ping_time) by themselves.
    ///
    /// # Errors
    /// As [`send`](Self::send), but also inside a message; [`Error::Frame`] for more bytes.
    pub fn ping(&self, bytes: impl AsRef<[u8]>) -> Result<(), Error> {
        self.send_control(Opcode::Ping, bytes.as_ref())
    }

    /// Sends a pong that no ping asked for, of 125 bytes at most. Pings are answered by themselves.
    ///
    /// # Errors
    /// As [`ping`](Self::ping).
    pub fn pong(&self, bytes: impl AsRef<[u8]>) -> Result<(), Error> {
        self.send_control(Opcode::Pong, bytes.as_ref())
    }

    /// Begins the closing handshake: what was sent before leaves, then this code and a reason of 123 bytes at most.
    /// Nothing can be sent after it; messages that the peer had on their way still come. The connection closes when the
    /// peer has answered, or [some time](Limits::close_time) has passed.
    ///
    /// # Errors
    /// [`Error::Closed`] when that was begun before; [`Error::Frame`] for a code that is not to be sent, such as 1005 or
    /// 1006, or for a longer reason.
    pub fn close(&self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.begin_close(&checked_close(code, reason)?)
    }

    /// Whether a message or piece of so many bytes would be taken now. Where it would not,
    /// [`Event::Write`](super::Event::Write) comes once all that waits has left, unless the connection is closing.
    pub fn has_room(&self, bytes: usize) -> bool {
        self.check_room(bytes).is_ok()
    }

    /// How many bytes wait to be sent.
    pub fn queued(&self) -> usize {
        self.connection.queued()
    }

    /// Stops receiving; what the peer sends waits with the system.
    pub fn pause(&self) {
        self.connection.pause();
    }

    /// Receives again.
    pub fn resume(&self) {
        self.connection.resume();
    }

    pub(super) fn send_data(&self, opcode: Opcode, payload: Payload<'_>) -> Result<(), Error> {
        self.check_room(payload.len())?;
        if self.shared.unfinished.get().is_some() {
            return Err(Error::Frame("another message is being sent in pieces"));
        }
        self.write(opcode, true, payload);
        Ok(())
    }

    fn send_control(&self, opcode: Opcode, payload: &[u8]) -> Result<(), Error> {
        if payload.len() > CONTROL_MAX {
            return Err(Error::Frame("more than 125 bytes in a control frame"));
        }
        self.check_room(payload.len())?;
        self.write(opcode, true, payload.into());
        Ok(())
    }

    fn check_room(&self, bytes: usize) -> Result<(), Error> {
        if self.shared.closing.get() || self.shared.over.get() {
            return Err(Error::Closed);
        }
        self.connection.check_room(bytes, self.shared.limits.output)
    }

    pub(super) fn begin_close(&self, payload: &[u8]) -> Result<(), Error> {
        if self.shared.closing.get() || self.shared.over.get() || !self.connection.takes_output() {
            return Err(Error::Closed);
        }
        self.write(Opcode::Close, true, payload.into());
        self.shared.closing.set(true);
        self.connection.set_deadline(Some(self.shared.limits.close_time));
        Ok(())
    }

    /// Sends a frame whatever waits.
    pub(super) fn write(&self, opcode: Opcode, fin: bool, payload: Payload<'_>) {
        write_frame(&self.connection, self.shared.role, opcode, fin, payload);
    }
}

/// What a close frame carries.
pub(super) fn checked_close(code: CloseCode, reason: &str) -> Result<Vec<u8>, Error> {
    if !is_sendable(code.0) {
        return Err(Error::Frame("a close code that is not to be sent"));
    }
    if reason.len() > CLOSE_REASON_MAX {
        return Err(Error::Frame("a reason of more than 123 bytes"));
    }
    Ok(close_payload(code.0, reason))
}

impl fmt::Debug for Connection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("id", &self.id()).finish_non_exhaustive()
    }
}
