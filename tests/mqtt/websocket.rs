//! The same over WebSocket (MQTT 5 section 6), at either end.

use std::net::TcpListener;
use std::process::Command;
use std::sync::mpsc;
use std::thread::JoinHandle;

use mongoose::mqtt::{
    Client, ClientBuilder, Connack, Event, Packet, Peer, QoS, ServerEvent, Session, Version,
};
use mongoose::{Error, Limits, http, ws};
use mongoose_tests::{PATIENCE, Server, scaled};

use crate::broker::Broker;
use crate::certificates;
use crate::mosquitto::Mosquitto;
use crate::peer::{self, BINARY, CLOSE, CONTINUATION, FIN, Frame, PING, PONG, TEXT};
use crate::scene::Scene;

const CONNECT: &[u8] = b"\x10\x0c\0\x04MQTT\x04\x02\0\0\0\0";
const CONNACK: &[u8] = b"\x20\x02\0\0";
const DISCONNECT: &[u8] = b"\xe0\0";

/// A request that asks for a subprotocol.
fn handshake(more: &str) -> String {
    peer::HANDSHAKE.replace("\r\n\r\n", &format!("\r\n{more}\r\n"))
}

fn agreed() -> String {
    handshake("Sec-WebSocket-Protocol: other, mqtt\r\n")
}

/// Lets everybody in, answers pings, sends each message back, and says what it sees.
fn answer(peer: &Peer<'_>, event: ServerEvent<'_>, seen: &mpsc::Sender<String>) -> Result<(), Error> {
    let _ = seen.send(match event {
        ServerEvent::Packet(Packet::Publish(publish)) => format!("{} bytes", publish.payload.len()),
        ServerEvent::Packet(packet) => format!("{packet:?}"),
        ServerEvent::Error(error) => format!("error: {error}"),
        other => format!("{other:?}"),
    });
    match event {
        ServerEvent::Packet(Packet::Connect(_)) => peer.send(&Packet::Connack(Connack::default())),
        ServerEvent::Packet(Packet::Pingreq) => peer.send(&Packet::Pingresp),
        ServerEvent::Packet(publish @ Packet::Publish(_)) => peer.send(&publish),
        _ => Ok(()),
    }
}

fn start() -> (Server, mpsc::Receiver<String>) {
    let (seen, log) = mpsc::channel();
    let server = Server::start(move |manager| {
        manager
            .listener("ws://127.0.0.1:0")
            .mqtt(move |peer: &Peer<'_>, event: ServerEvent<'_>| answer(peer, event, &seen))
    });
    (server, log)
}

fn wait_for(log: &mpsc::Receiver<String>, text: &str) {
    while !log.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no {text:?}")).contains(text) {}
}

fn connect(server: &Server) -> peer::Peer {
    let mut client = mongoose_tests::Client::connect(server.address);
    let response = client.send(agreed()).response();
    assert_eq!(response.status, 101, "{response:?}");
    assert_eq!(response.header("Sec-WebSocket-Protocol"), Some("mqtt"));
    peer::Peer { client, key: Some([1, 2, 3, 4]) }
}

fn binary(payload: &[u8]) -> Frame {
    (FIN | BINARY, payload.to_vec())
}

fn close(code: u16) -> Vec<u8> {
    code.to_be_bytes().to_vec()
}

#[test]
fn mqtt_6_0_0_2_packets_lie_in_frames_as_it_pleases_the_peer() {
    let (server, log) = start();
    let peer = connect(&server);
    let body = vec![b'x'; 300];
    let publish = [b"\x30\xaf\x02\0\x01a", &body[..]].concat();
    // Two packets in a frame, one in three, with a ping between them, and an end of both at once.
    let bytes = [
        peer.encode(FIN | BINARY, &[CONNECT, b"\xc0"].concat()),
        peer.encode(BINARY, b""),
        peer.encode(FIN | PING, b"there?"),
        peer.encode(CONTINUATION, b"\0"),
        peer.encode(FIN | CONTINUATION, &publish[..200]),
        peer.encode(FIN | BINARY, &[&publish[200..], DISCONNECT].concat()),
        peer.encode(FIN | CLOSE, &close(1000)),
    ]
    .concat();
    let expected = [binary(CONNACK), binary(b"\xd0\0"), binary(&publish)];
    for whole in [true, false] {
        let mut peer = connect(&server);
        if whole {
            peer.client.send(&bytes);
        } else {
            server.feed(&mut peer.client, bytes.chunks(1));
        }
        let mut frames: Vec<_> = (0..5).map(|_| peer.frame()).collect();
        // A ping is answered when it is seen, and that depends on what came with it.
        let pong = frames.iter().position(|frame| *frame == (FIN | PONG, b"there?".to_vec()));
        frames.remove(pong.unwrap_or_else(|| panic!("no pong: {frames:?}")));
        assert_eq!(frames[..3], expected, "in one piece: {whole}");
        assert_eq!(frames[3], (FIN | CLOSE, close(1000)), "in one piece: {whole}");
        assert_eq!(peer.client.to_end(), b"");
        wait_for(&log, "300 bytes");
        wait_for(&log, "Disconnect");
        wait_for(&log, "Close");
    }
}

