//! Base64 (RFC 4648). C encodes; what a peer sent is decoded here.
//!
//! For other alphabets, lines of a length, or into memory that is there, there is the crate
//! [base64](https://docs.rs/base64).

use crate::{Error, ffi};

/// Encodes, with padding (section 4).
///
/// ```
/// assert_eq!(mongoose::base64::encode(b"\xfb\xff!"), "+/8h");
/// assert_eq!(mongoose::base64::encode(b"a"), "YQ==");
/// ```
#[doc(alias = "mg_base64_encode")]
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    ffi::base64_encode(bytes.as_ref())
}

/// Encodes for URLs and file names: with `-` and `_`, and without padding (section 5).
///
/// ```
/// assert_eq!(mongoose::base64::encode_url(b"\xfb\xff!"), "-_8h");
/// assert_eq!(mongoose::base64::encode_url(b"a"), "YQ");
/// ```
#[doc(alias = "mg_base64url_encode")]
pub fn encode_url(bytes: impl AsRef<[u8]>) -> String {
    ffi::base64url_encode(bytes.as_ref())
}

/// Decodes, and takes nothing that no encoder makes: padding is there and last, white space is not, and the bits that
/// padding leaves over are 0. C takes `Zg==Zg==`, `Zh==`, and `Zm9vZ` without its end.
///
/// ```
/// assert_eq!(mongoose::base64::decode("+/8h")?, b"\xfb\xff!");
/// assert!(mongoose::base64::decode("+/8").is_err());
/// # Ok::<(), mongoose::Error>(())
/// ```
///
/// # Errors
/// [`Error::Base64`].
#[doc(alias = "mg_base64_decode")]
pub fn decode(text: impl AsRef<[u8]>) -> Result<Vec<u8>, Error> {
    decode_strictly(text.as_ref()).ok_or(Error::Base64)
}

/// Decodes what [`encode_url`] and its like encode: as [`decode`], with or without padding.
///
/// ```
/// assert_eq!(mongoose::base64::decode_url("-_8h")?, b"\xfb\xff!");
/// assert_eq!(mongoose::base64::decode_url("YQ")?, b"a");
/// # Ok::<(), mongoose::Error>(())
/// ```
///
/// # Errors
/// [`Error::Base64`].
#[doc(alias = "mg_base64url_decode")]
pub fn decode_url(text: impl AsRef<[u8]>) -> Result<Vec<u8>, Error> {
    let text = text.as_ref();
    let digits = if text.len().is_multiple_of(4) { without_padding(text) } else { text };
    decode_digits(digits, *b"-_").ok_or(Error::Base64)
}

/// As [`decode`].
pub(crate) fn decode_strictly(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    decode_digits(without_padding(text), *b"+/")
}

fn without_padding(text: &[u8]) -> &[u8] {
    let one = text.strip_suffix(b"=").unwrap_or(text);
    one.strip_suffix(b"=").unwrap_or(one)
}

/// Decodes what has no padding.
fn decode_digits(digits: &[u8], last_two: [u8; 2]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for group in digits.chunks(4) {
        if group.len() == 1 {
            return None;
        }
        let mut bits = 0u32;
        for &digit in group {
            bits = bits << 6 | u32::from(value(digit, last_two)?);
        }
        bits <<= 6 * (4 - group.len());
        let [_, bytes @ ..] = bits.to_be_bytes();
        let (bytes, left_over) = bytes.split_at(group.len() - 1);
        if left_over.iter().any(|&byte| byte != 0) {
            return None;
        }
        decoded.extend_from_slice(bytes);
    }
    Some(decoded)
}

/// What a digit stands for.
fn value(digit: u8, last_two: [u8; 2]) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        _ if digit == last_two[0] => Some(62),
        _ if digit == last_two[1] => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_c_encodes() {
        for (text, bytes) in
            [("", &b""[..]), ("Zg==", b"f"), ("Zm8=", b"fo"), ("Zm9v", b"foo"), ("Zm9vYg==", b"foob")]
        {
            assert_eq!(encode(bytes), text);
            assert_eq!(decode(text).expect("valid"), bytes);
            assert_eq!(encode_url(bytes), text.trim_end_matches('='));
            assert_eq!(decode_url(text).expect("padding is allowed"), bytes);
        }
        let all: Vec<u8> = (0..=255).collect();
        for start in 0..=255 {
            assert_eq!(decode(encode(&all[start..])).expect("valid"), &all[start..]);
            let url = encode_url(&all[start..]);
            assert!(url.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{url}");
            assert_eq!(decode_url(&url).expect("valid"), &all[start..]);
        }
    }

    #[test]
    fn takes_nothing_that_no_encoder_makes() {
        for text in [
            "Z",
            "Zg",
            "Zg=",
            "Zg===",
            "Zm9",
            "Zm9vY",
            "Zg==Zg==",
            "=",
            "====",
            "Z===",
            "=g==",
            "Zg=v",
            "Zh==",
            "Zm9=",
            " Zg==",
            "Zg== ",
            "Zm 9v",
            "Zm9v\n",
            "Zm-v",
            "Zm_v",
            "Zm9\u{fc}",
            "Zm\09",
        ] {
            assert!(matches!(decode(text), Err(Error::Base64)), "{text:?}");
        }
    }

    #[test]
    fn takes_nothing_that_no_encoder_for_urls_makes() {
        for text in ["Z", "Zg=", "Zg===", "Zm9vY", "Zg==Zg", "=", "Zh", "Zm9+", "Zm/v", "Zg ", "Zm9=", "Zg=v"]
        {
            assert!(matches!(decode_url(text), Err(Error::Base64)), "{text:?}");
        }
    }
}
