//! Request bodies that are handed over in pieces.

use std::io::Write;
use std::sync::mpsc::{Receiver, channel};

use mongoose::Limits;
use mongoose::http::{Reply, Request};
use mongoose_tests::{Client, PATIENCE, Random, Server, scaled};

use crate::site::{Seen, Site, sum, until};

fn server(limits: Limits) -> (Server, Receiver<Seen>) {
    let (seen, told) = channel();
    let answer = |request: Request<'_>, reply: Reply<'_>| reply.text(sum(request.body()));
    (Server::http_within(limits, move || Site { seen, answer }), told)
}

fn body(size: usize) -> Vec<u8> {
    (0..size as u32).map(|number| (number % 251) as u8).collect()
}

fn chunked(body: &[u8], sizes: impl IntoIterator<Item = usize>) -> Vec<u8> {
    let mut rest = body;
    let mut encoded = Vec::new();
    for size in sizes {
        let (chunk, after) = rest.split_at(size.min(rest.len()));
        if chunk.is_empty() {
            break;
        }
        write!(encoded, "{:X};extension=\"ignored\"\r\n", chunk.len()).expect("memory takes all");
        encoded.extend_from_slice(chunk);
        encoded.extend_from_slice(b"\r\n");
        rest = after;
    }
    assert!(rest.is_empty(), "sizes for the whole body");
    encoded.extend_from_slice(b"0\r\nTrailer: ignored\r\n\r\n");
    encoded
}

const HEAD: &str = "POST /upload HTTP/1.1\r\nHost: test\r\n";
const CHUNKED: &str = "POST /upload HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn a_body_past_every_limit_arrives_in_pieces_and_the_connection_goes_on() {
    let (server, _told) = server(Limits::default());
    let mut client = Client::connect(server.address);
    let body = body(scaled(100 << 20));
    for _ in 0..2 {
        client.send(format!("{HEAD}Content-Length: {}\r\n\r\n", body.len())).send(&body);
        let response = client.response();
        assert_eq!((response.status, response.text()), (200, &*sum(&body)));
    }
    client.send(CHUNKED).send(chunked(&body, std::iter::repeat(100_000)));
    assert_eq!(client.response().text(), sum(&body));
    // Buffered requests between them on the same connection.
    client.send("POST /x HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nabc");
    assert_eq!(client.response().text(), sum(b"abc"));
}

#[test]
fn a_chunked_body_is_the_same_at_any_split() {
    let (server, _told) = server(Limits::default());
    let body = body(300);
    let mut request = CHUNKED.as_bytes().to_vec();
    request.extend(chunked(&body, [1, 2, 30, 100, 167]));
    request.extend(b"GET /next HTTP/1.1\r\nHost: test\r\n\r\n");
    let mut random = Random::new(4);
    for round in 0..scaled(40) {
        let mut client = Client::connect(server.address);
        if round == 0 {
            server.feed(&mut client, request.chunks(1));
        } else {
            let (first, rest) = request.split_at(random.below(request.len()));
            let (second, third) = rest.split_at(random.below(rest.len().max(1)));
            server.feed(&mut client, [first, second, third].into_iter().filter(|piece| !piece.is_empty()));
        }
        assert_eq!(client.response().text(), sum(&body), "round {round}");
        assert_eq!(client.response().text(), sum(b""), "what is behind it");
    }
}

