//! Peers that do not speak TLS, or not to the end: hazard 20, and the handshake's deadline.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mongoose::{Connection, Error, Event, Limits, Manager, State};
use mongoose_tests::{Client, PATIENCE, Server, poll_until, steadily};

use crate::certificates;
use crate::peer::{End, Peer};
use crate::wire::record_types;

pub type Log = Arc<Mutex<Vec<String>>>;

/// Does something of a test's own.
type Then = fn(&Connection<'_>, Event<'_>) -> Result<(), Error>;

/// A raw server that writes down what it is told.
fn logging(limits: Limits) -> (Server, Log) {
    logging_and(limits, |_, _| Ok(()))
}

/// The same, which does something besides before it consumes.
fn logging_and(limits: Limits, then: Then) -> (Server, Log) {
    let log = Log::default();
    let handler = writing_down(&log, then);
    (crate::raw(limits, move || handler), log)
}

/// The same by a configuration of choice.
#[cfg(feature = "tls-rustls")]
pub fn logging_by(config: mongoose::tls::ServerConfig, log: &Log) -> Server {
    let handler = writing_down(log, |_, _| Ok(()));
    Server::start(move |manager| manager.listener("tls://127.0.0.1:0").tls(config).tcp(handler))
}

fn writing_down(log: &Log, then: Then) -> impl mongoose::Handler + Send + use<> {
    let log = Arc::clone(log);
    move |connection: &Connection<'_>, event: Event<'_>| {
        let result = then(connection, event);
        let line = match event {
            Event::Error(error) => format!("{error}"),
            Event::Read => {
                let text = String::from_utf8_lossy(connection.received()).into_owned();
                connection.consume(usize::MAX);
                text
            }
            other => format!("{other:?}"),
        };
        log.lock().expect("no panic").push(line);
        result
    }
}

/// Waits until the server has closed its connections, and answers what it was told.
fn told(server: &Server, log: &Log) -> Vec<String> {
    server.wait_until("the server to close", |registry| registry.connections().len() == 1);
    std::mem::take(&mut *log.lock().expect("no panic"))
}

/// Waits until the server was told an error.
fn wait_for_error(server: &Server, log: &Log) {
    let end = std::time::Instant::now() + PATIENCE;
    while !log.lock().expect("no panic").iter().any(|line| line.starts_with("TLS failed")) {
        assert!(std::time::Instant::now() < end, "no error: {log:?}");
        server.ask(|_| ());
    }
}