#[test]
fn what_breaks_the_rules_is_closed_with_its_code_behind_what_was_right() {
    for (first, payload, code) in [
        (FIN | TEXT, &b"\xc0\0"[..], 1003),
        (FIN | CONTINUATION, b"\xc0\0", 1002),
        (FIN | BINARY | 0x40, b"", 1002),
        (FIN | CLOSE, b"\x03", 1002),
    ] {
        let (server, log) = start();
        let mut peer = connect(&server);
        let bytes = [peer.encode(FIN | BINARY, CONNECT), peer.encode(first, payload)].concat();
        peer.client.send(bytes);
        assert_eq!(peer.frame(), binary(CONNACK));
        let (first, reason) = peer.frame();
        assert_eq!((first, &reason[..2]), (FIN | CLOSE, &close(code)[..]));
        assert_eq!(peer.client.to_end(), b"");
        wait_for(&log, "error: ");
        wait_for(&log, "Close");
    }
    // What MQTT forbids is MQTT's to say; then the WebSocket is closed as it should be.
    let (server, log) = start();
    let mut peer = connect(&server);
    peer.send(FIN | BINARY, b"\x10\x0d\0\x04MQTT\x05\x02\0\0\0\0\0")
        .send(FIN | BINARY, b"\x36\x06\0\x01a\0\x01\0");
    assert_eq!(peer.frame(), binary(b"\x20\x03\0\0\0"));
    assert_eq!(peer.frame(), binary(b"\xe0\x01\x81"));
    assert_eq!(peer.frame(), (FIN | CLOSE, close(1000)));
    wait_for(&log, "error: ");
}

#[test]
fn a_flood_of_pings_is_answered_and_costs_no_memory() {
    let (server, _log) = start();
    let mut peer = connect(&server);
    let count = scaled(200_000);
    let mut bytes = peer.encode(FIN | PING, b"x").repeat(count);
    bytes.extend(peer.encode(FIN | BINARY, CONNECT));
    peer.client.send(bytes);
    let mut pongs = 0;
    loop {
        match peer.frame() {
            (first, payload) if first == FIN | PONG => {
                assert_eq!(payload, b"x");
                pongs += 1;
            }
            frame => break assert_eq!(frame, binary(CONNACK)),
        }
    }
    assert!((1..=count).contains(&pongs), "{pongs}");
}

