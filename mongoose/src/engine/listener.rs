//! Sockets that accept connections.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::{Rc, Weak};

use super::core::Core;
use super::transport::{ServerTls, Socket};
use super::{Acceptor, Admission, ConnectionId, Limits, Protocol, Registry};
use crate::ffi::{self, Bind, Flag};
use crate::net::{AccessList, Endpoint, Handler, Scheme, Stream, udp};
use crate::{Error, http, mqtt, ws};

/// A listener to be: set options, then begin with [`http`](Self::http), [`tcp`](Self::tcp) or [`udp`](Self::udp).
#[must_use = "nothing listens until a handler is given"]
#[derive(Debug)]
pub struct ListenerBuilder<'u> {
    registry: &'u Registry,
    place: Place<'u>,
    limits: Limits,
    bind: Bind,
    access: Option<AccessList>,
    secure: Option<ServerTls>,
}

/// Where to listen.
#[derive(Debug)]
enum Place<'u> {
    Url(&'u str),
    /// A socket that listens already.
    Socket(OwnedFd),
}

impl<'u> ListenerBuilder<'u> {
    pub(super) fn at(registry: &'u Registry, url: &'u str) -> Self {
        Self::new(registry, Place::Url(url))
    }

    pub(super) fn on(registry: &'u Registry, socket: OwnedFd) -> Self {
        Self::new(registry, Place::Socket(socket))
    }

    fn new(registry: &'u Registry, place: Place<'u>) -> Self {
        let bind = Bind { backlog: 1024, reuse_port: registry.core.ports.get().is_some() };
        Self { registry, place, limits: Limits::default(), bind, access: None, secure: None }
    }

    /// What a peer may make us hold.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Who may connect. Default: everybody. Others are closed before any handler hears of them, and counted in
    /// [`Stats::denied`](crate::Stats::denied).
    ///
    /// ```
    /// # let manager = mongoose::Manager::new()?;
    /// # let handler = |_: mongoose::http::Request<'_>, reply: mongoose::http::Reply<'_>| reply.text("hello");
    /// manager.listener("http://127.0.0.1:0").allow("+127.0.0.0/8,+::1".parse()?).http(handler)?;
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    #[doc(alias = "mg_check_ip_acl")]
    pub fn allow(mut self, list: AccessList) -> Self {
        self.access = Some(list);
        self
    }

    /// How many connections may wait to be accepted. Default: 1,024. The system may cut it
    /// (`net.core.somaxconn` on Linux).
    pub fn backlog(mut self, connections: u16) -> Self {
        self.bind.backlog = i32::from(connections);
        self
    }

    /// Shares the port with other listeners that ask for the same (`SO_REUSEPORT`): one manager a core. Default: on in
    /// [workers](crate::Workers), off elsewhere.
    pub fn reuse_port(mut self, share: bool) -> Self {
        self.bind.reuse_port = share;
        self
    }

    /// Speaks TLS: on an `https://` or `tls://` URL, or on a socket that listens already.
    ///
    /// In C a listener whose handler forgets `mg_tls_init` serves plaintext at such a URL; here it is an error.
    #[cfg(feature = "_tls")]
    #[doc(alias = "mg_tls_init")]
    pub fn tls(mut self, config: crate::tls::ServerConfig) -> Self {
        self.secure = Some(config);
        self
    }

    /// Serves HTTP, all connections by one handler.
    ///
    /// # Errors
    /// [`Error::Url`] for a URL that is not `http://address:port` (`https://` with TLS); [`Error::Listen`] when the system refuses, say
    /// because the port is taken.
    #[doc(alias = "mg_http_listen")]
    pub fn http(self, handler: impl http::Handler) -> Result<Listener, Error> {
        self.begin_http(Scheme::Http, handler)
    }

    fn begin_http(self, scheme: Scheme, handler: impl http::Handler) -> Result<Listener, Error> {
        let shared = Rc::new(RefCell::new(handler));
        let service = http::Service::new(&self.limits);
        self.begin(
            scheme,
            Box::new(move |admission| match admission {
                Admission::Welcome => Some(http::Server::boxed(&service, Rc::clone(&shared))),
                Admission::Full => Some(http::Overloaded::boxed(&service)),
            }),
        )
    }