/// Connects, and has the server do something with the connection before the handshake.
fn connect_after(
    server: &Server,
    before: impl FnOnce(&Connection<'_>) -> Result<(), Error> + Send + 'static,
) -> Peer {
    let mut peer = Peer::new(server.address);
    server.wait_until("the connection", |registry| registry.stats().accepted == 1);
    let done = server.ask(move |registry| {
        let all = registry.connections().into_iter().filter_map(|id| registry.connection(id).ok());
        before(&all.into_iter().find(|one| one.state().contains(State::ACCEPTED)).expect("it is there"))
    });
    done.expect("to be done");
    peer.shake_hands().expect("a handshake");
    peer
}

/// A record that was good until a bit of it was turned.
pub fn tampered(peer: &mut Peer) -> Vec<u8> {
    let mut record = peer.encrypt(b"evil");
    *record.last_mut().expect("a byte") ^= 1;
    record
}

/// Sends what is no TLS, and answers all that comes back.
fn send_plain(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut client = Client::connect(address);
    // The server may have seen enough of it already.
    let _ = client.stream().try_clone().expect("a handle").write_all(bytes);
    client.to_end()
}

#[test]
fn a_plain_request_gets_an_alert_and_no_reply() {
    let (server, log) = logging(Limits::default());
    for request in [
        b"GET / HTTP/1.1\r\nHost: test\r\n\r\n".to_vec(),
        vec![b'x'; 300_000],
        b"\x16\x03\x01\xff\xff".to_vec(),
        vec![0; 64],
    ] {
        let answer = send_plain(server.address, &request);
        assert_eq!(record_types(&answer), [21], "a record, an alert");
        let told = told(&server, &log);
        assert!(told[0].starts_with("TLS failed in the handshake: "), "{told:?}");
        assert_eq!(told[1..], ["Close"], "no Accept, no bytes");
    }
}

#[test]
fn a_peer_that_leaves_in_the_handshake_is_an_error() {
    let (server, log) = logging(Limits::default());
    let mut peer = Peer::new(server.address);
    let hello = peer.records();
    peer.socket.write_all(&hello[..hello.len() / 2]).expect("to send");
    peer.socket.shutdown(Shutdown::Write).expect("to shut down");
    let reason = "TLS failed in the handshake: the peer closed before the handshake was done";
    assert_eq!(told(&server, &log), [reason, "Close"]);
}

#[test]
fn an_untrusting_peer_says_why() {
    let (server, log) = logging(Limits::default());
    let output = std::process::Command::new("openssl")
        .args(["s_client", "-connect", &server.address.to_string(), "-verify_return_error"])
        .stdin(std::process::Stdio::null())
        .output()
        .expect("openssl");
    assert!(!output.status.success());
    let told = told(&server, &log);
    assert!(told[0].contains("received fatal alert"), "{told:?}");
    assert_eq!(told[1..], ["Close"]);
}

#[test]
fn a_record_that_was_tampered_with_closes() {
    let (server, log) = logging(Limits::default());
    let mut peer = Peer::connect(server.address);
    peer.send("good");
    let record = tampered(&mut peer);
    peer.socket.write_all(&record).expect("to send");
    let told = told(&server, &log);
    assert_eq!(told[0], "Accept");
    assert_eq!(told[1], "good");
    assert!(told[2].starts_with("TLS failed in the traffic: "), "{told:?}");
    assert_eq!(told[3..], ["Close"]);
}

#[test]
fn plaintext_behind_the_handshake_is_not_taken() {
    let (server, log) = logging(Limits::default());
    let mut peer = Peer::connect(server.address);
    peer.send("x");
    server.wait_until("the first byte", |registry| registry.stats().received == 1);
    peer.socket.write_all(b"\x17\x03\x03\x00\x05hello").expect("to send");
    let told = told(&server, &log);
    assert_eq!(told[..2], ["Accept", "x"]);
    assert!(told[2].starts_with("TLS failed in the traffic: "), "{told:?}");
    assert_eq!(told[3..], ["Close"]);
}

#[test]
fn records_that_drip_byte_by_byte_are_put_together() {
    let server = crate::https(|| crate::echo);
    let mut peer = Peer::new(server.address);
    while peer.tls.is_handshaking() {
        for byte in peer.records() {
            peer.socket.write_all(&[byte]).expect("to send");
        }
        peer.receive();
    }
    let request = b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\ndrip";
    for byte in peer.encrypt(request) {
        peer.socket.write_all(&[byte]).expect("to send");
    }
    assert_eq!(peer.response().body, b"drip");
}

/// Turns that the loop makes while nothing comes.
fn turns_at_rest(manager: &mut Manager) -> u64 {
    let before = manager.stats().polls;
    let timer = manager.once(Duration::from_millis(250), |_| {}).expect("a timer");
    while timer.is_active() {
        manager.poll(None).expect("to poll");
        assert!(manager.stats().polls < before + 1000, "it spins");
    }
    manager.stats().polls - before
}

#[test]
fn hazard_20_the_loop_rests_on_a_part_of_a_record() {
    let mut manager = Manager::new().expect("a manager");
    let config = certificates::server("p256");
    let greet = |connection: &Connection<'_>, event: Event<'_>| {
        if let Event::Accept = event {
            connection.send("hello")?;
        }
        Ok(())
    };
    let listener = manager.listener("tls://127.0.0.1:0").tls(config).tcp(greet).expect("to listen");
    let address = listener.local_addr();

    // Of the first record.
    let mut peer = Peer::new(address);
    let hello = peer.records();
    peer.socket.write_all(&hello[..3]).expect("to send");
    poll_until(&mut manager, "the connection", |manager| manager.stats().accepted == 1);
    // Something waits to be sent, and cannot leave before the handshake is done.
    let id = manager.connections().into_iter().find(|id| *id != listener.id()).expect("it");
    manager.connection(id).expect("it is there").send("early").expect("room");
    let turns = turns_at_rest(&mut manager);
    assert!(turns < 12, "{turns} turns on three bytes of a hello");

    // Of a record behind the handshake.
    let (done, joined) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut peer = peer;
        peer.socket.write_all(&hello[3..]).expect("to send");
        while peer.tls.is_handshaking() {
            peer.receive();
            peer.flush();
        }
        assert_eq!(peer.exactly(10), b"earlyhello");
        let record = peer.encrypt(b"data");
        peer.socket.write_all(&record[..record.len() - 1]).expect("to send");
        done.send(peer).expect("the test to wait");
    });
    let mut peer = None;
    poll_until(&mut manager, "the client", |_| {
        peer = joined.try_recv().ok();
        peer.is_some()
    });
    let turns = turns_at_rest(&mut manager);
    assert!(turns < 12, "{turns} turns on a part of a record");
}

