//! Sockets that accept connections.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::{Rc, Weak};

use super::core::Core;
use super::transport::{ServerTls, Socket};
use super::{Acceptor, Admission, ConnectionId, Limits, Registry};
use crate::ffi::{self, Bind, Flag};
use crate::net::{Endpoint, Handler, Scheme, Stream};
use crate::{Error, http};

/// A listener to be: set options, then begin with [`http`](Self::http) or [`tcp`](Self::tcp).
#[must_use = "nothing listens until a handler is given"]
#[derive(Debug)]
pub struct ListenerBuilder<'u> {
    registry: &'u Registry,
    place: Place<'u>,
    limits: Limits,
    bind: Bind,
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
        Self { registry, place, limits: Limits::default(), bind, secure: None }
    }

    /// What a peer may make us hold.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
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
    #[cfg(feature = "tls-rustls")]
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
        let shared = Rc::new(RefCell::new(handler));
        let service = http::Service::new(&self.limits);
        self.begin(
            Scheme::Http,
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

    fn begin(self, scheme: Scheme, accept: Acceptor) -> Result<Listener, Error> {
        let core = &self.registry.core;
        core.check_open()?;
        let url = match &self.place {
            Place::Url(url) => (*url).to_owned(),
            Place::Socket(socket) => format!("descriptor {}", socket.as_raw_fd()),
        };
        let failed = |source| Error::Listen { url: url.clone(), source };
        let scheme = if self.secure.is_some() { scheme.secure() } else { scheme };
        let socket = match self.place {
            Place::Url(url) => {
                let endpoint = Endpoint::parse(url, scheme)?;
                match core.ports.get() {
                    Some(ports) => ports.bind(url, &endpoint, self.bind),
                    None => bind(&endpoint, endpoint.port(), self.bind),
                }
            }
            Place::Socket(socket) => ffi::take_listener(socket),
        };
        let socket = socket.map_err(failed)?;
        // A Unix socket has none.
        let address = socket.local_addr().ok();
        let entry = core.adopt(Socket::Listener(socket, self.secure), Rc::new(self.limits))?;
        entry.conn.set(Flag::Listening, true);
        entry.local.set(address);
        *entry.acceptor.borrow_mut() = Some(accept);
        *entry.siblings.borrow_mut() = Some(Rc::default());
        if let Err(source) = core.watch(&entry, 0) {
            core.doom(&entry);
            return Err(failed(source));
        }
        let address = address.unwrap_or(SocketAddr::from(([0; 4], 0)));
        Ok(Listener { core: Rc::downgrade(core), id: entry.id, address })
    }
}

pub(super) fn bind(endpoint: &Endpoint, port: u16, bind: Bind) -> io::Result<TcpListener> {
    let mut last = io::Error::new(io::ErrorKind::AddrNotAvailable, "the host has no address");
    for address in (endpoint.host(), port).to_socket_addrs()? {
        match ffi::listen(address, bind) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Names a listener. Dropping it does nothing: the socket listens until [`close`](Self::close) or the manager's end.
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
