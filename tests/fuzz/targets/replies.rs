//! A server's replies, taken apart by the letter.

/// One that is final, and where it ends.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }
}

/// All replies to requests of these methods; more than there are methods where one was refused. Behind 101 is something
/// else, which comes back with them.
pub fn split<'h>(mut heard: &'h [u8], methods: &[String]) -> (Vec<Reply>, &'h [u8]) {
    let mut replies: Vec<Reply> = Vec::new();
    while !heard.is_empty() {
        assert!(
            replies
                .last()
                .is_none_or(|reply| reply.header("connection").is_none_or(|value| value != "close")),
            "nothing follows a reply that closes"
        );
        let end = heard.windows(4).position(|window| window == b"\r\n\r\n").expect("the end of a head");
        let head = std::str::from_utf8(&heard[..end]).expect("a head in ASCII");
        heard = &heard[end + 4..];
        let mut lines = head.split("\r\n");
        let line = lines.next().expect("a status line");
        let status =
            line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).expect("a version and a status");
        let status: u16 = status.parse().expect("a number");
        let split = |line: &str| {
            let (name, value) = line.split_once(": ").expect("a name and a value");
            assert!(!name.is_empty() && !value.contains(['\r', '\n', '\0']));
            (name.to_owned(), value.to_owned())
        };
        let headers = lines.map(split).collect();
        let mut reply = Reply { status, headers, body: Vec::new() };
        if status == 100 {
            assert_eq!(reply.headers, []);
            continue;
        }
        if status == 101 {
            replies.push(reply);
            return (replies, heard);
        }
        // What is refused may have been HEAD too.
        let head_only = methods.get(replies.len()).map_or(heard.is_empty(), |method| method == "HEAD");
        let length = reply.header("content-length").map(|length| length.parse::<usize>().expect("a length"));
        let chunked = reply.header("transfer-encoding").is_some_and(|coding| coding == "chunked");
        assert!(length.is_none() || !chunked);
        if head_only || matches!(status, 204 | 304) {
            // Nothing follows.
        } else if chunked {
            (reply.body, heard) = dechunk(heard);
        } else if let Some(length) = length {
            let (body, rest) = heard.split_at_checked(length).expect("the whole body");
            reply.body = body.to_vec();
            heard = rest;
        } else {
            assert_eq!(reply.header("connection"), Some("close"), "a body up to the end");
            reply.body = heard.to_vec();
            heard = &[];
        }
        replies.push(reply);
    }
    (replies, heard)
}

fn dechunk(mut heard: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut body = Vec::new();
    loop {
        let end = heard.windows(2).position(|pair| pair == b"\r\n").expect("a size");
        let size = std::str::from_utf8(&heard[..end]).expect("digits");
        let size = usize::from_str_radix(size, 16).expect("a size in digits");
        let chunk = heard.get(end + 2..end + 4 + size).expect("a whole chunk");
        assert!(chunk.ends_with(b"\r\n"));
        heard = &heard[end + 4 + size..];
        if size == 0 {
            return (body, heard);
        }
        body.extend_from_slice(&chunk[..size]);
    }
}

/// Without what depends on time and on pieces: dates, and 100 to who has sent the body already.
pub fn timeless(heard: &[u8]) -> Vec<u8> {
    let mut text = heard.to_vec();
    while let Some(at) = find(&text, b"HTTP/1.1 100 Continue\r\n\r\n") {
        text.drain(at..at + 25);
    }
    let mut from = 0;
    while let Some(at) = find(&text[from..], b"\r\nDate: ").map(|at| at + from) {
        from = at + 8;
        if text.get(from + 26..from + 31) == Some(b"GMT\r\n") {
            text[from..from + 26].fill(b'-');
        }
    }
    text
}

pub fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}
