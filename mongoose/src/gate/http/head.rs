//! A request's head: `httparse` for the syntax, our rules on top.

use std::mem::MaybeUninit;

use super::host::is_host;
use super::target::Target;
use super::{Refusal, bad_request, is_token};
use crate::Limits;
use crate::ffi::HttpMessage;

/// Room for a head's headers, to be made on the stack.
pub(crate) type Scratch<'b> = [MaybeUninit<httparse::Header<'b>>; HttpMessage::HEADERS_MAX];

/// Makes the room; costs nothing.
pub(crate) fn scratch<'b>() -> Scratch<'b> {
    [const { MaybeUninit::uninit() }; HttpMessage::HEADERS_MAX]
}

/// A head that is complete and valid.
#[derive(Debug)]
pub(crate) struct Head<'h, 'b> {
    pub(crate) method: &'b str,
    /// As sent.
    pub(crate) raw_target: &'b str,
    pub(crate) target: Target<'b>,
    /// 0 or 1, of HTTP/1.x.
    pub(crate) minor: u8,
    pub(crate) headers: &'h [httparse::Header<'b>],
    /// Bytes up to and including the empty line, a leading CRLF included.
    pub(crate) len: usize,
    pub(crate) framing: Framing,
    /// Whether the peer wants the connection kept.
    pub(crate) keep_alive: bool,
    /// Whether the peer waits for 100 before it sends the body.
    pub(crate) expects_continue: bool,
}

/// How the body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Length(usize),
    Chunked,
}

/// How far a head is that is not all there.
///
/// The answer does not depend on how the head was split (hazard 19 is the opposite): a head is judged by its lines, in
/// order, each when its end is there. And the cost is linear: each byte is looked at twice while the head grows, for the
/// end of its line and in it, and once or twice as part of the whole.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HeadScan {
    /// Where the search for the end of a line goes on. 0: nothing was looked at yet.
    searched: usize,
    /// Where the line begins that is not all there.
    line: usize,
    /// Lines before it.
    lines: usize,
    #[cfg(test)]
    looked_at: usize,
}

impl HeadScan {
    /// Parses the head at the front of `input`, which begins with the bytes of the call before. `None` when it is not
    /// all there.
    pub(crate) fn parse<'h, 'b>(
        &mut self,
        input: &'b [u8],
        limits: &Limits,
        scratch: &'h mut Scratch<'b>,
    ) -> Result<Option<Head<'h, 'b>>, Refusal> {
        let Some(start) = start_of_head(input)? else { return Ok(None) };
        let input = &input[start..];
        let resumed = self.searched > 0;
        if resumed && !self.find_end(input, limits)? {
            return Ok(None);
        }
        // Most heads come in one piece and are valid.
        self.note(input.len());
        let mut request = httparse::Request::new(&mut []);
        let room = &mut scratch[..header_max(limits)];
        let parsed =
            httparse::ParserConfig::default().parse_request_with_uninit_headers(&mut request, input, room);
        if let Ok(httparse::Status::Complete(len)) = parsed
            && len <= limits.head
            && (ends_lines_in_crlf(&request, &input[..len]) || check_lines(&input[..len]).is_ok())
        {
            return Head::check(request, start + len).map(Some);
        }
        if !resumed && !self.find_end(input, limits)? {
            return Ok(None);
        }
        // Each line is right by itself, and all of them together are not.
        Err(parsed.err().map_or(bad_request("a malformed head"), |error| syntax(error, input)))
    }

    /// Judges the lines that came since the last time. Whether the empty one is among them.
    fn find_end(&mut self, head: &[u8], limits: &Limits) -> Result<bool, Refusal> {
        let reach = &head[..head.len().min(limits.head)];
        self.note(reach.len() - self.searched);
        while let Some(distance) = reach[self.searched..].iter().position(|&byte| byte == b'\n') {
            let end = self.searched + distance + 1;
            let line = &reach[self.line..end];
            if line == b"\r\n" {
                return Ok(true);
            }
            self.note(line.len());
            check_line(line, self.lines, limits)?;
            self.lines += 1;
            self.line = end;
            self.searched = end;
        }
        self.searched = reach.len();
        if head.len() < limits.head {
            Ok(false)
        } else if self.lines == 0 {
            Err(Refusal::new(414, "a request line past the limit"))
        } else {
            Err(Refusal::new(431, "a head past the limit"))
        }
    }

