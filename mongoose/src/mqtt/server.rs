//! The server's side of a connection: packets in, packets out. What they mean is the handler's.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use super::{Connack, Decoder, Disconnect, Packet, Reason, Version};
use crate::engine::{Connection, Protocol, Step};
use crate::gate::mqtt::Violation;
use crate::{ConnectionId, Error, Registry};

/// What happened on a connection of a client's.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ServerEvent<'e> {
    /// It is there. CONNECT has to come within [`Limits::head_time`](crate::Limits::head_time).
    #[doc(alias = "MG_EV_ACCEPT")]
    Accept,
    /// A packet, whole and checked: CONNECT comes first, and only once. What is to be answered, PINGREQ included, is the
    /// handler's.
    #[doc(alias = "MG_EV_MQTT_CMD")]
    Packet(Packet<'e>),
    /// All that waited to be sent has left, after some of it had to wait.
    Write,
    /// Another thread [sent](crate::Handle::wakeup) a payload.
    Wakeup(&'e [u8]),
    /// Something failed: the connection closes next. After [`Error::Mqtt`] the client was told why.
    #[doc(alias = "MG_EV_ERROR")]
    Error(&'e Error),
    /// The connection is closing: the last event.
    #[doc(alias = "MG_EV_CLOSE")]
    Close,
}

impl ServerEvent<'_> {
    /// The event's name, for logs: `Packet`, say.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Accept => "Accept",
            Self::Packet(_) => "Packet",
            Self::Write => "Write",
            Self::Wakeup(_) => "Wakeup",
            Self::Error(_) => "Error",
            Self::Close => "Close",
        }
    }
}

/// Handles the packets of clients. Any `FnMut(&Peer<'_>, ServerEvent<'_>) -> Result<(), Error>` is one.
///
/// See [`ListenerBuilder::mqtt`](crate::ListenerBuilder::mqtt).
pub trait ServerHandler: 'static {
    /// Handles one event.
    ///
    /// # Errors
    /// Whatever should close the connection: it comes back as [`ServerEvent::Error`].
    fn event(&mut self, peer: &Peer<'_>, event: ServerEvent<'_>) -> Result<(), Error>;
}

impl<F> ServerHandler for F
where
    F: FnMut(&Peer<'_>, ServerEvent<'_>) -> Result<(), Error> + 'static,
{
    fn event(&mut self, peer: &Peer<'_>, event: ServerEvent<'_>) -> Result<(), Error> {
        self(peer, event)
    }
}

/// A client's connection, for as long as an event lasts. Packets for others are [encoded](Packet::encode) and sent on
/// [their connection](Registry::connection).
pub struct Peer<'r> {
    connection: Connection<'r>,
    version: Option<Version>,
    keep_alive: Cell<Option<u16>>,
}

impl<'r> Peer<'r> {
    /// What names the connection once this borrow is over.
    pub fn id(&self) -> ConnectionId {
        self.connection.id()
    }

    /// The connection itself.
    pub fn connection(&self) -> &Connection<'r> {
        &self.connection
    }

    /// The registry of the connection's manager.
    pub fn registry(&self) -> &'r Registry {
        self.connection.registry()
    }

    /// What the client speaks; `None` before its CONNECT.
    pub fn version(&self) -> Option<Version> {
        self.version
    }

    /// Sends a packet, behind what waits to be sent.
    ///
    /// # Errors
    /// As [`Connection::send`] and [`Packet::encode`].
    pub fn send(&self, packet: &Packet<'_>) -> Result<(), Error> {
        let mut bytes = Vec::new();
        packet.encode(self.version.unwrap_or_default(), &mut bytes)?;
        self.connection.send(bytes)
    }

    /// Has another keep-alive hold than CONNECT asked for, in seconds; 0: none. MQTT 5's CONNACK tells the client.
    pub fn set_keep_alive(&self, seconds: u16) {
        self.keep_alive.set(Some(seconds));
    }

    /// Closes once what waits has left; in MQTT 5 the client is told why.
    pub fn disconnect(&self, reason: Reason) {
        end(&self.connection, self.version, reason);
    }
}

impl fmt::Debug for Peer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("id", &self.id()).field("version", &self.version).finish_non_exhaustive()
    }
}

