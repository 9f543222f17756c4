//! What the WebSocket handshake takes of C: SHA-1 and base64.

use mongoose_sys as sys;

use super::base64_encode;

/// What a server appends to a client's key (RFC 6455 section 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The `Sec-WebSocket-Accept` that follows from a `Sec-WebSocket-Key`.
pub(crate) fn websocket_accept(key: &str) -> String {
    let mut context = sys::mg_sha1_ctx::default();
    let mut digest = [0; 20];
    // SAFETY: a context of plain numbers, which C sets up first; C reads as many bytes as it is told there are
    // (invariant 19), and writes 20.
    unsafe {
        sys::mg_sha1_init(&raw mut context);
        for part in [key.as_bytes(), GUID] {
            sys::mg_sha1_update(&raw mut context, part.as_ptr(), part.len());
        }
        sys::mg_sha1_final(digest.as_mut_ptr(), &raw mut context);
    }
    base64_encode(&digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_1_3_the_accept_of_the_rfcs_example() {
        assert_eq!(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
