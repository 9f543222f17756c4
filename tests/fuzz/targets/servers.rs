//! Whole servers, fed by a peer: what it sends is answered the same at once and in pieces, and the next peer is served.

use std::cell::RefCell;
use std::io::Cursor;
use std::rc::Rc;
use std::time::Duration;

use include_dir::{Dir, DirEntry, File};
use mongoose::fuzzing::{choices, pieces};
use mongoose::http::{self, BodyMode, Files, Reply, Request, Upload};
use mongoose::mqtt::{
    self, Ack, Answer, Connack, Decoder, Packet, Publish, QoS, Reason, ServerEvent, Version,
};
use mongoose::{Connection, Error, Limits, ws};

use super::exchange::Site;
use super::replies;

fn limits() -> Limits {
    let mut limits = Limits::default();
    (limits.head, limits.headers, limits.body) = (1024, 16, 2048);
    limits
}

/// What the handler was shown, in order.
type Seen = Rc<RefCell<Vec<String>>>;

/// Answers by path with each kind of reply there is, and looks at all that a request has.
struct Handler {
    seen: Seen,
    files: Files,
}

static FOLDER: Dir<'static> = Dir::new(
    "",
    &[
        DirEntry::File(File::new("index.html", b"<p>index")),
        DirEntry::File(File::new("digits.txt", b"0123456789")),
        DirEntry::File(File::new(".hidden", b"hidden")),
    ],
);

impl http::Handler for Handler {
    fn body_mode(&mut self, request: &Request<'_>) -> BodyMode {
        match request.path() {
            "/upload" | "/refused" => BodyMode::Streamed,
            "/short" => BodyMode::UpTo(3),
            _ => BodyMode::Buffered,
        }
    }

    fn request(&mut self, request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        self.seen.borrow_mut().push(request.method().to_owned());
        let reply = reply.header("X-Number", self.seen.borrow().len().to_string());
        look_at(&request);
        match request.path() {
            "/echo" => reply.body(request.body()),
            "/upload" => reply.receive(Gathered { bytes: Vec::new(), number: self.seen.borrow().len() }),
            "/form" => {
                let form = request.form()?;
                reply.text(form.fields().map(|field| format!("{field:?}\n")).collect::<String>())
            }
            "/parts" => {
                let mut text = String::new();
                for part in request.multipart()? {
                    let part = part?;
                    text += &format!("{:?} {:?} {}\n", part.name(), part.filename(), part.body().len());
                }
                reply.text(text)
            }
            "/late" => {
                let (deferred, number) = (reply.defer(), self.seen.borrow().len().to_string());
                let answer = move |_: &mongoose::Registry| {
                    // The peer may be gone.
                    let _ = deferred.reply().header("X-Number", number).text("late");
                };
                request.connection().registry().once(Duration::ZERO, answer)?.detach();
                Ok(())
            }
            "/stream" => reply.reader(Cursor::new(request.query().repeat(3).into_bytes())),
            "/json" => reply.json(&request.json::<serde_json::Value>()?),
            "/cookie" => match request.cookies().next() {
                Some(cookie) => reply.cookie(&cookie.into_owned()).empty(),
                None => reply.status(404).empty(),
            },
            "/redirect" => reply.redirect(request.query()),
            "/header" => reply.header("X-Query", request.query_bytes("x")?.unwrap_or_default()).text("set"),
            "/none" => Ok(()),
            "/ws" => ws::upgrade(request, reply).protocols(["chat"]).accept(echo),
            "/mqtt" => ws::upgrade(request, reply).mqtt(broker()),
            _ => self.files.serve(&request, reply),
        }
    }
}

/// Asks for everything, and compares what can be.
fn look_at(request: &Request<'_>) {
    let (head, body, message) = (request.head(), request.body(), request.message());
    assert_eq!([head, body].concat(), message);
    assert!(head.starts_with(request.method().as_bytes()) || head.starts_with(b"\r\n"));
    assert!(head.ends_with(b"\r\n\r\n") && !request.method().is_empty());
    assert!(request.target().contains(request.query()) && body.len() <= limits().body);
    for (name, value) in request.headers().iter() {
        assert!(!name.is_empty() && request.header(name).is_some());
        assert!(request.headers().get_all(name).any(|other| other.as_bytes() == value.as_bytes()));
        let _ = (value.parameter("boundary"), value.auth_parameter("nonce"), value.to_str());
    }
    for (name, value) in request.query_pairs() {
        assert!(request.query().contains(name) && request.query().contains(value));
    }
    let _ = (request.query_value("x"), request.credentials().map(|credentials| format!("{credentials:?}")));
    assert!(request.cookies().all(|cookie| !cookie.name().is_empty()));
    let _ = (request.host(), request.form().is_ok(), request.json::<serde_json::Value>().is_ok());
    if let Ok(parts) = request.multipart() {
        let sizes: usize = parts.map_while(Result::ok).map(|part| part.body().len()).sum();
        assert!(sizes <= body.len());
    }
}

