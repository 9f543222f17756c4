//! Request bodies: by length and chunked, at whatever places they are split; and 100 Continue.

use mongoose::Limits;
use mongoose::http::{Reply, Request};
use mongoose_tests::{Client, Server, scaled};

fn echo(request: Request<'_>, reply: Reply<'_>) -> Result<(), mongoose::Error> {
    reply.body(request.body())
}

const CHUNKED: &str = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\
                       5\r\nhello\r\n1;ext=\"a\tb\"\r\n \r\n00005\r\nworld\r\n0\r\nTrailer: dropped\r\n\r\n";

#[test]
fn a_chunked_body_is_decoded_wherever_it_is_split() {
    let server = Server::http(|| echo);
    let bytes = CHUNKED.as_bytes();
    let mut client = Client::connect(server.address);
    for at in 1..bytes.len() {
        let (first, second) = bytes.split_at(at);
        server.feed(&mut client, [first, second]);
        assert_eq!(client.response().text(), "hello world", "split at {at}");
    }
    server.feed(&mut client, bytes.chunks(1));
    assert_eq!(client.response().text(), "hello world", "byte by byte");
}

#[test]
fn a_body_by_length_is_whole_wherever_it_is_split() {
    let server = Server::http(|| echo);
    let bytes = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\nhello\0world";
    let mut client = Client::connect(server.address);
    for at in 1..bytes.len() {
        let (first, second) = bytes.split_at(at);
        server.feed(&mut client, [first, second]);
        assert_eq!(client.response().body, b"hello\0world", "split at {at}");
    }
    server.feed(&mut client, bytes.chunks(1));
    assert_eq!(client.response().body, b"hello\0world", "byte by byte");
}

#[test]
fn what_follows_a_body_is_the_next_request() {
    let server = Server::http(|| echo);
    let length = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\none";
    let mut client = Client::connect(server.address);
    client.send([CHUNKED, length, CHUNKED, CHUNKED, length].concat());
    for expected in ["hello world", "one", "hello world", "hello world", "one"] {
        assert_eq!(client.response().text(), expected);
    }
}

#[test]
fn large_bodies_come_whole() {
    let mut limits = Limits::default();
    limits.body = 20_000_000;
    let server = Server::http_within(limits, || echo);
    let body: Vec<u8> = (0..scaled(10_000_000)).map(|n| (n % 251) as u8).collect();
    let mut client = Client::connect(server.address);
    client.send(format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", body.len())).send(&body);
    assert!(client.response().body == body);

    client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    for chunk in body.chunks(100_000) {
        client.send(format!("{:x}\r\n", chunk.len())).send(chunk).send("\r\n");
    }
    assert!(client.send("0\r\n\r\n").response().body == body);
}

#[test]
fn the_body_limit_is_exact_however_the_body_is_framed() {
    let mut limits = Limits::default();
    limits.body = 100;
    let server = Server::http_within(limits, || echo);
    for (length, status) in [(100, 200), (101, 413)] {
        let body = "x".repeat(length);
        let request = format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n{body}");
        assert_eq!(Client::connect(server.address).send(request).response().status, status);
        let (first, second) = body.split_at(50);
        let request = format!(
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n32\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
            second.len()
        );
        assert_eq!(Client::connect(server.address).send(request).response().status, status);
    }
}

#[test]
fn a_client_that_waits_for_100_continue_gets_it_once() {
    let server = Server::http(|| echo);
    let mut client = Client::connect(server.address);
    let by_length: [&[u8]; 2] = [b"bo", b"dy"];
    let chunked: [&[u8]; 2] = [b"4\r\nbo", b"dy\r\n0\r\n\r\n"];
    for (framing, body) in [("Content-Length: 4", by_length), ("Transfer-Encoding: chunked", chunked)] {
        client.send(format!("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\n{framing}\r\n\r\n"));
        let go_on = client.response();
        assert_eq!((go_on.status, &*go_on.head), (100, "HTTP/1.1 100 Continue\r\n\r\n"));
        server.feed(&mut client, body);
        assert_eq!(client.response().text(), "body");
    }
}

#[test]
fn nobody_is_asked_to_continue_who_need_not_or_must_not() {
    let mut limits = Limits::default();
    limits.body = 10;
    let server = Server::http_within(limits, || echo);
    let mut client = Client::connect(server.address);
    let expects =
        |headers: &str| format!("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n{headers}\r\n");
    // The body is there already, there is none, the client is of HTTP/1.0.
    client.send(expects("Content-Length: 4\r\n") + "body");
    assert_eq!(client.response().text(), "body");
    assert_eq!(client.send(expects("")).response().status, 200);
    let old =
        "POST / HTTP/1.0\r\nExpect: 100-continue\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\n";
    server.feed(&mut client, [old.as_bytes(), b"body"]);
    assert_eq!(client.response().text(), "body");
    // It is refused before it is sent.
    assert_eq!(client.send(expects("Content-Length: 11\r\n")).response().status, 413);
    assert!(client.end().to_end().is_empty());
}
