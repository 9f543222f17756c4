//! Section 4: the opening handshake of a server.

use mongoose::{Error, Event, http, ws};
use mongoose_tests::{Client, Server};

use crate::echo::{Log, echo, serve};
use crate::peer::{ACCEPT, FIN, HANDSHAKE, Peer, TEXT, encode};

const KEY: [u8; 4] = [1, 2, 3, 4];

/// Says the errors that the handler of requests is told.
struct Site {
    tell: std::sync::mpsc::Sender<String>,
}

impl http::Handler for Site {
    fn request(&mut self, request: http::Request<'_>, reply: http::Reply<'_>) -> Result<(), Error> {
        match request.path() {
            "/ws" => ws::upgrade(request, reply).accept(echo(self.tell.clone())),
            "/chosen" => ws::upgrade(request, reply)
                .protocols(["best", "good"])
                .header("X-Served-By", "us")
                .origins(["https://example.com", "http://other.example:8080"])
                .accept(|peer: &ws::Connection<'_>, event: ws::Event<'_>| match event {
                    ws::Event::Open => peer.send_text(peer.protocol().unwrap_or("none")),
                    _ => Ok(()),
                }),
            "/open" => ws::upgrade(request, reply).any_origin().accept(echo(self.tell.clone())),
            "/bad-header" => {
                ws::upgrade(request, reply).header("A", "b\r\nc").accept(echo(self.tell.clone()))
            }
            "/bad-protocol" => ws::upgrade(request, reply).protocols(["a b"]).accept(echo(self.tell.clone())),
            "/refused" => reply.status(401).header("WWW-Authenticate", "Basic").text("who are you?\n"),
            _ => reply.text("a page\n"),
        }
    }

    fn event(&mut self, _: &mongoose::Connection<'_>, event: Event<'_>) {
        if let Event::Error(error) = event {
            self.tell.send(error.to_string()).expect("the test to listen");
        }
    }
}

fn site() -> (Server, Log) {
    let (tell, log) = Log::new();
    (Server::http(move || Site { tell }), log)
}

fn with(path: &str, more: &str) -> String {
    HANDSHAKE.replace("/ws", path).replace("\r\n\r\n", &format!("\r\n{more}\r\n\r\n"))
}

#[test]
fn section_4_2_2_the_answer_has_what_the_rfc_asks_and_no_more() {
    let (server, _log) = serve();
    let mut client = Client::connect(server.address);
    let head = client.send(HANDSHAKE).response().head;
    let mut lines: Vec<_> = head.trim_end().split("\r\n").collect();
    lines.sort_unstable();
    let accept = format!("Sec-WebSocket-Accept: {ACCEPT}");
    assert_eq!(
        lines,
        ["Connection: Upgrade", "HTTP/1.1 101 Switching Protocols", &accept, "Upgrade: websocket"]
    );
}

#[test]
fn hazard_28_frames_in_one_piece_with_the_handshake_are_taken() {
    let (server, log) = serve();
    let frames: Vec<u8> =
        (0..100).flat_map(|n| encode(FIN | TEXT, format!("{n}").as_bytes(), Some(KEY))).collect();
    let mut client = Client::connect(server.address);
    assert_eq!(client.send([HANDSHAKE.as_bytes(), &frames].concat()).response().status, 101);
    let mut peer = Peer { client, key: Some(KEY) };
    assert_eq!(log.next(), "open");
    for n in 0..100 {
        peer.expect(FIN | TEXT, format!("{n}"));
        assert_eq!(log.next(), format!("text {n}"));
    }
    // And cut anywhere.
    let all = [HANDSHAKE.as_bytes(), &encode(FIN | TEXT, b"x", Some(KEY))].concat();
    for cut in (0..all.len()).step_by(7) {
        let mut client = Client::connect(server.address);
        client.send(&all[..cut]).send(&all[cut..]);
        assert_eq!(client.response().status, 101);
        Peer { client, key: Some(KEY) }.expect(FIN | TEXT, "x");
    }
}

#[test]
fn an_upgrade_behind_pipelined_requests_is_answered_in_order() {
    let (server, _log) = site();
    let mut client = Client::connect(server.address);
    let get = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";
    client.send([get, get, HANDSHAKE].concat());
    assert_eq!(client.response().text(), "a page\n");
    assert_eq!(client.response().text(), "a page\n");
    assert_eq!(client.response().status, 101);
    let mut peer = Peer { client, key: Some(KEY) };
    peer.send(FIN | TEXT, "x").expect(FIN | TEXT, "x");
}