#[test]
fn a_handshake_for_anything_else_is_refused() {
    let (server, _log) = start();
    for (request, status) in [
        (peer::HANDSHAKE.to_owned(), 400),
        (handshake("Sec-WebSocket-Protocol: mqttv3.1\r\n"), 400),
        (agreed().replace("Version: 13", "Version: 8"), 426),
        (handshake("Sec-WebSocket-Protocol: mqtt\r\nOrigin: https://evil.example\r\n"), 403),
        ("GET / HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(), 426),
    ] {
        let mut client = mongoose_tests::Client::connect(server.address);
        let response = client.send(&request).response();
        assert_eq!(response.status, status, "{request}: {response:?}");
    }
}

#[test]
fn a_packet_past_the_limit_is_refused_however_it_is_framed() {
    let (seen, log) = mpsc::channel();
    let mut limits = Limits::default();
    limits.body = 1000;
    let server = Server::start(move |manager| {
        manager
            .listener("ws://127.0.0.1:0")
            .limits(limits)
            .mqtt(move |peer: &Peer<'_>, event: ServerEvent<'_>| answer(peer, event, &seen))
    });
    let mut peer = connect(&server);
    peer.send(FIN | BINARY, CONNECT);
    assert_eq!(peer.frame(), binary(CONNACK));
    // The head of a frame alone is no reason to wait for all that it announces.
    peer.client.send([&[FIN | BINARY, 0x80 | 127][..], &(1_u64 << 62).to_be_bytes(), &[0; 4]].concat());
    peer.client.send(b"\x30\xff\x7f");
    assert_eq!(peer.frame(), (FIN | CLOSE, close(1000)));
    wait_for(&log, "error: ");
}

#[test]
fn it_is_served_beside_pages_on_one_port() {
    let (seen, log) = mpsc::channel();
    let server = Server::http(move || {
        move |request: http::Request<'_>, reply: http::Reply<'_>| {
            let seen = seen.clone();
            if request.path() != "/mqtt" {
                return reply.text("a page\n");
            }
            ws::upgrade(request, reply)
                .origins(["https://pages.example"])
                .mqtt(move |peer: &Peer<'_>, event: ServerEvent<'_>| answer(peer, event, &seen))
        }
    });
    let mut client = mongoose_tests::Client::connect(server.address);
    assert_eq!(client.get("/").text(), "a page\n");
    let request =
        agreed().replace("/ws", "/mqtt").replace("\r\n\r\n", "\r\nOrigin: https://pages.example\r\n\r\n");
    assert_eq!(client.send(request).response().status, 101);
    let mut peer = peer::Peer { client, key: Some([9; 4]) };
    peer.send(FIN | BINARY, CONNECT);
    assert_eq!(peer.frame(), binary(CONNACK));
    drop(peer);
    wait_for(&log, "Close");
    let mut scene = Scene::new();
    let client = scene.plain(Client::builder(&format!("ws://{}/mqtt", server.address)));
    scene.until("connected", 1);
    client.disconnect();
    scene.until("closed", 1);
}

/// Publishes to itself once it is subscribed.
fn echo(scene: &Scene, builder: ClientBuilder, qos: QoS, size: usize) -> Client {
    scene.client(builder, move |session: &Session<'_>, event: &Event<'_>| {
        match event {
            Event::Connected(_) => drop(session.subscribe("s", qos)?),
            Event::Subscribed(..) => drop(session.publish("s", vec![b'x'; size], qos)?),
            _ => {}
        }
        Ok(())
    })
}

#[test]
fn our_client_speaks_with_mosquitto() {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
    let server = Mosquitto::start_with(&format!(
        "allow_anonymous true\nlistener {port} 127.0.0.1\nprotocol websockets\n"
    ));
    for version in [Version::V3, Version::V5] {
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
            for size in [5, 200_000] {
                let mut scene = Scene::new();
                let url = format!("ws://127.0.0.1:{port}/any?path=1");
                let client = echo(&scene, Client::builder(&url).version(version), qos, size);
                scene.until(&format!("message s {} qos{}", "x".repeat(size), qos as u8), 1);
                client.disconnect();
                scene.until("closed", 1);
                assert_eq!(scene.log.count("disconnected"), 0, "{:?}", scene.log.lines());
            }
        }
    }
    drop(server);
}

#[test]
fn others_and_ours_speak_with_the_broker() {
    let [chain, key] = certificates::pair("p256");
    let secure = ["--cert", &chain, "--key", &key, "--listen", "wss://127.0.0.1:0"];
    let broker = Broker::start(&[&["--listen", "ws://127.0.0.1:0"], &secure[..]].concat());
    let (port, secure_port) = (broker.listening(), broker.listening());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/mqtt/paho_client.py");
    for version in ["4", "5"] {
        for (port, ca) in [(port, None), (secure_port, Some(certificates::path("ca.pem")))] {
            let output = Command::new("python3")
                .args([script, &port.to_string(), version, "websockets"])
                .args(ca)
                .output()
                .expect("python3");
            assert!(output.status.success(), "pip install paho-mqtt: {output:?}");
            let printed = String::from_utf8_lossy(&output.stdout).into_owned();
            assert_eq!(printed, "a/0 hello 0\na/1 hello 1\na/2 hello 2\n", "version {version}");
        }
    }
    for version in [Version::V3, Version::V5] {
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
            let plain = Client::builder(&format!("ws://127.0.0.1:{port}"));
            let secure =
                Client::builder(&format!("wss://localhost:{secure_port}/mqtt")).tls(certificates::client());
            for builder in [plain, secure] {
                let mut scene = Scene::new();
                let client = echo(&scene, builder.version(version), qos, 100_000);
                scene.until(&format!("message s {} qos{}", "x".repeat(100_000), qos as u8), 1);
                client.disconnect();
                scene.until("closed", 1);
                assert_eq!(scene.log.count("disconnected"), 0, "{:?}", scene.log.lines());
            }
        }
    }
}

