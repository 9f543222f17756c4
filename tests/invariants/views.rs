//! Invariants 3 and 11: what a handler sees of received bytes stays where and what it is until it returns.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use mongoose::http::{Reply, Request};
use mongoose::{Connection, Event, Manager};
use mongoose_tests::{Random, poll_until, scaled};

use crate::harness::{Journal, Peer, blast, connect_many, next_blast};

#[test]
fn invariant_03_a_view_outlasts_everything_a_handler_may_do() {
    let mut manager = Manager::new().expect("a manager");
    let seen = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&seen);
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Read = event {
                let view = connection.received();
                let start = view.as_ptr();
                let registry = connection.registry();
                connection.send(view)?;
                connection.consume(4);
                assert_eq!(connection.received().as_ptr(), start.wrapping_add(4), "nothing has moved");
                connection.consume(usize::MAX);
                assert!(connection.received().is_empty());
                connection.pause();
                connection.resume();
                connection.set_handler(|_: &Connection<'_>, _: Event<'_>| Ok(()))?;
                for id in registry.connections() {
                    let other = registry.connection(id)?;
                    other.consume(usize::MAX);
                    other.drain();
                    other.close();
                }
                registry.connect("tcp://127.0.0.1:1", |_: &Connection<'_>, _: Event<'_>| Ok(()))?;
                // All that is recorded, and the bytes are as they came.
                log.borrow_mut().extend_from_slice(view);
            }
            Ok(())
        })
        .expect("to listen");
    let mut peers = connect_many(&mut manager, listener.local_addr(), 3);
    peers[1].send("seen to the end");
    peers[1].until_end(&mut manager);
    assert_eq!(*seen.borrow(), b"seen to the end");
}

#[test]
fn invariant_03_an_echo_of_the_view_needs_no_copy_of_the_handler_s() {
    let size = scaled(4_000_000);
    let mut manager = Manager::new().expect("a manager");
    let listener = manager
        .tcp("tcp://127.0.0.1:0", |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Read = event {
                connection.send(connection.received())?;
                connection.consume(usize::MAX);
            }
            Ok(())
        })
        .expect("to listen");
    let mut peer = Peer::connect(listener.local_addr());
    let bytes = Random::new(3).bytes(size);
    let mut back = Vec::new();
    for piece in bytes.chunks(100_000) {
        peer.send_all(&mut manager, piece);
        back.extend(peer.exactly(&mut manager, piece.len()));
    }
    assert!(back == bytes);
}

#[test]
fn invariant_03_unconsumed_bytes_are_shown_again_in_front_of_the_new_ones() {
    let size = scaled(1_000_000).max(10_000);
    let mut manager = Manager::new().expect("a manager");
    let whole = Rc::new(RefCell::new(Vec::new()));
    let out = Rc::clone(&whole);
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Read = event {
                // Takes a third of what it sees: buffers grow, move and shrink between the events.
                let third = connection.received().len().div_ceil(3);
                out.borrow_mut().extend_from_slice(&connection.received()[..third]);
                connection.consume(third);
            }
            Ok(())
        })
        .expect("to listen");
    let mut peer = Peer::connect(listener.local_addr());
    let bytes = Random::new(4).bytes(size);
    for piece in bytes.chunks(size / 20) {
        peer.send_all(&mut manager, piece);
    }
    let mut ticks = 0;
    poll_until(&mut manager, "nearly all to be taken", |_| {
        // More to read has it look again.
        ticks += 1;
        peer.send("!");
        whole.borrow().len() >= size
    });
    assert!(whole.borrow()[..size] == bytes[..]);
    assert!(whole.borrow()[size..].iter().all(|byte| *byte == b'!'));
}

#[test]
fn invariant_03_each_pipelined_request_sees_its_own_bytes() {
    let count = scaled(500).max(20);
    let mut manager = Manager::new().expect("a manager");
    let number = Cell::new(0usize);
    let listener = manager
        .http("http://127.0.0.1:0", move |request: Request<'_>, reply: Reply<'_>| {
            let at = number.replace(number.get() + 1);
            let (path, body) = (request.path(), request.body());
            // The views are used after the reply was made.
            reply.body(body)?;
            assert_eq!(path, format!("/{at}"));
            assert!(body.len() == at * 37 && body.iter().all(|byte| *byte == at as u8), "the body of {at}");
            Ok(())
        })
        .expect("to listen");
    let mut peer = Peer::connect(listener.local_addr());
    let mut bytes = Vec::new();
    for at in 0..count {
        let chunked = at % 2 == 1;
        bytes.extend(format!("POST /{at} HTTP/1.1\r\nHost: test\r\n").into_bytes());
        let body = vec![at as u8; at * 37];
        if chunked {
            bytes.extend(b"Transfer-Encoding: chunked\r\n\r\n");
            for piece in body.chunks(11) {
                bytes.extend(format!("{:x}\r\n", piece.len()).into_bytes());
                bytes.extend(piece);
                bytes.extend(b"\r\n");
            }
            bytes.extend(b"0\r\n\r\n");
        } else {
            bytes.extend(format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes());
            bytes.extend(body);
        }
    }
    for piece in Random::new(5).split(&bytes, 20_000) {
        peer.send_all(&mut manager, piece);
        peer.arrived();
    }
    for at in 0..count {
        let head = peer.expect(&mut manager, "\r\n\r\n");
        assert!(
            head.starts_with("HTTP/1.1 200 ") && head.contains(&format!("Content-Length: {}\r\n", at * 37))
        );
        assert!(peer.exactly(&mut manager, at * 37).iter().all(|byte| *byte == at as u8));
    }
}

