//! Connections that we make: how they are asked for.

use std::cell::RefCell;
use std::fmt;
use std::net::SocketAddr;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use super::core::Core;
use super::dialing::Dialing;
use super::lookup::{self, Asker};
use super::transport::{ClientTls, Socket};
use super::{ConnectionId, Limits, Protocol, Registry};
use crate::Error;
use crate::ffi::{self, Flag};
use crate::net::{Endpoint, Handler, Scheme, Stream, udp};

/// A connection to be: to where, in what time, and how the socket is to be.
pub(super) struct Call<'c> {
    pub(super) endpoint: &'c Endpoint,
    /// What errors name.
    pub(super) url: &'c str,
    /// How long it may take, lookup and all.
    pub(super) within: Duration,
    pub(super) options: ffi::Connect,
    /// Whom it speaks TLS to. `None`: it is plain.
    pub(super) secure: Option<ClientTls>,
}

/// Begins a connection.
pub(super) fn dial(
    core: &Rc<Core>,
    call: Call<'_>,
    limits: Rc<Limits>,
    protocol: Box<dyn Protocol>,
) -> Result<ConnectionId, Error> {
    core.check_open()?;
    let entry = core.adopt(Socket::None, limits)?;
    *entry.protocol.borrow_mut() = Some(protocol);
    entry.conn.set(Flag::Client, true);
    entry.conn.set(Flag::Resolving, true);
    // Not the turn's time: the loop may not have turned for long.
    let until = Instant::now().checked_add(call.within);
    let lookup = lookup::begin(core, call.endpoint.host(), Asker::Connection(entry.id));
    let dialing = Dialing::new(call, until, lookup);
    *entry.dialing.borrow_mut() = Some(Box::new(dialing));
    entry.deadline.set(until);
    core.watch_deadlines(&entry);
    Ok(entry.id)
}

/// Begins a socket of datagrams that is connected.
fn dial_datagrams(
    core: &Rc<Core>,
    call: Call<'_>,
    limits: Rc<Limits>,
    protocol: Box<dyn Protocol>,
) -> Result<ConnectionId, Error> {
    let id = dial(core, call, limits, protocol)?;
    if let Some(entry) = core.find(id) {
        // As C has it: a socket of datagrams listens, and is no stream.
        entry.conn.set(Flag::Listening, true);
    }
    Ok(id)
}

/// Makes a connection with limits and options of choice: see [`Registry::connector`].
#[must_use = "a connector connects when it is told what speaks: `tcp` or `udp`"]
pub struct Connector<'r> {
    registry: &'r Registry,
    url: &'r str,
    limits: Limits,
    options: ffi::Connect,
    #[cfg(feature = "_tls")]
    secure: Option<crate::tls::ClientConfig>,
}

impl<'r> Connector<'r> {
    pub(super) fn new(registry: &'r Registry, url: &'r str) -> Self {
        Self {
            registry,
            url,
            limits: Limits::default(),
            options: ffi::Connect::default(),
            #[cfg(feature = "_tls")]
            secure: None,
        }
    }

    /// Bounds of the connection. Default: [`Limits::default`].
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How long making the connection may take, the lookup of its host included:
    /// [`Limits::connect_time`], in short.
    pub fn within(mut self, time: Duration) -> Self {
        self.limits.connect_time = time;
        self
    }

    /// Our own address, and port unless that is 0. Default: of the system's choice. Addresses of the other family are
    /// not tried then.
    pub fn bind(mut self, local: SocketAddr) -> Self {
        self.options.bind = Some(local);
        self
    }

    /// Sends small pieces at once instead of gathering them while others are not acknowledged (`TCP_NODELAY`). Default:
    /// yes, because all that a handler sends in one event leaves in one piece anyway.
    pub fn no_delay(mut self, on: bool) -> Self {
        self.options.no_delay = on;
        self
    }

    /// Has the system ask whether the peer is still there once nothing was received for this long, in whole seconds
    /// (`SO_KEEPALIVE`). When it is not, the handler gets [`Error::Io`] with
    /// [`TimedOut`](std::io::ErrorKind::TimedOut). Default: never asked.
    pub fn keep_alive(mut self, after: Duration) -> Self {
        self.options.keep_alive = Some(after);
        self
    }

    /// Speaks TLS, on a `tls://` URL: the server has to prove that it is the URL's host, or the one that the configuration
    /// [names](crate::tls::ClientConfigBuilder::server_name).
    ///
    /// ```no_run
    /// use mongoose::{Connection, Event, Manager, tls};
    ///
    /// let manager = Manager::new()?;
    /// let config = tls::ClientConfig::system_roots().build()?;
    /// manager.connector("tls://example.com:853").tls(config).tcp(
    ///     |connection: &Connection<'_>, event: Event<'_>| match event {
    ///         // The handshake is done: nothing was sent before.
    ///         Event::Connect => connection.send("hello"),
    ///         _ => Ok(()),
    ///     },
    /// )?;
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    #[cfg(feature = "_tls")]
    #[doc(alias = "mg_tls_init")]
    pub fn tls(mut self, config: crate::tls::ClientConfig) -> Self {
        self.secure = Some(config);
        self
    }

