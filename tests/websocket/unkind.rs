//! Peers that do not read, do not answer or send more than they should, and handlers that do things at odd moments.

use std::io::Write;
use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use mongoose::{Error, Manager, Registry, http, ws};
use mongoose_tests::{Client, PATIENCE, Server, scaled};

use crate::echo::{Log, echo, serve, serve_within, words};
use crate::peer::{BINARY, CONTINUATION, FIN, HANDSHAKE, PING, PONG, Peer, TEXT};

const KEY: [u8; 4] = [1, 2, 3, 4];

/// Sends from a thread, as far as the other end takes it.
fn send_all(peer: &Peer, bytes: Vec<u8>) -> thread::JoinHandle<()> {
    let mut stream = peer.client.stream().try_clone().expect("a copy");
    thread::spawn(move || stream.write_all(&bytes).expect("to send"))
}

#[test]
fn an_echo_of_large_messages_waits_for_a_peer_that_does_not_read() {
    // More than may wait to be sent, and more than the system takes.
    let (size, count) = (1_000_000, scaled(30));
    let (server, _log) = serve();
    let mut peer = Peer::connect(server.address);
    let writer = send_all(&peer, peer.encode(FIN | BINARY, &vec![7; size]).repeat(count));
    // It has stopped reading, which is why we have not finished.
    if count == 30 {
        server.wait_until("it to hold back", |registry| {
            let sent: usize = registry.connections().iter().map(|id| queued(registry, *id)).sum();
            sent > 4_000_000
        });
    }
    for _ in 0..count {
        peer.expect(FIN | BINARY, vec![7; size]);
    }
    writer.join().expect("the writer");
    // It goes on as before.
    peer.send(FIN | TEXT, "small").expect(FIN | TEXT, "small");
}

fn queued(registry: &Registry, id: mongoose::ConnectionId) -> usize {
    registry.websocket(id).map_or(0, |peer| peer.queued())
}

#[test]
fn an_echo_of_messages_larger_than_what_may_wait_waits_too() {
    let mut limits = ws::Limits::default();
    limits.output = 10_000;
    let (server, _log) = serve_within(limits);
    let mut peer = Peer::connect(server.address);
    let count = scaled(200);
    let writer = send_all(&peer, peer.encode(FIN | BINARY, &[7; 100_000]).repeat(count));
    for _ in 0..count {
        peer.expect(FIN | BINARY, [7; 100_000]);
    }
    writer.join().expect("the writer");
}

#[test]
fn a_client_that_echoes_waits_for_a_server_that_does_not_read() {
    let (size, count) = (1_000_000, scaled(30));
    let server = Server::http(|| |_: http::Request<'_>, reply: http::Reply<'_>| reply.empty());
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("ws://{}/", listener.local_addr().expect("bound"));
    let (tell, _log) = Log::new();
    server.ask(move |registry| ws::connect(registry, &url).open(echo(tell))).expect("a URL");
    let mut peer = Peer::accept(&listener, b"");
    let writer = send_all(&peer, peer.encode(FIN | BINARY, &vec![7; size]).repeat(count));
    for _ in 0..count {
        peer.expect(FIN | BINARY, vec![7; size]);
    }
    writer.join().expect("the writer");
}

#[test]
fn pings_without_end_of_a_peer_that_does_not_read_are_answered_when_it_does() {
    let mut limits = ws::Limits::default();
    limits.output = 100_000;
    let (server, _log) = serve_within(limits);
    let mut peer = Peer::connect(server.address);
    let count = scaled(50_000);
    let writer = send_all(&peer, peer.encode(FIN | PING, &[7; 125]).repeat(count));
    for _ in 0..count {
        peer.expect(FIN | PONG, [7; 125]);
    }
    writer.join().expect("the writer");
    let most = server.ask(|registry| registry.connections().iter().map(|id| queued(registry, *id)).max());
    assert_eq!(most, Some(0));
}