#[test]
fn section_4_2_1_hazard_29_what_is_no_handshake_gets_a_status_and_the_connection_goes_on() {
    let (server, log) = site();
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for (request, status, reason) in [
        (HANDSHAKE.replace("GET", "POST"), 405, "GET"),
        (HANDSHAKE.replace("Upgrade: websocket", "Upgrade: h2c"), 426, "only a WebSocket"),
        (HANDSHAKE.replace("Upgrade: websocket\r\n", ""), 426, "only a WebSocket"),
        (HANDSHAKE.replace("Connection: Upgrade\r\n", ""), 426, "only a WebSocket"),
        (HANDSHAKE.replace("Connection: Upgrade", "Connection: keep-alive"), 426, "only a WebSocket"),
        (HANDSHAKE.replace("Version: 13", "Version: 8"), 426, "version 13"),
        (HANDSHAKE.replace("Sec-WebSocket-Version: 13\r\n", ""), 426, "version 13"),
        (HANDSHAKE.replace(key, ""), 400, "Key"),
        (HANDSHAKE.replace(key, &[key, key].concat()), 400, "Key"),
        (HANDSHAKE.replace("ZQ==", "ZQ"), 400, "Key"),
        (with("/ws", "Sec-WebSocket-Protocol: a b"), 400, "subprotocol"),
        (with("/ws", "Origin: http://evil.example"), 403, "origin"),
        (with("/ws", "Origin: null"), 403, "origin"),
    ] {
        let mut client = Client::connect(server.address);
        let response = client.send(&request).response();
        assert_eq!(response.status, status, "{request}");
        assert!(response.text().contains(reason), "{request}: {}", response.text());
        if status == 426 {
            assert_eq!(response.header("Sec-WebSocket-Version"), Some("13"));
            // RFC 9110 sections 15.5.22 and 7.8.
            assert_eq!(response.header("Upgrade"), Some("websocket"));
            assert_eq!(response.header("Connection"), Some("Upgrade"));
        }
        assert!(log.next().starts_with(&format!("request refused with {status}")));
        assert_eq!(client.get("/").status, 200);
    }
    let mut client = Client::connect(server.address);
    client.send(HANDSHAKE.replace("HTTP/1.1", "HTTP/1.0"));
    assert_eq!(client.response().status, 400);
}

#[test]
fn a_page_of_the_same_host_or_of_a_listed_origin_may_connect() {
    let (server, _log) = site();
    for (path, origin, status) in [
        ("/ws", "http://test", 101),
        ("/ws", "https://TEST", 101),
        ("/ws", "http://test:8080", 403),
        ("/chosen", "https://example.com", 101),
        ("/chosen", "http://other.example:8080", 101),
        ("/chosen", "http://example.com", 403),
        ("/chosen", "http://test", 403),
        ("/open", "http://evil.example", 101),
    ] {
        let mut client = Client::connect(server.address);
        let response = client.send(with(path, &format!("Origin: {origin}"))).response();
        assert_eq!(response.status, status, "{path} {origin}");
    }
}

#[test]
fn the_servers_first_subprotocol_that_the_client_offers_is_chosen() {
    let (server, _log) = site();
    for (offered, chosen) in [
        ("Sec-WebSocket-Protocol: other, good, best", Some("best")),
        ("Sec-WebSocket-Protocol: other\r\nSec-WebSocket-Protocol: good", Some("good")),
        ("Sec-WebSocket-Protocol: other, Best", None),
        ("X: y", None),
    ] {
        let mut client = Client::connect(server.address);
        let response = client.send(with("/chosen", offered)).response();
        assert_eq!((response.status, response.header("Sec-WebSocket-Protocol")), (101, chosen), "{offered}");
        assert_eq!(response.header("X-Served-By"), Some("us"));
        Peer { client, key: Some(KEY) }.expect(FIN | TEXT, chosen.unwrap_or("none"));
    }
}

#[test]
fn a_request_may_be_turned_down_with_any_reply() {
    let (server, _log) = site();
    let mut client = Client::connect(server.address);
    let response = client.send(HANDSHAKE.replace("/ws", "/refused")).response();
    assert_eq!((response.status, response.text()), (401, "who are you?\n"));
    assert_eq!(response.header("WWW-Authenticate"), Some("Basic"));
    assert_eq!(client.get("/").status, 200);
}

#[test]
fn an_upgrade_that_cannot_be_written_is_500() {
    let (server, log) = site();
    for path in ["/bad-header", "/bad-protocol"] {
        let mut client = Client::connect(server.address);
        assert_eq!(client.send(HANDSHAKE.replace("/ws", path)).response().status, 500);
        assert!(log.next().contains("header"), "{path}");
        assert_eq!(client.get("/").status, 200);
    }
}