    /// Connects to a `tcp://host:port` URL, or a `tls://` one with TLS, as [`Registry::connect`].
    ///
    /// # Errors
    /// As there; [`Error::Url`] also for a host that cannot be a certificate's.
    #[doc(alias = "mg_connect")]
    pub fn tcp(self, handler: impl Handler) -> Result<ConnectionId, Error> {
        let (endpoint, secure) = self.target()?;
        let protocol = Stream::boxed(Rc::new(RefCell::new(handler)));
        dial(&self.registry.core, self.call(&endpoint, secure), Rc::new(self.limits.clone()), protocol)
    }

    /// Makes a socket of datagrams that is connected to a `udp://host:port` URL, as [`Registry::connect_udp`].
    ///
    /// # Errors
    /// As there.
    #[doc(alias = "mg_connect")]
    pub fn udp(self, handler: impl udp::Handler) -> Result<ConnectionId, Error> {
        #[cfg(feature = "_tls")]
        if self.secure.is_some() {
            return Err(Error::Url { url: self.url.to_owned(), reason: "datagrams have no TLS" });
        }
        let endpoint = Endpoint::parse(self.url, Scheme::Udp)?;
        let protocol = Box::new(udp::Datagrams(handler));
        dial_datagrams(
            &self.registry.core,
            self.call(&endpoint, None),
            Rc::new(self.limits.clone()),
            protocol,
        )
    }

    #[cfg(feature = "_tls")]
    fn target(&self) -> Result<(Endpoint, Option<ClientTls>), Error> {
        let Some(config) = &self.secure else { return Ok((Endpoint::parse(self.url, Scheme::Tcp)?, None)) };
        let endpoint = Endpoint::parse(self.url, Scheme::Tls)?;
        let target = config
            .target(endpoint.host())
            .map_err(|reason| Error::Url { url: self.url.to_owned(), reason })?;
        Ok((endpoint, Some(target)))
    }

    #[cfg(not(feature = "_tls"))]
    fn target(&self) -> Result<(Endpoint, Option<ClientTls>), Error> {
        Ok((Endpoint::parse(self.url, Scheme::Tcp)?, None))
    }

    fn call<'c>(&'c self, endpoint: &'c Endpoint, secure: Option<ClientTls>) -> Call<'c> {
        let within = self.limits.connect_time;
        Call { endpoint, url: self.url, within, options: self.options.clone(), secure }
    }
}

impl fmt::Debug for Connector<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Registry {
    /// Connects to a `tcp://host:port` URL. The handler gets [`Event::Connect`](crate::Event::Connect), or
    /// [`Event::Error`](crate::Event::Error) and [`Event::Close`](crate::Event::Close).
    ///
    /// The host is [looked up](Self::resolve). Its addresses are tried side by side, IPv6 and IPv4 in turns: the next
    /// one a quarter of a second after the one before, or once that failed (RFC 8305). The first that answers is it.
    /// For deadlines and options of choice, see [`connector`](Self::connector).
    ///
    /// # Errors
    /// [`Error::Url`] for a URL that cannot be connected to, [`Error::ShuttingDown`] while the manager is dropped. The
    /// handler is told of what else goes wrong: [`Error::Resolve`], or [`Error::Connect`], whose source says how it
    /// failed at the last address: [`ConnectionRefused`](std::io::ErrorKind::ConnectionRefused),
    /// [`HostUnreachable`](std::io::ErrorKind::HostUnreachable),
    /// [`NetworkUnreachable`](std::io::ErrorKind::NetworkUnreachable),
    /// [`ConnectionReset`](std::io::ErrorKind::ConnectionReset), or [`TimedOut`](std::io::ErrorKind::TimedOut) past
    /// [`Limits::connect_time`].
    #[doc(alias = "mg_connect")]
    pub fn connect(&self, url: &str, handler: impl Handler) -> Result<ConnectionId, Error> {
        self.connector(url).tcp(handler)
    }

    /// Connects to a URL with limits and options of choice, TLS among them.
    ///
    /// ```
    /// # let manager = mongoose::Manager::new()?;
    /// use std::time::Duration;
    ///
    /// manager
    ///     .connector("tcp://localhost:7")
    ///     .within(Duration::from_secs(5))
    ///     .bind("127.0.0.1:0".parse().unwrap())
    ///     .keep_alive(Duration::from_secs(60))
    ///     .tcp(|_: &mongoose::Connection<'_>, event: mongoose::Event<'_>| {
    ///         println!("{event:?}");
    ///         Ok(())
    ///     })?;
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    #[doc(alias = "mg_connect")]
    pub fn connector<'u>(&'u self, url: &'u str) -> Connector<'u> {
        Connector::new(self, url)
    }

