//! The client's side: what is asked for.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use super::opening::{Opening, Request, Talk};
use super::{Handler, Limits};
use crate::engine::{Dialer, Protocol};
use crate::gate::ws::is_token;
#[cfg(feature = "tls-rustls")]
use crate::http;
use crate::http::write_header;
use crate::net::{Endpoint, Scheme};
#[cfg(feature = "_tls")]
use crate::tls::ClientConfig;
use crate::{ConnectionId, Error, Registry, engine};

/// Begins to connect to a URL such as `ws://host:port/path?query`, or `wss://` for TLS: see [`Connect`].
#[doc(alias = "mg_ws_connect")]
pub fn connect<'c>(registry: &'c Registry, url: &str) -> Connect<'c> {
    Connect {
        registry,
        url: url.to_owned(),
        headers: Vec::new(),
        protocols: Vec::new(),
        limits: Limits::default(),
        pieces: false,
        timeout: Duration::from_secs(30),
        #[cfg(feature = "_tls")]
        secure: None,
        error: None,
    }
}

/// A WebSocket to be: set what is special about it, then [`open`](Self::open) it.
///
/// `Host` (with the port, where that is not the default), `Upgrade`, `Connection` and the headers of the handshake are
/// added. Redirects are not followed. What the server answers is checked by RFC 6455 section 4.1; C takes any response
/// with status 101 (hazard 53).
#[must_use = "nothing is sent before `open`"]
pub struct Connect<'c> {
    registry: &'c Registry,
    url: String,
    headers: Vec<u8>,
    protocols: Vec<String>,
    limits: Limits,
    pieces: bool,
    timeout: Duration,
    #[cfg(feature = "_tls")]
    secure: Option<ClientConfig>,
    error: Option<Error>,
}

impl Connect<'_> {
    /// Adds a header, such as `Origin`, `Cookie` or [`Authorization`](crate::http::basic_authorization). One that would
    /// break the request, or that belongs to the handshake, is an error of [`open`](Self::open).
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let ours = name.eq_ignore_ascii_case("host")
            || name.eq_ignore_ascii_case("upgrade")
            || name.get(..14).is_some_and(|begin| begin.eq_ignore_ascii_case("sec-websocket-"));
        let written = if ours {
            Err(Error::Header { name: name.to_owned(), reason: "it belongs to the handshake" })
        } else {
            write_header(&mut self.headers, name, value.as_ref())
        };
        if let Err(error) = written {
            self.error.get_or_insert(error);
        }
        self
    }

    /// The subprotocols that are offered, best first. Default: none. The one that the server chose, if any, is
    /// [`Connection::protocol`](super::Connection::protocol).
    pub fn protocols<S: Into<String>>(mut self, protocols: impl IntoIterator<Item = S>) -> Self {
        self.protocols = protocols.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the bounds of the WebSocket.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Has messages come in pieces, as [`Event::Piece`](super::Event::Piece), at constant memory and whatever their size.
    pub fn pieces(mut self) -> Self {
        self.pieces = true;
        self
    }

    /// How long making the connection may take, and then the handshake. Default: 30 s each.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.timeout = time;
        self
    }

    /// Whom to believe to be the host of a `wss://` URL. Default: whom the system trusts, as in the [HTTP
    /// client](crate::http::Client); with the feature `tls-builtin` alone there is no default. On a `ws://` URL it is an
    /// error of [`open`](Self::open).
    #[cfg(feature = "_tls")]
    #[doc(alias = "mg_tls_init")]
    pub fn tls(mut self, config: ClientConfig) -> Self {
        self.secure = Some(config);
        self
    }

    /// Begins. The handler gets [`Event::Open`](super::Event::Open), or [`Event::Error`](super::Event::Error) and
    /// [`Event::Close`](super::Event::Close).
    ///
    /// # Errors
    /// [`Error::Url`] for a URL that cannot be connected to, [`Error::Header`] for a header or a subprotocol that cannot
    /// be sent, [`Error::ShuttingDown`] while the manager is dropped.
    pub fn open(self, handler: impl Handler) -> Result<ConnectionId, Error> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if !self.protocols.iter().all(|protocol| is_token(protocol)) {
            let name = "Sec-WebSocket-Protocol".to_owned();
            return Err(Error::Header { name, reason: "a subprotocol is no token" });
        }
        let bad = |reason| Error::Url { url: self.url.clone(), reason };
        let target = Target::parse(&self.url).map_err(bad)?;
        #[cfg(feature = "_tls")]
        let secure = match (target.is_secure, self.secure) {
            (false, None) => None,
            (false, Some(_)) => return Err(bad("a TLS configuration is for wss:// URLs")),
            (true, config) => {
                let config = config.map_or_else(|| system_config(&self.url), Ok)?;
                Some(config.target(target.endpoint.host()).map_err(bad)?)
            }
        };
        #[cfg(not(feature = "_tls"))]
        let secure = if target.is_secure { return Err(bad("TLS needs a configuration")) } else { None };
        let mut below = engine::Limits::default();
        below.output = self.limits.output.max(below.output);
        below.head_time = self.timeout;
        let request = Request {
            target: target.target,
            host: target.host,
            headers: self.headers,
            protocols: self.protocols,
        };
        let opening = Opening::boxed(Talk { handler, limits: self.limits, pieces: self.pieces }, request);
        let below = Rc::new(below);
        Dialer::new(self.registry).connect(&self.url, &target.endpoint, secure, below, self.timeout, opening)
    }
}

