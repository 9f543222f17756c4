//! A response's head: `httparse` for the syntax, our rules on top (RFC 9112 sections 4 to 6).

use super::Scratch;
use super::head::{check_lines, content_length};
use crate::Limits;
use crate::ffi::HttpMessage;

/// The head of a response that is complete and valid.
#[derive(Debug)]
pub(crate) struct ResponseHead<'h, 'b> {
    /// 100 to 999.
    pub(crate) status: u16,
    /// Empty where it is none or not ASCII.
    pub(crate) reason: &'b str,
    /// 0 or 1, of HTTP/1.x.
    pub(crate) minor: u8,
    pub(crate) headers: &'h [httparse::Header<'b>],
    /// Bytes up to and including the empty line.
    pub(crate) len: usize,
    pub(crate) framing: ResponseFraming,
    /// Whether the connection may carry another request after this response.
    pub(crate) keep_alive: bool,
}

/// What delimits a response's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResponseFraming {
    Length(usize),
    Chunked,
    /// The end of the connection.
    Close,
}

/// What is at the front of the input.
#[derive(Debug)]
pub(crate) enum Scanned<'h, 'b> {
    Head(ResponseHead<'h, 'b>),
    /// It is not all there.
    Partial,
    /// It is all there, and has folded lines: [`unfold`] it, then parse again.
    Folded,
}

/// Where the search for the end of a head goes on: each byte is looked at once, and what the head is judged by does not
/// depend on how it was split (hazard 19 is the opposite).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ResponseScan {
    searched: usize,
}

impl ResponseScan {
    /// Parses the head at the front of `input`. `to_head`: the request was HEAD. An error is what is wrong with it.
    pub(crate) fn parse<'h, 'b>(
        &mut self,
        input: &'b [u8],
        limits: &Limits,
        to_head: bool,
        scratch: &'h mut Scratch<'b>,
    ) -> Result<Scanned<'h, 'b>, &'static str> {
        // Before anything else: the end of what is no head may never come.
        let begin = &input[..input.len().min(BEGIN.len())];
        if begin != &BEGIN[..begin.len()]
            || matches!(input.get(begin.len()), Some(minor) if !b"01".contains(minor))
        {
            return Err(OTHER_BEGIN);
        }
        let Some(len) = self.find_end(input) else {
            return if input.len() >= limits.head { Err(TOO_LARGE) } else { Ok(Scanned::Partial) };
        };
        let head = &input[..len];
        if len > limits.head {
            return Err(TOO_LARGE);
        }
        check_lines(head).map_err(|refusal| refusal.reason)?;
        let mut response = httparse::Response::new(&mut []);
        let room = &mut scratch[..limits.headers.min(HttpMessage::HEADERS_MAX)];
        match httparse::ParserConfig::default().parse_response_with_uninit_headers(&mut response, head, room)
        {
            Ok(httparse::Status::Complete(parsed)) if parsed == len => {
                ResponseHead::check(response, len, to_head).map(Scanned::Head)
            }
            Ok(_) => Err("a malformed head"),
            // What begins with a blank is no header name, but the rest of the line before.
            Err(httparse::Error::HeaderName) if is_folded(head) => Ok(Scanned::Folded),
            Err(error) => Err(syntax(error)),
        }
    }

    /// Where the empty line ends, looking on where the last search ended.
    fn find_end(&mut self, input: &[u8]) -> Option<usize> {
        while let Some(distance) = input[self.searched..].iter().position(|&byte| byte == b'\n') {
            let at = self.searched + distance;
            match &input[at + 1..] {
                [b'\n', ..] => return Some(at + 2),
                [b'\r', b'\n', ..] => return Some(at + 3),
                [] | [b'\r'] => {
                    self.searched = at;
                    return None;
                }
                _ => self.searched = at + 1,
            }
        }
        self.searched = input.len();
        None
    }
}

/// What every response begins with, up to the minor version.
const BEGIN: &[u8] = b"HTTP/1.";

const OTHER_BEGIN: &str = "it does not begin with HTTP/1.0 or HTTP/1.1";

const TOO_LARGE: &str = "a head past the limit";

impl<'h, 'b> ResponseHead<'h, 'b> {
    /// Applies what RFC 9112 asks beyond syntax.
    fn check(response: httparse::Response<'h, 'b>, len: usize, to_head: bool) -> Result<Self, &'static str> {
        let status = response.code.unwrap_or_default();
        let minor = response.version.unwrap_or_default();
        let headers: &'h [httparse::Header<'b>] = response.headers;
        if status < 100 {
            return Err("a status below 100");
        }
        let has_body = !to_head && !matches!(status, 100..=199 | 204 | 304);
        let mut facts = Facts::default();
        for header in headers {
            facts.note(header.name, header.value, has_body)?;
        }
        let framing = if has_body { facts.framing(minor)? } else { ResponseFraming::Length(0) };
        let stays = if minor == 1 { !facts.close } else { facts.keep_alive && !facts.close };
        Ok(Self {
            status,
            reason: response.reason.unwrap_or_default(),
            minor,
            headers,
            len,
            framing,
            keep_alive: stays && framing != ResponseFraming::Close,
        })
    }
}