    /// Serves HTTP, each connection by a handler of its own, whose fields are the connection's state.
    ///
    /// # Errors
    /// As [`http`](Self::http).
    pub fn http_each<H: http::Handler>(
        self,
        mut make: impl FnMut() -> H + 'static,
    ) -> Result<Listener, Error> {
        let service = http::Service::new(&self.limits);
        self.begin(
            Scheme::Http,
            Box::new(move |admission| match admission {
                Admission::Welcome => Some(http::Server::boxed(&service, Rc::new(RefCell::new(make())))),
                Admission::Full => Some(http::Overloaded::boxed(&service)),
            }),
        )
    }

    /// Accepts MQTT clients, whose packets all go to one handler: the ground that a broker stands on. `Limits::body` bounds
    /// a packet, `head_time` how long CONNECT may take; a client that is silent for one and a half times its keep-alive is
    /// closed.
    ///
    /// ```
    /// use mongoose::mqtt::{Connack, Packet, Peer, ServerEvent};
    ///
    /// # let manager = mongoose::Manager::new()?;
    /// // It lets everybody in, and nobody hears of anybody.
    /// manager.listener("mqtt://127.0.0.1:0").mqtt(|peer: &Peer<'_>, event: ServerEvent<'_>| match event {
    ///     ServerEvent::Packet(Packet::Connect(_)) => peer.send(&Packet::Connack(Connack::default())),
    ///     ServerEvent::Packet(Packet::Pingreq) => peer.send(&Packet::Pingresp),
    ///     _ => Ok(()),
    /// })?;
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    ///
    /// At `ws://address:port` it accepts them over WebSocket, at any path. Pages may connect that come from this address;
    /// for those of others, and for MQTT beside HTTP on one port, see [`ws::Upgrade::mqtt`].
    ///
    /// # Errors
    /// [`Error::Url`] for a URL that is not `mqtt://address:port` or `ws://address:port` (`mqtts://` and `wss://` with
    /// TLS); [`Error::Listen`] when the system refuses.
    #[doc(alias = "mg_mqtt_listen")]
    pub fn mqtt(self, handler: impl mqtt::ServerHandler) -> Result<Listener, Error> {
        let shared = Rc::new(RefCell::new(handler));
        if let Place::Url(url) = self.place
            && (Scheme::Ws.is_of(url) || Scheme::Wss.is_of(url))
        {
            let upgrade = move |request: http::Request<'_>, reply: http::Reply<'_>| {
                ws::upgrade(request, reply).carry_mqtt(Rc::clone(&shared))
            };
            return self.begin_http(Scheme::Ws, upgrade);
        }
        let packet_size = self.limits.body;
        let accept = move |admission| match admission {
            Admission::Welcome => Some(mqtt::Server::boxed(Rc::clone(&shared), packet_size)),
            Admission::Full => None,
        };
        self.begin(Scheme::Mqtt, Box::new(accept))
    }

    /// Accepts raw TCP connections, all handled by one handler.
    ///
    /// # Errors
    /// [`Error::Url`] for a URL that is not `tcp://address:port` (`tls://` with TLS); [`Error::Listen`] when the system refuses.
    #[doc(alias = "mg_listen")]
    pub fn tcp(self, handler: impl Handler) -> Result<Listener, Error> {
        let shared = Rc::new(RefCell::new(handler));
        let accept = move |admission| match admission {
            Admission::Welcome => Some(Stream::boxed(Rc::clone(&shared))),
            Admission::Full => None,
        };
        self.begin(Scheme::Tcp, Box::new(accept))
    }

    /// Accepts raw TCP connections, each handled by a handler of its own.
    ///
    /// # Errors
    /// As [`tcp`](Self::tcp).
    pub fn tcp_each<H: Handler>(self, mut make: impl FnMut() -> H + 'static) -> Result<Listener, Error> {
        let accept = move |admission| match admission {
            Admission::Welcome => Some(Stream::boxed(Rc::new(RefCell::new(make())))),
            Admission::Full => None,
        };
        self.begin(Scheme::Tcp, Box::new(accept))
    }

    /// Makes a socket of datagrams that receives from and sends to anybody.
    ///
    /// Of the [limits](Self::limits), `output` counts. What [`allow`](Self::allow) denies is dropped and counted.
    ///
    /// # Errors
    /// [`Error::Url`] for a URL that is not `udp://address:port`; [`Error::Listen`] when the system refuses.
    #[doc(alias = "mg_listen")]
    pub fn udp(self, handler: impl udp::Handler) -> Result<Listener, Error> {
        self.begin_with(Scheme::Udp, Service::Datagrams(Box::new(udp::Datagrams(handler))))
    }

