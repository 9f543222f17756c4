//! What follows from the key of a handshake.

use crate::{base64, digest::Sha1};

/// What a server appends to a client's key (RFC 6455 section 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The `Sec-WebSocket-Accept` that follows from a `Sec-WebSocket-Key`.
pub(crate) fn websocket_accept(key: &str) -> String {
    let mut digest = Sha1::new();
    digest.update(key.as_bytes());
    digest.update(GUID);
    base64::encode(digest.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_1_3_the_accept_of_the_rfcs_example() {
        assert_eq!(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
