//! Whole clients, fed by a server that means harm: what it sends has the same effect at once and in pieces, and an end.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;
use std::time::Duration;

use mongoose::fuzzing::{choices, pieces};
use mongoose::http::{self, Download, Response};
use mongoose::mqtt::{self, Decoder, Packet, QoS, Session, Version};
use mongoose::{Connection, Error, Limits, Manager, base64, digest, ws};

use super::exchange::{Peer, settle};
use super::replies::find;
use super::servers::check_frames;

thread_local! {
    static LISTENER: TcpListener = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("to bind");
        listener.set_nonblocking(true).expect("a socket that does not block");
        listener
    };
}

/// What the client told its handler, line by line.
#[derive(Clone, Default)]
pub struct Story(Rc<RefCell<Vec<String>>>);

impl Story {
    pub fn tell(&self, line: impl Into<String>) {
        self.0.borrow_mut().push(line.into());
    }
}

/// Has a client begin, feeds it what follows from what it says first, and ends. What it was told, and has sent.
pub fn play(
    begin: impl FnOnce(&Manager, SocketAddr, Story),
    answer: impl FnOnce(&mut Manager, &mut Peer<TcpStream>),
) -> (Vec<String>, Vec<u8>) {
    let mut manager = Manager::new().expect("a manager");
    let story = Story::default();
    let mut peer = LISTENER.with(|listener| {
        begin(&manager, listener.local_addr().expect("an address"), story.clone());
        for _ in 0..1000 {
            manager.poll(Duration::from_millis(10)).expect("to poll");
            match listener.accept() {
                Ok((stream, _)) => return Peer::new(stream),
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
        }
        panic!("the client did not come");
    });
    settle(&mut manager, || peer.listen());
    answer(&mut manager, &mut peer);
    peer.end(&mut manager);
    settle(&mut manager, || false);
    assert_eq!(manager.stats().connections, 0, "nothing is left of it");
    drop(manager);
    let story = story.0.take();
    (story, peer.heard)
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    (limits.head, limits.headers, limits.body) = (1024, 16, 2048);
    limits
}

/// A response in pieces.
struct Gathered {
    story: Story,
    head: String,
    body: Vec<u8>,
}

impl Download for Gathered {
    fn head(&mut self, response: Response<'_>) -> Result<(), Error> {
        self.head = format!("{} {:?}", response.status(), response.reason());
        Ok(())
    }

    fn data(&mut self, _: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
        assert!(!piece.is_empty());
        self.body.extend_from_slice(piece);
        Ok(())
    }

    fn end(&mut self, _: &Connection<'_>) {
        self.story.tell(format!("{} {}", self.head, self.body.escape_ascii()));
    }

    fn failed(&mut self, error: &Error) {
        self.story.tell(format!("{} {error:?}", self.head));
    }
}

/// Responses.
pub fn http_client(bytes: &[u8]) {
    let ([choice, cuts], input) = choices(bytes);
    let run = |pieces: &[&[u8]]| {
        let begin = |manager: &Manager, address: SocketAddr, story: Story| {
            let client = http::Client::new(manager);
            let url = format!("http://{address}/");
            let request = if choice & 1 == 0 { client.get(&url) } else { client.request("HEAD", &url) };
            let request = request.redirects(0).limits(limits());
            let request = if choice & 2 == 0 { request } else { request.gzip() };
            let sent = if choice & 4 == 0 {
                request.send(move |result: Result<Response<'_>, Error>| {
                    story.tell(match &result {
                        Ok(response) => look_at(response),
                        Err(error) => format!("{error:?}"),
                    });
                })
            } else {
                request.receive(Gathered { story, head: String::new(), body: Vec::new() })
            };
            sent.expect("to begin");
        };
        play(begin, |manager, peer| pieces.iter().for_each(|piece| peer.feed(manager, piece)))
    };
    let at_once = run(&[input]);
    assert!(at_once.0.len() == 1, "told once: {:?}", at_once.0);
    assert_eq!(run(&pieces(input, cuts)), at_once, "whole and in pieces");
}

fn look_at(response: &Response<'_>) -> String {
    assert!((100..=999).contains(&response.status()) && response.body().len() <= limits().body);
    let headers = response.headers();
    for (name, _) in headers.iter() {
        assert!(headers.get(name).is_some());
    }
    format!("{} {:?} {}", response.status(), response.reason(), response.body().escape_ascii())
}

