//! Whether the peers give the same replies: else their cost cannot be compared.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::peers::{Peer, Peers, Program};
use super::results::Results;
use super::server::{SERVER_CORE, Server};
use super::{Fallible, progress};
use crate::Outcome;

const KIND: &str = "text/plain; charset=utf-8";

/// A reply, taken apart.
struct Reply {
    status: String,
    headers: Vec<(String, String)>,
    head: usize,
    body: Vec<u8>,
}

/// What is asked, with how many bytes of body, and how many the reply has. It is chunked where that is in its name.
type Question = (&'static str, usize, usize);

const HELLO: &[Question] = &[
    ("/hello", 0, 13),
    ("/10k", 0, 10 << 10),
    ("/100k", 0, 100 << 10),
    ("/1m", 0, 1 << 20),
    ("/post", 1 << 10, 13),
    ("/post", 100 << 10, 13),
];

/// The load checks uploads and events itself.
const TRANSFERS: &[Question] = &[("/hello", 0, 13), ("/1k.txt", 0, 1 << 10), ("/10m.txt", 0, 10 << 20)];

const ROUTER: &[Question] = &[("/hello", 0, 13)];

const CHUNKED: Question = ("/chunked", 0, 16 << 10);

/// Fails unless every peer answers with the same status, Content-Type, framing and body, and a Date.
pub fn replies(peers: &Peers, results: &mut Results) -> Outcome {
    for (program, questions) in
        [(Program::Hello, HELLO), (Program::Transfers, TRANSFERS), (Program::Router, ROUTER)]
    {
        for peer in peers.built(program) {
            progress::show(&format!("comparing replies: {}", peer.name()));
            let _server = Server::start(SERVER_CORE, &peers.serve(peer, program)?, peers.port)?;
            let chunked = (program == Program::Transfers && peer != Peer::Nginx).then_some(CHUNKED);
            for question in questions.iter().copied().chain(chunked) {
                let path = question.0;
                let remark = compare(peers.port, question)
                    .map_err(|error| format!("{} answers {path} with {error}", peer.name()))?;
                if path == "/hello" && !results.replies.iter().any(|reply| reply.0 == peer) {
                    results.replies.push((peer, remark));
                }
            }
        }
    }
    progress::clear();
    Ok(())
}

fn compare(port: u16, (path, post, size): Question) -> Fallible<String> {
    let reply = ask(port, path, post).map_err(|error| format!("what is no reply: {error}"))?;
    reply.check(size, path == CHUNKED.0)?;
    Ok(reply.remark())
}

fn ask(port: u16, path: &str, post: usize) -> Fallible<Reply> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let (method, length) = match post {
        0 => ("GET", String::new()),
        _ => ("POST", format!("Content-Length: {post}\r\n")),
    };
    let body = "x".repeat(post);
    // In one write: the floor does not wait for the rest of a head.
    let request = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{length}\r\n{body}");
    stream.write_all(request.as_bytes())?;
    let (mut bytes, mut piece) = (Vec::new(), vec![0; 65536]);
    loop {
        let n = stream.read(&mut piece)?;
        bytes.extend_from_slice(&piece[..n]);
        match Reply::parse(&bytes)? {
            Some(reply) => return Ok(reply),
            None if n == 0 => return Err("it ends early".into()),
            None => {}
        }
    }
}

