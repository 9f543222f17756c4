//! Where a message ends: hazards 6, 7, 18, 19, 24, 33, 49.

use std::sync::mpsc;

use mongoose::http::{Reply, Request};
use mongoose::{Connection, Error, Event, http};
use mongoose_tests::{Client, PATIENCE, Server, raw};

/// Answers method, path and body, and tells each request and each error.
struct Tells {
    told: mpsc::Sender<String>,
}

impl http::Handler for Tells {
    fn request(&mut self, request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        let text = format!("{} {} {}", request.method(), request.path(), request.body().escape_ascii());
        self.told.send(text.clone()).map_err(Error::handler)?;
        reply.text(text)
    }

    fn event(&mut self, _: &Connection<'_>, event: Event<'_>) {
        // The test may be over when the last connections close.
        let _ = match event {
            Event::Error(error) => self.told.send(format!("{error:?}")),
            Event::Close => self.told.send("closed".to_owned()),
            _ => Ok(()),
        };
    }
}

fn server() -> (Server, mpsc::Receiver<String>) {
    let (told, tells) = mpsc::channel();
    (Server::http(move || Tells { told }), tells)
}

/// All that was told until the connection closed.
fn until_closed(tells: &mpsc::Receiver<String>) -> Vec<String> {
    let next = || tells.recv_timeout(PATIENCE).expect("the close to be told");
    std::iter::from_fn(|| Some(next()).filter(|told| told != "closed")).collect()
}

#[test]
fn hazard_6_a_content_length_behind_many_headers_counts_or_the_request_is_431() {
    let with_headers = |count: usize| {
        let filler: String = (2..count).map(|n| format!("X-{n}: {n}\r\n")).collect();
        format!(
            "POST /a HTTP/1.1\r\nHost: h\r\n{filler}Content-Length: 31\r\n\r\nGET /smuggled HTTP/1.1\r\nHost:h\r\n\r\n"
        )
    };
    let (server, _tells) = server();
    for count in [31, 40, 128] {
        let response = Client::connect(server.address).send(with_headers(count)).response();
        assert!(response.text().starts_with("POST /a GET /smuggled"), "{count} headers: {}", response.text());
    }
    let response = Client::connect(server.address).send(with_headers(129)).response();
    assert_eq!(response.status, 431);

    let in_c = raw::parse(with_headers(150).as_bytes());
    assert!(in_c.result > 0, "C is content,");
    assert_eq!((in_c.header("Content-Length"), in_c.body_len), (None, 0), "and takes the body for a request");
}

#[test]
fn hazard_7_a_post_without_a_length_has_no_body_and_the_next_request_is_whole() {
    let (server, tells) = server();
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let mut client = Client::connect(server.address);
        let bare = format!("{method} /1 HTTP/1.1\r\nHost: h\r\n\r\n");
        client.send([&*bare, "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n", &bare].concat()).end();
        for expected in [format!("{method} /1 "), "GET /2 ".to_owned(), format!("{method} /1 ")] {
            assert_eq!(client.response().text(), expected);
        }
        assert!(client.to_end().is_empty());
        assert_eq!(until_closed(&tells).len(), 3);
    }
}

#[test]
fn hazard_7_http_1_0_with_a_transfer_encoding_is_refused() {
    let (server, tells) = server();
    let mut client = Client::connect(server.address);
    client.send("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n");
    client.send("0\r\n\r\nGET /smuggled HTTP/1.0\r\n\r\n").end();
    assert_eq!(client.response().status, 400);
    assert!(client.to_end().is_empty());
    let told = until_closed(&tells);
    assert!(told.len() == 1 && told[0].starts_with("Refused { status: 400"), "{told:?}");
}

#[test]
fn hazard_18_a_truncated_message_is_an_error_and_never_a_request() {
    let (server, tells) = server();
    for truncated in [
        "GET / HTTP/1.1\r\nHost: h\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n123456789",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    ] {
        let mut client = Client::connect(server.address);
        assert!(client.send(truncated).end().to_end().is_empty(), "nothing to answer");
        assert_eq!(until_closed(&tells), ["Truncated"], "{truncated:?}");
    }
    let mut client = Client::connect(server.address);
    client.send("GET /whole HTTP/1.1\r\nHost: h\r\n\r\nGET /half").end();
    assert_eq!(client.response().text(), "GET /whole ");
    assert!(client.to_end().is_empty());
    assert_eq!(until_closed(&tells), ["GET /whole ", "Truncated"]);
}

