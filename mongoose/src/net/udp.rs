//! UDP: sockets of datagrams.
//!
//! ```
//! use mongoose::{Manager, udp};
//!
//! let mut manager = Manager::new()?;
//! let echo = manager.udp("udp://127.0.0.1:0", |socket: &udp::Socket<'_>, event: udp::Event<'_>| match event {
//!     udp::Event::Datagram(datagram) => socket.send_to(datagram.bytes, datagram.from),
//!     _ => Ok(()),
//! })?;
//! assert_ne!(echo.local_addr().port(), 0);
//! # Ok::<(), mongoose::Error>(())
//! ```

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use crate::engine::{Connection, Protocol, Step};
use crate::{ConnectionId, Error, Handle, Registry};

/// What happened on a socket of datagrams.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'e> {
    /// The socket that [`connect_udp`](Registry::connect_udp) asked for is there. Whether the peer is cannot be known.
    Connect,
    /// A datagram has arrived, as a whole.
    #[doc(alias = "MG_EV_READ")]
    Datagram(Datagram<'e>),
    /// All that had to wait has left.
    Write,
    /// Another thread [sent](Handle::wakeup) a payload.
    #[doc(alias = "MG_EV_WAKEUP")]
    Wakeup(&'e [u8]),
    /// Something failed. The socket lives on, unless [`Close`](Event::Close) follows: a datagram that had to wait could
    /// not be sent, the system says that nobody is where one went (of connected sockets), or this handler returned an
    /// error. It closes only when `connect_udp` finds no address, and when another process that has the socket too has
    /// shut it down.
    #[doc(alias = "MG_EV_ERROR")]
    Error(&'e Error),
    /// The socket is closing: the last event.
    #[doc(alias = "MG_EV_CLOSE")]
    Close,
}

impl Event<'_> {
    /// The event's name, for logs: `Datagram`, say.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Connect => "Connect",
            Self::Datagram(_) => "Datagram",
            Self::Write => "Write",
            Self::Wakeup(_) => "Wakeup",
            Self::Error(_) => "Error",
            Self::Close => "Close",
        }
    }
}

/// A datagram: a view of the receive buffer, for as long as the event lasts.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Datagram<'e> {
    /// All of it, 65,527 bytes at most. There may be none: that is a datagram too.
    pub bytes: &'e [u8],
    /// Who sent it. Such an address is easily forged: to answer many bytes for few lets others be flooded.
    pub from: SocketAddr,
}

/// Handles the events of one socket. Any `FnMut(&Socket<'_>, Event<'_>) -> Result<(), Error>` is one.
pub trait Handler: 'static {
    /// Handles one event.
    ///
    /// # Errors
    /// Whatever: it is given back as [`Event::Error`], and the socket lives on.
    fn event(&mut self, socket: &Socket<'_>, event: Event<'_>) -> Result<(), Error>;
}

impl<F> Handler for F
where
    F: FnMut(&Socket<'_>, Event<'_>) -> Result<(), Error> + 'static,
{
    fn event(&mut self, socket: &Socket<'_>, event: Event<'_>) -> Result<(), Error> {
        self(socket, event)
    }
}

/// A socket of datagrams, for as long as an event lasts (or the manager is borrowed). Keep [`id`](Self::id) to find it
/// [again](Registry::udp_socket).
#[derive(Clone)]
pub struct Socket<'r>(Connection<'r>);

impl<'r> Socket<'r> {
    pub(crate) fn new(connection: Connection<'r>) -> Self {
        Self(connection)
    }

    /// What names the socket once this borrow is over.
    pub fn id(&self) -> ConnectionId {
        self.0.id()
    }

