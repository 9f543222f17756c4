//! Our WebSockets as routes of a router, behind its layers and with its state.

use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Extension, Path, Query, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use mongoose::tower::{Body, Upgrade};
use mongoose::{Manager, ws};
use mongoose_tests::{Client, PATIENCE, Steady, find_program, poll_until, scaled};
use tokio::sync::Notify;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;
use tungstenite::Message;
use tungstenite::client::IntoClientRequest;

use super::{Host, Site};
use crate::service::Dropped;

type Reply = axum::http::Response<Body>;

/// What the routes share.
#[derive(Clone)]
struct Rooms {
    greeting: &'static str,
    /// Upgrades that a handler has kept.
    kept: Arc<Mutex<Vec<Upgrade>>>,
    told: Sender<&'static str>,
    go: Arc<Notify>,
}

fn echo(greeting: String) -> impl ws::Handler + Send {
    move |peer: &ws::Connection<'_>, event: ws::Event<'_>| match event {
        ws::Event::Open => peer.send_text(&*greeting),
        ws::Event::Message(message) => peer.send(message),
        _ => Ok(()),
    }
}

async fn room(
    upgrade: Option<Extension<Upgrade>>,
    State(rooms): State<Rooms>,
    Path(name): Path<String>,
) -> Reply {
    let Some(Extension(upgrade)) = upgrade else { return Upgrade::required() };
    // As an extractor that asks a database would.
    tokio::time::sleep(Duration::from_millis(1)).await;
    upgrade.protocols(["chat.v2", "chat.v1"]).accept(echo(format!("{} {name}", rooms.greeting)))
}

/// Accepts, and has somebody else answer.
async fn accepted(Extension(upgrade): Extension<Upgrade>, State(rooms): State<Rooms>) -> Reply {
    let dropped = Dropped(rooms.told);
    upgrade.accept(move |_: &ws::Connection<'_>, _: ws::Event<'_>| {
        let _held = &dropped;
        Ok(())
    })
}

async fn dropped(upgrade: Extension<Upgrade>, rooms: State<Rooms>) -> &'static str {
    drop(accepted(upgrade, rooms).await);
    "no WebSocket"
}

async fn kept(Extension(upgrade): Extension<Upgrade>, State(rooms): State<Rooms>) -> &'static str {
    rooms.kept.lock().expect("no panic").push(upgrade);
    "kept"
}

/// Accepts when the server shuts down already.
async fn late(Extension(upgrade): Extension<Upgrade>, State(rooms): State<Rooms>) -> Reply {
    rooms.told.send("begun").expect("the test to wait");
    rooms.go.notified().await;
    upgrade.accept(echo("too late".into()))
}

async fn elsewhere(Extension(upgrade): Extension<Upgrade>) -> Reply {
    let accept = move || std::thread::spawn(move || upgrade.accept(echo("elsewhere".into()))).join();
    tokio::task::spawn_blocking(accept).await.expect("no panic").expect("no panic")
}

async fn authenticate(Query(token): Query<Vec<(String, String)>>, request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/rooms") && !token.iter().any(|(_, value)| value == "secret") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    next.run(request).await
}

/// Makes something else of what accepts.
async fn alter(mut response: Response) -> Response {
    if let Some(status) = response.headers().get("x-alter").cloned() {
        match status.as_bytes() {
            b"status" => *response.status_mut() = StatusCode::OK,
            _ => {
                response.headers_mut().remove(header::UPGRADE);
            }
        }
    }
    response.headers_mut().insert("x-layer", HeaderValue::from_static("was here"));
    response
}

fn with_alter(status: &'static str) -> impl Fn(Response) -> std::future::Ready<Response> + Clone {
    move |mut response| {
        response.headers_mut().insert("x-alter", HeaderValue::from_static(status));
        std::future::ready(response)
    }
}

fn router() -> (Router, Rooms, Receiver<&'static str>) {
    let (told, dropped_handlers) = channel();
    let rooms = Rooms { greeting: "welcome to", kept: Arc::default(), told, go: Arc::default() };
    let router = Router::new()
        .route("/rooms/{name}", any(room))
        .route("/status", get(accepted).layer(map_response(with_alter("status"))))
        .route("/header", get(accepted).layer(map_response(with_alter("header"))))
        .route("/dropped", get(dropped))
        .route("/kept", get(kept))
        .route("/late", get(late))
        .route("/elsewhere", get(elsewhere))
        .route("/length", post(|body: String| async move { body.len().to_string() }))
        .route("/", get(|| async { "a page" }))
        .layer(map_response(alter))
        .layer(from_fn(authenticate))
        .layer(CompressionLayer::new())
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, PATIENCE))
        .layer(TraceLayer::new_for_http())
        .with_state(rooms.clone());
    (router, rooms, dropped_handlers)
}