/// A server of one connection that agrees to the handshake, with `subprotocol` and what is to come behind it.
fn scripted(
    subprotocol: &'static str,
    script: impl FnOnce(&mut peer::Peer) + Send + 'static,
) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("ws://{}/", listener.local_addr().expect("bound"));
    let thread = std::thread::spawn(move || {
        let (mut client, key) = peer::Peer::accept_request(&listener);
        client.send(format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\n{subprotocol}\r\n",
            mongoose_tests::raw::websocket_accept(&key)
        ));
        script(&mut peer::Peer { client, key: None });
    });
    (url, thread)
}

const NAMED: &str = "Sec-WebSocket-Protocol: mqtt\r\n";

#[test]
fn a_client_and_a_server_close_as_they_should() {
    let (url, thread) = scripted(NAMED, |peer| {
        assert_eq!(peer.frame(), (FIN | BINARY, b"\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0".to_vec()));
        // A packet in pieces of one byte, each in a frame.
        for byte in CONNACK {
            peer.send(FIN | BINARY, [*byte]);
        }
        peer.send(FIN | PING, b"still?");
        assert_eq!(peer.frame(), (FIN | PONG, b"still?".to_vec()));
        peer.send(FIN | BINARY, b"\x30\x05\0\x01tgo");
        assert_eq!(peer.frame(), binary(DISCONNECT));
        assert_eq!(peer.frame(), (FIN | CLOSE, close(1000)));
    });
    let mut scene = Scene::new();
    scene.client(Client::builder(&url), |session: &Session<'_>, event: &Event<'_>| {
        if let Event::Message(_) = event {
            session.disconnect();
        }
        Ok(())
    });
    scene.until("closed", 1);
    assert_eq!(scene.log.lines(), ["connected false", "message t go qos0", "closed"]);
    thread.join().expect("the server");

    let (url, thread) = scripted(NAMED, |peer| {
        peer.frame();
        let bytes = [peer.encode(FIN | BINARY, CONNACK), peer.encode(FIN | CLOSE, &close(1001))].concat();
        peer.client.send(bytes);
        assert_eq!(peer.frame(), (FIN | CLOSE, close(1000)));
        assert_eq!(peer.client.to_end(), b"");
    });
    let mut scene = Scene::new();
    scene.plain(Client::builder(&url).reconnect(false));
    scene.until("closed", 1);
    assert_eq!(scene.log.count("connected false"), 1);
    assert_eq!(scene.log.count("disconnected"), 1);
    thread.join().expect("the server");
}

#[test]
fn a_server_that_does_not_agree_is_tried_again() {
    let (url, thread) = scripted("", |peer| assert_eq!(peer.client.to_end(), b""));
    let mut scene = Scene::new();
    let client = scene.plain(Client::builder(&url));
    scene.until("disconnected", 1);
    let told = &scene.log.lines()[0];
    assert!(told.contains("it does not speak the subprotocol"), "{told}");
    thread.join().expect("the server");
    // There is nobody any more.
    client.disconnect();
    scene.until("closed", 1);

    let (url, thread) = scripted(NAMED, |peer| {
        peer.frame();
        peer.send(FIN | TEXT, CONNACK);
        assert_eq!(peer.frame().1[..2], close(1003));
    });
    let mut scene = Scene::new();
    scene.plain(Client::builder(&url).reconnect(false));
    scene.until("closed", 1);
    assert!(scene.log.lines()[0].contains("1003"), "{:?}", scene.log.lines());
    thread.join().expect("the server");
}

#[test]
fn urls_are_checked_before_anything_is_begun() {
    let scene = Scene::new();
    for url in ["ws://", "ws://h:0", "ws://h/#x", "wss://h/", "ws://h/a b"] {
        let begun = Client::builder(url).connect(&scene.manager, |_: &Session<'_>, _: Event<'_>| Ok(()));
        assert!(matches!(&begun, Err(Error::Url { url: named, .. }) if named == url), "{url}: {begun:?}");
    }
    let plain = Client::builder("ws://h/").tls(certificates::client());
    let begun = plain.connect(&scene.manager, |_: &Session<'_>, _: Event<'_>| Ok(()));
    assert!(matches!(begun, Err(Error::Url { .. })));
}
