//! How a WebSocket ends.

use std::fmt;

/// Why a WebSocket is closed (RFC 6455 section 7.4).
///
/// Codes 3000 to 3999 are for libraries, 4000 to 4999 for applications.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// All is done.
    pub const NORMAL: Self = Self(1000);
    /// The server goes down, or the page is left.
    pub const GOING_AWAY: Self = Self(1001);
    /// A frame broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// A kind of data that is not taken.
    pub const UNSUPPORTED: Self = Self(1003);
    /// The peer gave no code. Never sent.
    pub const NO_STATUS: Self = Self(1005);
    /// The connection ended without a close frame. Never sent.
    pub const ABNORMAL: Self = Self(1006);
    /// A text that is not UTF-8, or other data that is not what it says.
    pub const INVALID_DATA: Self = Self(1007);
    /// A policy was broken.
    pub const POLICY: Self = Self(1008);
    /// A message past the limit.
    pub const TOO_BIG: Self = Self(1009);
    /// The server did not agree to an extension that the client needs.
    pub const MISSING_EXTENSION: Self = Self(1010);
    /// Something unexpected hindered the server.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// The server starts again.
    pub const SERVICE_RESTART: Self = Self(1012);
    /// Try again later.
    pub const TRY_AGAIN_LATER: Self = Self(1013);
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How the peer closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloseFrame<'e> {
    /// The peer's code; [`CloseCode::NO_STATUS`] when it gave none, [`CloseCode::ABNORMAL`] when it sent no close
    /// frame.
    pub code: CloseCode,
    /// Its reason, 123 bytes at most.
    pub reason: &'e str,
}

impl<'e> CloseFrame<'e> {
    pub(super) fn new(code: CloseCode, reason: &'e str) -> Self {
        Self { code, reason }
    }
}
