//! Reply bodies that are made while they are sent.

use std::sync::mpsc::{Receiver, channel};

use mongoose::http::{BodySource, Piece, Reply, Request};
use mongoose::{Error, Payload};
use mongoose_tests::{Client, Server, scaled};

use crate::site::{Seen, Site, until};

/// `count` pieces of `size` bytes.
struct Pieces {
    count: usize,
    size: usize,
}

impl BodySource for Pieces {
    fn next(&mut self) -> Result<Piece, Error> {
        let Some(left) = self.count.checked_sub(1) else { return Ok(Piece::End) };
        self.count = left;
        Ok(Piece::Data(vec![b'a' + (left % 26) as u8; self.size].into()))
    }
}

impl Pieces {
    fn all(count: usize, size: usize) -> Vec<u8> {
        (0..count).rev().flat_map(|left| vec![b'a' + (left % 26) as u8; size]).collect()
    }
}

fn server() -> (Server, Receiver<Seen>) {
    let (seen, told) = channel();
    (Server::http(move || Site { seen, answer }), told)
}

fn answer(request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
    let number = |name| -> Result<usize, Error> {
        request.query_value(name)?.unwrap_or_default().parse().map_err(Error::handler)
    };
    match request.path() {
        "/stream" => reply.stream(Pieces { count: number("count")?, size: number("size")? }),
        "/sized" => {
            let (count, size) = (number("count")?, number("size")?);
            reply.length((count * size) as u64).stream(Pieces { count, size })
        }
        "/short" => reply.length(100).stream(Pieces { count: 9, size: 10 }),
        "/long" => reply.length(100).stream(Pieces { count: 11, size: 10 }),
        "/fails" => {
            let mut first = true;
            reply.stream(move || {
                if std::mem::take(&mut first) {
                    return Ok(Piece::Data("begun".into()));
                }
                Err(Error::handler("no more to be had"))
            })
        }
        "/panics" => reply.stream(|| -> Result<Piece, Error> { panic!("in a source") }),
        "/empty-pieces" => {
            let mut left = 1000;
            reply.stream(move || {
                left -= 1;
                Ok(if left > 0 { Piece::Data(Payload::from_static(b"")) } else { Piece::End })
            })
        }
        "/reader" => reply.reader(std::io::Cursor::new(Pieces::all(26, 10_000))),
        "/no-content" => reply.status(204).stream(Pieces { count: 1, size: 1 }),
        "/announced" => reply.length(12_345).empty(),
        _ => reply.text("whole"),
    }
}

#[test]
fn a_stream_is_chunked_and_the_connection_goes_on() {
    let (server, _told) = server();
    let mut client = Client::connect(server.address);
    for (count, size) in [(0, 0), (1, 1), (3, 0), (1000, 10), (100, 100_000)] {
        let response = client.get(&format!("/stream?count={count}&size={size}"));
        assert_eq!(response.header("Transfer-Encoding"), Some("chunked"));
        assert_eq!(response.header("Content-Length"), None);
        assert!(response.body == Pieces::all(count, size), "{count} pieces of {size}");
    }
    assert_eq!(client.get("/").text(), "whole");
}

#[test]
fn a_stream_of_announced_length_has_no_chunks() {
    let (server, _told) = server();
    let mut client = Client::connect(server.address);
    let response = client.get("/sized?count=100&size=50000");
    assert_eq!(response.header("Content-Length"), Some("5000000"));
    assert_eq!(response.header("Transfer-Encoding"), None);
    assert!(response.body == Pieces::all(100, 50_000));
    assert_eq!(client.get("/").text(), "whole");
}

#[test]
fn a_reader_is_read_to_its_end() {
    let (server, _told) = server();
    assert!(Client::connect(server.address).get("/reader").body == Pieces::all(26, 10_000));
}

#[test]
fn pipelined_streams_come_in_order() {
    let (server, _told) = server();
    let mut client = Client::connect(server.address);
    let request = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: test\r\n\r\n");
    for _ in 0..3 {
        client.send(
            request("/stream?count=30&size=30000") + &request("/") + &request("/stream?count=2&size=1"),
        );
    }
    for _ in 0..3 {
        assert!(client.response().body == Pieces::all(30, 30_000));
        assert_eq!(client.response().text(), "whole");
        assert_eq!(client.response().text(), "ba");
    }
}

