//! Base64, by C's encoder.

use std::ffi::{c_char, c_uchar};

use mongoose_sys as sys;

type Encode = unsafe extern "C" fn(*const c_uchar, usize, *mut c_char, usize) -> usize;

/// Encodes, with padding.
pub(crate) fn base64_encode(bytes: &[u8]) -> String {
    encode(bytes, sys::mg_base64_encode)
}

/// Encodes for URLs, without padding.
pub(crate) fn base64url_encode(bytes: &[u8]) -> String {
    encode(bytes, sys::mg_base64url_encode)
}

fn encode(bytes: &[u8], by: Encode) -> String {
    // C writes a NUL behind the text.
    let mut text = vec![0u8; bytes.len().div_ceil(3) * 4 + 1];
    // SAFETY: C reads `bytes.len()` bytes and writes at most the size it is told (invariant 19).
    let len = unsafe { by(bytes.as_ptr(), bytes.len(), text.as_mut_ptr().cast(), text.len()) };
    text.truncate(len);
    String::from_utf8(text).expect("base64 is ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_any_number_of_bytes() {
        for (bytes, text) in
            [(&b""[..], ""), (b"f", "Zg=="), (b"fo", "Zm8="), (b"foo", "Zm9v"), (b"\xff\xfe", "//4=")]
        {
            assert_eq!(base64_encode(bytes), text);
        }
        assert_eq!(base64url_encode(b"\xff\xfe"), "__4");
        assert_eq!(base64_encode(&[0; 3000]), "A".repeat(4000));
    }
}
