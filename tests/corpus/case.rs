//! The corpus's files: requests as bytes, and what the RFCs make of them.
//!
//! ```text
//! == a name
//! RFC 9112, 6.3: why
//! | POST / HTTP/1.1\r\n
//! | Host: h\r\n
//! | X: {a*1000}\r\n
//! | Content-Length: 5\r\n\r\nhello
//! => POST / "hello"
//! with X: {a*1000}
//! => kept
//! ```
//!
//! Bytes are as in a byte string of Rust, and `{text*count}` repeats. Behind `=>` stand the answers in order: what the
//! handler is to see, or the status of a refusal, which ends the connection. After the others it says whether the
//! connection is `kept` or `closed`, or the peer is to end in the middle of a message: `truncated`. `with` tells more of
//! the request before: `path`, `query` and `host` behind ` = `, a header behind `: `. `C differs:` says what C's parser
//! sees otherwise.

/// A request, or several, and what is to become of them.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: String,
    pub bytes: Vec<u8>,
    pub answers: Vec<Answer>,
    pub end: End,
    pub c_differs: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The handler sees a request.
    Seen(Request),
    /// The gate refuses with a status.
    Refused(u16),
}

/// What the handler is to see, as far as the corpus says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub body: Vec<u8>,
    pub path: Option<String>,
    pub query: Option<String>,
    pub host: Option<String>,
    pub headers: Vec<(String, Vec<u8>)>,
}

/// What becomes of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Kept,
    Closed,
    Truncated,
}

/// Reads a file of the corpus.
///
/// # Panics
/// When it is malformed: the corpus is part of the tests.
pub fn parse(file: &str) -> Vec<Case> {
    let blocks = file.split("\n== ").skip(1);
    blocks.map(|block| parse_case(block.lines())).collect()
}

fn parse_case<'f>(mut lines: impl Iterator<Item = &'f str>) -> Case {
    let name = lines.next().expect("a name").to_owned();
    let mut case = Case { name, bytes: Vec::new(), answers: Vec::new(), end: End::Closed, c_differs: None };
    let (mut section, mut ended) = (false, false);
    for line in lines {
        let fail = || panic!("{}: {line:?} is no line of a case", case.name);
        if let Some(bytes) = line.strip_prefix("| ") {
            case.bytes.extend(unescape(bytes));
        } else if let Some(answer) = line.strip_prefix("=> ") {
            assert!(!ended, "{}: {line:?} behind the end", case.name);
            match answer {
                "kept" => (case.end, ended) = (End::Kept, true),
                "closed" => (case.end, ended) = (End::Closed, true),
                "truncated" => (case.end, ended) = (End::Truncated, true),
                _ => case.answers.push(parse_answer(answer)),
            }
            ended |= matches!(case.answers.last(), Some(Answer::Refused(_)));
        } else if let Some(fact) = line.strip_prefix("with ") {
            let Some(Answer::Seen(request)) = case.answers.last_mut() else { fail() };
            parse_fact(request, fact);
        } else if let Some(difference) = line.strip_prefix("C differs: ") {
            case.c_differs = Some(difference.to_owned());
        } else if line.starts_with("RFC ") {
            section = true;
        } else if !line.is_empty() {
            fail();
        }
    }
    assert!(section, "{}: no section of an RFC", case.name);
    assert!(ended, "{}: no end", case.name);
    case
}

fn parse_answer(text: &str) -> Answer {
    if let Ok(status) = text.parse() {
        return Answer::Refused(status);
    }
    let (line, body) = match text.split_once(" \"") {
        Some((line, body)) => (line, unescape(body.strip_suffix('"').expect("a quote at the end"))),
        None => (text, Vec::new()),
    };
    let (method, target) = line.split_once(' ').expect("a method and a target");
    let target = String::from_utf8(unescape(target)).expect("text");
    Answer::Seen(Request { method: method.to_owned(), target, body, ..Request::default() })
}

fn parse_fact(request: &mut Request, fact: &str) {
    let fact = format!("{fact} ");
    for (name, slot) in
        [("path = ", &mut request.path), ("query = ", &mut request.query), ("host = ", &mut request.host)]
    {
        if let Some(value) = fact.strip_prefix(name) {
            *slot = Some(value.trim_end().to_owned());
            return;
        }
    }
    let (name, value) = fact.split_once(": ").expect("a fact");
    request.headers.push((name.to_owned(), unescape(value.trim_end())));
}

/// Reads `\r`, `\n`, `\t`, `\0`, `\xHH`, `\\`, `\"`, and repeats `{text*count}`.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '{']) {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at..];
        if let Some((repeated, after)) = repetition(rest) {
            bytes.extend(repeated);
            rest = after;
            continue;
        }
        let (byte, length) = match rest.as_bytes() {
            [b'{', ..] => (b'{', 1),
            [b'\\', b'r', ..] => (b'\r', 2),
            [b'\\', b'n', ..] => (b'\n', 2),
            [b'\\', b't', ..] => (b'\t', 2),
            [b'\\', b'0', ..] => (0, 2),
            [b'\\', byte @ (b'\\' | b'"'), ..] => (*byte, 2),
            [b'\\', b'x', ..] => (u8::from_str_radix(&rest[2..4], 16).expect("two digits"), 4),
            _ => panic!("{rest:?} is no escape"),
        };
        bytes.push(byte);
        rest = &rest[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

/// `{text*count}` at the front, and what follows it.
fn repetition(text: &str) -> Option<(Vec<u8>, &str)> {
    let (inside, after) = text.strip_prefix('{')?.split_once('}')?;
    let (repeated, count) = inside.rsplit_once('*')?;
    Some((unescape(repeated).repeat(count.parse().ok()?), after))
}