/// A handshake that every server takes.
fn handshake(target: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

/// A short text as a client sends it, masked by zeros.
fn text_frame(text: &str) -> Vec<u8> {
    [&[0x81, 0x80 | text.len() as u8, 0, 0, 0, 0], text.as_bytes()].concat()
}

fn open(
    address: SocketAddr,
    target: &str,
    protocols: Option<&'static str>,
) -> (tungstenite::WebSocket<Steady<TcpStream>>, tungstenite::handshake::client::Response) {
    let stream = TcpStream::connect(address).expect("to connect");
    stream.set_read_timeout(Some(PATIENCE)).expect("an option");
    let mut request = format!("ws://{address}{target}").into_client_request().expect("a request");
    if let Some(protocols) = protocols {
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(protocols));
    }
    tungstenite::client(request, Steady(stream)).expect("a WebSocket")
}

#[test]
fn a_websocket_is_a_route_behind_its_layers() {
    let (router, ..) = router();
    let site = Site::start(Host::Mongoose, router);
    let (mut socket, response) = open(site.address, "/rooms/blue?token=secret", Some("chat.v1, chat.v2"));
    assert_eq!(response.headers()["x-layer"], "was here");
    assert_eq!(response.headers()["sec-websocket-protocol"], "chat.v2");
    assert_eq!(socket.read().expect("a greeting"), Message::text("welcome to blue"));
    for size in [0, 1, 125, 126, 65_536, scaled(1 << 20)] {
        for message in [Message::text("x".repeat(size)), Message::binary(vec![7; size])] {
            socket.send(message.clone()).expect("to send");
            assert_eq!(socket.read().expect("an echo"), message);
        }
    }
    socket.close(None).expect("to close");
    while socket.read().is_ok() {}
    // A handler may be made anywhere.
    let (mut socket, _) = open(site.address, "/elsewhere", None);
    assert_eq!(socket.read().expect("a greeting"), Message::text("elsewhere"));
}

#[test]
fn our_own_client_opens_it_too() {
    let (router, ..) = router();
    let site = Site::start(Host::Mongoose, router);
    let mut manager = Manager::new().expect("a manager");
    let (told, messages) = channel();
    ws::connect(&manager, &format!("ws://{}/rooms/red?token=secret", site.address))
        .open(move |peer: &ws::Connection<'_>, event: ws::Event<'_>| match event {
            ws::Event::Message(ws::Message::Text("bye")) => peer.close(ws::CloseCode::NORMAL, ""),
            ws::Event::Message(ws::Message::Text(text)) => {
                told.send(text.to_owned()).expect("the test to listen");
                peer.send_text("bye")
            }
            ws::Event::Close(close) => {
                told.send(close.code.0.to_string()).expect("the test to listen");
                Ok(())
            }
            _ => Ok(()),
        })
        .expect("to connect");
    let mut heard = Vec::new();
    poll_until(&mut manager, "the close", |_| {
        heard.extend(messages.try_iter());
        heard.len() == 2
    });
    assert_eq!(heard, ["welcome to red", "1000"]);
}

#[test]
fn pythons_websockets_open_it_too() {
    let Some(python) = find_program("python3", "pythons_websockets_open_it_too") else { return };
    let (router, ..) = router();
    let site = Site::start(Host::Mongoose, router);
    let script = "
import sys
try:
    from websockets.sync.client import connect
except ImportError:
    sys.exit(7)
with connect(sys.argv[1], subprotocols=['chat.v1']) as socket:
    assert socket.subprotocol == 'chat.v1', socket.subprotocol
    assert socket.recv() == 'welcome to green'
    for message in ['', 'x' * 70000, b'bytes']:
        socket.send(message)
        assert socket.recv() == message
";
    let url = format!("ws://{}/rooms/green?token=secret", site.address);
    let output = Command::new(python).args(["-c", script, &url]).output().expect("to run");
    match output.status.code() {
        Some(7) => assert!(std::env::var_os("CI").is_none(), "Python has no websockets, and in CI it has to"),
        code => assert_eq!(code, Some(0), "{}", String::from_utf8_lossy(&output.stderr)),
    }
}

