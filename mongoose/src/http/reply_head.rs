//! How the head of a reply is written.

use super::date::DateLine;
use crate::Error;
use crate::ffi::reason_phrase;

/// What goes into a reply's head.
#[derive(Debug)]
pub(super) struct ReplyHead<'h> {
    pub(super) status: u16,
    /// Whole lines, checked.
    pub(super) headers: &'h [u8],
    /// A whole line; where `headers` has none.
    pub(super) content_type: Option<&'static [u8]>,
    pub(super) transfer: Transfer,
    /// Where `headers` has none.
    pub(super) date: Option<&'h DateLine>,
    /// `None`: the head is left open, for [`Persistence::end`] to end it.
    pub(super) persistence: Option<Persistence>,
}

/// How a reply's body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transfer {
    Length(u64),
    Chunked,
    /// There is none by the status, or the connection's end is its end.
    Unsaid,
}

/// What [`text`](super::Reply::text) is.
pub(super) const TEXT: &[u8] = b"Content-Type: text/plain; charset=utf-8\r\n";

/// What [`json_text`](super::Reply::json_text) is.
pub(super) const JSON: &[u8] = b"Content-Type: application/json\r\n";

/// What is said about the connection's future.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Persistence {
    /// HTTP/1.1 that goes on: nothing needs saying.
    Implied,
    /// HTTP/1.0 that goes on.
    KeepAlive,
    Close,
    /// 101: the caller's headers name the protocol.
    Upgrade,
}

impl ReplyHead<'_> {
    /// About how many bytes [`write`](Self::write) writes.
    pub(super) fn size_hint(&self) -> usize {
        160 + self.headers.len()
    }

    /// Appends the head, the empty line included unless it is left open.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        if self.status == 200 {
            out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
        } else {
            out.extend_from_slice(b"HTTP/1.1 ");
            write_number(out, u64::from(self.status));
            out.push(b' ');
            out.extend_from_slice(reason_phrase(self.status).as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        if let Some(date) = self.date {
            out.extend_from_slice(date);
        }
        if !self.headers.is_empty() {
            out.extend_from_slice(self.headers);
        }
        if let Some(content_type) = self.content_type {
            out.extend_from_slice(content_type);
        }
        match self.transfer {
            Transfer::Length(length) => {
                out.extend_from_slice(b"Content-Length: ");
                write_number(out, length);
                out.extend_from_slice(b"\r\n");
            }
            Transfer::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
            Transfer::Unsaid => {}
        }
        if let Some(persistence) = self.persistence {
            out.extend_from_slice(persistence.end());
        }
    }
}

impl Persistence {
    /// Of a reply to HTTP/1.`minor`.
    pub(super) fn of(keep_alive: bool, minor: u8) -> Self {
        match (keep_alive, minor) {
            (false, _) => Self::Close,
            (true, 0) => Self::KeepAlive,
            (true, _) => Self::Implied,
        }
    }

    /// The last lines of the head.
    pub(super) fn end(self) -> &'static [u8] {
        match self {
            Self::Implied => b"\r\n",
            Self::KeepAlive => b"Connection: keep-alive\r\n\r\n",
            Self::Close => b"Connection: close\r\n\r\n",
            Self::Upgrade => b"Connection: Upgrade\r\n\r\n",
        }
    }
}

/// Appends a header after checking it: a token, and a value without CR, LF and NUL (hazard 43).
pub(crate) fn write_header(out: &mut Vec<u8>, name: &str, value: &[u8]) -> Result<(), Error> {
    let bad = |reason| Error::Header { name: name.to_owned(), reason };
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(bad("the name is not a token"));
    }
    let ours = ["content-length", "transfer-encoding", "connection"];
    if ours.iter().any(|ours| name.eq_ignore_ascii_case(ours)) {
        return Err(bad("it frames the message, which is done for you"));
    }
    if value.iter().any(|&byte| (byte < b' ' && byte != b'\t') || byte == 0x7f) {
        return Err(bad("the value has a control character"));
    }
    out.extend_from_slice(name.as_bytes());
    line(out, b": ", value);
    Ok(())
}

/// RFC 9110 section 5.6.2.
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn line(out: &mut Vec<u8>, before: &[u8], value: &[u8]) {
    out.extend_from_slice(before);
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

fn write_number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_a_head() {
        let mut headers = Vec::new();
        write_header(&mut headers, "X-A", b"%s%n%d").expect("valid");
        let head = ReplyHead {
            status: 404,
            headers: &headers,
            content_type: Some(b"Content-Type: text/plain\r\n"),
            transfer: Transfer::Length(u64::MAX),
            date: None,
            persistence: Some(Persistence::Close),
        };
        let mut out = Vec::new();
        head.write(&mut out);
        let expected = "HTTP/1.1 404 Not Found\r\nX-A: %s%n%d\r\nContent-Type: text/plain\r\n\
                        Content-Length: 18446744073709551615\r\nConnection: close\r\n\r\n";
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }

    #[test]
    fn hazard_43_what_would_split_the_reply_is_refused() {
        let mut out = Vec::new();
        for (name, value) in [
            ("", "x"),
            ("a b", "x"),
            ("a:", "x"),
            ("a\r\nb", "x"),
            ("\u{e9}", "x"),
            ("A", "x\r\nB: y"),
            ("A", "x\n"),
            ("A", "\0"),
            ("A", "\u{7f}"),
            ("Content-Length", "5"),
            ("transfer-encoding", "chunked"),
            ("Connection", "x"),
        ] {
            assert!(
                matches!(write_header(&mut out, name, value.as_bytes()), Err(Error::Header { .. })),
                "{name:?} {value:?}"
            );
        }
        assert!(out.is_empty());
        write_header(&mut out, "A", "tab\tand \u{e9}".as_bytes()).expect("valid");
    }
}
