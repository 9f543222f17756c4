//! Digests and base64 where C is wrong about them.

use mongoose::{Error, base64, digest};
use mongoose_tests::raw;

#[test]
fn hazard_64_a_key_of_a_whole_block_is_used_as_it_is() {
    // Of RFC 2104's definition, by hand.
    let key = [0x6b; 64];
    let inner = digest::sha256(&[&key.map(|byte| byte ^ 0x36)[..], b"text"].concat());
    let expected = digest::sha256(&[&key.map(|byte| byte ^ 0x5c)[..], &inner].concat());
    assert_ne!(raw::hmac_sha256(&key, b"text"), expected);
    assert_eq!(digest::hmac_sha256(&key, b"text"), expected);
    for length in (0..64).chain(65..200) {
        let key = vec![0x6b; length];
        assert_eq!(raw::hmac_sha256(&key, b"text"), digest::hmac_sha256(&key, b"text"), "{length}");
    }
}

#[test]
fn base64_that_no_encoder_makes_is_refused() {
    for (text, c) in [("Zg==Zg==", &b"ff"[..]), ("Zh==", b"f"), ("Zm9vZ", b"foo"), ("Zm9=", b"fo")] {
        assert_eq!(raw::base64_decode(text), c, "C on {text}");
        assert!(matches!(base64::decode(text), Err(Error::Base64)), "{text}");
    }
}