/// What the headers say that frames the message.
#[derive(Debug, Default)]
struct Facts {
    length: Option<usize>,
    chunked: bool,
    close: bool,
    keep_alive: bool,
}

impl Facts {
    /// What says how long the body is does not matter where there is none (RFC 9112 section 6.3).
    fn note(&mut self, name: &str, value: &[u8], has_body: bool) -> Result<(), &'static str> {
        match name.len() {
            10 if name.eq_ignore_ascii_case("connection") => {
                for token in value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
                    self.close |= token.eq_ignore_ascii_case(b"close");
                    self.keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            14 if has_body && name.eq_ignore_ascii_case("content-length") => {
                let length = content_length(value).map_err(|refusal| refusal.reason)?;
                if self.length.replace(length).is_some() {
                    return Err("more than one Content-Length");
                }
            }
            17 if has_body && name.eq_ignore_ascii_case("transfer-encoding") => {
                if !value.eq_ignore_ascii_case(b"chunked") {
                    return Err("a Transfer-Encoding other than chunked");
                }
                if std::mem::replace(&mut self.chunked, true) {
                    return Err("more than one Transfer-Encoding");
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn framing(&self, minor: u8) -> Result<ResponseFraming, &'static str> {
        match (self.chunked, self.length) {
            (true, Some(_)) => Err("Transfer-Encoding and Content-Length"),
            (true, None) if minor == 0 => Err("Transfer-Encoding in HTTP/1.0"),
            (true, None) => Ok(ResponseFraming::Chunked),
            (false, Some(length)) => Ok(ResponseFraming::Length(length)),
            (false, None) => Ok(ResponseFraming::Close),
        }
    }
}

/// Whether a line of the head, but for the first header, begins with a blank (`obs-fold`).
fn is_folded(head: &[u8]) -> bool {
    let Some(first) = head.iter().position(|&byte| byte == b'\n') else { return false };
    let fold = |lines: &[u8]| matches!(lines, [b'\r', b'\n', b' ' | b'\t']);
    !matches!(head.get(first + 1), Some(b' ' | b'\t')) && head[first + 1..].windows(3).any(fold)
}

/// Puts blanks in the place of the line ends inside folded lines, as a user agent has to (RFC 9112 section 5.2). `input`
/// begins with a whole head.
pub(crate) fn unfold(input: &mut [u8]) {
    let len = input.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(input.len());
    let head = &mut input[..len];
    for at in 0..head.len().saturating_sub(2) {
        if matches!(head[at..at + 3], [b'\r', b'\n', b' ' | b'\t']) {
            head[at..at + 2].fill(b' ');
        }
    }
}

fn syntax(error: httparse::Error) -> &'static str {
    match error {
        httparse::Error::TooManyHeaders => "more headers than the limit",
        httparse::Error::HeaderName => "a malformed header name",
        httparse::Error::HeaderValue => "a malformed header value",
        httparse::Error::NewLine => "a bare CR or LF",
        httparse::Error::Version => OTHER_BEGIN,
        _ => "a malformed status line",
    }
}

#[cfg(test)]
mod tests {
    use super::super::scratch;
    use super::*;

    type Facts = (u16, usize, ResponseFraming, bool);

    fn facts(scanned: Scanned<'_, '_>) -> Option<Facts> {
        match scanned {
            Scanned::Head(head) => Some((head.status, head.len, head.framing, head.keep_alive)),
            Scanned::Partial => None,
            Scanned::Folded => panic!("unfolded before"),
        }
    }

    fn scan(
        scan: &mut ResponseScan,
        input: &mut [u8],
        limits: &Limits,
        to_head: bool,
    ) -> Result<Option<Facts>, &'static str> {
        if let Ok(Scanned::Folded) = scan.parse(input, limits, to_head, &mut scratch()) {
            unfold(input);
        }
        scan.parse(input, limits, to_head, &mut scratch()).map(facts)
    }

    /// Parses whole, then byte by byte: both have to agree.
    fn parse_with(text: &[u8], limits: &Limits, to_head: bool) -> Result<Option<Facts>, &'static str> {
        let whole = scan(&mut ResponseScan::default(), &mut text.to_vec(), limits, to_head);
        let mut dripping = ResponseScan::default();
        let mut input = Vec::new();
        let mut dripped = Ok(None);
        for &byte in text {
            input.push(byte);
            dripped = scan(&mut dripping, &mut input, limits, to_head);
            if dripped != Ok(None) {
                break;
            }
        }
        assert_eq!(whole, dripped, "{:?}", String::from_utf8_lossy(text));
        whole
    }

