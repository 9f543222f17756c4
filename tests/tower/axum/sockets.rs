//! WebSockets: axum's own on its server and on ours; ours before the router.

use std::net::{SocketAddr, TcpStream};

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::middleware::from_fn;
use axum::routing::get;
use mongoose::http::{BodyMode, Handler, Reply, Request};
use mongoose::tower::Serve;
use mongoose::{Error, ws};
use mongoose_tests::{Client, Server, scaled};
use tungstenite::Message;

use super::hyper_upgrade::with_on_upgrade;
use super::{Host, Site};

fn router() -> Router {
    let echo = |upgrade: WebSocketUpgrade| async {
        upgrade.on_upgrade(|mut socket| async move {
            while let Some(Ok(message)) = socket.recv().await {
                if socket.send(message).await.is_err() {
                    break;
                }
            }
        })
    };
    Router::new().route("/ws", get(echo)).route("/", get(|| async { "a page" }))
}

/// WebSockets by ourselves, all else by the router.
struct Front<H>(H);

impl<H: Handler> Handler for Front<H> {
    fn request(&mut self, request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        if request.path() != "/ws" {
            return self.0.request(request, reply);
        }
        ws::upgrade(request, reply).accept(|peer: &ws::Connection<'_>, event: ws::Event<'_>| match event {
            ws::Event::Message(message) => peer.send(message),
            _ => Ok(()),
        })
    }

    fn body_mode(&mut self, request: &Request<'_>) -> BodyMode {
        self.0.body_mode(request)
    }
}

fn talk(address: SocketAddr) {
    assert_eq!(Client::connect(address).get("/").text(), "a page");
    let stream = TcpStream::connect(address).expect("to connect");
    let (mut socket, response) =
        tungstenite::client(format!("ws://{address}/ws"), stream).expect("a WebSocket");
    assert_eq!(response.status(), 101);
    for size in [0, 1, 125, 126, 65_536, scaled(1 << 20)] {
        for message in [Message::text("x".repeat(size)), Message::binary(vec![7; size])] {
            socket.send(message.clone()).expect("to send");
            assert_eq!(socket.read().expect("an echo"), message);
        }
    }
    socket.close(None).expect("to close");
    while socket.read().is_ok() {}
}

#[test]
fn a_page_and_its_websocket_share_a_port() {
    let site = Site::start(Host::Axum, router());
    talk(site.address);
    let server = Server::http(|| Front(Serve::new(router())));
    talk(server.address);
}

#[test]
fn axums_own_upgrade_works_by_a_layer() {
    // Where there is none of ours, the layer does nothing.
    for host in [Host::Axum, Host::Mongoose] {
        let site = Site::start(host, router().layer(from_fn(with_on_upgrade)));
        talk(site.address);
        echo_while_not_read(site.address);
    }
}

/// Frames in one piece with the request, and more than anybody has room for.
fn echo_while_not_read(address: SocketAddr) {
    let mut client = Client::connect(address);
    let early = [&b"\x82\xfe\x7d\x00\0\0\0\0"[..], &vec![7; 32_000]].concat();
    client.send([HANDSHAKE.as_bytes(), &early].concat());
    assert_eq!(client.response().status, 101);
    let mut writer = Client::from(client.stream().try_clone().expect("a second handle"));
    let more = scaled(300);
    let sent = early.clone();
    let thread = std::thread::spawn(move || {
        for _ in 0..more {
            writer.send(&sent);
        }
    });
    for _ in 0..=more {
        assert_eq!(client.exactly(4), b"\x82\x7e\x7d\x00");
        assert_eq!(client.exactly(32_000), [7; 32_000]);
    }
    thread.join().expect("to send");
    // Whatever the router says to it, it ends.
    client.send(b"\x88\x82\0\0\0\0\x03\xe8").to_end();
}

const HANDSHAKE: &str = "GET /ws HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// hyper lets nobody else make what it asks for: when this fails, the documentation of `tower` has to change.
#[test]
fn axums_own_upgrade_says_that_it_cannot_be_had() {
    let server = Server::http(|| Serve::new(router()));
    let mut client = Client::connect(server.address);
    client.send(HANDSHAKE);
    assert_eq!(client.response().status, 426);
    assert_eq!(client.get("/").text(), "a page");
}