#[test]
fn http_1_0_gets_a_body_that_ends_with_the_connection() {
    let (server, _told) = server();
    let mut client = Client::connect(server.address);
    client.send("GET /stream?count=10&size=100000 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let all = client.to_end();
    let head_end = all.windows(4).position(|window| window == b"\r\n\r\n").expect("a head") + 4;
    let head = String::from_utf8_lossy(&all[..head_end]);
    assert!(!head.contains("chunked") && head.contains("Connection: close"), "{head}");
    assert!(all[head_end..] == Pieces::all(10, 100_000));
    // Of known length, it need not close.
    let mut client = Client::connect(server.address);
    for _ in 0..2 {
        client.send("GET /sized?count=10&size=10 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        assert_eq!(client.response().body.len(), 100);
    }
}

#[test]
fn head_gets_the_head_alone_and_the_source_is_not_asked() {
    let (server, _told) = server();
    let mut client = Client::connect(server.address);
    for (target, length) in [
        ("/stream?count=1&size=1", None),
        ("/sized?count=7&size=11", Some("77")),
        ("/panics", None),
        ("/announced", Some("12345")),
    ] {
        client.send(format!("HEAD {target} HTTP/1.1\r\nHost: test\r\n\r\n"));
        assert_eq!(client.response_to_head().header("Content-Length"), length, "{target}");
    }
    assert_eq!(client.get("/no-content").status, 204);
    assert_eq!(client.get("/announced").status, 500, "no body is not one of 12,345 bytes");
}

#[test]
fn a_body_that_breaks_off_is_seen_to_be_truncated() {
    let (server, told) = server();
    for (target, error) in [
        ("/short", "it is not as long as it was said to be"),
        ("/long", "it is not as long as it was said to be"),
        ("/fails", "no more to be had"),
    ] {
        let mut client = Client::connect(server.address);
        client.send(format!("GET {target} HTTP/1.1\r\nHost: test\r\n\r\n"));
        let text = String::from_utf8(client.to_end()).expect("text");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        if head.contains("chunked") {
            assert!(!body.contains("0\r\n\r\n"), "{body}");
        } else {
            assert!(body.len() <= 100 && head.contains("Content-Length: 100"), "{head} and {}", body.len());
        }
        // A body that is too long is cut where it was to end: only the close says so.
        let seen = until(&told, |seen| *seen == Seen::Closed);
        assert!(matches!(&seen[0], Seen::Error(message) if message.contains(error)), "{seen:?}");
    }
}

#[test]
fn empty_pieces_are_no_end() {
    let (server, _told) = server();
    let mut client = Client::connect(server.address);
    assert_eq!(client.get("/empty-pieces").body, b"");
    assert_eq!(client.get("/").text(), "whole");
}

#[test]
fn invariant_13_a_source_that_panics_closes_its_connection_alone() {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::time::Duration;

    let (seen, _told) = channel();
    let mut manager = mongoose::Manager::new().expect("a manager");
    let address = manager.http("http://127.0.0.1:0", Site { seen, answer }).expect("to listen").local_addr();
    let clients = std::thread::spawn(move || {
        let mut other = Client::connect(address);
        assert_eq!(other.get("/").text(), "whole");
        let mut client = Client::connect(address);
        client.send("GET /panics HTTP/1.1\r\nHost: test\r\n\r\n");
        client.to_end();
        assert_eq!(other.get("/").text(), "whole");
    });
    let mut panics = 0;
    while !clients.is_finished() {
        let poll = || manager.poll(Duration::from_millis(10)).expect("to poll");
        panics += usize::from(catch_unwind(AssertUnwindSafe(poll)).is_err());
    }
    clients.join().expect("the clients");
    assert_eq!(panics, 1);
}

#[test]
fn hazard_32_a_half_closed_peer_gets_the_whole_stream() {
    let (server, _told) = server();
    let mut client = Client::connect(server.address);
    client.send("GET /sized?count=50&size=100000 HTTP/1.1\r\nHost: test\r\n\r\n").end();
    assert!(client.response().body == Pieces::all(50, 100_000));
    assert_eq!(client.to_end(), b"");
}

#[test]
fn a_peer_that_does_not_read_costs_no_more_than_the_bound() {
    let (server, _told) = server();
    let size = scaled(256 << 20).max(64 << 20);
    let mut client = Client::connect(server.address);
    client.send(format!("GET /stream?count={}&size=65536 HTTP/1.1\r\nHost: test\r\n\r\n", size / 65536));
    // As long as nothing is read, what was made is what the two sockets and the queue hold.
    let held = || {
        server.ask(|registry| {
            let ids = registry.connections();
            let queued = ids.iter().filter_map(|id| Some(registry.connection(*id).ok()?.queued())).max();
            (registry.stats().sent, queued.unwrap_or(0))
        })
    };
    let mut before = (0, 0);
    let mut now = held();
    while now != before || now.0 == 0 {
        before = now;
        server.ask(|registry| registry.stats().polls);
        now = held();
    }
    assert!(now.1 <= 256 << 10, "{} bytes wait", now.1);
    let mut received = 0;
    assert_eq!(client.line(), "HTTP/1.1 200 OK");
    while !client.line().is_empty() {}
    while let Some(chunk) = client.chunk() {
        received += chunk.len();
    }
    assert_eq!(received, size / 65536 * 65536);
}