impl Reply {
    /// `None` while it is not all there.
    fn parse(bytes: &[u8]) -> Fallible<Option<Self>> {
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
        let text = std::str::from_utf8(&bytes[..end])?;
        let mut lines = text.split("\r\n");
        let status = lines.next().unwrap_or_default().split(' ').nth(1).unwrap_or_default().to_owned();
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut reply = Self { status, headers, head: end + 4, body: bytes[end + 4..].to_vec() };
        if reply.header("transfer-encoding") == Some("chunked") {
            let Some(body) = decode(&reply.body)? else { return Ok(None) };
            reply.body = body;
            return Ok(Some(reply));
        }
        let length: usize = reply.header("content-length").ok_or("no Content-Length")?.parse()?;
        Ok((reply.body.len() >= length).then_some(reply))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.0 == name).map(|header| header.1.as_str())
    }

    fn check(&self, size: usize, chunked: bool) -> Result<(), String> {
        let length = (!chunked).then(|| size.to_string());
        let expected = if size == 13 { b"Hello, World!".to_vec() } else { vec![b'x'; size] };
        if self.status != "200" {
            Err(format!("status {}", self.status))
        } else if !self.header("content-type").is_some_and(|kind| kind.eq_ignore_ascii_case(KIND)) {
            Err(format!("Content-Type {:?}", self.header("content-type")))
        } else if !self.header("date").is_some_and(|date| date.len() == 29 && date.ends_with(" GMT")) {
            Err(format!("Date {:?}", self.header("date")))
        } else if self.header("content-length") != length.as_deref() || self.body.len() != size {
            let length = self.header("content-length").unwrap_or_default();
            Err(format!("Content-Length {length} and {} bytes instead of {size}", self.body.len()))
        } else if self.body != expected {
            Err("another body".to_owned())
        } else {
            Ok(())
        }
    }

    /// Its size, and what it has beyond the others.
    fn remark(&self) -> String {
        const ASKED: [&str; 3] = ["content-type", "content-length", "date"];
        let more: Vec<&str> = self
            .headers
            .iter()
            .map(|header| header.0.as_str())
            .filter(|name| !ASKED.contains(name))
            .collect();
        let more = if more.is_empty() { String::new() } else { format!(", also {}", more.join(", ")) };
        format!("{} bytes{more}", self.head + self.body.len())
    }
}

/// What is in the chunks, which have neither extensions nor trailers; `None` while they are not all there.
fn decode(mut chunks: &[u8]) -> Fallible<Option<Vec<u8>>> {
    let mut body = Vec::new();
    loop {
        let Some(end) = chunks.windows(2).position(|window| window == b"\r\n") else { return Ok(None) };
        let size = usize::from_str_radix(std::str::from_utf8(&chunks[..end])?, 16)?;
        let Some(data) = chunks.get(end + 2..end + 2 + size) else { return Ok(None) };
        match chunks.get(end + 2 + size..end + 4 + size) {
            Some(b"\r\n") if size == 0 => return Ok(Some(body)),
            Some(b"\r\n") => {}
            Some(_) => return Err("a chunk of another size than it says".into()),
            None => return Ok(None),
        }
        body.extend_from_slice(data);
        chunks = &chunks[end + 4 + size..];
    }
}

/// Peers that were compared, with a remark on each reply to GET /hello.
pub fn remarks(results: &Results) -> impl Iterator<Item = (Peer, &str)> {
    results.replies.iter().map(|(peer, remark)| (*peer, remark.as_str()))
}

#[cfg(test)]
mod tests {
    use super::Reply;

    const REPLY: &[u8] = b"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: M\r\n\
        content-type: text/plain; charset=utf-8\r\nContent-Length: 13   \r\n\r\nHello, World!";

    #[test]
    fn a_reply_is_taken_apart_once_it_is_all_there() {
        assert!(Reply::parse(&REPLY[..REPLY.len() - 1]).unwrap().is_none());
        let reply = Reply::parse(REPLY).unwrap().unwrap();
        assert_eq!(reply.check(13, false), Ok(()));
        assert_eq!(reply.remark(), format!("{} bytes, also server", REPLY.len()));
    }

    #[test]
    fn a_chunked_reply_is_put_together() {
        let chunked =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n1\r\n-\r\n0\r\n\r\n";
        assert!(Reply::parse(&chunked[..chunked.len() - 1]).unwrap().is_none());
        assert_eq!(Reply::parse(chunked).unwrap().unwrap().body, b"0123456789-");
        let wrong = String::from_utf8(chunked.to_vec()).unwrap().replace("1\r\n-", "2\r\n-");
        assert!(Reply::parse(wrong.as_bytes()).is_err());
    }

    #[test]
    fn a_reply_of_another_kind_is_refused() {
        let text = String::from_utf8(REPLY.to_vec()).unwrap();
        for (from, to) in
            [("200", "404"), ("plain", "html"), ("Date", "Data"), ("World!", "world!"), ("13 ", "12 ")]
        {
            let changed = text.replacen(from, to, 1);
            let reply = Reply::parse(changed.as_bytes()).unwrap().unwrap();
            assert!(reply.check(13, false).is_err(), "{changed}");
        }
    }
}