    /// Counts the bytes that are looked at.
    #[inline]
    fn note(&mut self, _bytes: usize) {
        #[cfg(test)]
        {
            self.looked_at += _bytes;
        }
    }
}

fn header_max(limits: &Limits) -> usize {
    limits.headers.min(HttpMessage::HEADERS_MAX)
}

impl<'h, 'b> Head<'h, 'b> {
    /// Applies what RFC 9112 asks beyond syntax.
    #[inline(always)]
    fn check(request: httparse::Request<'h, 'b>, len: usize) -> Result<Self, Refusal> {
        let method = request.method.unwrap_or_default();
        let raw_target = request.path.unwrap_or_default();
        let minor = request.version.unwrap_or_default();
        let headers: &'h [httparse::Header<'b>] = request.headers;
        let target = Target::parse(method, raw_target)?;
        let mut facts = Facts::default();
        for header in headers {
            facts.note(header.name, header.value)?;
        }
        if facts.hosts != 1 && (minor == 1 || facts.hosts > 1) {
            return Err(bad_request("not exactly one Host"));
        }
        Ok(Self {
            method,
            raw_target,
            target,
            minor,
            headers,
            len,
            framing: facts.framing(minor)?,
            keep_alive: if minor == 1 { !facts.close } else { facts.keep_alive && !facts.close },
            expects_continue: facts.expects_continue && minor == 1,
        })
    }
}

/// What the headers say that frames the message.
#[derive(Debug, Default)]
struct Facts {
    hosts: usize,
    length: Option<usize>,
    encodings: usize,
    other_coding: bool,
    close: bool,
    keep_alive: bool,
    expects_continue: bool,
}

