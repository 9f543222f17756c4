//! URLs that name where to listen or connect.

use std::net::SocketAddr;

use crate::Error;

/// What an endpoint speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Tcp,
    Udp,
    Http,
    Tls,
    Https,
    Ws,
    Wss,
    Mqtt,
    Mqtts,
}

impl Scheme {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Http => "http",
            Self::Tls => "tls",
            Self::Https => "https",
            Self::Ws => "ws",
            Self::Wss => "wss",
            Self::Mqtt => "mqtt",
            Self::Mqtts => "mqtts",
        }
    }

    /// Whether a URL is of it.
    pub(crate) fn is_of(self, url: &str) -> bool {
        url.split_once("://").is_some_and(|(name, _)| name.eq_ignore_ascii_case(self.name()))
    }

    pub(crate) fn default_port(self) -> Option<u16> {
        match self {
            Self::Tcp | Self::Udp | Self::Tls => None,
            Self::Http | Self::Ws => Some(80),
            Self::Https | Self::Wss => Some(443),
            Self::Mqtt => Some(1883),
            Self::Mqtts => Some(8883),
        }
    }

    /// The same over TLS.
    pub(crate) fn secure(self) -> Self {
        match self {
            Self::Tcp | Self::Tls => Self::Tls,
            Self::Http | Self::Https => Self::Https,
            Self::Ws | Self::Wss => Self::Wss,
            Self::Mqtt | Self::Mqtts => Self::Mqtts,
            // Refused before.
            Self::Udp => Self::Udp,
        }
    }
}

/// `scheme://host:port`, checked: C's parser takes port 99999 for 34463 and a query for a host (hazard 42).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    host: String,
    port: u16,
}

impl Endpoint {
    /// Parses a URL that has to be of one scheme. A path is allowed when it is `/` or empty.
    pub(crate) fn parse(url: &str, scheme: Scheme) -> Result<Self, Error> {
        Self::parse_or(url, scheme, scheme.default_port())
    }

    /// As [`parse`](Self::parse), with another port where the URL says none.
    pub(crate) fn parse_or(url: &str, scheme: Scheme, default_port: Option<u16>) -> Result<Self, Error> {
        let bad = |reason| Error::Url { url: url.to_owned(), reason };
        let (name, rest) = url.split_once("://").ok_or_else(|| bad("no scheme, such as tcp://"))?;
        if !name.eq_ignore_ascii_case(scheme.name()) {
            let secure =
                ["https", "tls", "wss", "mqtts"].iter().any(|secure| name.eq_ignore_ascii_case(secure));
            return Err(bad(if matches!(scheme, Scheme::Tls | Scheme::Https) {
                "a TLS configuration is for https:// and tls:// URLs"
            } else if secure && scheme != Scheme::Udp {
                "TLS needs a configuration"
            } else {
                "another scheme is needed here"
            }));
        }
        let authority = match rest.split_once('/') {
            Some((authority, "")) => authority,
            Some(_) => return Err(bad("a path makes no sense here")),
            None => rest,
        };
        Self::from_authority(authority, default_port).map_err(bad)
    }

    /// Parses `host:port`, or `host` where there is a default. An error is what is wrong with it.
    pub(crate) fn from_authority(authority: &str, default_port: Option<u16>) -> Result<Self, &'static str> {
        if authority.bytes().any(is_forbidden) {
            return Err("the host has a character that no host has");
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(bracketed) => {
                let (host, after) = bracketed.split_once(']').ok_or("no ] after the IPv6 address")?;
                if host.contains('[') {
                    return Err("the host has a character that no host has");
                }
                host.split('%')
                    .next()
                    .unwrap_or_default()
                    .parse::<std::net::Ipv6Addr>()
                    .map_err(|_| "not an IPv6 address")?;
                let port = match after.strip_prefix(':') {
                    Some(port) => Some(port),
                    None if after.is_empty() => None,
                    None => return Err("only a port may follow the IPv6 address"),
                };
                (host, port)
            }
            // No name that is looked up has a `%`: what is behind one in an address is a zone, and not said to peers.
            None if authority.contains(['[', ']', '%']) => {
                return Err("the host has a character that no host has");
            }
            None => match authority.rsplit_once(':') {
                Some((host, _)) if host.contains(':') => return Err("an IPv6 address needs brackets"),
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        if host.is_empty() {
            return Err("no host");
        }
        let port = match port {
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                port.parse::<u16>().map_err(|_| "the port is not between 0 and 65535")?
            }
            Some(_) => return Err("the port is not a number"),
            None => default_port.ok_or("no port")?,
        };
        Ok(Self { host: host.to_owned(), port })
    }

    /// An address, and the scope that it may have.
    pub(crate) fn of(address: SocketAddr) -> Self {
        let host = match address {
            SocketAddr::V6(v6) if v6.scope_id() != 0 => format!("{}%{}", v6.ip(), v6.scope_id()),
            other => other.ip().to_string(),
        };
        Self { host, port: address.port() }
    }

    /// Without brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

/// What no host has, and no port.
fn is_forbidden(byte: u8) -> bool {
    let delimiter = matches!(
        byte,
        b'/' | b'?' | b'#' | b'@' | b'\\' | b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}'
    );
    delimiter || !byte.is_ascii_graphic()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_names_addresses_and_default_ports() {
        for (url, scheme, host, port) in [
            ("tcp://127.0.0.1:0", Scheme::Tcp, "127.0.0.1", 0),
            ("http://localhost", Scheme::Http, "localhost", 80),
            ("HTTP://localhost:8000/", Scheme::Http, "localhost", 8000),
            ("http://[::1]:65535", Scheme::Http, "::1", 65535),
            ("http://[fe80::1%eth0]", Scheme::Http, "fe80::1%eth0", 80),
            ("https://localhost", Scheme::Https, "localhost", 443),
            ("tls://localhost:1", Scheme::Tls, "localhost", 1),
            ("http://[::ffff:127.0.0.1]:1", Scheme::Http, "::ffff:127.0.0.1", 1),
        ] {
            let endpoint = Endpoint::parse(url, scheme).expect(url);
            assert_eq!((endpoint.host(), endpoint.port()), (host, port), "{url}");
        }
    }

    #[test]
    fn hazard_42_refuses_what_c_misreads() {
        for url in [
            "",
            "http",
            "http://",
            "http://:80",
            "http://h:99999",
            "http://h:65536",
            "http://h:-1",
            "http://h:+80",
            "http://h:",
            "http://h?x=1",
            "http://h:8a",
            "http://::1:80",
            "http://[::1",
            "http://[::1]x",
            "http://[g]:1",
            "http://user@h",
            "http://h h:80",
            "http://h\0:80",
            "http://h\r\n:80",
            "http://a[b]:80",
            "http://[fe80::1%[::1]:80",
            "http://h/path",
            "tcp://h:1",
            "https://h",
            "ftp://h",
        ] {
            let error = Endpoint::parse(url, Scheme::Http).expect_err(url);
            assert!(matches!(&error, Error::Url { url: named, .. } if named == url), "{error}");
        }
        assert!(Endpoint::parse("tcp://h", Scheme::Tcp).is_err(), "raw TCP has no default port");
        assert!(Endpoint::parse("tls://h", Scheme::Tls).is_err(), "nor has raw TLS");
    }
}