/// A manager with one echo connection of its own, driven from a handler of another.
struct Inner {
    manager: Manager,
    peer: Peer,
}

impl Inner {
    fn new() -> Self {
        let mut manager = Manager::new().expect("a manager");
        let listener = manager
            .http("http://127.0.0.1:0", |request: Request<'_>, reply: Reply<'_>| reply.body(request.body()))
            .expect("to listen");
        let peer = connect_many(&mut manager, listener.local_addr(), 1).remove(0);
        Self { manager, peer }
    }

    /// Sends more through the inner manager than a read buffer holds.
    fn traffic(&mut self) {
        let body = vec![b'I'; 100_000];
        self.peer.send(format!("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n\r\n", body.len()));
        self.peer.send_all(&mut self.manager, &body);
        self.peer.expect(&mut self.manager, "\r\n\r\n");
        assert!(self.peer.exactly(&mut self.manager, body.len()) == body);
    }
}

#[test]
fn invariant_11_a_second_manager_polled_inside_a_handler_leaves_a_raw_view_alone() {
    let mut manager = Manager::new().expect("a manager");
    let mut inner = Inner::new();
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Read = event {
                let view = connection.received();
                let before = view.to_vec();
                inner.traffic();
                assert!(view == before, "the inner manager wrote over the view");
                connection.send(view)?;
                connection.consume(usize::MAX);
            }
            Ok(())
        })
        .expect("to listen");
    let mut peer = Peer::connect(listener.local_addr());
    for text in ["outer one", "outer two"] {
        peer.send(text).expect(&mut manager, text);
    }
}

#[test]
fn invariant_11_a_second_manager_polled_inside_a_handler_leaves_a_body_alone() {
    let mut manager = Manager::new().expect("a manager");
    let mut inner = Inner::new();
    let listener = manager
        .http("http://127.0.0.1:0", move |request: Request<'_>, reply: Reply<'_>| {
            let (body, path) = (request.body(), request.path());
            inner.traffic();
            assert!(body.iter().all(|byte| *byte == b'O') && path == "/outer");
            assert_eq!(request.header("Host").expect("sent").as_bytes(), b"test");
            reply.body(body)
        })
        .expect("to listen");
    let mut peer = Peer::connect(listener.local_addr());
    for size in [10, 70_000] {
        peer.send(format!("POST /outer HTTP/1.1\r\nHost: test\r\nContent-Length: {size}\r\n\r\n"));
        peer.send_all(&mut manager, &vec![b'O'; size]);
        peer.expect(&mut manager, "\r\n\r\n");
        assert!(peer.exactly(&mut manager, size).iter().all(|byte| *byte == b'O'));
    }
}

#[test]
fn invariant_11_the_buffer_comes_back_on_every_path() {
    // Each path once: consumed, kept, closed, drained, failed, panicked, replaced, ended. A block that were freed twice
    // or never shows under valgrind; one that stayed lent would show another connection's bytes.
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let log = journal.clone();
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
            let Event::Read = event else { return Ok(()) };
            log.note(String::from_utf8_lossy(connection.received()));
            match connection.received() {
                b"consume" => connection.consume(usize::MAX),
                b"close" => connection.close(),
                b"drain" => connection.drain(),
                b"fail" => connection.fail("asked to"),
                b"panic" => blast(1),
                b"replace" => {
                    connection.set_handler(|_: &Connection<'_>, _: Event<'_>| Ok(()))?;
                }
                _ => {}
            }
            Ok(())
        })
        .expect("to listen");
    let words = ["consume", "keep", "close", "drain", "fail", "panic", "replace", "end"];
    for round in 0..3 {
        let mut peers = connect_many(&mut manager, listener.local_addr(), words.len());
        for (peer, word) in peers.iter_mut().zip(words) {
            peer.send(word);
            if word == "end" {
                peer.end();
            }
        }
        assert_eq!(next_blast(&mut manager), 1);
        poll_until(&mut manager, "all words", |_| journal.any(|word| word == "end"));
        manager.poll(Duration::ZERO).expect("to poll");
        let mut told = journal.take();
        told.sort_unstable();
        // What was left is shown once more when the peer ends.
        told.dedup();
        let mut expected = words.map(str::to_owned);
        expected.sort_unstable();
        assert_eq!(told, expected, "round {round}: each saw its own bytes alone");
    }
}