    fn parse(text: &str) -> Result<Option<Facts>, &'static str> {
        parse_with(text.as_bytes(), &Limits::default(), false)
    }

    #[test]
    fn takes_what_is_valid() {
        use ResponseFraming::{Chunked, Close, Length};
        for (text, status, framing, keep_alive) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200, Length(5), true),
            ("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, Length(0), true),
            ("HTTP/1.1 200 \r\nContent-Length: 005\r\nConnection: x, Close\r\n\r\n", 200, Length(5), false),
            ("HTTP/1.1 404 Nicht gefunden: \u{e4}\r\nTransfer-Encoding: Chunked\r\n\r\n", 404, Chunked, true),
            ("HTTP/1.1 200 OK\r\n\r\n", 200, Close, false),
            ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", 200, Length(5), false),
            ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n", 200, Length(5), true),
            ("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", 200, Close, false),
            ("HTTP/1.1 999 \r\nContent-Length: 1\r\nX:\u{e9}\r\n\r\n", 999, Length(1), true),
            ("HTTP/1.1 200 OK\r\nX: a\r\n\tb\r\n  c\r\nContent-Length:\r\n 7\r\n\r\n", 200, Length(7), true),
        ] {
            assert_eq!(parse(text), Ok(Some((status, text.len(), framing, keep_alive))), "{text:?}");
        }
    }

    #[test]
    fn hazard_31_no_body_where_there_can_be_none() {
        let none = ResponseFraming::Length(0);
        for status in [100, 103, 204, 304] {
            for headers in
                ["", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\nContent-Length: x\r\n"]
            {
                let text = format!("HTTP/1.1 {status} x\r\n{headers}\r\n");
                assert_eq!(parse(&text), Ok(Some((status, text.len(), none, true))), "{text:?}");
            }
        }
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
        let to_head = parse_with(text.as_bytes(), &Limits::default(), true);
        assert_eq!(to_head, Ok(Some((200, text.len(), none, true))));
    }

    #[test]
    fn a_folded_line_is_one() {
        let mut text = *b"HTTP/1.1 200 OK\r\nX: a\r\n\tb\r\n  c\r\nY: d\r\n\r\n body\r\n ";
        unfold(&mut text);
        assert_eq!(text, *b"HTTP/1.1 200 OK\r\nX: a  \tb    c\r\nY: d\r\n\r\n body\r\n ");
    }

    #[test]
    fn waits_for_the_rest() {
        for text in
            ["", "H", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n\r", "HTTP/1.1 200 OK\r\nA: b\r\n c"]
        {
            assert_eq!(parse(text), Ok(None), "{text:?}");
        }
    }

    #[test]
    fn refuses_what_is_no_response_or_frames_it_twice() {
        for text in [
            "\r\nHTTP/1.1 200 OK\r\n\r\n",
            "\nHTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.2 200 OK\r\n\r\n",
            "HTTP/2.0 200 OK\r\n\r\n",
            "HTTP/0.9 200 OK\r\n\r\n",
            "HTTP/1.1  200 OK\r\n\r\n",
            "HTTP/1.1 20 OK\r\n\r\n",
            "HTTP/1.1 2000 OK\r\n\r\n",
            "HTTP/1.1 099 OK\r\n\r\n",
            "HTTP/1.1 +20 OK\r\n\r\n",
            "HTTP/1.1 20x OK\r\n\r\n",
            "http/1.1 200 OK\r\n\r\n",
            "ICY 200 OK\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            "<html>hello",
            "SSH-2.0-OpenSSH\r\n",
            "HX",
            "HTTP/1.1 200 OK\n\r\n",
            "HTTP/1.1 200 OK\r\n\n",
            "HTTP/1.1 200 OK\nContent-Length: 5\n\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\n\r\n",
            "HTTP/1.1 200 O\rK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
            "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
            "HTTP/1.1 200 OK\r\nX(y: a\r\n\r\n",
            "HTTP/1.1 200 OK\r\nX : a\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "HTTP/1.1 200 OK\r\n: a\r\n\r\n",
            "HTTP/1.1 200 OK\r\n X: a\r\n\r\n",
            "HTTP/1.1 200 OK\r\nX: a\n b\r\n\r\n",
            "HTTP/1.1 200 OK\r\nX: a\r\n b\0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5 \t5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n\r\n",
        ] {
            assert!(parse(text).is_err(), "{text:?}: {:?}", parse(text));
        }
    }

    #[test]
    fn limits_hold_whatever_the_split() {
        let limits = Limits { head: 100, headers: 3, ..Limits::default() };
        let fits = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "a".repeat(100 - 24));
        assert_eq!(fits.len(), 100);
        assert!(matches!(parse_with(fits.as_bytes(), &limits, false), Ok(Some(_))));
        let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "a".repeat(100));
        assert_eq!(parse_with(long.as_bytes(), &limits, false), Err(TOO_LARGE));
        let endless = format!("HTTP/1.1 200 {}", "a".repeat(100));
        assert_eq!(parse_with(endless.as_bytes(), &limits, false), Err(TOO_LARGE));
        let folds = format!("HTTP/1.1 200 OK\r\nX: a\r\n{}", " \r\n".repeat(100));
        assert_eq!(parse_with(folds.as_bytes(), &limits, false), Err(TOO_LARGE));
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(4));
        assert_eq!(parse_with(many.as_bytes(), &limits, false), Err("more headers than the limit"));
    }
}