#[test]
fn a_handshake_that_takes_too_long_ends() {
    let mut limits = Limits::default();
    limits.handshake_time = Duration::from_millis(50);
    let (server, log) = logging(limits);
    let mut silent = TcpStream::connect(server.address).expect("to connect");
    silent.set_read_timeout(Some(PATIENCE)).expect("an option");
    assert_eq!(steadily(|| silent.read(&mut [0; 1])).expect("no reset"), 0, "closed");
    assert_eq!(told(&server, &log), ["the deadline passed: handshake", "Close"]);
}

#[test]
fn the_deadline_of_a_handshake_is_not_that_of_a_connection() {
    let mut limits = Limits::default();
    limits.handshake_time = Duration::from_secs(5);
    limits.idle_time = Duration::from_millis(50);
    let server = crate::https_within(limits, || crate::echo);
    let mut peer = Peer::connect(server.address);
    assert_eq!(peer.get("/").status, 200);
    // The idle time's end, said properly.
    assert_eq!(peer.end(), (Vec::new(), crate::peer::End::Notified));
}

#[test]
fn a_raw_handler_is_told_that_bytes_were_cut_off() {
    let (server, log) = logging(Limits::default());
    let mut peer = Peer::connect(server.address);
    peer.send("half a mess");
    peer.socket.shutdown(Shutdown::Write).expect("to shut down");
    assert_eq!(told(&server, &log), ["Accept", "half a mess", &Error::Truncated.to_string(), "Close"]);

    let mut peer = Peer::connect(server.address);
    peer.send("a message");
    peer.notify_close();
    assert_eq!(told(&server, &log), ["Accept", "a message", "End", "Close"]);
}

#[test]
fn a_handshake_message_that_is_never_whole_is_one_error() {
    let (server, log) = logging(Limits::default());
    let mut hello = vec![1, 0, 0xff, 0xf0];
    hello.resize(60_000, 0);
    // In pieces whose heads take room too.
    let records: Vec<u8> =
        hello.chunks(4).flat_map(|piece| [&[22, 3, 1, 0, piece.len() as u8], piece].concat()).collect();
    send_plain(server.address, &records);
    let told = told(&server, &log);
    assert!(told[0].starts_with("TLS failed in the handshake: "), "{told:?}");
    assert_eq!(told[1..], ["Close"]);
}

#[test]
fn keys_that_change_without_end_are_an_error() {
    let (server, log) = logging_and(Limits::default(), |connection, event| match event {
        Event::Accept => connection.send("hello"),
        _ => Ok(()),
    });
    let mut peer = Peer::connect(server.address);
    assert_eq!(peer.exactly(5), b"hello");
    for _ in 0..200 {
        peer.tls.refresh_traffic_keys().expect("TLS 1.3");
        let records = peer.records();
        if peer.socket.write_all(&records).is_err() {
            break;
        }
    }
    let told = told(&server, &log);
    assert_eq!(told[0], "Accept");
    assert!(told[1].starts_with("TLS failed in the traffic: "), "{told:?}");
    assert_eq!(told[2..], ["Close"]);
}

#[test]
fn a_bad_record_behind_our_end_is_an_error() {
    let (server, log) = logging_and(Limits::default(), |connection, event| {
        if let Event::Accept = event {
            connection.end();
        }
        Ok(())
    });
    let mut peer = Peer::connect(server.address);
    assert_eq!(peer.end(), (Vec::new(), End::Notified));
    let record = tampered(&mut peer);
    peer.socket.write_all(&record).expect("to send");
    let told = told(&server, &log);
    assert_eq!(told[0], "Accept");
    assert!(told[1].starts_with("TLS failed in the traffic: "), "{told:?}");
    assert_eq!(told[2..], ["Close"]);
}

