//! The client with servers that are scripted, and break the rules.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use mongoose::Error;
use mongoose::mqtt::{Client, ClientBuilder, Event, QoS, Session, Version};
use mongoose_tests::PATIENCE;

use crate::scene::Scene;

/// A server of one connection, on a thread.
fn server<T: Send + 'static>(
    script: impl FnOnce(&mut Peer) -> T + Send + 'static,
) -> (SocketAddr, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let thread = std::thread::spawn(move || script(&mut Peer::accept(&listener)));
    (address, thread)
}

pub struct Peer {
    stream: TcpStream,
}

impl Peer {
    pub fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = listener.accept().expect("a client");
        stream.set_read_timeout(Some(PATIENCE)).expect("an option");
        Self { stream }
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("to send");
    }

    /// Reads a packet of less than 128 bytes.
    pub fn packet(&mut self) -> Vec<u8> {
        let mut packet = vec![0; 2];
        self.stream.read_exact(&mut packet).expect("a header");
        packet.resize(2 + usize::from(packet[1]), 0);
        self.stream.read_exact(&mut packet[2..]).expect("a body");
        packet
    }

    /// All that still comes.
    fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
        }
        rest
    }

    pub fn welcome(&mut self, version: Version) {
        assert_eq!(self.packet()[0], 0x10);
        self.send(if version == Version::V5 { &[0x20, 3, 0, 0, 0] } else { &[0x20, 2, 0, 0] });
    }
}

fn builder(address: SocketAddr, version: Version) -> ClientBuilder {
    Client::builder(&format!("mqtt://{address}")).version(version).reconnect(false)
}

/// What a client says to bytes of a server's, and what it tells its handler.
fn answer(version: Version, bytes: &'static [u8]) -> (Vec<u8>, String) {
    let (address, thread) = server(move |peer| {
        peer.welcome(version);
        peer.send(bytes);
        peer.rest()
    });
    let mut scene = Scene::new();
    scene.plain(builder(address, version));
    scene.until("closed", 1);
    let told = scene.log.lines().into_iter().find(|line| line.starts_with("disconnected")).expect("told");
    (thread.join().expect("the server"), told)
}

#[test]
fn a_server_that_breaks_the_rules_is_told_why_in_5() {
    for (bytes, reason) in [
        (&b"\x36\x06\0\x01a\0\x01\0"[..], 0x81),
        (b"\x30\x04\0\x01#\0", 0x90),
        (b"\x30\xff\xff\xff\x7f", 0x95),
        (b"\x30\x06\0\0\x03\x23\0\x01", 0x94),
        (b"\x20\x03\0\0\0", 0x82),
        (b"\x90\x04\0\x05\0\0", 0x82),
        (b"\xc0\0", 0x82),
    ] {
        let (said, told) = answer(Version::V5, bytes);
        assert_eq!(said, [0xe0, 1, reason], "{bytes:02x?}: {told}");
        assert!(told.contains("broke MQTT"), "{told}");
        let (said, told) = answer(Version::V3, bytes);
        assert_eq!(said, [0u8; 0], "3.1.1 has no words for it: {told}");
    }
}

#[test]
fn a_server_that_ends_the_connection_says_why() {
    let (said, told) = answer(Version::V5, b"\xe0\x01\x8b");
    assert_eq!(
        (said, &*told),
        (vec![], "disconnected: the MQTT server ended the connection: server shutting down (0x8b)")
    );
}

#[test]
fn nothing_comes_before_connack() {
    let (address, thread) = server(|peer| {
        peer.packet();
        peer.send(b"\x30\x03\0\x01a");
        peer.rest()
    });
    let mut scene = Scene::new();
    scene.plain(builder(address, Version::V3));
    scene.until("closed", 1);
    assert_eq!(scene.log.count("message"), 0);
    assert_eq!(thread.join().expect("the server"), [0u8; 0]);
}

