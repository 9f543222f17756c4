//! tungstenite, as a client of ours and as a server.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use mongoose::{http, ws};
use mongoose_tests::{PATIENCE, Random, Server, Steady, scaled};
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tungstenite::{Message, WebSocket, client, handshake};

use crate::echo::{Log, echo};

/// Bytes to be read; what is written goes nowhere.
struct Recorded(std::io::Cursor<Vec<u8>>);

impl Read for Recorded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Recorded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn recorded(bytes: Vec<u8>, role: Role) -> WebSocket<Recorded> {
    WebSocket::from_raw_socket(Recorded(io::Cursor::new(bytes)), role, Some(config()))
}

/// Messages of many sizes, text and binary in turn.
fn messages() -> Vec<Message> {
    let mut random = Random::new(13);
    let sizes = [0, 1, 125, 126, 127, 1000, 65_535, 65_536, scaled(3 << 20)];
    let letters = ["a", "\u{e9}", "\u{20ac}", "\u{1f600}"];
    sizes
        .into_iter()
        .flat_map(|size| {
            let text: String = (0..size / 4).map(|_| letters[random.below(4)]).collect();
            [Message::text(text), Message::binary(random.bytes(size))]
        })
        .collect()
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default().max_frame_size(None).max_message_size(None)
}

fn bounded(stream: TcpStream) -> Steady<TcpStream> {
    stream.set_read_timeout(Some(PATIENCE)).expect("an option");
    stream.set_write_timeout(Some(PATIENCE)).expect("an option");
    Steady(stream)
}

/// Sends all, and reads them back.
fn expect_echoes(peer: &mut WebSocket<Steady<TcpStream>>) {
    for message in messages() {
        peer.send(message.clone()).expect("to send");
        assert!(peer.read().expect("a message") == message, "{} bytes", message.len());
    }
    peer.send(Message::Ping("are you there?".into())).expect("to send");
    assert_eq!(peer.read().expect("a pong"), Message::Pong("are you there?".into()));
}

/// Closes, and reads the answer and then the end.
fn expect_close(peer: &mut WebSocket<Steady<TcpStream>>, code: CloseCode) {
    peer.close(Some(CloseFrame { code, reason: "done".into() })).expect("to close");
    match peer.read() {
        Ok(Message::Close(Some(frame))) => assert_eq!(frame.code, code),
        other => panic!("{other:?}"),
    }
    assert!(matches!(peer.read(), Err(tungstenite::Error::ConnectionClosed)));
}

#[test]
fn tungstenite_talks_to_our_server() {
    let (tell, log) = Log::new();
    let server = Server::http(move || {
        move |request: http::Request<'_>, reply: http::Reply<'_>| {
            let mut limits = ws::Limits::default();
            limits.message = 4 << 20;
            limits.frame = 4 << 20;
            ws::upgrade(request, reply).protocols(["echo"]).limits(limits).accept(echo(tell.clone()))
        }
    });
    let stream = bounded(TcpStream::connect(server.address).expect("to connect"));
    let url = format!("ws://{}/", server.address);
    let uri = url.parse().expect("a URI");
    let request = tungstenite::ClientRequestBuilder::new(uri).with_sub_protocol("echo");
    let (mut peer, response) =
        client::client_with_config(request, stream, Some(config())).expect("a handshake");
    assert_eq!(response.headers()["Sec-WebSocket-Protocol"], "echo");
    expect_echoes(&mut peer);
    expect_close(&mut peer, CloseCode::from(3333));
    assert_eq!(log.to_close().last().map(String::as_str), Some("close 3333 done"));
}

#[test]
fn our_client_talks_to_tungstenite() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("ws://{}/", listener.local_addr().expect("bound"));
    let theirs = thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a connection");
        #[allow(clippy::result_large_err, reason = "that is what it is asked for")]
        let choose = |_: &handshake::server::Request, mut response: handshake::server::Response| {
            response.headers_mut().insert("Sec-WebSocket-Protocol", "echo".parse().expect("a value"));
            Ok(response)
        };
        let mut peer = tungstenite::accept_hdr_with_config(bounded(stream), choose, Some(config()))
            .expect("a handshake");
        expect_echoes(&mut peer);
        expect_close(&mut peer, CloseCode::Away);
    });
    let (tell, log) = Log::new();
    let server = Server::http(|| |_: http::Request<'_>, reply: http::Reply<'_>| reply.empty());
    server
        .ask(move |registry| {
            let mut limits = ws::Limits::default();
            limits.message = 4 << 20;
            limits.frame = 4 << 20;
            ws::connect(registry, &url).protocols(["other", "echo"]).limits(limits).open(echo(tell))
        })
        .expect("a URL");
    theirs.join().expect("their side");
    assert_eq!(log.to_close().last().map(String::as_str), Some("close 1001 done"));
}

#[test]
fn random_frames_give_the_same_messages_as_in_tungstenite() {
    use mongoose_tests::Client;

    use crate::peer::{HANDSHAKE, encode};

    let (server, _log) = crate::echo::serve();
    let mut random = Random::new(77);
    for _ in 0..scaled(300) {
        // Valid fragments, and now and then something that is not.
        let mut bytes = Vec::new();
        let mut inside = false;
        for _ in 0..1 + random.below(6) {
            let fin = random.below(2) == 0;
            let (first, payload) = match random.below(12) {
                0 => (0x80 | 9, random.bytes(3)),
                // But for closes: tungstenite is content with any code.
                1 => (random.number() as u8 & !8, random.bytes(2)),
                2 => (0x81, random.bytes(2)),
                _ => {
                    let opcode = if inside { 0 } else { 1 + random.below(2) as u8 };
                    inside = !fin;
                    let len = random.below(200);
                    (u8::from(fin) << 7 | opcode, vec![b'a' + random.below(26) as u8; len])
                }
            };
            let key = random.bytes(4).try_into().expect("four bytes");
            bytes.extend(encode(first, &payload, Some(key)));
        }
        // What tungstenite makes of them.
        let mut theirs = Vec::new();
        let mut peer = recorded(bytes.clone(), Role::Server);
        let violated = loop {
            match peer.read() {
                Ok(message @ (Message::Text(_) | Message::Binary(_))) => theirs.push(message),
                Ok(Message::Close(_)) => break false,
                Ok(_) => {}
                Err(tungstenite::Error::Protocol(
                    tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
                )) => break false,
                Err(tungstenite::Error::Protocol(_) | tungstenite::Error::Utf8(_)) => break true,
                Err(_) => break false,
            }
        };
        let mut client = Client::connect(server.address);
        client.send([HANDSHAKE.as_bytes(), &bytes].concat()).end();
        assert_eq!(client.response().status, 101);
        let mut ours = recorded(client.to_end(), Role::Client);
        let mut messages = Vec::new();
        let mut code = None;
        loop {
            match ours.read() {
                Ok(Message::Close(frame)) => code = frame.map(|frame| u16::from(frame.code)),
                Ok(Message::Pong(_)) => {}
                Ok(message) => messages.push(message),
                Err(_) => break,
            }
        }
        assert!(messages == theirs, "{bytes:?}: {messages:?} and not {theirs:?}");
        assert_eq!(matches!(code, Some(1002 | 1007)), violated, "{bytes:?}: {code:?}");
    }
}
