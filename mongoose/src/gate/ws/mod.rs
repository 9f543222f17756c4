//! WebSocket: handshakes, frames, and messages made of them (RFC 6455).

mod assembler;
mod close;
mod frame;
mod handshake;
mod mask;
#[cfg(test)]
mod properties;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod reference;
mod stream;

pub(crate) use assembler::{Assembler, Bounds, Found, Unit};
pub(crate) use close::{CLOSE_REASON_MAX, close_payload, is_sendable, parse_close};
pub(crate) use frame::{CONTROL_MAX, FrameHead, HEAD_MAX, Kind, Opcode, Role};
pub(crate) use handshake::{NoHandshake, check_answer, check_request, is_token};
pub(crate) use mask::mask;
pub(crate) use stream::{StreamDecoder, StreamEnd};

/// How a peer broke the protocol, and the code to close with (RFC 6455 section 7.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) code: u16,
    pub(crate) reason: &'static str,
}

impl Violation {
    const fn protocol(reason: &'static str) -> Self {
        Self { code: 1002, reason }
    }

    const fn too_big(reason: &'static str) -> Self {
        Self { code: 1009, reason }
    }

    const fn not_utf8(reason: &'static str) -> Self {
        Self { code: 1007, reason }
    }
}