    /// Makes a socket of datagrams that sends to and receives from `udp://host:port` alone. The handler gets
    /// [`udp::Event::Connect`] once the host is looked up, and can send from then on; or [`udp::Event::Error`] and
    /// [`udp::Event::Close`]. Of several addresses, the first is it to which there is a way.
    ///
    /// ```
    /// # let manager = mongoose::Manager::new()?;
    /// use mongoose::udp;
    ///
    /// manager.connect_udp("udp://127.0.0.1:9", |socket: &udp::Socket<'_>, event: udp::Event<'_>| match event {
    ///     udp::Event::Connect => socket.send(b"question"),
    ///     udp::Event::Datagram(answer) => {
    ///         println!("{} bytes", answer.bytes.len());
    ///         socket.close();
    ///         Ok(())
    ///     }
    ///     _ => Ok(()),
    /// })?;
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Url`] for a URL that cannot be connected to, [`Error::ShuttingDown`] while the manager is dropped.
    #[doc(alias = "mg_connect")]
    pub fn connect_udp(&self, url: &str, handler: impl udp::Handler) -> Result<ConnectionId, Error> {
        self.connector(url).udp(handler)
    }
}

/// Makes connections and reaches them again, for a protocol that keeps some of its own.
#[derive(Clone, Debug)]
pub(crate) struct Dialer {
    core: Weak<Core>,
}

impl Dialer {
    pub(crate) fn new(registry: &Registry) -> Self {
        Self::of(&registry.core)
    }

    pub(super) fn of(core: &Rc<Core>) -> Self {
        Self { core: Rc::downgrade(core) }
    }

    /// Begins a connection that has to be there within a time, TLS included. `url` is what errors name.
    pub(crate) fn connect(
        &self,
        url: &str,
        endpoint: &Endpoint,
        secure: Option<ClientTls>,
        limits: Rc<Limits>,
        within: Duration,
        protocol: Box<dyn Protocol>,
    ) -> Result<ConnectionId, Error> {
        let core = self.core.upgrade().ok_or(Error::Gone)?;
        let options = ffi::Connect::default();
        dial(&core, Call { endpoint, url, within, options, secure }, limits, protocol)
    }

    /// Begins a socket of datagrams that is connected to an endpoint.
    pub(crate) fn connect_datagrams(
        &self,
        url: &str,
        endpoint: &Endpoint,
        within: Duration,
        protocol: Box<dyn Protocol>,
    ) -> Result<ConnectionId, Error> {
        let core = self.core.upgrade().ok_or(Error::Gone)?;
        let options = ffi::Connect::default();
        dial_datagrams(&core, Call { endpoint, url, within, options, secure: None }, Rc::default(), protocol)
    }

    /// Has a connection's protocol [pulled](Protocol::pull) soon. `false` when the connection is at its end.
    pub(crate) fn pull(&self, id: ConnectionId) -> bool {
        let Some(core) = self.core.upgrade() else { return false };
        let Some(entry) = core.find(id) else { return false };
        if entry.is_over() || entry.conn.is(Flag::Draining) || entry.mark.get().eof {
            return false;
        }
        entry.update(|mark| mark.pulling = true);
        core.touch(&entry);
        true
    }

    /// Has bytes written behind what a connection is to send. Answers the turn's time, or nothing where nothing can be sent
    /// any more.
    pub(crate) fn write(&self, id: ConnectionId, write: impl FnOnce(&mut Vec<u8>)) -> Option<Instant> {
        let core = self.core.upgrade()?;
        let entry = core.find(id).filter(|entry| !entry.is_over() && !entry.conn.is(Flag::Draining))?;
        entry.output.borrow_mut().gather_with(64, write);
        core.touch(&entry);
        Some(core.clock.now())
    }

    /// How many bytes wait to be sent on a connection.
    pub(crate) fn queued(&self, id: ConnectionId) -> usize {
        let entry = self.core.upgrade().and_then(|core| core.find(id));
        entry.map_or(0, |entry| entry.output.borrow().len())
    }

    /// Has a connection's protocol told once all that waits has [left](Protocol::written).
    pub(crate) fn tell_room(&self, id: ConnectionId) {
        if let Some(core) = self.core.upgrade()
            && let Some(entry) = core.find(id)
        {
            entry.update(|mark| mark.blocked = true);
            core.touch(&entry);
        }
    }

    /// Closes a connection once what waits has left.
    pub(crate) fn drain(&self, id: ConnectionId) {
        if let Some(core) = self.core.upgrade()
            && let Some(entry) = core.find(id)
        {
            entry.begin_drain();
            core.touch(&entry);
        }
    }

    /// Closes a connection, unless it is gone.
    pub(crate) fn close(&self, id: ConnectionId) {
        if let Some(core) = self.core.upgrade()
            && let Some(entry) = core.find(id)
        {
            entry.conn.set(Flag::Closing, true);
            core.touch(&entry);
        }
    }

    /// Why nothing can be begun, where that is so.
    pub(crate) fn check_open(&self) -> Result<(), Error> {
        self.core.upgrade().ok_or(Error::Gone)?.check_open()
    }
}
