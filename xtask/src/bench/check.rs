//! Whether the peers give the same replies: else their cost cannot be compared.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::peers::{Peer, Peers};
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

/// Fails unless every peer answers with the same status, Content-Type, Content-Length and body, and a Date.
pub fn replies(peers: &Peers, results: &mut Results) -> Outcome {
    for peer in peers.built() {
        progress::show(&format!("comparing replies: {}", peer.name()));
        let _server = Server::start(SERVER_CORE, &peers.serve(peer)?, peers.port)?;
        let wrong = |path: &str, what: &str| format!("{} answers {path} with {what}", peer.name());
        let pages = [("/hello", 13), ("/10k", 10 << 10), ("/100k", 100 << 10), ("/1m", 1 << 20)];
        let gets = pages.map(|(path, size)| (path, 0, size));
        let posts = [("/post", 1 << 10, 13), ("/post", 100 << 10, 13)];
        for (path, post, size) in gets.into_iter().chain(posts) {
            let reply = ask(peers.port, path, post)
                .map_err(|error| wrong(path, &format!("what is no reply: {error}")))?;
            reply.check(size).map_err(|what| wrong(path, &what))?;
            if path == "/hello" {
                results.replies.push((peer, reply.remark()));
            }
        }
    }
    progress::clear();
    Ok(())
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
        let reply = Self { status, headers, head: end + 4, body: bytes[end + 4..].to_vec() };
        let length: usize = reply.header("content-length").ok_or("no Content-Length")?.parse()?;
        Ok((reply.body.len() >= length).then_some(reply))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.0 == name).map(|header| header.1.as_str())
    }

    fn check(&self, size: usize) -> Result<(), String> {
        let expected = if size == 13 { b"Hello, World!".to_vec() } else { vec![b'x'; size] };
        if self.status != "200" {
            Err(format!("status {}", self.status))
        } else if !self.header("content-type").is_some_and(|kind| kind.eq_ignore_ascii_case(KIND)) {
            Err(format!("Content-Type {:?}", self.header("content-type")))
        } else if !self.header("date").is_some_and(|date| date.len() == 29 && date.ends_with(" GMT")) {
            Err(format!("Date {:?}", self.header("date")))
        } else if self.header("content-length") != Some(&size.to_string()) || self.body.len() != size {
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
        assert_eq!(reply.check(13), Ok(()));
        assert_eq!(reply.remark(), format!("{} bytes, also server", REPLY.len()));
    }

    #[test]
    fn a_reply_of_another_kind_is_refused() {
        let text = String::from_utf8(REPLY.to_vec()).unwrap();
        for (from, to) in
            [("200", "404"), ("plain", "html"), ("Date", "Data"), ("World!", "world!"), ("13 ", "12 ")]
        {
            let changed = text.replacen(from, to, 1);
            let reply = Reply::parse(changed.as_bytes()).unwrap().unwrap();
            assert!(reply.check(13).is_err(), "{changed}");
        }
    }
}