/// An upload that comes back.
struct Gathered {
    bytes: Vec<u8>,
    number: usize,
}

impl Upload for Gathered {
    fn data(&mut self, _: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
        assert!(!piece.is_empty());
        self.bytes.extend_from_slice(piece);
        Ok(())
    }

    fn end(&mut self, reply: Reply<'_>) -> Result<(), Error> {
        reply.header("X-Number", self.number.to_string()).body(std::mem::take(&mut self.bytes))
    }
}

fn echo(peer: &ws::Connection<'_>, event: ws::Event<'_>) -> Result<(), Error> {
    match event {
        ws::Event::Message(message) => peer.send(message),
        _ => Ok(()),
    }
}

/// HTTP and what it leads to.
pub fn http_server(bytes: &[u8]) {
    let ([cuts], input) = choices(bytes);
    let seen = Seen::default();
    let handler = Handler { seen: Rc::clone(&seen), files: Files::embedded(&FOLDER).listing(true) };
    let mut site = Site::new(|listener| listener.limits(limits()).http(handler));
    let at_once = site.exchange(&[input]);
    let methods = seen.take();
    let dripped = site.exchange(&pieces(input, cuts));
    let (at_once, dripped) = (replies::timeless(&at_once), replies::timeless(&dripped));
    assert_eq!(seen.take(), methods, "whole and in pieces");
    if at_once != dripped {
        panic!("at once: {}\nin pieces: {}", at_once.escape_ascii(), dripped.escape_ascii());
    }
    let (found, _) = replies::split(&at_once, &methods);
    let numbers = found.iter().filter_map(|reply| reply.header("x-number"));
    let numbers: Vec<usize> = numbers.map(|number| number.parse().expect("a number")).collect();
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
    // The last may be refused by the gate, or its upload be cut off.
    assert!(found.len() + 1 >= methods.len() && found.len() <= methods.len() + 1, "{found:?} {methods:?}");

    let next = site.exchange(&[b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"]);
    let (replies, _) = replies::split(&next, &seen.take());
    assert!(matches!(&replies[..], [reply] if reply.status == 200 && reply.body == b"hello"));
}

/// Frames after a handshake.
pub fn websocket_server(bytes: &[u8]) {
    const HANDSHAKE: &[u8] = b"GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let ([choice, cuts], input) = choices(bytes);
    let closed = Rc::new(RefCell::new(Vec::new()));
    let ends = Rc::clone(&closed);
    let handler = move |request: Request<'_>, reply: Reply<'_>| {
        let ends = Rc::clone(&ends);
        let mut bounds = ws::Limits::default();
        (bounds.frame, bounds.message) = (300, 500);
        let upgrade = ws::upgrade(request, reply).limits(bounds);
        let upgrade = if choice & 1 == 0 { upgrade } else { upgrade.pieces() };
        let mut gathered = Vec::new();
        upgrade.accept(move |peer: &ws::Connection<'_>, event: ws::Event<'_>| match event {
            ws::Event::Close(frame) => {
                ends.borrow_mut().push(frame.code.0);
                Ok(())
            }
            // How a message is cut follows from the input's pieces: it is put together again.
            ws::Event::Piece(piece) => {
                gathered.extend_from_slice(piece.data.as_bytes());
                if piece.last { peer.send_binary(std::mem::take(&mut gathered)) } else { Ok(()) }
            }
            event => echo(peer, event),
        })
    };
    let mut site = Site::new(|listener| listener.http(handler));
    let at_once = site.exchange(&[HANDSHAKE, input]);
    let dripped = site.exchange(&[&[HANDSHAKE][..], &pieces(input, cuts)].concat());
    assert!(
        at_once.starts_with(b"HTTP/1.1 101 ")
            && at_once.windows(28).any(|it| it == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    );
    let same = replies::timeless(&at_once) == replies::timeless(&dripped);
    assert!(same, "at once: {}\nin pieces: {}", at_once.escape_ascii(), dripped.escape_ascii());
    let both = closed.take();
    assert!(both.len() == 2 && both[0] == both[1], "each told once of the same end: {both:?}");
    let (_, frames) = replies::split(&at_once, &[]);
    check_frames(frames, false);
}

/// What we sent is frames that are whole and by the rules.
pub fn check_frames(mut frames: &[u8], masked: bool) {
    let mut closed = false;
    while let [first, second, rest @ ..] = frames {
        assert!(!closed, "a close frame is the last");
        assert!(matches!(first, 0x81 | 0x82 | 0x88..=0x8a), "{first:#x}");
        assert_eq!(second & 0x80 != 0, masked);
        let (len, rest) = match second & 0x7f {
            126 => (usize::from(rest[0]) << 8 | usize::from(rest[1]), &rest[2..]),
            127 => panic!("an echo of less is longer"),
            len => (usize::from(len), rest),
        };
        let rest = &rest[if masked { 4 } else { 0 }..];
        closed = *first == 0x88;
        frames = &rest[len..];
    }
    assert!(frames.is_empty(), "half a head");
}

/// A server of MQTT as simple as it can be: everybody gets their own messages, and nobody else's.
fn broker() -> impl mqtt::ServerHandler {
    |peer: &mqtt::Peer<'_>, event: ServerEvent<'_>| {
        let ServerEvent::Packet(packet) = event else { return Ok(()) };
        match packet {
            Packet::Connect(_) => peer.send(&Packet::Connack(Connack::default())),
            Packet::Publish(publish) => {
                if let Some(id) = publish.packet_id {
                    let ack = Ack::success(id);
                    let exactly = publish.qos == QoS::ExactlyOnce;
                    peer.send(&if exactly { Packet::Pubrec(ack) } else { Packet::Puback(ack) })?;
                }
                if publish.topic.is_empty() {
                    return Ok(());
                }
                let (topic, payload) = (publish.topic, publish.payload);
                peer.send(&Packet::Publish(Publish { topic, payload, ..Publish::default() }))
            }
            Packet::Pubrel(ack) => peer.send(&Packet::Pubcomp(Ack::success(ack.packet_id))),
            Packet::Subscribe(subscribe) => {
                let codes: Vec<u8> = subscribe.filters.iter().map(|(_, options)| options.qos as u8).collect();
                let packet_id = subscribe.packet_id;
                peer.send(&Packet::Suback(Answer {
                    packet_id,
                    properties: mqtt::Properties::default(),
                    codes: &codes,
                }))
            }
            Packet::Unsubscribe(unsubscribe) => {
                let codes: Vec<u8> = unsubscribe.filters.iter().map(|_| 0).collect();
                let packet_id = unsubscribe.packet_id;
                peer.send(&Packet::Unsuback(Answer {
                    packet_id,
                    properties: mqtt::Properties::default(),
                    codes: &codes,
                }))
            }
            Packet::Pingreq => peer.send(&Packet::Pingresp),
            Packet::Disconnect(_) => {
                peer.connection().drain();
                Ok(())
            }
            Packet::Auth(_) => {
                peer.disconnect(Reason::NOT_AUTHORIZED);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Clients of a server of MQTT.
pub fn mqtt_server(bytes: &[u8]) {
    let ([cuts], input) = choices(bytes);
    let mut site = Site::new(|listener| listener.limits(limits()).mqtt(broker()));
    let at_once = site.exchange(&[input]);
    let dripped = site.exchange(&pieces(input, cuts));
    assert_eq!(at_once.escape_ascii().to_string(), dripped.escape_ascii().to_string(), "whole and in pieces");
    let version = |version| {
        let (mut decoder, mut rest) = (Decoder::of_server(version, 1 << 20), &at_once[..]);
        while let Ok(Some((_, used))) = decoder.next(rest) {
            rest = &rest[used..];
        }
        rest.is_empty()
    };
    assert!(version(Version::V3) || version(Version::V5), "{}", at_once.escape_ascii());
    let next = site.exchange(&[b"\x10\x0e\0\x04MQTT\x04\x02\0\0\0\x02me\xc0\0\xe0\0"]);
    assert_eq!(next, b"\x20\x02\0\0\xd0\0");
}
