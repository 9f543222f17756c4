//! What a handshake agreed on.

use std::fmt;

/// What a connection's handshake agreed on, and who the peer is: see [`Connection::tls`](crate::Connection::tls).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Negotiated {
    /// The version of TLS.
    pub version: Version,
    /// The cipher suite, by the name that the standards give it, such as `TLS13_AES_256_GCM_SHA384`.
    pub cipher_suite: String,
    /// What is spoken above TLS, where both sides have named protocols (ALPN).
    pub alpn: Option<Vec<u8>>,
    /// On the server's side, the name that the client asked for (SNI), if any.
    pub server_name: Option<String>,
    /// Whether a session from before was resumed, without showing certificates again.
    pub resumed: bool,
    /// The peer's certificate and those it was signed by, verified. Empty for a client that showed none.
    pub peer_certificates: Vec<Certificate>,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Version {
    /// RFC 5246.
    Tls12,
    /// RFC 8446.
    Tls13,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls12 => "TLS 1.2",
            Self::Tls13 => "TLS 1.3",
        })
    }
}

/// A certificate of a peer's.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate(pub(super) Vec<u8>);

impl Certificate {
    /// The certificate itself (X.509 in DER): for who it is, by a crate that reads those, or by its fingerprint.
    pub fn as_der(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("bytes", &self.0.len()).finish()
    }
}