    /// The registry of the socket's manager.
    pub fn registry(&self) -> &'r Registry {
        self.0.registry()
    }

    /// A handle for other threads.
    pub fn handle(&self) -> Handle {
        self.0.handle()
    }

    /// Our address and port. For a wildcard, that is the wildcard.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.0.local_addr()
    }

    /// To whom the socket is [connected](Registry::connect_udp).
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        self.0.remote_addr()
    }

    /// Sends a datagram, at once where the system has room. Otherwise it waits, behind those that do already, and
    /// [`Event::Write`] comes when all have left.
    ///
    /// ```
    /// # let manager = mongoose::Manager::new()?;
    /// # let ignore = |_: &mongoose::udp::Socket<'_>, _: mongoose::udp::Event<'_>| Ok(());
    /// let id = manager.udp("udp://127.0.0.1:0", ignore)?.id();
    /// let to = "127.0.0.1:9".parse().unwrap();
    /// manager.udp_socket(id)?.send_to(b"nobody hears", to)?;
    /// let too_long = manager.udp_socket(id)?.send_to(&[0; 70_000], to);
    /// assert!(matches!(too_long, Err(mongoose::Error::Datagram { .. })), "and the socket lives");
    /// manager.udp_socket(id)?.send_to(b"", to)?;
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Datagram`] when the system refuses it: too long, no route, another family of addresses; on a connected
    /// socket also what became of one sent before. [`Error::OutputFull`] when more than
    /// [`Limits::output`](crate::Limits::output) would wait, where each datagram counts for 64 bytes more than it has.
    /// [`Error::Closed`] when the socket is closing, or not connected yet. None of these closes it.
    #[doc(alias = "mg_send")]
    pub fn send_to(&self, bytes: &[u8], to: SocketAddr) -> Result<(), Error> {
        self.0.send_datagram(bytes, Some(to))
    }

    /// Sends a datagram to whom the socket is connected.
    ///
    /// # Errors
    /// As [`send_to`](Self::send_to).
    pub fn send(&self, bytes: &[u8]) -> Result<(), Error> {
        self.0.send_datagram(bytes, None)
    }

    /// How many bytes wait to be sent.
    pub fn queued(&self) -> usize {
        self.0.queued_datagrams()
    }

    /// Closes the socket after the events at hand. What waits to be sent is lost.
    pub fn close(&self) {
        self.0.close();
    }

    /// Receives what is sent to a group, on the interface that has an address of ours; `0.0.0.0`: one of the system's
    /// choice.
    ///
    /// # Errors
    /// Of this and all other options: [`Error::Io`] when the system refuses, [`Error::Closed`] when the socket is
    /// closing, or not connected yet.
    #[doc(alias = "mg_multicast_add")]
    pub fn join_multicast_v4(&self, group: Ipv4Addr, interface: Ipv4Addr) -> Result<(), Error> {
        self.set(|socket| socket.join_multicast_v4(&group, &interface))
    }

    /// Receives what is sent to a group, on the interface of an index; 0: one of the system's choice.
    ///
    /// # Errors
    /// As [`join_multicast_v4`](Self::join_multicast_v4).
    pub fn join_multicast_v6(&self, group: Ipv6Addr, interface: u32) -> Result<(), Error> {
        self.set(|socket| socket.join_multicast_v6(&group, interface))
    }

    /// Undoes [`join_multicast_v4`](Self::join_multicast_v4).
    ///
    /// # Errors
    /// As that.
    pub fn leave_multicast_v4(&self, group: Ipv4Addr, interface: Ipv4Addr) -> Result<(), Error> {
        self.set(|socket| socket.leave_multicast_v4(&group, &interface))
    }

    /// Undoes [`join_multicast_v6`](Self::join_multicast_v6).
    ///
    /// # Errors
    /// As that.
    pub fn leave_multicast_v6(&self, group: Ipv6Addr, interface: u32) -> Result<(), Error> {
        self.set(|socket| socket.leave_multicast_v6(&group, interface))
    }

    /// Whether what we send to a group also arrives on this host. Default: yes. (On Linux the sender's setting counts.)
    ///
    /// # Errors
    /// As [`join_multicast_v4`](Self::join_multicast_v4).
    pub fn set_multicast_loop(&self, on: bool) -> Result<(), Error> {
        let v6 = self.is_v6();
        self.set(
            |socket| if v6 { socket.set_multicast_loop_v6(on) } else { socket.set_multicast_loop_v4(on) },
        )
    }

    /// How many routers what we send to an IPv4 group may pass. Default: 1, none.
    ///
    /// # Errors
    /// As [`join_multicast_v4`](Self::join_multicast_v4).
    pub fn set_multicast_ttl_v4(&self, hops: u8) -> Result<(), Error> {
        self.set(|socket| socket.set_multicast_ttl_v4(u32::from(hops)))
    }

    /// Whether broadcast addresses may be sent to. Default: no, as the system has it.
    ///
    /// # Errors
    /// As [`join_multicast_v4`](Self::join_multicast_v4).
    pub fn set_broadcast(&self, on: bool) -> Result<(), Error> {
        self.set(|socket| socket.set_broadcast(on))
    }

    fn is_v6(&self) -> bool {
        matches!(self.local_addr().map(|address| address.ip()), Some(IpAddr::V6(_)))
    }

    fn set(&self, set: impl FnOnce(&UdpSocket) -> std::io::Result<()>) -> Result<(), Error> {
        self.0.set_datagram_option(set)
    }
}

impl fmt::Debug for Socket<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("id", &self.id()).finish_non_exhaustive()
    }
}

/// Hands a socket's events to its handler.
pub(crate) struct Datagrams<H>(pub(crate) H);

impl<H: Handler> Datagrams<H> {
    /// An error of the handler's own comes back to it as an event, once.
    fn tell(&mut self, connection: &Connection<'_>, event: Event<'_>) {
        let socket = Socket::new(connection.clone());
        if let Err(error) = self.0.event(&socket, event)
            && !matches!(event, Event::Error(_) | Event::Close)
        {
            // It has been told; there is nobody else.
            let _ = self.0.event(&socket, Event::Error(&error));
        }
    }
}

impl<H: Handler> Protocol for Datagrams<H> {
    fn opened(&mut self, connection: &Connection<'_>) {
        self.tell(connection, Event::Connect);
    }

    fn receive(&mut self, _connection: &Connection<'_>) -> Step {
        Step::Wait
    }

    fn datagram(&mut self, connection: &Connection<'_>, bytes: &[u8], from: SocketAddr) {
        self.tell(connection, Event::Datagram(Datagram { bytes, from }));
    }

    fn written(&mut self, connection: &Connection<'_>) {
        self.tell(connection, Event::Write);
    }

    fn wakeup(&mut self, connection: &Connection<'_>, payload: &[u8]) {
        self.tell(connection, Event::Wakeup(payload));
    }

    fn failed(&mut self, connection: &Connection<'_>, error: &Error) {
        self.tell(connection, Event::Error(error));
    }

    fn closed(&mut self, connection: &Connection<'_>) {
        self.tell(connection, Event::Close);
    }
}
