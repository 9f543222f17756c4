//! Percent-encoding.

use std::borrow::Cow;
use std::fmt::Write;

use crate::Error;

/// Decodes `%XX`, whatever the length. Borrows when there is nothing to decode.
///
/// A `%` without two hexadecimal digits behind it is an error; C's
/// [`mg_url_decode`](mongoose_sys::mg_url_decode) needs a buffer of the right size and stops at such a place.
///
/// ```
/// assert_eq!(&*mongoose::url::decode("a%20b%00+")?, b"a b\0+");
/// assert!(mongoose::url::decode("100%").is_err());
/// # Ok::<(), mongoose::Error>(())
/// ```
///
/// # Errors
/// [`Error::Decode`].
#[doc(alias = "mg_url_decode")]
pub fn decode(text: &str) -> Result<Cow<'_, [u8]>, Error> {
    decode_bytes(text.as_bytes(), false)
}

/// Decodes `application/x-www-form-urlencoded` text: as [`decode`], and `+` is a blank.
///
/// ```
/// assert_eq!(&*mongoose::url::decode_form("a+b%2B")?, b"a b+");
/// # Ok::<(), mongoose::Error>(())
/// ```
///
/// # Errors
/// [`Error::Decode`].
pub fn decode_form(text: &str) -> Result<Cow<'_, [u8]>, Error> {
    decode_bytes(text.as_bytes(), true)
}

/// Encodes everything but letters, digits and `-._~` as `%XX`: what RFC 3986 section 2.3 has for data in any part of a URL.
///
/// C's [`mg_url_encode`](mongoose_sys::mg_url_encode) leaves `$,;()` as they are, which separate things, and needs a buffer
/// of the right size.
///
/// ```
/// assert_eq!(mongoose::url::encode("a b/\u{20ac}~"), "a%20b%2F%E2%82%AC~");
/// ```
#[doc(alias = "mg_url_encode")]
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    let bytes = bytes.as_ref();
    let mut encoded = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// Makes text of decoded bytes.
pub(crate) fn into_text(bytes: Cow<'_, [u8]>) -> Result<Cow<'_, str>, Error> {
    const NOT_TEXT: Error = Error::Decode("not UTF-8");
    match bytes {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| NOT_TEXT),
        Cow::Owned(bytes) => String::from_utf8(bytes).map(Cow::Owned).map_err(|_| NOT_TEXT),
    }
}

fn decode_bytes(text: &[u8], form: bool) -> Result<Cow<'_, [u8]>, Error> {
    let special = |byte: &u8| *byte == b'%' || (form && *byte == b'+');
    let Some(first) = text.iter().position(special) else { return Ok(Cow::Borrowed(text)) };
    let mut decoded = Vec::with_capacity(text.len());
    decoded.extend_from_slice(&text[..first]);
    let mut rest = &text[first..];
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'%' => {
                let (digits, after) = after.split_first_chunk().ok_or(Error::Decode("a % at the end"))?;
                decoded.push(hex(*digits).ok_or(Error::Decode("a % without two hexadecimal digits"))?);
                rest = after;
            }
            b'+' if form => decoded.push(b' '),
            _ => decoded.push(byte),
        }
    }
    Ok(Cow::Owned(decoded))
}

fn hex(digits: [u8; 2]) -> Option<u8> {
    let [high, low] = digits.map(|digit| (digit as char).to_digit(16));
    Some((high? << 4 | low?) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_any_length_and_borrows_when_it_can() {
        assert!(matches!(decode("plain+"), Ok(Cow::Borrowed(b"plain+"))));
        let long = "%41".repeat(1_000_000);
        assert_eq!(decode(&long).expect("valid").len(), 1_000_000);
    }

    #[test]
    fn what_is_encoded_is_decoded_as_it_was() {
        let all: Vec<u8> = (0..=255).collect();
        let encoded = encode(&all);
        assert_eq!(decode(&encoded).expect("valid"), all);
        assert_eq!(decode_form(&encoded).expect("valid"), all);
        assert_eq!(encode("AZaz09-._~"), "AZaz09-._~");
    }

    #[test]
    fn malformed_escapes_are_errors() {
        for text in ["%", "%4", "a%", "%4g", "%g4", "%%41", "%+1"] {
            assert!(matches!(decode(text), Err(Error::Decode(_))), "{text}");
            assert!(matches!(decode_form(text), Err(Error::Decode(_))), "{text}");
        }
        assert!(into_text(decode("%ff").expect("bytes")).is_err());
    }

    /// Byte by byte, and by text that is split anew for each escape.
    fn naive(text: &str, form: bool) -> Option<Vec<u8>> {
        match text.as_bytes() {
            [] => Some(Vec::new()),
            [b'%', ..] => {
                let digits =
                    text.get(1..3).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
                let byte = u8::from_str_radix(digits, 16).ok()?;
                Some([vec![byte], naive(&text[3..], form)?].concat())
            }
            _ => {
                let (first, rest) = text.split_at(text.chars().next()?.len_utf8());
                let first = if form && first == "+" { " " } else { first };
                Some([first.as_bytes(), &naive(rest, form)?].concat())
            }
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_text_is_decoded_as_a_naive_decoder_does(text in "[%+0-9a-fA-Fxyz\u{e9}]{0,20}", form: bool) {
            let decoded = if form { decode_form(&text) } else { decode(&text) };
            proptest::prop_assert_eq!(decoded.ok().map(Cow::into_owned), naive(&text, form));
        }
    }
}
