//! Connections to be made.

use std::cell::RefCell;
use std::rc::Rc;

use super::connector::dial_endpoint;
use super::{ConnectionId, Limits, Registry};
use crate::Error;
use crate::net::{Endpoint, Handler, Scheme, Stream};

/// A connection to be: set options, then begin it with [`tcp`](Self::tcp).
#[must_use = "nothing is connected until a handler is given"]
#[derive(Debug)]
pub struct ConnectorBuilder<'u> {
    registry: &'u Registry,
    url: &'u str,
    limits: Limits,
    #[cfg(any(feature = "tls-rustls", feature = "tls-builtin"))]
    secure: Option<crate::tls::ClientConfig>,
}

impl<'u> ConnectorBuilder<'u> {
    pub(super) fn new(registry: &'u Registry, url: &'u str) -> Self {
        Self {
            registry,
            url,
            limits: Limits::default(),
            #[cfg(any(feature = "tls-rustls", feature = "tls-builtin"))]
            secure: None,
        }
    }

    /// What the peer may make us hold, and how long it may take: `received`, `output`, `connect_time`, `handshake_time`
    /// and `write_time` count.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
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
    #[cfg(any(feature = "tls-rustls", feature = "tls-builtin"))]
    #[doc(alias = "mg_tls_init")]
    pub fn tls(mut self, config: crate::tls::ClientConfig) -> Self {
        self.secure = Some(config);
        self
    }

    /// Begins a raw connection: see [`Registry::connect`].
    ///
    /// # Errors
    /// [`Error::Url`] for a URL that is not `tcp://host:port` (`tls://` with TLS), or whose host cannot be a
    /// certificate's; [`Error::ShuttingDown`] while the manager is dropped.
    #[doc(alias = "mg_connect")]
    pub fn tcp(self, handler: impl Handler) -> Result<ConnectionId, Error> {
        #[cfg(any(feature = "tls-rustls", feature = "tls-builtin"))]
        let (endpoint, secure) = match &self.secure {
            None => (Endpoint::parse(self.url, Scheme::Tcp)?, None),
            Some(config) => {
                let endpoint = Endpoint::parse(self.url, Scheme::Tls)?;
                let target = config
                    .target(endpoint.host())
                    .map_err(|reason| Error::Url { url: self.url.to_owned(), reason })?;
                (endpoint, Some(target))
            }
        };
        #[cfg(not(any(feature = "tls-rustls", feature = "tls-builtin")))]
        let (endpoint, secure) = (Endpoint::parse(self.url, Scheme::Tcp)?, None);
        let within = self.limits.connect_time;
        let protocol = Stream::boxed(Rc::new(RefCell::new(handler)));
        let core = &self.registry.core;
        dial_endpoint(core, self.url, endpoint, secure, Rc::new(self.limits), within, protocol)
    }
}