#[test]
fn hazard_19_a_chunk_size_line_in_two_reads_extensions_and_trailers_are_valid() {
    let (server, _tells) = server();
    let head: &[u8] = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut client = Client::connect(server.address);
    let pieces: [&[u8]; 8] =
        [head, b"0", b"0a;x=\"", b"\";y\r", b"\n0123", b"456789\r\n0;last\r\n", b"Trailer: x", b"\r\n\r\n"];
    server.feed(&mut client, pieces);
    assert_eq!(client.response().text(), "POST / 0123456789");
}

#[test]
fn hazard_24_a_response_sent_as_a_request_is_one_400_and_the_end() {
    let (server, tells) = server();
    let response = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let mut client = Client::connect(server.address);
    client.send([&response[..]; 3].concat()).end();
    assert_eq!(client.response().status, 400);
    assert!(client.to_end().is_empty(), "one answer");
    let told = until_closed(&tells);
    assert!(told.len() == 1 && told[0].starts_with("Refused { status: 400"), "{told:?}");
    assert!(raw::parse(response).result > 0, "C takes it");
}

#[test]
fn hazard_33_a_request_whose_body_drips_in_is_told_once() {
    let (server, tells) = server();
    let mut client = Client::connect(server.address);
    server.feed(&mut client, b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello".chunks(1));
    assert_eq!(client.response().text(), "POST / hello");
    assert!(client.end().to_end().is_empty());
    assert_eq!(until_closed(&tells), ["POST / hello"]);
}

/// Tells of each call for a body that comes in pieces.
#[derive(Clone)]
struct Streams {
    told: mpsc::Sender<String>,
}

impl Streams {
    fn tell(&self, what: impl Into<String>) -> Result<(), Error> {
        self.told.send(what.into()).map_err(Error::handler)
    }
}

impl http::Handler for Streams {
    fn body_mode(&mut self, _: &Request<'_>) -> http::BodyMode {
        // The test is there as long as it waits for the answer.
        let _ = self.tell("mode");
        http::BodyMode::Streamed
    }

    fn request(&mut self, _: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        self.tell("request")?;
        reply.receive(self.clone())
    }
}

impl http::Upload for Streams {
    fn data(&mut self, _: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
        self.tell(piece.escape_ascii().to_string())
    }

    fn end(&mut self, reply: Reply<'_>) -> Result<(), Error> {
        self.tell("end")?;
        reply.empty()
    }
}

#[test]
fn hazard_33_a_request_that_is_told_at_its_head_is_told_once() {
    let (told, tells) = mpsc::channel();
    let server = Server::http(move || Streams { told });
    for request in [
        &b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"[..],
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n",
    ] {
        let mut client = Client::connect(server.address);
        server.feed(&mut client, request.chunks(1));
        assert_eq!(client.response().status, 200);
        let told: Vec<_> = tells.try_iter().collect();
        assert_eq!(told, ["mode", "request", "h", "e", "l", "l", "o", "end"]);
    }
}

#[test]
fn hazard_49_a_content_length_of_2_to_the_64th_less_1_is_400() {
    let (server, tells) = server();
    let request = |length: &str| {
        format!(
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
        )
    };
    for length in ["18446744073709551615", "18446744073709551616", "9223372036854775808", "1e3", "-1"] {
        let mut client = Client::connect(server.address);
        assert_eq!(client.send(request(length)).end().response().status, 400, "{length}");
        assert!(client.to_end().is_empty());
        assert_eq!(until_closed(&tells).len(), 1, "no second request");
    }
    let in_c = raw::parse(request("18446744073709551615").as_bytes());
    assert!(in_c.result > 0 && in_c.body_len == 0, "C takes it for no length at all: {in_c:?}");
}