#[test]
fn what_comes_in_one_piece_with_the_request_is_the_websockets() {
    let (router, ..) = router();
    let site = Site::start(Host::Mongoose, router);
    // Also what looks like a request: behind the handshake nothing is one.
    for smuggled in [text_frame("early"), b"GET / HTTP/1.1\r\nHost: test\r\n\r\n".to_vec()] {
        let mut client = Client::connect(site.address);
        client.send([handshake("/rooms/blue?token=secret").as_bytes(), &smuggled].concat());
        assert_eq!(client.response().status, 101);
        assert_eq!(client.exactly(17), b"\x81\x0fwelcome to blue");
        let rest = if smuggled[0] == 0x81 {
            assert_eq!(client.exactly(7), b"\x81\x05early");
            client.send([0x88, 0x80, 0, 0, 0, 0]).to_end()
        } else {
            client.to_end()
        };
        assert_eq!(rest.first(), Some(&0x88), "a close frame and nothing else: {rest:?}");
        assert!(rest.len() < 128 && !rest.windows(4).any(|four| four == b"HTTP"), "{rest:?}");
    }
}

#[test]
fn a_response_that_is_another_makes_no_websocket_and_drops_its_handler() {
    let (router, rooms, handlers) = router();
    let site = Site::start(Host::Mongoose, router);
    let mut client = Client::connect(site.address);
    // A layer that does not ask the route, one that alters its answer, and a route that answers otherwise.
    for (target, status, has_handler) in [
        ("/rooms/blue?token=guessed", 401, false),
        ("/status", 200, true),
        ("/header", 500, true),
        ("/dropped", 200, true),
    ] {
        let response = client.send(handshake(target)).response();
        assert_eq!(response.status, status, "{target}");
        if has_handler {
            assert_eq!(handlers.recv_timeout(PATIENCE), Ok("dropped"), "{target}");
        }
        assert_eq!(client.get("/").text(), "a page", "after {target}, on the same connection");
    }
    // One that is kept past its answer is good for nothing, and harms nobody.
    assert_eq!(client.send(handshake("/kept")).response().text(), "kept");
    let upgrade = rooms.kept.lock().expect("no panic").pop().expect("one");
    let response = accepted(Extension(upgrade), State(rooms)).await_now();
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert_eq!(handlers.recv_timeout(PATIENCE), Ok("dropped"));
    assert_eq!(client.get("/").text(), "a page");
}

/// For futures that never wait.
trait AwaitNow: Future + Sized {
    fn await_now(self) -> Self::Output {
        super::runtime().block_on(self)
    }
}

impl<F: Future> AwaitNow for F {}

#[test]
fn what_is_no_handshake_is_told_so() {
    let (router, ..) = router();
    let site = Site::start(Host::Mongoose, router);
    let mut client = Client::connect(site.address);
    let room = "/rooms/blue?token=secret";
    let response = client.get(room);
    assert_eq!((response.status, response.header("Sec-WebSocket-Version")), (426, Some("13")));
    let good = handshake(room);
    for (bad, status) in [
        (good.replace("Version: 13", "Version: 12"), 426),
        (good.replace("Key: dGhl", "Key: "), 400),
        (good.replace("GET", "PUT"), 405),
        (good.replace("Host: test", "Host: test\r\nOrigin: http://elsewhere"), 403),
        (good.replace("HTTP/1.1", "HTTP/1.0\r\nConnection: keep-alive"), 426),
        // A body, which could be taken for frames.
        (good.replace("Host: test", "Host: test\r\nContent-Length: 0"), 101),
    ] {
        let mut client = Client::connect(site.address);
        assert_eq!(client.send(&bad).response().status, status, "{bad}");
    }
    let body = text_frame("body");
    let length = format!("Host: test\r\nContent-Length: {}", body.len());
    client.send([good.replace("Host: test", &length).as_bytes(), &body].concat());
    assert_eq!(client.response().status, 426);
    assert_eq!(client.get("/").text(), "a page", "the body was no request");
    // Other upgrades are ignored, as servers may.
    client.send("POST /length HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc");
    assert_eq!(client.response().text(), "3");
}

#[test]
fn websockets_are_closed_by_their_own_handshake_on_shutdown() {
    let (router, rooms, begins) = router();
    let mut site = Site::start(Host::Mongoose, router);
    let mut waiting = Client::connect(site.address);
    waiting.send(handshake("/late"));
    assert_eq!(begins.recv_timeout(PATIENCE), Ok("begun"));
    let (mut socket, _) = open(site.address, "/rooms/blue?token=secret", Some("chat.v1"));
    assert_eq!(socket.read().expect("a greeting"), Message::text("welcome to blue"));
    site.stop();
    match socket.read().expect("a close") {
        Message::Close(Some(frame)) => assert_eq!(u16::from(frame.code), 1001),
        other => panic!("{other:?}"),
    }
    while socket.read().is_ok() {}
    rooms.go.notify_one();
    assert_eq!(waiting.response().status, 503, "none is begun any more");
    site.join();
}