#[test]
fn hazard_30_an_acknowledgement_goes_out_after_the_handler_ran() {
    // The handler fails: there is none.
    for first in [0x32u8, 0x34] {
        let (address, thread) = server(move |peer| {
            peer.welcome(Version::V3);
            peer.send(&[first, 5, 0, 1, b'a', 0, 9]);
            peer.rest()
        });
        let mut scene = Scene::new();
        scene.client(builder(address, Version::V3), |_: &Session<'_>, event: &Event<'_>| match event {
            Event::Message(_) => Err(Error::handler("not now")),
            _ => Ok(()),
        });
        scene.until("closed", 1);
        assert_eq!(thread.join().expect("the server"), [0u8; 0], "no acknowledgement");
    }
    // What the handler sends leaves before it; and where it ends the client, the acknowledgement still goes.
    let (address, thread) = server(|peer| {
        peer.welcome(Version::V3);
        peer.send(&[0x32, 5, 0, 1, b'a', 0, 9]);
        peer.rest()
    });
    let mut scene = Scene::new();
    scene.client(builder(address, Version::V3), |session: &Session<'_>, event: &Event<'_>| {
        if let Event::Message(_) = event {
            session.publish("b", "", QoS::AtMostOnce)?;
            session.disconnect();
        }
        Ok(())
    });
    scene.until("closed", 1);
    let said = thread.join().expect("the server");
    assert_eq!(said, [&[0x30, 3, 0, 1, b'b'][..], &[0x40, 2, 0, 9], &[0xe0, 0]].concat());
}

#[test]
fn a_message_of_qos_2_that_comes_twice_is_shown_once() {
    let (address, thread) = server(|peer| {
        peer.welcome(Version::V5);
        let message = [0x34, 6, 0, 1, b'a', 0, 9, 0];
        peer.send(&message);
        assert_eq!(peer.packet(), [0x50, 2, 0, 9]);
        peer.send(&[&[0x3c], &message[1..]].concat());
        assert_eq!(peer.packet(), [0x50, 2, 0, 9]);
        peer.send(&[0x62, 2, 0, 9]);
        assert_eq!(peer.packet(), [0x70, 2, 0, 9]);
        peer.send(&[0x62, 2, 0, 9]);
        assert_eq!(peer.packet(), [0x70, 3, 0, 9, 0x92], "there is none any more");
        peer.send(&message);
        assert_eq!(peer.packet(), [0x50, 2, 0, 9]);
    });
    let mut scene = Scene::new();
    scene.plain(builder(address, Version::V5));
    scene.until("closed", 1);
    thread.join().expect("the server");
    assert_eq!(scene.log.count("message"), 2, "the second has an identifier that was used before");
}