#[test]
fn pieces_come_before_the_body_is_whole() {
    let (server, told) = server(Limits::default());
    let mut client = Client::connect(server.address);
    client.send(format!("{HEAD}Content-Length: 10\r\n\r\n"));
    for piece in [&b"abc"[..], b"d", b"efghij"] {
        client.send(piece);
        let mut left = piece.len();
        while left > 0 {
            match told.recv_timeout(PATIENCE) {
                Ok(Seen::Piece(count)) => left -= count,
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(client.response().text(), sum(b"abcdefghij"));
}

#[test]
fn the_peer_is_asked_to_go_on_only_when_the_body_is_wanted() {
    let (server, _told) = server(Limits::default());
    let expect = "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n";
    let mut client = Client::connect(server.address);
    client.send(format!("{HEAD}{expect}"));
    assert_eq!(client.response().status, 100);
    client.send("abc");
    assert_eq!(client.response().text(), sum(b"abc"));

    client.send(format!("POST /unwanted HTTP/1.1\r\nHost: test\r\n{expect}"));
    let response = client.response();
    assert_eq!((response.status, response.header("Connection")), (403, Some("close")));
    assert_eq!(client.to_end(), b"");
}

#[test]
fn an_unwanted_body_does_not_lose_the_reply_and_is_never_a_request() {
    let (server, _told) = server(Limits::default());
    let mut client = Client::connect(server.address);
    let smuggled = b"GET /smuggled HTTP/1.1\r\nHost: test\r\n\r\n".repeat(10_000);
    client
        .send(format!("POST /unwanted HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n\r\n", smuggled.len()));
    client.send(&smuggled);
    assert_eq!(client.response().status, 403);
    assert_eq!(client.to_end(), b"");
}

#[test]
fn the_receiver_may_refuse_in_the_middle_with_a_status_of_its_own() {
    let (server, told) = server(Limits::default());
    for (piece, status) in [("too much", 413), ("broken", 500)] {
        let mut client = Client::connect(server.address);
        client.send(format!("{HEAD}Content-Length: 100000\r\n\r\n{piece}"));
        let response = client.response();
        assert_eq!((response.status, response.header("Connection")), (status, Some("close")));
        assert_eq!(client.to_end(), b"");
        until(&told, |seen| matches!(seen, Seen::Failed(_)));
        assert!(matches!(told.recv_timeout(PATIENCE), Ok(Seen::Error(_))));
    }
}

#[test]
fn hazard_18_an_upload_that_is_cut_fails_and_never_ends() {
    let (server, told) = server(Limits::default());
    for request in
        [format!("{HEAD}Content-Length: 10\r\n\r\nabc"), format!("{CHUNKED}5\r\nabc"), CHUNKED.to_owned()]
    {
        let mut client = Client::connect(server.address);
        client.send(&request).end();
        assert_eq!(client.to_end(), b"", "no answer to half a request");
        let seen = until(&told, |seen| *seen == Seen::Closed);
        let failed = Seen::Failed("the peer closed in the middle of a message".to_owned());
        assert!(seen.contains(&failed), "{seen:?}");
        assert_eq!(seen.iter().filter(|seen| matches!(seen, Seen::Failed(_))).count(), 1);
    }
    // And by a reset.
    let mut client = Client::connect(server.address);
    client.send(format!("{HEAD}Content-Length: 10\r\n\r\nabc"));
    assert_eq!(told.recv_timeout(PATIENCE), Ok(Seen::Piece(3)));
    client.reset();
    assert!(matches!(told.recv_timeout(PATIENCE), Ok(Seen::Failed(_))));
}

#[test]
fn a_malformed_chunk_in_an_upload_is_400() {
    let (server, told) = server(Limits::default());
    let mut client = Client::connect(server.address);
    client.send(format!("{CHUNKED}3\r\nabcd\r\n"));
    assert_eq!(client.response().status, 400);
    assert_eq!(client.to_end(), b"");
    until(&told, |seen| matches!(seen, Seen::Failed(_)));
}

#[test]
fn a_mode_with_its_own_limit_takes_more_than_the_listeners() {
    let (server, _told) = server(Limits::default());
    let large = body(8 << 20);
    let mut client = Client::connect(server.address);
    client.send(format!("POST /large HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n\r\n", large.len()));
    client.send(&large);
    assert_eq!(client.response().text(), sum(&large));
    client.send("POST /large HTTP/1.1\r\nHost: test\r\nContent-Length: 99999999\r\n\r\n");
    assert_eq!(client.response().status, 413);
}

#[test]
fn a_whole_request_can_be_received_too() {
    let (server, _told) = server(Limits::default());
    let mut client = Client::connect(server.address);
    for body in ["", "abc"] {
        client.send(format!(
            "POST /received HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        assert_eq!(client.response().text(), sum(body.as_bytes()));
    }
}

#[test]
fn a_receiver_that_pauses_holds_the_peer_back() {
    use mongoose::http::{BodyMode, Handler, Upload};
    use mongoose::{Connection, Error};
    use std::sync::mpsc::Sender;

    struct Slow(Sender<mongoose::ConnectionId>);
    struct Slowly(Sender<mongoose::ConnectionId>, usize);

    impl Handler for Slow {
        fn body_mode(&mut self, _: &Request<'_>) -> BodyMode {
            BodyMode::Streamed
        }
        fn request(&mut self, _: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
            reply.receive(Slowly(self.0.clone(), 0))
        }
    }
    impl Upload for Slowly {
        fn data(&mut self, connection: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
            self.1 += piece.len();
            connection.pause();
            self.0.send(connection.id()).map_err(Error::handler)
        }
        fn end(&mut self, reply: Reply<'_>) -> Result<(), Error> {
            reply.text(self.1.to_string())
        }
    }

    let (paused, told) = channel();
    let server = Server::http(move || Slow(paused));
    let size = 64 << 20;
    let mut client = Client::connect(server.address);
    client.send(format!("{HEAD}Content-Length: {size}\r\n\r\n"));
    let socket = client.stream().try_clone().expect("a second descriptor");
    let sender = std::thread::spawn(move || (&socket).write_all(&vec![7; size]).expect("to send"));
    let mut pauses = 0;
    while let Ok(id) = told.recv_timeout(PATIENCE) {
        pauses += 1;
        let received = server.ask(|registry| registry.stats().received);
        assert!(received <= (pauses * (256 << 10)) as u64, "{received} bytes read in {pauses} pieces");
        server.ask(move |registry| registry.connection(id).map(|connection| connection.resume()).ok());
        if received >= size as u64 {
            break;
        }
    }
    assert_eq!(client.response().text(), size.to_string());
    sender.join().expect("the sender");
}
