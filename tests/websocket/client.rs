//! Section 4.1: the opening handshake of a client.

use std::net::TcpListener;
use std::time::Duration;

use mongoose::{Error, http, ws};
use mongoose_tests::{Client, PATIENCE, Server};

use crate::echo::{Log, echo};
use crate::peer::{FIN, Peer, TEXT, encode};

/// A loop to connect from, and where to.
struct Scene {
    server: Server,
    listener: TcpListener,
    url: String,
}

impl Scene {
    fn new() -> Self {
        let server = Server::http(|| |_: http::Request<'_>, reply: http::Reply<'_>| reply.text("a page"));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("ws://{}/path?query", listener.local_addr().expect("bound"));
        Self { server, listener, url }
    }

    /// Connects with what `set` sets.
    fn open(&self, set: impl FnOnce(ws::Connect<'_>) -> ws::Connect<'_> + Send + 'static) -> Log {
        let (tell, log) = Log::new();
        let url = self.url.clone();
        self.server
            .ask(move |registry| set(ws::connect(registry, &url)).open(echo(tell)))
            .expect("a URL to connect to");
        log
    }

    /// The request as it came, and the connection it came on.
    fn request(&self) -> (Client, Vec<String>) {
        let (stream, _) = self.listener.accept().expect("a connection");
        let mut client = Client::from(stream);
        let mut lines = Vec::new();
        loop {
            let line = client.line();
            if line.is_empty() {
                return (client, lines);
            }
            lines.push(line);
        }
    }
}

fn find<'l>(lines: &'l [String], name: &str) -> &'l str {
    let found: Vec<_> = lines.iter().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).collect();
    assert_eq!(found.len(), 1, "{name} in {lines:?}");
    found[0]
}

#[test]
fn section_4_1_the_request_has_what_the_rfc_asks() {
    let scene = Scene::new();
    let _log =
        scene.open(|connect| connect.protocols(["b", "a"]).header("Origin", "http://o").header("X-A", "b"));
    let (_client, lines) = scene.request();
    assert_eq!(lines[0], "GET /path?query HTTP/1.1");
    // With the port: C leaves it out (hazard 53).
    assert_eq!(format!("ws://{}/path?query", find(&lines, "Host")), scene.url);
    assert_eq!(find(&lines, "Upgrade"), "websocket");
    assert_eq!(find(&lines, "Connection"), "Upgrade");
    assert_eq!(find(&lines, "Sec-WebSocket-Version"), "13");
    assert_eq!(find(&lines, "Sec-WebSocket-Protocol"), "b, a");
    assert_eq!(find(&lines, "Origin"), "http://o");
    assert_eq!(find(&lines, "X-A"), "b");
    assert_eq!(lines.len(), 9, "{lines:?}");
    let key = find(&lines, "Sec-WebSocket-Key").to_owned();
    assert!(key.len() == 24 && key.ends_with("=="), "{key}");
    let _log = scene.open(|connect| connect);
    assert_ne!(find(&scene.request().1, "Sec-WebSocket-Key"), key, "a key is drawn each time");
}

#[test]
fn section_5_3_each_frame_has_a_mask_of_its_own() {
    let scene = Scene::new();
    let _log = scene.open(|connect| connect);
    let mut peer = Peer::accept(&scene.listener, b"");
    let mut keys = Vec::new();
    for _ in 0..100 {
        peer.send(FIN | TEXT, "the same");
        let head = peer.client.exactly(6);
        assert_eq!(head[..2], [0x81, 0x88]);
        keys.push(head[2..].to_vec());
        peer.client.exactly(8);
    }
    keys.sort_unstable();
    keys.dedup();
    assert!(keys.len() > 95, "{} keys of 100 differ", keys.len());
}

#[test]
fn frames_in_one_piece_with_the_answer_are_taken() {
    let scene = Scene::new();
    let log = scene.open(|connect| connect);
    let behind = [encode(FIN | TEXT, b"one", None), encode(FIN | TEXT, b"two", None)].concat();
    let mut peer = Peer::accept(&scene.listener, &behind);
    peer.expect(FIN | TEXT, "one").expect(FIN | TEXT, "two");
    assert_eq!([log.next(), log.next(), log.next()], ["open", "text one", "text two"]);
}

#[test]
fn an_interim_response_is_passed_over() {
    let scene = Scene::new();
    let log = scene.open(|connect| connect);
    let (client, key) = Peer::accept_request(&scene.listener);
    let accept = mongoose_tests::raw::websocket_accept(&key);
    let mut peer = Peer { client, key: None };
    peer.client.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n").send(format!(
        "HTTP/1.1 101 x\r\nupgrade: WebSocket\r\nconnection: x, upgrade\r\nsec-websocket-accept: {accept}\r\n\r\n"
    ));
    assert_eq!(log.next(), "open");
    peer.send(FIN | TEXT, "x").expect(FIN | TEXT, "x");
}