    fn begin(self, scheme: Scheme, accept: Acceptor) -> Result<Listener, Error> {
        self.begin_with(scheme, Service::Streams(accept))
    }

    fn begin_with(self, scheme: Scheme, service: Service) -> Result<Listener, Error> {
        let core = &self.registry.core;
        core.check_open()?;
        let url = match &self.place {
            Place::Url(url) => (*url).to_owned(),
            Place::Socket(socket) => format!("descriptor {}", socket.as_raw_fd()),
        };
        let failed = |source| Error::Listen { url: url.clone(), source };
        let secure = self.secure;
        if secure.is_some() && scheme == Scheme::Udp {
            return Err(Error::Url { url, reason: "datagrams have no TLS" });
        }
        let scheme = if secure.is_some() { scheme.secure() } else { scheme };
        let listens = |socket| Socket::Listener(socket, secure.as_ref().cloned());
        let socket = match (self.place, scheme) {
            (Place::Url(url), Scheme::Udp) => {
                let bind = |address| ffi::bind_datagrams(address, self.bind).map(Socket::datagrams);
                bind_shared(core, url, &Endpoint::parse(url, scheme)?, bind)
            }
            (Place::Url(url), _) => {
                let bind = |address| ffi::listen(address, self.bind).map(listens);
                bind_shared(core, url, &Endpoint::parse(url, scheme)?, bind)
            }
            (Place::Socket(socket), Scheme::Udp) => ffi::take_datagrams(socket).map(Socket::datagrams),
            (Place::Socket(socket), _) => ffi::take_listener(socket).map(listens),
        };
        let socket = socket.map_err(failed)?;
        // A Unix socket has none.
        let address = socket.local_addr();
        let entry = core.adopt(socket, Rc::new(self.limits))?;
        entry.conn.set(Flag::Listening, true);
        entry.local.set(address);
        match service {
            Service::Streams(accept) => *entry.acceptor.borrow_mut() = Some(accept),
            Service::Datagrams(protocol) => *entry.protocol.borrow_mut() = Some(protocol),
        }
        if let Some(list) = self.access {
            // It was empty.
            let _ = entry.access.set(Box::new(list));
        }
        *entry.siblings.borrow_mut() = Some(Rc::default());
        if let Err(source) = core.watch(&entry, 0) {
            core.doom(&entry);
            return Err(failed(source));
        }
        let address = address.unwrap_or(SocketAddr::from(([0; 4], 0)));
        Ok(Listener { core: Rc::downgrade(core), id: entry.id, address })
    }
}

/// What speaks on a socket to be.
enum Service {
    Streams(Acceptor),
    Datagrams(Box<dyn Protocol>),
}

/// Binds at an endpoint; where workers share a port that the system chooses, at that.
fn bind_shared(
    core: &Core,
    url: &str,
    endpoint: &Endpoint,
    bind: impl FnMut(SocketAddr) -> io::Result<Socket>,
) -> io::Result<Socket> {
    match core.ports.get() {
        Some(ports) => ports.bind(url, endpoint, bind),
        None => bind_at(endpoint, endpoint.port(), bind),
    }
}

pub(super) fn bind_at(
    endpoint: &Endpoint,
    port: u16,
    mut bind: impl FnMut(SocketAddr) -> io::Result<Socket>,
) -> io::Result<Socket> {
    let mut last = io::Error::new(io::ErrorKind::AddrNotAvailable, "the host has no address");
    for address in (endpoint.host(), port).to_socket_addrs()? {
        match bind(address) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Names a listener, or a socket of datagrams. Dropping it does nothing: the socket is there until [`close`](Self::close) or the manager's end.
#[derive(Clone)]
pub struct Listener {
    core: Weak<Core>,
    id: ConnectionId,
    address: SocketAddr,
}

impl Listener {
    /// Where it listens: the port the system chose, where the URL said 0. For a Unix socket, which has no such address,
    /// 0.0.0.0:0.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The listener's own id, as any connection's.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// Accepts no more. Connections it accepted live on.
    pub fn close(&self) {
        if let Some(core) = self.core.upgrade()
            && let Some(entry) = core.find(self.id)
        {
            entry.conn.set(Flag::Closing, true);
            core.touch(&entry);
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("id", &self.id)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
