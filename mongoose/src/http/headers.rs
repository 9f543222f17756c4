//! Headers of a request.

use std::borrow::Cow;
use std::fmt;
use std::str::Utf8Error;

use crate::ffi::MessageView;

/// The headers of a message, in the order they came.
///
/// Names are compared whole and without regard to case; looking one up copies nothing.
#[derive(Clone, Copy)]
pub struct Headers<'r> {
    message: MessageView<'r>,
}

impl<'r> Headers<'r> {
    pub(super) fn new(message: MessageView<'r>) -> Self {
        Self { message }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.message.count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first header of a name.
    #[doc(alias = "mg_http_get_header")]
    pub fn get(&self, name: &str) -> Option<HeaderValue<'r>> {
        self.get_all(name).next()
    }

    /// All headers of a name.
    pub fn get_all<'n>(&self, name: &'n str) -> impl Iterator<Item = HeaderValue<'r>> + use<'r, 'n> {
        self.iter().filter(move |(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// All headers: name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&'r str, HeaderValue<'r>)> + use<'r> {
        let message = self.message;
        (0..message.count()).map(move |index| {
            let (name, bytes) = message.header(index);
            (name, HeaderValue { bytes })
        })
    }
}

impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// A header's value: bytes, without the white space around them. Most are text, none has to be.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HeaderValue<'r> {
    pub(super) bytes: &'r [u8],
}

impl<'r> HeaderValue<'r> {
    /// The bytes as they came.
    pub fn as_bytes(&self) -> &'r [u8] {
        self.bytes
    }

    /// The value as text.
    ///
    /// # Errors
    /// When it is not UTF-8.
    pub fn to_str(self) -> Result<&'r str, Utf8Error> {
        std::str::from_utf8(self.bytes)
    }

    /// A parameter of the value, such as `boundary` of `multipart/form-data; boundary=x`. Its name is compared whole
    /// and without regard to case; quotes are taken off.
    ///
    /// C's [`mg_http_get_header_var`](mongoose_sys::mg_http_get_header_var) finds `session` in `xsession=1`
    /// (hazard 39).
    #[doc(alias = "mg_http_get_header_var")]
    pub fn parameter(&self, name: &str) -> Option<Cow<'r, [u8]>> {
        let mut rest = self.bytes;
        loop {
            let (_, after) = take_until(rest, b';');
            if after.is_empty() {
                return None;
            }
            rest = &after[1..];
            let (parameter, _) = take_until(rest, b';');
            let parameter = parameter.trim_ascii();
            if let Some(equals) = parameter.iter().position(|&byte| byte == b'=')
                && parameter[..equals].trim_ascii_end().eq_ignore_ascii_case(name.as_bytes())
            {
                return Some(unquote(parameter[equals + 1..].trim_ascii_start()));
            }
        }
    }
}

/// Splits before a separator that is not inside quotes.
fn take_until(bytes: &[u8], separator: u8) -> (&[u8], &[u8]) {
    let mut quoted = false;
    let mut escaped = false;
    for (index, &byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if byte == separator && !quoted => return bytes.split_at(index),
            _ => {}
        }
    }
    (bytes, &[])
}

/// Takes the quotes off a quoted string (RFC 9110 section 5.6.4).
fn unquote(value: &[u8]) -> Cow<'_, [u8]> {
    let Some(quoted) = value.strip_prefix(b"\"").map(|value| value.strip_suffix(b"\"").unwrap_or(value))
    else {
        return Cow::Borrowed(value);
    };
    if !quoted.contains(&b'\\') {
        return Cow::Borrowed(quoted);
    }
    let mut unescaped = Vec::with_capacity(quoted.len());
    let mut bytes = quoted.iter();
    while let Some(&byte) = bytes.next() {
        let literal = if byte == b'\\' { bytes.next().copied().unwrap_or(byte) } else { byte };
        unescaped.push(literal);
    }
    Cow::Owned(unescaped)
}

impl fmt::Debug for HeaderValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.bytes.escape_ascii())
    }
}

impl PartialEq<str> for HeaderValue<'_> {
    fn eq(&self, other: &str) -> bool {
        self.bytes == other.as_bytes()
    }
}

impl PartialEq<&str> for HeaderValue<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.bytes == other.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(value: &str, name: &str) -> Option<String> {
        let value = HeaderValue { bytes: value.as_bytes() };
        value.parameter(name).map(|found| String::from_utf8_lossy(&found).into_owned())
    }

    #[test]
    fn hazard_39_parameters_are_found_by_their_whole_name() {
        assert_eq!(parameter("a; xsession=1; session=2", "session").as_deref(), Some("2"));
        assert_eq!(parameter("a; xsession=1", "session"), None);
        assert_eq!(parameter("session=1", "session"), None, "the value itself is no parameter");
    }

    #[test]
    fn quotes_hide_separators_and_are_taken_off() {
        let value = r#"form-data; filename="a;b=\"c\\"; Name = "x" ; empty="#;
        assert_eq!(parameter(value, "FILENAME").as_deref(), Some(r#"a;b="c\"#));
        assert_eq!(parameter(value, "name").as_deref(), Some("x"));
        assert_eq!(parameter(value, "empty").as_deref(), Some(""));
        assert_eq!(parameter(value, "b"), None);
        assert_eq!(parameter("a; b=\"unfinished", "b").as_deref(), Some("unfinished"));
    }
}