#[test]
fn section_4_1_hazard_53_an_answer_that_is_no_handshake_is_an_error_and_nothing_is_sent() {
    const REST: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ACCEPT\r\n";
    let scene = Scene::new();
    let good = format!("HTTP/1.1 101 Switching Protocols\r\n{REST}\r\n");
    let with = |more: &str| good.replace("\r\n\r\n", &format!("\r\n{more}\r\n\r\n"));
    for (answer, reason) in [
        (good.replace("Upgrade: websocket\r\n", ""), "Upgrade"),
        (good.replace("websocket", "h2c"), "Upgrade"),
        (good.replace("Connection: Upgrade\r\n", ""), "Connection"),
        (good.replace("Sec-WebSocket-Accept: ACCEPT\r\n", ""), "Accept"),
        (good.replace("ACCEPT", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "Accept"),
        (with("Sec-WebSocket-Extensions: permessage-deflate"), "extension"),
        (with("Sec-WebSocket-Protocol: other"), "subprotocol"),
        (with("Sec-WebSocket-Protocol: offered\r\nSec-WebSocket-Protocol: offered"), "subprotocol"),
        (good.replace("HTTP/1.1 101", "HTTP/1.0 101"), "1.0"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned(), "status"),
        ("HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n".to_owned(), "status"),
        ("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n".to_owned(), "status"),
        ("SSH-2.0-OpenSSH\r\n\r\n".to_owned(), "begin"),
        (String::new(), "ended"),
    ] {
        let log = scene.open(|connect| connect.protocols(["offered"]));
        let (mut client, key) = Peer::accept_request(&scene.listener);
        let accept = mongoose_tests::raw::websocket_accept(&key);
        client.send(answer.replace("ACCEPT", &accept)).end();
        assert_eq!(client.to_end(), b"", "{answer}");
        let told = log.to_close();
        assert!(told[0].starts_with("error the server does not open a WebSocket"), "{told:?}");
        assert!(told[0].contains(reason), "{told:?} for {answer}");
        assert_eq!(told[1..], ["close 1006 "]);
    }
}

#[test]
fn the_status_of_a_server_that_does_not_agree_is_told() {
    let scene = Scene::new();
    let (tell, told) = std::sync::mpsc::channel();
    let url = format!("ws://{}/", scene.server.address);
    scene
        .server
        .ask(move |registry| {
            ws::connect(registry, &url).open(move |_: &ws::Connection<'_>, event: ws::Event<'_>| {
                if let ws::Event::Error(Error::Handshake { status, .. }) = event {
                    tell.send(*status).expect("the test to listen");
                }
                Ok(())
            })
        })
        .expect("a URL to connect to");
    assert_eq!(told.recv_timeout(PATIENCE), Ok(Some(200)));
}

#[test]
fn a_server_that_does_not_answer_is_given_up() {
    let scene = Scene::new();
    let log = scene.open(|connect| connect.timeout(Duration::from_millis(50)));
    let (mut client, _key) = Peer::accept_request(&scene.listener);
    assert_eq!(log.to_close(), ["error the deadline passed: read the head", "close 1006 "]);
    assert_eq!(client.to_end(), b"");
}

#[test]
fn a_server_that_is_not_there_is_an_error() {
    let scene = Scene::new();
    let log = {
        let Scene { server, listener, url } = scene;
        drop(listener);
        let (tell, log) = Log::new();
        server.ask(move |registry| ws::connect(registry, &url).open(echo(tell))).expect("to begin");
        let told = log.to_close();
        assert!(told[0].starts_with("error cannot connect"), "{told:?}");
        told
    };
    assert_eq!(log[1..], ["close 1006 "]);
}

#[test]
fn what_cannot_be_asked_for_is_an_error_at_once() {
    let scene = Scene::new();
    let open = |url: &str, set: fn(ws::Connect<'_>) -> ws::Connect<'_>| {
        let url = url.to_owned();
        let ignore = |_: &ws::Connection<'_>, _: ws::Event<'_>| Ok(());
        scene.server.ask(move |registry| set(ws::connect(registry, &url)).open(ignore)).expect_err("no")
    };
    for url in ["http://h", "ws://", "ws://h/#f", "ws://h:99999/"] {
        assert!(matches!(open(url, |connect| connect), Error::Url { .. }), "{url}");
    }
    for set in [
        (|connect| connect.header("Host", "x")) as fn(ws::Connect<'_>) -> ws::Connect<'_>,
        |connect| connect.header("sec-websocket-key", "x"),
        |connect| connect.header("Upgrade", "x"),
        |connect| connect.header("A", "b\r\nC: d"),
        |connect| connect.protocols(["a b"]),
        |connect| connect.protocols([""]),
    ] {
        assert!(matches!(open("ws://h", set), Error::Header { .. }));
    }
}
