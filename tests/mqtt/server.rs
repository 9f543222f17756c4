//! The server's side of connections, with clients of raw bytes.

use std::sync::mpsc;
use std::time::Duration;

use mongoose::mqtt::{Connack, Packet, Peer, ServerEvent};
use mongoose::{Error, Limits};
use mongoose_tests::{Client, PATIENCE, Server};

/// A server that lets everybody in, answers pings, and says what it sees.
fn start(limits: Limits) -> (Server, mpsc::Receiver<String>) {
    let (seen, log) = mpsc::channel();
    let server = Server::start(move |manager| {
        manager.listener("mqtt://127.0.0.1:0").limits(limits).mqtt(
            move |peer: &Peer<'_>, event: ServerEvent<'_>| {
                let _ = seen.send(match event {
                    ServerEvent::Packet(packet) => format!("{packet:?}"),
                    ServerEvent::Error(error) => format!("error: {error}"),
                    other => format!("{other:?}"),
                });
                match event {
                    ServerEvent::Packet(Packet::Connect(_)) => {
                        peer.send(&Packet::Connack(Connack::default()))
                    }
                    ServerEvent::Packet(Packet::Pingreq) => peer.send(&Packet::Pingresp),
                    ServerEvent::Packet(Packet::Publish(_)) => Err(Error::handler("no messages here")),
                    _ => Ok(()),
                }
            },
        )
    });
    (server, log)
}

fn wait_for(log: &mpsc::Receiver<String>, text: &str) -> String {
    loop {
        let line = log.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no {text:?}"));
        if line.contains(text) {
            return line;
        }
    }
}

const CONNECT_3: &[u8] = b"\x10\x0c\0\x04MQTT\x04\x02\0\0\0\0";
const CONNECT_5: &[u8] = b"\x10\x0d\0\x04MQTT\x05\x02\0\0\0\0\0";

#[test]
fn packets_that_arrive_in_one_piece_or_byte_by_byte_are_the_same() {
    let (server, log) = start(Limits::default());
    let bytes = [CONNECT_3, b"\xc0\0\xc0\0\x82\x06\0\x01\0\x01a\0"].concat();
    let mut whole = Client::connect(server.address);
    whole.send(&bytes);
    assert_eq!(whole.exactly(8), b"\x20\x02\0\0\xd0\0\xd0\0");
    let of_whole = wait_for(&log, "Subscribe");
    drop(whole);
    wait_for(&log, "Close");
    let mut slow = Client::connect(server.address);
    server.feed(&mut slow, bytes.chunks(1));
    assert_eq!(slow.exactly(8), b"\x20\x02\0\0\xd0\0\xd0\0");
    assert_eq!(wait_for(&log, "Subscribe"), of_whole);
}

#[test]
fn what_is_no_mqtt_is_answered_with_its_reason() {
    for (bytes, answer) in [
        // 3.1.1 has words for a version that is not known and for a name that is missing, and for nothing else.
        (&b"\x10\x0e\0\x06MQIsdp\x03\x02\0\0\0\0"[..], &b"\x20\x02\0\x01"[..]),
        (b"\x10\x0c\0\x04MQTT\x04\0\0\0\0\0", b"\x20\x02\0\x02"),
        (b"GET / HTTP/1.1\r\n\r\n", b""),
        (b"\xc0\0", b""),
        (&[CONNECT_3, b"\x36\x05\0\x01a\0\x01"].concat(), b"\x20\x02\0\0"),
        (&[CONNECT_5, b"\x36\x06\0\x01a\0\x01\0"].concat(), b"\x20\x03\0\0\0\xe0\x01\x81"),
        (&[CONNECT_5, CONNECT_5].concat(), b"\x20\x03\0\0\0\xe0\x01\x82"),
        (&[CONNECT_5, b"\x30\xff\xff\xff\x7f"].concat(), b"\x20\x03\0\0\0\xe0\x01\x95"),
        // The handler's own error.
        (&[CONNECT_5, b"\x30\x04\0\x01a\0"].concat(), b"\x20\x03\0\0\0\xe0\x01\x80"),
    ] {
        let (server, log) = start(Limits::default());
        let mut client = Client::connect(server.address);
        client.send(bytes);
        assert_eq!(client.to_end(), answer, "{bytes:02x?}");
        wait_for(&log, "error: ");
        wait_for(&log, "Close");
    }
}

#[test]
fn a_client_that_is_silent_is_closed() {
    let mut limits = Limits::default();
    limits.head_time = Duration::from_millis(50);
    let (server, log) = start(limits);
    let mut silent = Client::connect(server.address);
    assert_eq!(silent.to_end(), b"");
    wait_for(&log, "error: the deadline passed: send CONNECT");
    // A keep-alive of one second.
    let mut client = Client::connect(server.address);
    client.send(b"\x10\x0d\0\x04MQTT\x05\x02\0\x01\0\0\0");
    assert_eq!(client.to_end(), b"\x20\x03\0\0\0\xe0\x01\x8d");
    wait_for(&log, "error: the deadline passed: keep alive");
}

#[test]
fn a_server_that_shuts_down_says_so() {
    let (server, log) = start(Limits::default());
    let mut client = Client::connect(server.address);
    client.send(CONNECT_5);
    assert_eq!(client.exactly(5), b"\x20\x03\0\0\0");
    drop(server);
    wait_for(&log, "Close");
    client.to_end();
}