impl Facts {
    fn note(&mut self, name: &str, value: &[u8]) -> Result<(), Refusal> {
        // Lengths first: most headers are none of these.
        match name.len() {
            4 if name.eq_ignore_ascii_case("host") => {
                self.hosts += 1;
                if !is_host(value) {
                    return Err(bad_request("a malformed Host"));
                }
            }
            6 if name.eq_ignore_ascii_case("expect") => {
                if !value.eq_ignore_ascii_case(b"100-continue") {
                    return Err(Refusal::new(417, "an expectation other than 100-continue"));
                }
                self.expects_continue = true;
            }
            10 if name.eq_ignore_ascii_case("connection") => {
                for token in value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
                    self.close |= token.eq_ignore_ascii_case(b"close");
                    self.keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            14 if name.eq_ignore_ascii_case("content-length") => {
                let before = self.length.replace(content_length(value)?);
                if before.is_some() {
                    return Err(bad_request("more than one Content-Length"));
                }
            }
            17 if name.eq_ignore_ascii_case("transfer-encoding") => {
                self.encodings += 1;
                self.other_coding |= !value.eq_ignore_ascii_case(b"chunked");
                if self.other_coding && !ends_in_chunked(value) {
                    return Err(bad_request("a Transfer-Encoding that does not end in chunked, once"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn framing(&self, minor: u8) -> Result<Framing, Refusal> {
        match (self.encodings, self.length) {
            (0, length) => Ok(Framing::Length(length.unwrap_or(0))),
            (_, Some(_)) => Err(bad_request("Transfer-Encoding and Content-Length")),
            (_, None) if minor == 0 => Err(bad_request("Transfer-Encoding in HTTP/1.0")),
            (1, None) if self.other_coding => Err(Refusal::new(501, "a transfer coding other than chunked")),
            (1, None) => Ok(Framing::Chunked),
            _ => Err(bad_request("more than one Transfer-Encoding")),
        }
    }
}

/// Digits alone: no sign, no list, no overflow (hazard 49).
pub(super) fn content_length(value: &[u8]) -> Result<usize, Refusal> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(bad_request("a malformed Content-Length"));
    }
    value
        .iter()
        .try_fold(0usize, |sum, &digit| sum.checked_mul(10)?.checked_add(usize::from(digit - b'0')))
        .filter(|&length| length <= isize::MAX as usize)
        .ok_or_else(|| bad_request("a Content-Length past any that can be"))
}

/// Whether the last of a list of codings is the chunked one, and no other is.
fn ends_in_chunked(codings: &[u8]) -> bool {
    let is_chunked = |coding: &[u8]| coding.trim_ascii().eq_ignore_ascii_case(b"chunked");
    let mut from_the_end = codings.rsplit(|&byte| byte == b',');
    from_the_end.next().is_some_and(is_chunked) && !from_the_end.any(is_chunked)
}

/// Where the request line begins: one empty line before it is ignored (RFC 9112 section 2.2). `None`: not there yet.
///
/// What begins otherwise is no request. It is refused at its first byte, because the end of a line may never come: think
/// of a TLS client.
fn start_of_head(input: &[u8]) -> Result<Option<usize>, Refusal> {
    let (start, first) = match input {
        [] | [b'\r'] | [b'\r', b'\n'] => return Ok(None),
        [b'\r', b'\n', first, ..] => (2, *first),
        [first, ..] => (0, *first),
    };
    match first {
        _ if is_token(first) => Ok(Some(start)),
        b'\r' | b'\n' if start > 0 => Err(bad_request("more than one empty line before the request")),
        b'\r' | b'\n' => Err(bad_request("a bare CR or LF")),
        _ => Err(bad_request("a malformed request line")),
    }
}

/// Judges one line, CRLF included, by itself. The first is the request line.
fn check_line(line: &[u8], number: usize, limits: &Limits) -> Result<(), Refusal> {
    if !line.ends_with(b"\r\n") {
        return Err(bad_request("a bare CR or LF"));
    }
    check_lines(line)?;
    let malformed = |error| syntax(error, line);
    if number == 0 {
        httparse::Request::new(&mut []).parse(line).map(drop).map_err(malformed)
    } else if number > header_max(limits) {
        Err(malformed(httparse::Error::TooManyHeaders))
    } else {
        httparse::parse_headers(line, &mut [httparse::EMPTY_HEADER]).map(drop).map_err(malformed)
    }
}

/// Whether all lines of a head that `httparse` takes end in CRLF, told from where its parts end: a CR is nowhere but
/// before an LF there, and what is next to a part is the end of its line. No answer where whitespace is.
fn ends_lines_in_crlf(request: &httparse::Request<'_, '_>, head: &[u8]) -> bool {
    let ends = |part: &[u8], behind: usize| {
        let end = (part.as_ptr().addr() + part.len() + behind).wrapping_sub(head.as_ptr().addr());
        head.get(end) == Some(&b'\r')
    };
    request.path.is_some_and(|path| ends(path.as_bytes(), " HTTP/1.1".len()))
        && request.headers.iter().all(|header| ends(header.value, 0))
        && head.ends_with(b"\r\n")
}

/// `httparse` takes lines that end in LF alone; RFC 9112 lets a server refuse them, and what others split differently
/// is how requests are smuggled. No early exit, so that it runs on whole vectors.
pub(super) fn check_lines(head: &[u8]) -> Result<(), Refusal> {
    let strict = head
        .iter()
        .zip(&head[1..])
        .fold(true, |strict, (&first, &second)| strict & ((first == b'\r') == (second == b'\n')));
    if strict { Ok(()) } else { Err(bad_request("a bare CR or LF")) }
}

fn syntax(error: httparse::Error, head: &[u8]) -> Refusal {
    match error {
        httparse::Error::TooManyHeaders => Refusal::new(431, "more headers than the limit"),
        httparse::Error::Version if names_other_version(head) => {
            Refusal::new(505, "a version other than HTTP/1.0 and 1.1")
        }
        httparse::Error::HeaderName => bad_request("a malformed header name"),
        httparse::Error::HeaderValue => bad_request("a malformed header value"),
        httparse::Error::NewLine => bad_request("a bare CR or LF"),
        _ => bad_request("a malformed request line"),
    }
}

/// Whether the request line has three parts, the last of them `HTTP/` and two other digits: well-formed, but not ours to
/// speak.
fn names_other_version(head: &[u8]) -> bool {
    let line = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let version = match *line.splitn(4, |&byte| byte == b' ').collect::<Vec<_>>() {
        [_, _, version] => version,
        _ => return false,
    };
    matches!(version, [b'H', b'T', b'T', b'P', b'/', major, b'.', minor] if major.is_ascii_digit() && minor.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parses whole, then byte by byte: both have to agree.
    fn parse(text: &[u8]) -> Result<Option<(usize, Framing, bool)>, u16> {
        parse_with(text, &Limits::default())
    }

    fn parse_with(text: &[u8], limits: &Limits) -> Result<Option<(usize, Framing, bool)>, u16> {
        let facts = |head: Head<'_, '_>| (head.len, head.framing, head.keep_alive);
        let whole = HeadScan::default()
            .parse(text, limits, &mut scratch())
            .map(|head| head.map(facts))
            .map_err(|refusal| refusal.status);
        let mut scan = HeadScan::default();
        let mut dripped = Ok(None);
        for end in 1..=text.len() {
            dripped = scan
                .parse(&text[..end], limits, &mut scratch())
                .map(|head| head.map(facts))
                .map_err(|refusal| refusal.status);
            if dripped != Ok(None) {
                break;
            }
        }
        assert_eq!(whole, dripped, "{:?}", String::from_utf8_lossy(text));
        whole
    }

    const HOST: &str = "Host: h\r\n";

    fn request(line: &str, headers: &str) -> Vec<u8> {
        format!("{line}\r\n{headers}\r\n").into_bytes()
    }

    #[test]
    fn takes_what_is_valid() {
        let none = Framing::Length(0);
        let cases = [
            (request("GET / HTTP/1.1", HOST), none, true),
            (request("GET / HTTP/1.1", "Host: h\r\nConnection: Close\r\n"), none, false),
            (request("GET / HTTP/1.1", "Host: h\r\nConnection: x\r\nConnection: y, close\r\n"), none, false),
            (request("GET / HTTP/1.0", ""), none, false),
            (request("GET / HTTP/1.0", "Connection: keep-alive\r\n"), none, true),
            (request("POST / HTTP/1.1", "Host: h\r\nContent-Length: 007\r\n"), Framing::Length(7), true),
            (
                request("POST / HTTP/1.1", "Host: h\r\nTransfer-Encoding:  Chunked \r\n"),
                Framing::Chunked,
                true,
            ),
            (request("GET / HTTP/1.1", "host:\r\nX: \u{e9}\r\n"), none, true),
            (b"\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n".to_vec(), none, true),
        ];
        for (text, framing, keep_alive) in cases {
            assert_eq!(
                parse(&text),
                Ok(Some((text.len(), framing, keep_alive))),
                "{:?}",
                String::from_utf8_lossy(&text)
            );
        }
    }

    #[test]
    fn stops_at_the_empty_line() {
        let mut text = request("GET / HTTP/1.1", HOST);
        let len = text.len();
        text.extend_from_slice(b"GET /next");
        let head = HeadScan::default()
            .parse(&text, &Limits::default(), &mut scratch())
            .map(|head| head.map(|head| head.len));
        assert_eq!(head, Ok(Some(len)));
    }

    #[test]
    fn what_is_wrong_shows_at_the_end_of_its_line() {
        for (text, status) in [
            ("\x16", 400),
            ("\r\n\x16", 400),
            (" ", 400),
            ("GET /\r\n", 400),
            ("PRI * HTTP/2.0\r\n", 505),
            ("HTTP/1.1 200 OK\r\n", 400),
            ("GET / HTTP/1.1\n", 400),
            ("GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: h\r\n folded\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: h\r\n\n", 400),
        ] {
            assert_eq!(parse(text.as_bytes()), Err(status), "{text:?}");
            let before = &text.as_bytes()[..text.len() - 1];
            assert_eq!(parse(before), Ok(None), "{text:?} without its last byte");
            assert_eq!(
                parse(&[text.as_bytes(), b"GET / HTTP/9.9\r\n\r\n"].concat()),
                Err(status),
                "{text:?}"
            );
        }
    }

    #[test]
    fn waits_for_the_rest() {
        for text in ["G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: h\r\n\r", "\r", "\r\n"] {
            assert_eq!(parse(text.as_bytes()), Ok(None), "{text:?}");
        }
    }

    #[test]
    fn refuses_with_the_right_status() {
        let cases: &[(&[u8], u16)] = &[
            (b"GET / HTTP/1.1\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
            (b"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
            (b"GET / HTTP/9.9\r\nHost: h\r\n\r\n", 505),
            (b"GET / HTTP/1.2\r\nHost: h\r\n\r\n", 505),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
            (b"G@T / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            (b"HTTP/1.1 200 OK\r\nHost: h\r\n\r\n", 400),
            (b"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            (b"GET / x HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            (b"GET / x HTTP/9.9\r\nHost: h\r\n\r\n", 400),
            (b"GET /\r\n\r\n", 400),
            (b"GET / HTTP/1.1\nHost: h\n\n", 400),
            (b"GET / HTTP/1.1\r\nHost: h\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: h\r\nX(y: a\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: h\r\nX : a\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n folded\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\n X: a\r\nHost: h\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551615\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +5\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5 5\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5, 5\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
            (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
            (
                b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
                400,
            ),
            (b"POST / HTTP/1.1\r\nHost: h\r\nExpect: the unexpected\r\n\r\n", 417),
            (b"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", 501),
            (b"\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            (b"\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        ];
        for (text, status) in cases {
            assert_eq!(parse(text), Err(*status), "{:?}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn hazard_6_every_header_is_seen_or_the_request_is_refused() {
        let headers = |count: usize| {
            let mut headers = HOST.to_owned();
            (1..count).for_each(|n| headers.push_str(&format!("X-{n}: {n}\r\n")));
            headers
        };
        let hidden = headers(127) + "Content-Length: 5\r\n";
        assert!(matches!(parse(&request("POST / HTTP/1.1", &hidden)), Ok(Some((_, Framing::Length(5), _)))));
        assert_eq!(parse(&request("GET / HTTP/1.1", &headers(129))), Err(431));
    }

    #[test]
    fn the_head_limit_counts_whatever_the_split() {
        let limits = Limits { head: 100, ..Limits::default() };
        let long_header = request("GET / HTTP/1.1", &format!("{HOST}X: {}\r\n", "a".repeat(100)));
        assert_eq!(parse_with(&long_header, &limits), Err(431));
        let long_target = request(&format!("GET /{} HTTP/1.1", "a".repeat(100)), HOST);
        assert_eq!(parse_with(&long_target, &limits), Err(414));
        let fits = request("GET / HTTP/1.1", &format!("{HOST}X: {}\r\n", "a".repeat(100 - 32)));
        assert_eq!(fits.len(), 100);
        assert!(matches!(parse_with(&fits, &limits), Ok(Some(_))));
    }

    #[test]
    fn hazard_19_a_head_of_64_kb_in_single_bytes_is_looked_at_four_times() {
        let limits = Limits::default();
        let line = |len: usize| format!("X: {}\r\n", "a".repeat(len - 5));
        let heads = [
            request("GET / HTTP/1.1", &format!("{HOST}{}", line(65_000))),
            request("GET / HTTP/1.1", &format!("{HOST}{}", line(512).repeat(126))),
            request(&format!("GET /{} HTTP/1.1", "a".repeat(65_000)), HOST),
            // No end in sight.
            vec![b'a'; limits.head],
            request("GET / HTTP/1.1", &line(700).repeat(100)),
        ];
        for head in heads {
            assert!(head.len() > 64_000);
            let mut scan = HeadScan::default();
            for end in 1..=head.len() {
                if !matches!(scan.parse(&head[..end], &limits, &mut scratch()), Ok(None)) {
                    break;
                }
            }
            assert!(scan.looked_at > 64_000, "it was looked at");
            assert!(
                scan.looked_at <= 4 * head.len(),
                "{} bytes looked at for {}",
                scan.looked_at,
                head.len()
            );
        }
    }

    #[test]
    fn each_line_has_to_end_in_crlf() {
        for value in ["h", "h ", ""] {
            for bare in 0..16 {
                let end = |line: u32| if bare & 1 << line == 0 { "\r\n" } else { "\n" };
                let (one, two, three, four) = (end(0), end(1), end(2), end(3));
                let text = format!("GET / HTTP/1.1{one}Host: h{two}X: {value}{three}{four}");
                let parsed = parse(text.as_bytes());
                assert_eq!(parsed.is_ok(), bare == 0, "{text:?}: {parsed:?}");
            }
        }
    }
}
