//! HTTP/1.x: where a message ends, and whether it is one (RFC 9112).

mod chunked;
mod head;
mod host;
#[cfg(test)]
mod properties;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod reference;
mod response;
mod target;

pub(crate) use chunked::{Chunked, Progress};
pub(crate) use head::{Framing, Head, HeadScan, Scratch, scratch};
pub(crate) use response::{ResponseFraming, ResponseHead, ResponseScan, Scanned, unfold};

/// Why a message was turned away, and with what status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) reason: &'static str,
}

impl Refusal {
    pub(crate) const fn new(status: u16, reason: &'static str) -> Self {
        Self { status, reason }
    }
}

const fn bad_request(reason: &'static str) -> Refusal {
    Refusal::new(400, reason)
}

/// What methods and names are made of (RFC 9110 section 5.6.2).
pub(crate) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
