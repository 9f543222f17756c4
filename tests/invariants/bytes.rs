//! Invariants 14 and 15: what is sent is what arrives, whatever its bytes and its size.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::rc::Rc;

use mongoose::http::{Reply, Request};
use mongoose::{Connection, Error, Event, Limits, Manager};
use mongoose_tests::{Client, Random, Server, poll_until, scaled, steadily};

use crate::harness::{Peer, connect_many, get, settle};

/// Everything that a format would take for itself, and NUL.
const FORMATS: &str = "%s%n%d%p%99999d%%%M\0%s after NUL";

#[test]
fn invariant_14_hazard_15_formats_and_nul_arrive_as_they_are() {
    let mut manager = Manager::new().expect("a manager");
    let listener = manager
        .http("http://127.0.0.1:0", |request: Request<'_>, reply: Reply<'_>| match request.path() {
            "/text" => reply.header("X-Format", "%s%n%d").text(FORMATS),
            "/json" => reply.json_text("{\"%s\": \"%n\"}"),
            "/redirect" => reply.redirect("/%s%n%d"),
            "/late" => reply.defer().reply().header("X-Format", "%s%n%d").body(FORMATS),
            _ => reply.body(request.body()),
        })
        .expect("to listen");
    let mut peer = Peer::connect(listener.local_addr());
    for target in ["/text", "/late"] {
        let head = peer.send(get(target)).expect(&mut manager, "\r\n\r\n");
        assert!(head.contains("\r\nX-Format: %s%n%d\r\n"), "{head}");
        assert_eq!(peer.exactly(&mut manager, FORMATS.len()), FORMATS.as_bytes(), "{target}");
    }
    peer.send(get("/json")).expect(&mut manager, "{\"%s\": \"%n\"}");
    let head = peer.send(get("/redirect")).expect(&mut manager, "\r\n\r\n");
    assert!(head.contains("\r\nLocation: /%s%n%d\r\n"), "{head}");
    let all: Vec<u8> = (0..=255).cycle().take(1000).collect();
    peer.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n").send(&all);
    peer.expect(&mut manager, "\r\n\r\n");
    assert_eq!(peer.exactly(&mut manager, all.len()), all);
}

#[test]
fn invariant_14_hazard_15_errors_keep_their_text() {
    let mut manager = Manager::new().expect("a manager");
    let told = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&told);
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
            match event {
                Event::Read => connection.fail(FORMATS),
                Event::Error(Error::Reported(text)) => log.borrow_mut().push(text.clone()),
                _ => {}
            }
            Ok(())
        })
        .expect("to listen");
    Peer::connect(listener.local_addr()).send("x").until_end(&mut manager);
    assert_eq!(*told.borrow(), [FORMATS]);
}

#[test]
fn invariant_14_headers_that_would_break_the_reply_are_refused_before_a_byte_is_written() {
    let bad = [
        ("X-Split", "a\r\nSet-Cookie: b"),
        ("X-Split", "a\nb"),
        ("X-Split", "a\rb"),
        ("X-Nul", "a\0b"),
        ("X Space", "a"),
        ("X-Colon:", "a"),
        ("", "a"),
        ("X\r\nY", "a"),
        ("Content-Length", "1"),
        ("Transfer-Encoding", "chunked"),
    ];
    let mut manager = Manager::new().expect("a manager");
    let listener = manager
        .http("http://127.0.0.1:0", move |request: Request<'_>, reply: Reply<'_>| {
            let (name, value) = bad[request.path()[1..].parse::<usize>().map_err(Error::handler)?];
            let refused = reply.header(name, value).text("not sent");
            assert!(matches!(refused, Err(Error::Header { .. })), "{name:?}: {value:?}");
            refused
        })
        .expect("to listen");
    let mut peer = Peer::connect(listener.local_addr());
    for at in 0..bad.len() {
        let head = peer.send(get(&format!("/{at}"))).expect(&mut manager, "Internal Server Error\n");
        assert!(head.starts_with("HTTP/1.1 500 ") && !head.contains("X-") && !head.contains("Set-Cookie"));
    }
}

#[test]
fn invariant_14_a_body_of_2_to_the_31_and_1_bytes_arrives_whole() {
    // At a smaller scale, a smaller body: all the same more than any socket takes at once.
    let size = scaled((1 << 31) + 1);
    let server = Server::http(move || {
        move |_: Request<'_>, reply: Reply<'_>| {
            // Zeroes that were never written to take no memory.
            let mut body = vec![0u8; size];
            body[size - 1] = b'!';
            reply.body(body)
        }
    });
    let client = Client::connect(server.address);
    let mut stream = client.stream();
    stream.write_all(get("/").as_bytes()).expect("to send");
    let mut block = vec![0; 1 << 20];
    let zeroes = vec![0; block.len()];
    let (mut head, mut received) = (Vec::new(), 0);
    while received < size {
        let count = steadily(|| stream.read(&mut block)).expect("to read");
        assert!(count > 0, "ended after {received} of {size} bytes");
        let mut piece = &block[..count];
        if received == 0 && !head.ends_with(b"\r\n\r\n") {
            let rest = piece.windows(4).position(|four| four == b"\r\n\r\n").map_or(count, |at| at + 4);
            head.extend_from_slice(&piece[..rest]);
            piece = &piece[rest..];
        }
        received += piece.len();
        if received == size {
            assert_eq!(piece.last(), Some(&b'!'));
            piece = &piece[..piece.len() - 1];
        }
        assert!(piece == &zeroes[..piece.len()], "wrong bytes before {received}");
    }
    assert_eq!(received, size, "and none behind it");
    let head = String::from_utf8(head).expect("text");
    assert!(head.contains(&format!("\r\nContent-Length: {size}\r\n")), "{head}");
}