/// Sends more than the system takes as soon as it is open, and says what it is told.
fn serve_much(
    limits: ws::Limits,
    then: impl FnMut(&ws::Connection<'_>) + Clone + Send + 'static,
) -> (Server, Log) {
    let (tell, log) = Log::new();
    let server = Server::http(move || {
        move |request: http::Request<'_>, reply: http::Reply<'_>| {
            let (tell, mut then) = (tell.clone(), then.clone());
            ws::upgrade(request, reply).limits(limits.clone()).accept(
                move |peer: &ws::Connection<'_>, event: ws::Event<'_>| {
                    let _ = tell.send(words(&event));
                    if let ws::Event::Open = event {
                        peer.send_binary(vec![7; MUCH])?;
                        then(peer);
                    }
                    Ok(())
                },
            )
        }
    });
    (server, log)
}

const MUCH: usize = 12_000_000;

#[test]
fn a_peer_that_takes_its_time_to_read_is_not_asked_for_a_pong_behind_all_that_waits() {
    let mut limits = ws::Limits::default();
    (limits.ping_time, limits.pong_time) = (Duration::from_millis(10), Duration::from_millis(10));
    let (tell, told) = channel();
    let (server, _log) = serve_much(limits, move |peer| {
        let tell = tell.clone();
        let later = move |_: &Registry| tell.send(()).expect("the test to listen");
        peer.registry().once(Duration::from_millis(300), later).expect("a timer").detach();
    });
    let mut peer = Peer::connect(server.address);
    // Thirty times as long as it would have had.
    told.recv_timeout(PATIENCE).expect("the time to pass");
    peer.expect(FIN | BINARY, vec![7; MUCH]);
    // From then on it is asked as before.
    while peer.frame().0 != FIN | PING {}
}

#[test]
fn a_peer_that_has_yet_to_read_much_is_listened_to_all_the_same() {
    let mut limits = ws::Limits::default();
    limits.output = MUCH + 100_000;
    let (server, log) = serve_much(limits, |_| {});
    let mut peer = Peer::connect(server.address);
    assert_eq!(log.next(), "open");
    peer.send(FIN | TEXT, "stop");
    assert_eq!(log.next(), "text stop");
    peer.expect(FIN | BINARY, vec![7; MUCH]);
}

#[test]
fn a_peer_that_breaks_the_protocol_and_does_not_read_is_closed_in_time() {
    let mut limits = ws::Limits::default();
    limits.close_time = Duration::from_millis(50);
    let (server, log) = serve_much(limits, |_| {});
    let mut peer = Peer::connect(server.address);
    assert_eq!(log.next(), "open");
    peer.client.send([0xff, 0xff]);
    let told = log.to_close();
    assert!(told[0].starts_with("error"), "{told:?}");
    assert_eq!(told.last().map(String::as_str), Some("close 1006 "));
    server.wait_until("its end", |registry| registry.stats().connections == 1);
}

#[test]
fn a_peer_that_is_closed_and_does_not_read_is_closed_in_time() {
    let mut limits = ws::Limits::default();
    limits.close_time = Duration::from_millis(50);
    let (server, log) = serve_much(limits, |peer| peer.close(ws::CloseCode::NORMAL, "").expect("to begin"));
    let _peer = Peer::connect(server.address);
    assert_eq!(log.to_close().last().map(String::as_str), Some("close 1006 "));
    server.wait_until("its end", |registry| registry.stats().connections == 1);
}

#[test]
fn section_4_1_a_request_may_have_a_body_which_is_none_of_the_frames() {
    let (server, _log) = serve();
    let frame = crate::peer::encode(FIN | TEXT, b"a frame", Some(KEY));
    let sized = HANDSHAKE.replace("\r\n\r\n", "\r\nContent-Length: 5\r\n\r\nhello");
    let chunked =
        HANDSHAKE.replace("\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    for request in [sized, chunked] {
        for split in [0, 1, 7, request.len() - 3, request.len()] {
            let all = [request.as_bytes(), &frame].concat();
            let mut client = Client::connect(server.address);
            server.feed(
                &mut client,
                [&all[..split], &all[split..]].into_iter().filter(|part| !part.is_empty()),
            );
            assert_eq!(client.response_to_head().status, 101);
            let mut peer = Peer { client, key: Some(KEY) };
            peer.expect(FIN | TEXT, "a frame");
        }
    }
    // And a body that is waited for.
    let mut client = Client::connect(server.address);
    client.send(HANDSHAKE.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
    assert_eq!(client.response_to_head().status, 100);
    client.send([b"hi", &*frame].concat());
    assert_eq!(client.response_to_head().status, 101);
    Peer { client, key: Some(KEY) }.expect(FIN | TEXT, "a frame");
}

#[test]
fn a_message_in_pieces_may_be_one_frame_of_any_size() {
    let (tell, told) = channel();
    let server = Server::http(move || {
        move |request: http::Request<'_>, reply: http::Reply<'_>| {
            let tell = tell.clone();
            let mut limits = ws::Limits::default();
            (limits.frame, limits.message) = (1000, 1000);
            ws::upgrade(request, reply).limits(limits).pieces().accept(
                move |_: &ws::Connection<'_>, event: ws::Event<'_>| {
                    if let ws::Event::Piece(piece) = event {
                        tell.send((piece.data.as_bytes().len(), piece.last)).expect("the test to listen");
                    }
                    Ok(())
                },
            )
        }
    });
    let mut peer = Peer::connect(server.address);
    peer.send(FIN | BINARY, vec![1; 100_000]);
    assert_eq!(total(&told), 100_000);
}

/// The bytes of a message in pieces.
fn total(told: &Receiver<(usize, bool)>) -> usize {
    let mut total = 0;
    loop {
        let (bytes, last) = told.recv_timeout(PATIENCE).expect("a piece");
        total += bytes;
        if last {
            return total;
        }
    }
}

/// What a handler does at an event whose words begin so.
type Deed = fn(&ws::Connection<'_>) -> Result<(), Error>;

fn serve_deed(at: &'static str, deed: Deed) -> (Server, Log) {
    let (tell, log) = Log::new();
    let server = Server::http(move || {
        move |request: http::Request<'_>, reply: http::Reply<'_>| {
            let tell = tell.clone();
            ws::upgrade(request, reply).accept(move |peer: &ws::Connection<'_>, event: ws::Event<'_>| {
                let line = words(&event);
                let _ = tell.send(line.clone());
                if line.starts_with(at) { deed(peer) } else { Ok(()) }
            })
        }
    });
    (server, log)
}

/// A message, a ping, a pong, a message in two frames and a close, in one piece.
fn everything() -> Vec<u8> {
    let frame = |first, payload: &[u8]| crate::peer::encode(first, payload, Some(KEY));
    [
        frame(FIN | TEXT, b"one"),
        frame(FIN | PING, b"two"),
        frame(FIN | PONG, b"three"),
        frame(TEXT, b"fo"),
        frame(FIN | PING, b""),
        frame(FIN | CONTINUATION, b"ur"),
        frame(FIN | 8, &[3, 232]),
    ]
    .concat()
}

const ALL: [&str; 6] = ["open", "text one", "ping [116, 119, 111]", "pong [116", "ping []", "text four"];

#[test]
fn a_handler_may_close_drain_or_fail_at_any_event_and_is_told_of_the_end_once() {
    let deeds: [(&str, Deed); 6] = [
        ("close", |peer| peer.close(ws::CloseCode::NORMAL, "")),
        ("close twice", |peer| {
            peer.close(ws::CloseCode::NORMAL, "")?;
            assert!(matches!(peer.close(ws::CloseCode::NORMAL, ""), Err(Error::Closed)));
            assert!(matches!(peer.send_text("late"), Err(Error::Closed)));
            assert!(matches!(peer.ping(""), Err(Error::Closed)));
            Err(Error::Closed)
        }),
        ("drain", |peer| {
            peer.connection().drain();
            Ok(())
        }),
        ("close below", |peer| {
            peer.connection().close();
            Ok(())
        }),
        ("fail", |_| Err(Error::handler("it does not want to"))),
        ("fail below", |peer| {
            peer.connection().fail("it does not want to");
            Ok(())
        }),
    ];
    for (name, deed) in deeds {
        for at in ALL {
            let (server, log) = serve_deed(at, deed);
            let mut client = Client::connect(server.address);
            // With our end behind it nobody has to linger for us.
            client.send([HANDSHAKE.as_bytes(), &everything()].concat()).end();
            let told = log.to_close();
            let before = ALL.iter().position(|line| *line == at).expect("one of them");
            assert!(told.len() > before + 1, "{name} at {at}: {told:?}");
            assert!(told.iter().zip(&ALL[..=before]).all(|(told, line)| told.starts_with(line)), "{told:?}");
            let errors = told.iter().filter(|line| line.starts_with("error")).count();
            assert_eq!(errors, usize::from(name.starts_with("fail")), "{name} at {at}: {told:?}");
            if name.starts_with("fail") || name.contains("drain") || name.contains("below") {
                // Nothing is delivered any more.
                assert_eq!(told.len(), before + 2 + errors, "{name} at {at}: {told:?}");
            }
            client.to_end();
            server.wait_until("its end", |registry| registry.stats().connections == 1);
        }
    }
}

#[test]
fn a_panic_at_any_event_ends_that_connection_alone_and_once() {
    for at in [&ALL[..], &["close"]].concat() {
        let mut manager = Manager::new().expect("a manager");
        let calls = std::rc::Rc::new(std::cell::Cell::new(0));
        let counted = std::rc::Rc::clone(&calls);
        let listener = manager
            .http("http://127.0.0.1:0", move |request: http::Request<'_>, reply: http::Reply<'_>| {
                let counted = std::rc::Rc::clone(&counted);
                ws::upgrade(request, reply).accept(move |_: &ws::Connection<'_>, event: ws::Event<'_>| {
                    assert!(!words(&event).starts_with(at), "the handler's");
                    counted.set(counted.get() + 1);
                    Ok(())
                })
            })
            .expect("a free port");
        let address = listener.local_addr();
        let client = thread::spawn(move || {
            let mut client = Client::connect(address);
            client.send([HANDSHAKE.as_bytes(), &everything()].concat());
            client.to_end();
        });
        let (mut panics, end) = (0, Instant::now() + PATIENCE);
        while !(client.is_finished() && manager.stats().connections == 1) && Instant::now() < end {
            let polled = catch_unwind(AssertUnwindSafe(|| manager.poll(Duration::from_millis(5))));
            panics += usize::from(polled.is_err());
        }
        client.join().expect("the client");
        assert_eq!(panics, 1, "{at}");
        let before = ALL.iter().position(|line| *line == at).unwrap_or(ALL.len());
        assert_eq!(calls.get(), before, "{at}");
    }
}

#[test]
fn what_other_threads_send_to_who_is_gone_or_closing_is_counted() {
    let (tell, told) = channel();
    let server = Server::http(move || {
        move |request: http::Request<'_>, reply: http::Reply<'_>| {
            let tell = tell.clone();
            ws::upgrade(request, reply).accept(move |peer: &ws::Connection<'_>, event: ws::Event<'_>| {
                match event {
                    ws::Event::Open => tell.send(Some(peer.sender())).expect("the test to listen"),
                    ws::Event::Close(_) => tell.send(None).expect("the test to listen"),
                    _ => {}
                }
                Ok(())
            })
        }
    });
    let mut peer = Peer::connect(server.address);
    let sender = told.recv_timeout(PATIENCE).expect("to be told").expect("a sender");
    sender.send_text("first").expect("a loop");
    sender.close(ws::CloseCode::GOING_AWAY, "bye").expect("a loop");
    for _ in 0..3 {
        sender.send_text("behind it").expect("a loop");
    }
    peer.expect(FIN | TEXT, "first");
    assert_eq!(peer.expect_close(), 1001);
    peer.send_close(1001, "").client.end();
    assert!(told.recv_timeout(PATIENCE).expect("to be told").is_none());
    sender.send_binary(vec![1]).expect("a loop");
    sender.close(ws::CloseCode::NORMAL, "").expect("a loop");
    assert_eq!(server.ask(|registry| registry.stats().undelivered), 5);
    drop(server);
    assert!(matches!(sender.send_text("nobody"), Err(Error::Gone)));
}