/// A server's answer to a handshake, where it is not a good one already, then frames.
pub fn websocket_client(bytes: &[u8]) {
    let ([choice, cuts], input) = choices(bytes);
    let run = |in_pieces: bool| {
        let begin = |manager: &Manager, address: SocketAddr, story: Story| {
            let mut bounds = ws::Limits::default();
            (bounds.frame, bounds.message) = (300, 500);
            let url = format!("ws://{address}/");
            let connect = ws::connect(manager, &url).protocols(["chat"]).limits(bounds);
            let handler = move |peer: &ws::Connection<'_>, event: ws::Event<'_>| {
                story.tell(format!("{event:?}"));
                match event {
                    ws::Event::Message(message) => peer.send(message),
                    _ => Ok(()),
                }
            };
            connect.open(handler).expect("to begin");
        };
        play(begin, |manager, peer| {
            let end = find(&peer.heard, b"\r\n\r\n").expect("a whole request");
            let accept = accept(&peer.heard[..end]);
            peer.heard.drain(..end + 4);
            let mut answer = input.to_vec();
            if choice & 1 == 0 {
                let head =
                    "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ";
                peer.feed(manager, format!("{head}{accept}\r\n\r\n").as_bytes());
            } else if let Some(at) = find(&answer, b"{accept}")
                && answer[..at].trim_ascii_end().ends_with(b":")
            {
                // Nowhere else: what it begins with is another each time.
                answer.splice(at..at + 8, accept.bytes());
            }
            match in_pieces {
                false => peer.feed(manager, &answer),
                true => pieces(&answer, cuts).iter().for_each(|piece| peer.feed(manager, piece)),
            }
        })
    };
    let (at_once, frames) = run(false);
    assert_eq!(run(true).0, at_once, "whole and in pieces");
    assert!(at_once.iter().filter(|line| line.starts_with("Close")).count() == 1, "{at_once:?}");
    check_frames(&frames, true);
}

/// What follows from the key in a request (RFC 6455 section 4.2.2).
fn accept(request: &[u8]) -> String {
    let request = std::str::from_utf8(request).expect("ASCII");
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).expect("a key");
    base64::encode(digest::sha1(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11").as_bytes()))
}

/// What a server of MQTT sends to a client that has published and subscribed.
pub fn mqtt_client(bytes: &[u8]) {
    let ([choice, cuts], input) = choices(bytes);
    let version = if choice & 1 == 0 { Version::V3 } else { Version::V5 };
    let run = |pieces: &[&[u8]]| {
        let begin = |manager: &Manager, address: SocketAddr, story: Story| {
            let builder =
                mqtt::Client::builder(&format!("mqtt://{address}")).version(version).client_id("fuzz");
            let builder = builder.reconnect(false).topic_aliases(3).packet_size(1000).receive_maximum(3);
            let handler = move |session: &Session<'_>, event: mqtt::Event<'_>| {
                story.tell(format!("{event:?}"));
                if let mqtt::Event::Message(message) = event {
                    // It may be gone, or more than its queue holds.
                    let _ = session.publish("echo", message.payload, QoS::AtLeastOnce);
                }
                Ok(())
            };
            let client = builder.connect(manager, handler).expect("to begin");
            client.subscribe("a/#", QoS::ExactlyOnce).expect("to subscribe");
            client.publish("a/b", "one", QoS::AtLeastOnce).expect("to publish");
            client.publish("a/b", "two", QoS::ExactlyOnce).expect("to publish");
            client.unsubscribe(&["a/#"]).expect("to unsubscribe");
        };
        play(begin, |manager, peer| pieces.iter().for_each(|piece| peer.feed(manager, piece)))
    };
    let (at_once, sent) = run(&[input]);
    let (dripped, sent_dripping) = run(&pieces(input, cuts));
    assert_eq!(dripped, at_once, "whole and in pieces");
    // Where a rule is broken, what waits to be sent is dropped.
    assert!(sent_dripping.starts_with(&sent), "{} {}", sent.escape_ascii(), sent_dripping.escape_ascii());
    assert!(at_once.iter().filter(|line| line.starts_with("Closed")).count() == 1, "{at_once:?}");
    let (mut decoder, mut rest) = (Decoder::of_client(1 << 20), &sent[..]);
    while let Some((packet, used)) = decoder.next(rest).expect("packets by the rules") {
        assert_eq!(matches!(packet, Packet::Connect(_)), rest.len() == sent.len());
        rest = &rest[used..];
    }
    assert!(rest.is_empty());
}