#[test]
fn invariant_15_a_wake_up_of_16_mb_arrives_whole() {
    let size = scaled(16 << 20);
    let mut manager = Manager::new().expect("a manager");
    let payload = Random::new(15).bytes(size);
    let expected = payload.clone();
    let arrived = Rc::new(RefCell::new(None));
    let seen = Rc::clone(&arrived);
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |_: &Connection<'_>, event: Event<'_>| {
            if let Event::Wakeup(payload) = event {
                *seen.borrow_mut() = Some(payload == expected);
            }
            Ok(())
        })
        .expect("to listen");
    let _peers = connect_many(&mut manager, listener.local_addr(), 1);
    let id = manager.connections().into_iter().find(|id| *id != listener.id()).expect("the accepted one");
    let handle = manager.handle();
    std::thread::spawn(move || handle.wakeup(id, payload)).join().expect("no panic").expect("queued");
    poll_until(&mut manager, "the wake-up", |_| arrived.borrow().is_some());
    assert_eq!(arrived.take(), Some(true));
}

#[test]
fn invariant_15_5000_wake_ups_arrive_once_each_and_in_order() {
    let count = scaled(5000).max(100);
    let mut manager = Manager::new().expect("a manager");
    let next = Rc::new(RefCell::new(0));
    let seen = Rc::clone(&next);
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |_: &Connection<'_>, event: Event<'_>| {
            if let Event::Wakeup(payload) = event {
                let number = *seen.borrow();
                assert_eq!(payload, format!("{number}").repeat(number % 50).as_bytes());
                *seen.borrow_mut() += 1;
            }
            Ok(())
        })
        .expect("to listen");
    let _peers = connect_many(&mut manager, listener.local_addr(), 1);
    let id = manager.connections().into_iter().find(|id| *id != listener.id()).expect("the accepted one");
    let handle = manager.handle();
    let sender = std::thread::spawn(move || {
        for number in 0..count {
            handle.wakeup(id, format!("{number}").repeat(number % 50)).expect("queued");
        }
    });
    poll_until(&mut manager, "all of them", |_| *next.borrow() == count);
    settle(&mut manager);
    assert_eq!((*next.borrow(), manager.stats().undelivered), (count, 0));
    sender.join().expect("no panic");
}

#[test]
fn invariant_15_50_mb_from_another_thread_arrive_whole() {
    let size = scaled(50_000_000);
    let mut manager = Manager::new().expect("a manager");
    let listener =
        manager.tcp("tcp://127.0.0.1:0", |_: &Connection<'_>, _: Event<'_>| Ok(())).expect("to listen");
    let mut peer = connect_many(&mut manager, listener.local_addr(), 1).remove(0);
    let id = manager.connections().into_iter().find(|id| *id != listener.id()).expect("the accepted one");
    let bytes = Random::new(50).bytes(size);
    let (handle, sent) = (manager.handle(), bytes.clone());
    std::thread::spawn(move || handle.send(id, sent)).join().expect("no panic").expect("queued");
    assert!(peer.exactly(&mut manager, size) == bytes);
    settle(&mut manager);
    assert!(peer.arrived().is_empty());
    assert_eq!(manager.stats().sent, size as u64);
}

#[test]
fn invariant_15_output_past_its_limit_is_refused_whole() {
    let mut manager = Manager::new().expect("a manager");
    let mut limits = Limits::default();
    limits.output = 1 << 20;
    let listener = manager
        .listener("tcp://127.0.0.1:0")
        .limits(limits)
        .tcp(|_: &Connection<'_>, _: Event<'_>| Ok(()))
        .expect("to listen");
    let mut peer = connect_many(&mut manager, listener.local_addr(), 1).remove(0);
    let id = manager.connections().into_iter().find(|id| *id != listener.id()).expect("the accepted one");
    let bytes = Random::new(51).bytes(12 << 20);
    let connection = manager.connection(id).expect("alive");
    // The first is taken whatever its size, the second not at all.
    connection.send(bytes.as_slice()).expect("room");
    let waiting = connection.queued();
    assert!(waiting > 1 << 20, "the socket took nearly all: {waiting}");
    assert!(matches!(connection.send("refused"), Err(Error::OutputFull { limit: 1_048_576 })));
    assert_eq!(connection.queued(), waiting);
    manager.handle().send(id, "refused too").expect("queued");
    settle(&mut manager);
    assert_eq!(manager.stats().undelivered, 1);
    assert!(peer.exactly(&mut manager, bytes.len()) == bytes);
    manager.connection(id).expect("alive").send("taken again").expect("room");
    assert_eq!(peer.expect(&mut manager, "taken again"), "taken again");
}

#[test]
fn invariant_15_query_values_of_257_and_1_mb_come_back_whole() {
    let mut manager = Manager::new().expect("a manager");
    let mut limits = Limits::default();
    limits.head = 2 << 20;
    let listener = manager
        .listener("http://127.0.0.1:0")
        .limits(limits)
        .http(|request: Request<'_>, reply: Reply<'_>| {
            reply.text(request.query_value("value")?.expect("sent").into_owned())
        })
        .expect("to listen");
    let mut peer = Peer::connect(listener.local_addr());
    for size in [257, scaled(1_000_000).max(4096)] {
        let value: String = (0..size).map(|at| char::from(b'a' + (at % 26) as u8)).collect();
        peer.send_all(&mut manager, get(&format!("/?value={value}")).as_bytes());
        let head = peer.expect(&mut manager, "\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert!(peer.exactly(&mut manager, size) == value.as_bytes(), "{size}");
    }
}
