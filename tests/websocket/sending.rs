//! What is sent: sizes, order, back-pressure, to many and from other threads.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use mongoose::{ConnectionId, Error, http, ws};
use mongoose_tests::{PATIENCE, Server, raw, scaled};

use crate::echo::{Log, serve_within, words};
use crate::peer::{BINARY, FIN, PONG, Peer, TEXT, encode};

/// Calls a closure when a WebSocket opens.
fn on_open(
    open: impl Fn(&ws::Connection<'_>) -> Result<(), Error> + Clone + Send + 'static,
) -> (Server, Log) {
    let (tell, log) = Log::new();
    let server = Server::http(move || {
        move |request: http::Request<'_>, reply: http::Reply<'_>| {
            let (open, tell) = (open.clone(), tell.clone());
            ws::upgrade(request, reply).accept(move |peer: &ws::Connection<'_>, event: ws::Event<'_>| {
                let _ = tell.send(words(&event));
                if let ws::Event::Open = event { open(peer) } else { Ok(()) }
            })
        }
    });
    (server, log)
}

#[test]
fn every_way_to_send_arrives_in_order() {
    let (server, _log) = on_open(|peer| {
        peer.send_text("borrowed")?;
        peer.send_text(String::from("owned"))?;
        peer.send_text("l".repeat(100_000))?;
        peer.send_binary(vec![1; 100_000])?;
        peer.send_binary([2; 20_000].as_slice())?;
        peer.send_binary(Arc::<[u8]>::from(vec![3; 5000]))?;
        peer.send_text(Arc::<str>::from("shared"))?;
        peer.send(ws::Message::Text(""))?;
        peer.send("from a str".into())?;
        peer.pong("pong")?;
        peer.send_shared(&ws::SharedMessage::text("to all"))
    });
    let mut peer = Peer::connect(server.address);
    peer.expect(FIN | TEXT, "borrowed").expect(FIN | TEXT, "owned").expect(FIN | TEXT, "l".repeat(100_000));
    peer.expect(FIN | BINARY, vec![1; 100_000]).expect(FIN | BINARY, vec![2; 20_000]);
    peer.expect(FIN | BINARY, vec![3; 5000]).expect(FIN | TEXT, "shared").expect(FIN | TEXT, "");
    peer.expect(FIN | TEXT, "from a str").expect(FIN | PONG, "pong").expect(FIN | TEXT, "to all");
}

#[test]
fn frames_are_the_ones_that_c_makes() {
    for len in [0, 1, 125, 126, 127, 65_535, 65_536, 100_000] {
        let payload: Vec<u8> = (0..len).map(|n| n as u8).collect();
        assert!(
            raw::websocket_frame(&payload, BINARY, false) == encode(FIN | BINARY, &payload, None),
            "{len}"
        );
        let masked = raw::websocket_frame(&payload, BINARY, true);
        let at = masked.len() - len - 4;
        let key = masked[at..at + 4].try_into().expect("four bytes");
        assert!(masked == encode(FIN | BINARY, &payload, Some(key)), "{len}");
        let sent = payload.clone();
        let (server, _log) = on_open(move |peer| peer.send_binary(sent.clone()));
        let mut peer = Peer::connect(server.address);
        let ours = peer.client.exactly(raw::websocket_frame(&payload, BINARY, false).len());
        assert!(ours == raw::websocket_frame(&payload, BINARY, false), "{len}");
    }
}

#[test]
fn a_message_is_sent_in_pieces_with_control_frames_between_them() {
    let (server, _log) = on_open(|peer| {
        peer.send_piece(ws::Message::Text("one "), false)?;
        assert!(matches!(peer.send_text("another"), Err(Error::Frame(_))));
        assert!(matches!(peer.send_piece(ws::Message::Binary(b"x"), true), Err(Error::Frame(_))));
        peer.ping("between")?;
        peer.send_piece(ws::Message::Text(""), false)?;
        peer.send_piece(ws::Message::Text("two"), true)?;
        peer.send_text("another")?;
        peer.send_piece(ws::Message::Binary(b"whole"), true)
    });
    let mut peer = Peer::connect(server.address);
    peer.expect(TEXT, "one ").expect(FIN | 9, "between").expect(0, "").expect(FIN, "two");
    peer.expect(FIN | TEXT, "another").expect(FIN | BINARY, "whole");
}

#[test]
fn what_waits_is_bounded_and_room_is_told() {
    let (tell, log) = Log::new();
    let server = Server::http(move || {
        move |request: http::Request<'_>, reply: http::Reply<'_>| {
            let tell = tell.clone();
            let mut left = scaled(300);
            let mut limits = ws::Limits::default();
            limits.output = 1 << 20;
            ws::upgrade(request, reply).limits(limits).accept(
                move |peer: &ws::Connection<'_>, event: ws::Event<'_>| {
                    while matches!(event, ws::Event::Open | ws::Event::Write) && left > 0 {
                        match peer.send_binary(vec![left as u8; 300_000]) {
                            Ok(()) => left -= 1,
                            Err(Error::OutputFull { limit }) => {
                                assert_eq!(limit, 1 << 20);
                                assert!(peer.queued() <= limit);
                                let _ = tell.send("full".to_owned());
                                return Ok(());
                            }
                            Err(error) => return Err(error),
                        }
                    }
                    Ok(())
                },
            )
        }
    });
    let mut peer = Peer::connect(server.address);
    if scaled(300) > 100 {
        assert_eq!(log.next(), "full");
    }
    for left in (1..=scaled(300)).rev() {
        peer.expect(FIN | BINARY, vec![left as u8; 300_000]);
    }
}

/// Streams a message out of a source, by pieces of a size, to a peer that begins to read late.
fn stream_out(piece: usize, count: usize) {
    let (tell, log) = Log::new();
    let server = Server::http(move || {
        move |request: http::Request<'_>, reply: http::Reply<'_>| {
            let tell = tell.clone();
            let mut left = count;
            let mut limits = ws::Limits::default();
            limits.output = 256 << 10;
            ws::upgrade(request, reply).limits(limits).accept(
                move |peer: &ws::Connection<'_>, event: ws::Event<'_>| {
                    if !matches!(event, ws::Event::Open | ws::Event::Write) {
                        return Ok(());
                    }
                    while left > 0 && peer.has_room(piece) {
                        left -= 1;
                        peer.send_piece(ws::Message::Binary(&vec![left as u8; piece]), left == 0)?;
                    }
                    let _ = tell.send(format!("{} left", left * piece));
                    Ok(())
                },
            )
        }
    });
    let mut peer = Peer::connect(server.address);
    if piece * count > 20 << 20 {
        // Most of it is not even made while nobody reads.
        let left = log.next();
        let left = left.split(' ').next().and_then(|left| left.parse::<usize>().ok());
        assert!(left.is_some_and(|left| left > 10 << 20), "{left:?}");
    }
    for left in (0..count).rev() {
        let first = if left == count - 1 { BINARY } else { 0 } | if left == 0 { FIN } else { 0 };
        peer.expect(first, vec![left as u8; piece]);
    }
}

#[test]
fn a_message_of_any_length_goes_out_of_a_source_as_the_peer_reads() {
    stream_out(32 << 10, scaled(1000));
    stream_out(1000, scaled(30_000));
    stream_out(1, scaled(100_000));
    stream_out(1 << 20, scaled(30));
}

#[test]
fn a_peer_that_does_not_read_its_echoes_is_not_read_either() {
    let (server, _log) = serve_within(ws::Limits::default());
    let mut peer = Peer::connect(server.address);
    let count = scaled(2000);
    let frames = peer.encode(FIN | BINARY, &[7; 1000]).repeat(count);
    let mut stream = peer.client.stream().try_clone().expect("a copy");
    let writer =
        std::thread::spawn(move || std::io::Write::write_all(&mut stream, &frames).expect("to send"));
    for _ in 0..count {
        peer.expect(FIN | BINARY, [7; 1000]);
    }
    writer.join().expect("the writer");
}

#[test]
fn one_message_goes_to_many_without_a_copy_each() {
    let members = scaled(300).max(3);
    let (server, room) = {
        let (told, room) = std::sync::mpsc::channel::<ConnectionId>();
        let server = Server::http(move || {
            move |request: http::Request<'_>, reply: http::Reply<'_>| {
                let told = told.clone();
                ws::upgrade(request, reply).accept(move |peer: &ws::Connection<'_>, event: ws::Event<'_>| {
                    if let ws::Event::Open = event {
                        told.send(peer.id()).expect("the test to listen");
                    }
                    Ok(())
                })
            }
        });
        (server, room)
    };
    let mut peers: Vec<Peer> = (0..members).map(|_| Peer::connect(server.address)).collect();
    let ids: Vec<ConnectionId> =
        (0..members).map(|_| room.recv_timeout(PATIENCE).expect("to open")).collect();
    let payload: Arc<[u8]> = vec![5; 200_000].into();
    let message = ws::SharedMessage::binary(Arc::clone(&payload));
    let held = server.ask(move |registry| {
        for id in ids {
            let peer = registry.websocket(id).expect("open");
            peer.send_text("small").expect("room");
            peer.send_shared(&message).expect("room");
        }
        drop(message);
        Arc::strong_count(&payload)
    });
    // One of each connection, and the test's own.
    assert_eq!(held, members + 1);
    for peer in &mut peers {
        peer.expect(FIN | TEXT, "small").expect(FIN | BINARY, vec![5; 200_000]);
    }
}

#[test]
fn other_threads_send_in_their_order_and_close() {
    let (tell, told) = std::sync::mpsc::channel();
    let (server, _log) = on_open(move |peer| {
        tell.send(peer.sender()).expect("the test to listen");
        Ok(())
    });
    let mut peer = Peer::connect(server.address);
    let sender = told.recv_timeout(PATIENCE).expect("to open");
    sender.send_text("one").expect("queued");
    sender.send_binary(vec![2; 100_000]).expect("queued");
    sender.send(ws::SharedMessage::text("three")).expect("queued");
    assert!(matches!(sender.close(ws::CloseCode(1005), ""), Err(Error::Frame(_))));
    sender.close(ws::CloseCode::NORMAL, "four").expect("queued");
    sender.send_text("dropped").expect("queued");
    peer.expect(FIN | TEXT, "one").expect(FIN | BINARY, vec![2; 100_000]).expect(FIN | TEXT, "three");
    assert_eq!(peer.expect_close(), 1000);
    server.wait_until("it to be counted", |registry| registry.stats().undelivered == 1);
    drop(server);
    assert!(matches!(sender.send_text("late"), Err(Error::Gone)));
}

#[test]
fn an_id_finds_websockets_alone() {
    let (server, _log) = on_open(|peer| {
        assert!(peer.registry().websocket(peer.id()).is_ok());
        assert!(peer.connection().state().contains(mongoose::State::WEBSOCKET));
        peer.send_text("ok")
    });
    let mut peer = Peer::connect(server.address);
    peer.expect(FIN | TEXT, "ok");
    let found = server.ask(|registry| {
        registry.connections().into_iter().filter(|id| registry.websocket(*id).is_ok()).count()
    });
    assert_eq!(found, 1, "the listener is none");
}

#[test]
fn a_websocket_can_be_sent_on_before_its_handler_was_told() {
    let server = Server::http(|| {
        |request: http::Request<'_>, reply: http::Reply<'_>| {
            let (id, registry) = (request.connection().id(), request.connection().registry());
            let seen = Rc::new(RefCell::new(Vec::new()));
            let log = Rc::clone(&seen);
            ws::upgrade(request, reply).accept(move |peer: &ws::Connection<'_>, event: ws::Event<'_>| {
                log.borrow_mut().push(words(&event));
                if let ws::Event::Open = event { peer.send_text("second") } else { Ok(()) }
            })?;
            assert!(seen.borrow().is_empty(), "no handler is entered inside another");
            registry.websocket(id)?.send_text("first")
        }
    });
    let mut peer = Peer::connect(server.address);
    peer.expect(FIN | TEXT, "first").expect(FIN | TEXT, "second");
}