/// Says why, where the version has words for it, and closes.
fn end(connection: &Connection<'_>, version: Option<Version>, reason: Reason) {
    if version == Some(Version::V5) {
        let mut bytes = Vec::new();
        let packet = Packet::Disconnect(Disconnect { reason, ..Disconnect::default() });
        if packet.encode(Version::V5, &mut bytes).is_ok() {
            // It is closed already, or so much waits that it would not hear of it.
            let _ = connection.send(bytes);
        }
    }
    connection.drain_and_linger();
}

/// Hands packets to a handler, which serves other connections too.
pub(crate) struct Server<H> {
    handler: Rc<RefCell<H>>,
    decoder: Decoder,
    /// How long the client may be silent. Zero: for ever.
    silence: Duration,
}

impl<H: ServerHandler> Server<H> {
    pub(crate) fn boxed(handler: Rc<RefCell<H>>, packet_size: usize) -> Box<dyn Protocol> {
        Box::new(Self { handler, decoder: Decoder::of_client(packet_size), silence: Duration::ZERO })
    }

    /// An error of the handler's own comes back to it as an event, once.
    fn tell(&mut self, connection: &Connection<'_>, event: ServerEvent<'_>) {
        let version = self.decoder.version();
        let peer = Peer { connection: connection.clone(), version, keep_alive: Cell::new(None) };
        let mut handler = self.handler.borrow_mut();
        if let Err(error) = handler.event(&peer, event)
            && !matches!(event, ServerEvent::Error(_) | ServerEvent::Close)
        {
            end(connection, version, Reason::UNSPECIFIED_ERROR);
            // It has been told; there is nobody else.
            let _ = handler.event(&peer, ServerEvent::Error(&error));
        }
        if let Some(seconds) = peer.keep_alive.get() {
            self.silence = silence(seconds);
        }
    }
}

/// Half as much more than the keep-alive (MQTT-3.1.2-22).
fn silence(keep_alive: u16) -> Duration {
    Duration::from_secs(u64::from(keep_alive)) * 3 / 2
}

impl<H: ServerHandler> Protocol for Server<H> {
    fn opened(&mut self, connection: &Connection<'_>) {
        connection.set_appetite(usize::MAX);
        connection.set_framed();
        connection.set_deadline(Some(connection.limits().head_time));
        self.tell(connection, ServerEvent::Accept);
    }

    fn receive(&mut self, connection: &Connection<'_>) -> Step {
        match self.decoder.split(connection.received()) {
            Ok(None) => {
                connection.expect(self.decoder.needs());
                Step::Wait
            }
            Ok(Some((packet, size))) => {
                if let Packet::Connect(connect) = &packet {
                    self.silence = silence(connect.keep_alive);
                }
                self.tell(connection, ServerEvent::Packet(packet));
                connection.consume_unit(size);
                connection.set_deadline(Some(self.silence).filter(|silence| !silence.is_zero()));
                Step::Again
            }
            Err(Violation { reason, what }) => {
                connection.consume_unit(usize::MAX);
                let version = self.decoder.version();
                if version.is_none() && reason.return_code() <= 2 {
                    // 3.1.1 has words for these two, and an unknown version reads them best.
                    let mut bytes = Vec::new();
                    let refusal = Packet::Connack(Connack { reason, ..Connack::default() });
                    if refusal.encode(Version::V3, &mut bytes).is_ok() {
                        let _ = connection.send(bytes);
                    }
                }
                end(connection, version, reason);
                self.tell(connection, ServerEvent::Error(&Error::Mqtt { reason, what }));
                Step::Wait
            }
        }
    }

    fn expired(&mut self, connection: &Connection<'_>) {
        let version = self.decoder.version();
        let phase = if version.is_none() { "send CONNECT" } else { "keep alive" };
        self.tell(connection, ServerEvent::Error(&Error::Deadline { phase }));
        end(connection, version, Reason::KEEP_ALIVE_TIMEOUT);
    }

    fn written(&mut self, connection: &Connection<'_>) {
        self.tell(connection, ServerEvent::Write);
    }

    fn wakeup(&mut self, connection: &Connection<'_>, payload: &[u8]) {
        self.tell(connection, ServerEvent::Wakeup(payload));
    }

    fn failed(&mut self, connection: &Connection<'_>, error: &Error) {
        self.tell(connection, ServerEvent::Error(error));
    }

    fn shutdown(&mut self, connection: &Connection<'_>) {
        end(connection, self.decoder.version(), Reason::SERVER_SHUTTING_DOWN);
    }

    fn closed(&mut self, connection: &Connection<'_>) {
        self.tell(connection, ServerEvent::Close);
    }
}