#[test]
fn a_message_in_flight_is_sent_again_as_a_duplicate() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let thread = std::thread::spawn(move || {
        let connect = |connack: &[u8]| {
            let (stream, _) = listener.accept().expect("a client");
            stream.set_read_timeout(Some(PATIENCE)).expect("an option");
            let mut peer = Peer { stream };
            assert_eq!(peer.packet()[0], 0x10);
            peer.send(connack);
            peer
        };
        let mut peer = connect(&[0x20, 2, 0, 0]);
        assert_eq!(peer.packet(), [0x32, 6, 0, 1, b'a', 0, 1, b'1']);
        assert_eq!(peer.packet(), [0x34, 6, 0, 1, b'a', 0, 2, b'2']);
        assert_eq!(peer.packet(), [0x34, 6, 0, 1, b'a', 0, 3, b'3']);
        peer.send(&[0x50, 2, 0, 2]);
        assert_eq!(peer.packet(), [0x62, 2, 0, 2]);
        drop(peer);
        // The session is there: in the old order, marked, and released where it was recorded.
        let mut peer = connect(&[0x20, 2, 1, 0]);
        assert_eq!(peer.packet(), [0x3a, 6, 0, 1, b'a', 0, 1, b'1']);
        assert_eq!(peer.packet(), [0x62, 2, 0, 2]);
        assert_eq!(peer.packet(), [0x3c, 6, 0, 1, b'a', 0, 3, b'3']);
        drop(peer);
        // It is gone: they are new.
        let mut peer = connect(&[0x20, 2, 0, 0]);
        let first = peer.packet();
        assert_eq!((first[0], &first[7..]), (0x32, &b"1"[..]));
        let last = peer.packet();
        assert_eq!((last[0], &last[7..]), (0x34, &b"3"[..]));
        peer.send(&[0x40, 2, first[5], first[6]]);
        peer.send(&[0x50, 2, last[5], last[6]]);
        assert_eq!(peer.packet(), [0x62, 2, last[5], last[6]]);
        peer.send(&[0x70, 2, last[5], last[6]]);
        peer.rest()
    });
    let mut scene = Scene::new();
    let builder = Client::builder(&format!("mqtt://{address}")).client_id("me").clean_start(false);
    let client = scene.plain(builder.back_off(Duration::from_millis(5), Duration::from_millis(5)));
    client.publish("a", "1", QoS::AtLeastOnce).expect("room");
    client.publish("a", "2", QoS::ExactlyOnce).expect("room");
    client.publish("a", "3", QoS::ExactlyOnce).expect("room");
    scene.until("published 0x0", 3);
    assert_eq!(client.pending(), 0);
    client.disconnect();
    scene.until("closed", 1);
    assert_eq!(thread.join().expect("the server"), [0xe0, 0]);
}

#[test]
fn the_server_s_receive_maximum_holds_messages_back() {
    let (address, thread) = server(|peer| {
        assert_eq!(peer.packet()[0], 0x10);
        // Receive maximum 2, maximum QoS 1, no retained messages, packets of 64 bytes at most.
        peer.send(&[0x20, 15, 0, 0, 12, 0x21, 0, 2, 0x24, 1, 0x25, 0, 0x27, 0, 0, 0, 64]);
        assert_eq!(peer.packet()[5..7], [0, 1]);
        assert_eq!(peer.packet()[5..7], [0, 2]);
        peer.send(&[0x40, 2, 0, 2]);
        assert_eq!(peer.packet()[5..7], [0, 3]);
        peer.send(&[0x40, 2, 0, 1]);
        peer.send(&[0x40, 3, 0, 3, 0x97]);
        assert_eq!(peer.packet()[5..7], [0, 4]);
        peer.send(&[0x40, 2, 0, 4]);
        peer.rest()
    });
    let mut scene = Scene::new();
    let client = scene.plain(builder(address, Version::V5));
    for _ in 0..4 {
        client.publish("a", "", QoS::AtLeastOnce).expect("room");
    }
    // Nobody can know yet that the server takes none of these.
    client.publish("a", "", QoS::ExactlyOnce).expect("room");
    client.publish("a", [0; 100], QoS::AtMostOnce).expect("room");
    scene.until("published", 6);
    assert_eq!(scene.log.count("published 0x0"), 3);
    assert_eq!(scene.log.count("published 0x97"), 1);
    assert_eq!(scene.log.count("published 0x9b"), 1, "QoS not supported");
    assert_eq!(scene.log.count("published 0x95"), 1, "packet too large");
    for refused in
        [client.publish("a", "", QoS::ExactlyOnce), client.publish("a", [0; 100], QoS::AtLeastOnce)]
    {
        assert!(matches!(refused, Err(Error::Packet { .. })), "{refused:?}");
    }
    client.disconnect();
    scene.until("closed", 1);
    assert_eq!(thread.join().expect("the server"), [0xe0, 0]);
}