/// Whom the system trusts.
#[cfg(feature = "tls-rustls")]
fn system_config(_url: &str) -> Result<ClientConfig, Error> {
    http::system_config()
}

/// Without rustls nobody is asked whom it trusts.
#[cfg(all(feature = "tls-builtin", not(feature = "tls-rustls")))]
fn system_config(url: &str) -> Result<ClientConfig, Error> {
    Err(Error::Url { url: url.to_owned(), reason: "TLS needs a configuration" })
}

/// The way into a WebSocket for a protocol that is carried by one.
pub(crate) struct Passage {
    target: Target,
    subprotocol: &'static str,
}

impl Passage {
    /// An error is what is wrong with the URL.
    pub(crate) fn parse(url: &str, subprotocol: &'static str) -> Result<Self, &'static str> {
        Ok(Self { target: Target::parse(url)?, subprotocol })
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.target.endpoint
    }

    /// Whether it leads through TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.target.is_secure
    }

    /// What speaks on the connection, so that `inner` speaks on the other side of the handshake.
    pub(crate) fn lead(self, inner: Box<dyn Protocol>) -> Box<dyn Protocol> {
        let Target { host, target, .. } = self.target;
        let protocols = vec![self.subprotocol.to_owned()];
        Opening::boxed(inner, Request { target, host, headers: Vec::new(), protocols })
    }
}

/// What a URL leads to.
struct Target {
    is_secure: bool,
    endpoint: Endpoint,
    /// As `Host` has it.
    host: String,
    /// As the request line has it.
    target: String,
}

impl Target {
    /// An error is what is wrong with the URL (RFC 6455 section 3; hazard 42).
    fn parse(url: &str) -> Result<Self, &'static str> {
        let (name, rest) = url.split_once("://").ok_or("no scheme, such as ws://")?;
        let scheme = match name {
            _ if name.eq_ignore_ascii_case("ws") => Scheme::Ws,
            _ if name.eq_ignore_ascii_case("wss") => Scheme::Wss,
            _ => return Err("a WebSocket's scheme is ws or wss"),
        };
        if rest.contains('#') {
            return Err("a WebSocket's URL has no fragment");
        }
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if !target.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("a character that has to be percent-encoded");
        }
        let endpoint = Endpoint::from_authority(authority, scheme.default_port())?;
        if endpoint.port() == 0 {
            return Err("nothing can be reached at port 0");
        }
        // A zone means something on this machine alone.
        let name = endpoint.host().split('%').next().unwrap_or_default();
        let mut host = if name.contains(':') { format!("[{name}]") } else { name.to_ascii_lowercase() };
        if Some(endpoint.port()) != scheme.default_port() {
            host.push_str(&format!(":{}", endpoint.port()));
        }
        let slash = if target.starts_with('/') { "" } else { "/" };
        Ok(Self { is_secure: scheme == Scheme::Wss, endpoint, host, target: format!("{slash}{target}") })
    }
}

impl fmt::Debug for Connect<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect").field("url", &self.url).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_3_hazard_53_a_url_says_where_and_what() {
        for (url, host, target) in [
            ("ws://h", "h", "/"),
            ("WS://Example.com:80/", "example.com", "/"),
            ("ws://h:8080/a%20b?c=d", "h:8080", "/a%20b?c=d"),
            ("ws://h?c=d", "h", "/?c=d"),
            ("wss://h:443/", "h", "/"),
            ("wss://h:80/", "h:80", "/"),
            ("ws://[fe80::1%eth0]:81/x", "[fe80::1]:81", "/x"),
        ] {
            let parsed = Target::parse(url).expect(url);
            assert_eq!((&*parsed.host, &*parsed.target), (host, target), "{url}");
        }
        for url in
            ["h", "http://h", "ws://", "ws://h:0", "ws://h:99999", "ws://h/#x", "ws://h/a b", "ws://h/\r\n"]
        {
            assert!(Target::parse(url).is_err(), "{url}");
        }
    }
}