#[test]
fn a_bad_record_behind_the_last_reply_harms_nobody() {
    let server = crate::https(|| crate::echo);
    let mut peer = Peer::connect(server.address);
    peer.send("this is no request\r\n\r\n");
    let (reply, end) = peer.end();
    assert!(reply.starts_with(b"HTTP/1.1 400 "), "{:?}", String::from_utf8_lossy(&reply));
    assert_eq!(end, End::Notified);
    let record = tampered(&mut peer);
    peer.socket.write_all(&record).expect("to send");
    drop(peer);
    server.wait_until("the end", |registry| registry.connections().len() == 1);
    assert_eq!(Peer::connect(server.address).get("/").status, 200);
}

#[test]
fn a_bad_record_is_told_as_such_though_a_reply_waits() {
    let (server, log) = logging_and(Limits::default(), |connection, event| match event {
        Event::Read => connection.send("reply"),
        _ => Ok(()),
    });
    let mut peer = Peer::connect(server.address);
    // In one go: what is good is shown first.
    let mut records = peer.encrypt(b"good");
    records.extend(tampered(&mut peer));
    peer.socket.write_all(&records).expect("to send");
    let told = told(&server, &log);
    assert_eq!(told[..2], ["Accept", "good"]);
    assert!(told[2].starts_with("TLS failed in the traffic: "), "{told:?}");
    assert_eq!(told[3..], ["Close"]);
}

#[test]
fn a_peer_that_vanishes_after_a_failure_is_no_second_error() {
    let (server, log) = logging(Limits::default());
    let mut client = Client::connect(server.address);
    client.send("GET / HTTP/1.1\r\n\r\n");
    wait_for_error(&server, &log);
    client.reset();
    let told = told(&server, &log);
    assert!(told[0].starts_with("TLS failed in the handshake: "), "{told:?}");
    assert_eq!(told[1..], ["Close"]);
}

#[test]
fn what_is_lost_to_a_bad_record_is_not_said_to_have_left() {
    let (server, log) = logging_and(Limits::default(), |connection, event| match event {
        // More than the peer's system takes.
        Event::Accept => connection.send(vec![7; 14_000_000]),
        _ => Ok(()),
    });
    let mut peer = Peer::connect(server.address);
    server.wait_until("the bytes to wait", |registry| registry.stats().sent > 0);
    let record = tampered(&mut peer);
    peer.socket.write_all(&record).expect("to send");
    wait_for_error(&server, &log);
    // Neither the alert nor anything else arrives, which is no second error.
    drop(peer);
    let told = told(&server, &log);
    assert!(told[1].starts_with("TLS failed in the traffic: "), "{told:?}");
    assert_eq!((&*told[0], &told[2..]), ("Accept", &["Close".to_owned()][..]));
}

#[test]
fn more_than_may_wait_does_not_keep_the_handshake_from_its_end() {
    let mut limits = Limits::default();
    limits.output = 10;
    let (server, log) = logging(limits);
    let mut peer = connect_after(&server, |connection| connection.send(vec![b'x'; 100]));
    assert_eq!(peer.exactly(100), [b'x'; 100]);
    peer.notify_close();
    assert_eq!(told(&server, &log).first().map(String::as_str), Some("Accept"));
}

#[test]
fn an_end_that_is_asked_for_in_the_handshake_comes_behind_it() {
    let (server, log) = logging(Limits::default());
    let mut peer = connect_after(&server, |connection| {
        connection.end();
        Ok(())
    });
    assert_eq!(peer.end(), (Vec::new(), End::Notified));
    peer.send("still heard").notify_close();
    assert_eq!(told(&server, &log), ["Accept", "still heard", "End", "Close"]);
}

#[test]
fn nobody_is_woken_before_the_handshake_is_done() {
    let (server, log) = logging(Limits::default());
    let mut peer = Peer::new(server.address);
    server.wait_until("the connection", |registry| registry.stats().accepted == 1);
    let ids = server.ask(|registry| registry.connections());
    for id in &ids {
        server.handle.wakeup(*id, "early").expect("to be queued");
    }
    let undelivered = server.ask(|registry| registry.stats().undelivered);
    // Neither the listener nor what is no connection yet.
    assert_eq!((ids.len(), undelivered), (2, 2));
    peer.shake_hands().expect("a handshake");
    peer.notify_close();
    assert_eq!(told(&server, &log), ["Accept", "End", "Close"]);
}