#[test]
fn hazard_30_a_silent_client_pings_and_a_silent_server_is_left() {
    let (address, thread) = server(|peer| {
        assert_eq!(peer.packet()[0], 0x10);
        // The server wants a keep-alive of one second.
        peer.send(&[0x20, 6, 0, 0, 3, 0x13, 0, 1]);
        assert_eq!(peer.packet(), [0xc0, 0]);
        peer.send(&[0xd0, 0]);
        assert_eq!(peer.packet(), [0xc0, 0]);
        peer.rest()
    });
    let mut scene = Scene::new();
    let builder = builder(address, Version::V5).keep_alive(0).response_time(Duration::from_secs(2));
    scene.plain(builder);
    scene.until("closed", 1);
    assert_eq!(
        scene.log.count("disconnected: the deadline passed: answer a ping"),
        1,
        "{:?}",
        scene.log.lines()
    );
    assert_eq!(thread.join().expect("the server"), [0u8; 0]);
}

#[test]
fn a_client_keeps_alive_however_long_it_would_wait_for_answers() {
    let (address, thread) = server(|peer| {
        assert_eq!(peer.packet()[0], 0x10);
        peer.send(&[0x20, 6, 0, 0, 3, 0x13, 0, 1]);
        assert_eq!(peer.packet(), [0xc0, 0]);
        peer.send(&[0xd0, 0]);
        assert_eq!(peer.packet(), [0xc0, 0]);
        // A message that comes slowly is a sign of life, too: the answer lies behind it.
        peer.send(&[0x30, 5, 0]);
        assert_eq!(peer.packet(), [0xc0, 0]);
        peer.send(b"\x01a\0!\xd0\0\xd0\0");
        assert_eq!(peer.packet(), [0xc0, 0]);
        peer.send(&[0xe0, 0]);
        peer.rest()
    });
    let mut scene = Scene::new();
    scene.plain(builder(address, Version::V5).response_time(Duration::from_secs(3600)));
    scene.until("message a !", 1);
    scene.until("closed", 1);
    assert_eq!(thread.join().expect("the server"), [0u8; 0]);
}

#[test]
fn a_client_may_wait_for_answers_for_ever() {
    let (address, thread) = server(|peer| {
        assert_eq!(peer.packet()[0], 0x10);
        peer.send(&[0x20, 6, 0, 0, 3, 0x13, 0, 1]);
        assert_eq!(peer.packet(), [0xc0, 0]);
        // DISCONNECT: the ping is never answered.
        peer.send(&[0xe0, 0]);
        peer.rest()
    });
    let mut scene = Scene::new();
    scene.plain(builder(address, Version::V5).response_time(Duration::MAX).reconnect(false));
    scene.until("closed", 1);
    assert_eq!(thread.join().expect("the server"), [0u8; 0]);
}

#[test]
fn a_server_that_says_nothing_is_left() {
    let (address, thread) = server(|peer| {
        peer.packet();
        peer.rest()
    });
    let mut scene = Scene::new();
    scene.plain(builder(address, Version::V3).response_time(Duration::from_millis(50)));
    scene.until("closed", 1);
    assert_eq!(scene.log.lines(), ["disconnected: the deadline passed: answer CONNECT", "closed"]);
    assert_eq!(thread.join().expect("the server"), [0u8; 0]);
}

#[test]
fn a_name_that_the_server_chose_is_kept() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let thread = std::thread::spawn(move || {
        let mut names = Vec::new();
        for _ in 0..2 {
            let (stream, _) = listener.accept().expect("a client");
            stream.set_read_timeout(Some(PATIENCE)).expect("an option");
            let mut peer = Peer { stream };
            let connect = peer.packet();
            // Behind the flags, the keep-alive and the properties.
            let at = 13 + usize::from(connect[12]);
            names.push((connect[9] & 2 != 0, connect[at + 2..].to_vec()));
            peer.send(&[0x20, 8, 0, 0, 5, 0x12, 0, 2, b'm', b'e']);
        }
        names
    });
    let mut scene = Scene::new();
    let builder = Client::builder(&format!("mqtt://{address}")).version(Version::V5).session_expiry(10);
    scene.plain(builder.back_off(Duration::from_millis(5), Duration::from_millis(5)));
    scene.until("disconnected", 2);
    assert_eq!(thread.join().expect("the server"), [(true, vec![]), (false, b"me".to_vec())]);
}
