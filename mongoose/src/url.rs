//! Percent-encoding.

use std::borrow::Cow;

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
    fn malformed_escapes_are_errors() {
        for text in ["%", "%4", "a%", "%4g", "%g4", "%%41", "%+1"] {
            assert!(matches!(decode(text), Err(Error::Decode(_))), "{text}");
            assert!(matches!(decode_form(text), Err(Error::Decode(_))), "{text}");
        }
        assert!(into_text(decode("%ff").expect("bytes")).is_err());
    }
}
