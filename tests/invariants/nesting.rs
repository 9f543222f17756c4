//! Invariant 5: no handler is entered while another of its manager runs.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use mongoose::http::{self, Reply, Request};
use mongoose::{Connection, Error, Event, Manager, sys};
use mongoose_tests::{poll_until, scaled};

use crate::harness::{Journal, Peer, assert_usable, connect_many, fire, get, room, settle};

/// Has C report an error.
fn c_error(connection: &Connection<'_>) {
    // SAFETY: the connection is alive as long as it is borrowed; the format takes no arguments.
    unsafe { sys::mg_error(connection.as_raw(), c"C's own".as_ptr()) }
}

#[test]
fn invariant_05_what_c_fires_in_a_call_arrives_after_the_handler_returned() {
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let log = journal.clone();
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
            log.note(format!("enter {event:?}"));
            if let Event::Read = event {
                connection.consume(usize::MAX);
                fire(connection, 7);
                fire(connection, 3);
                c_error(connection);
            }
            log.note("leave");
            Ok(())
        })
        .expect("to listen");
    let mut peer = Peer::connect(listener.local_addr());
    peer.send("x").until_end(&mut manager);
    let expected = ["Accept", "Read", "User(7)", "User(3)", "Error(Reported(\"C's own\"))", "Close"];
    let expected: Vec<_> =
        expected.into_iter().flat_map(|event| [format!("enter {event}"), "leave".to_owned()]).collect();
    assert_eq!(journal.take(), expected);
}

#[test]
fn invariant_05_events_for_other_connections_arrive_in_the_order_of_firing() {
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let log = journal.clone();
    let depth = Cell::new(0);
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
            assert_eq!(depth.replace(1), 0, "entered while it ran");
            if let Event::Read = event {
                connection.consume(usize::MAX);
                let registry = connection.registry();
                for (number, id) in (0..).zip(registry.connections()) {
                    fire(&registry.connection(id)?, number);
                    fire(&registry.connection(id)?, 100 + number);
                }
            } else if let Event::User(number) = event {
                log.note(number.to_string());
            }
            depth.set(0);
            Ok(())
        })
        .expect("to listen");
    let mut peers: Vec<_> = (0..3).map(|_| Peer::connect(listener.local_addr())).collect();
    poll_until(&mut manager, "all", |manager| manager.stats().accepted == 3);
    peers[1].send("x");
    poll_until(&mut manager, "the last event", |_| journal.has("103"));
    // Number 0 is the listener, which has no handler of events.
    assert_eq!(journal.take(), ["1", "101", "2", "102", "3", "103"]);
}

#[test]
fn invariant_05_of_10000_events_fired_in_a_handler_1024_are_kept_and_the_others_counted() {
    const FIRED: u32 = 10_000;
    let mut manager = Manager::new().expect("a manager");
    let seen = Rc::new(RefCell::new(Vec::new()));
    let numbers = Rc::clone(&seen);
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
            match event {
                Event::Read => {
                    connection.consume(usize::MAX);
                    (0..FIRED).for_each(|number| fire(connection, number));
                    assert!(numbers.borrow().is_empty(), "entered while it ran");
                }
                Event::User(number) => numbers.borrow_mut().push(number),
                _ => {}
            }
            Ok(())
        })
        .expect("to listen");
    let mut peer = Peer::connect(listener.local_addr());
    peer.send("x");
    poll_until(&mut manager, "the events", |_| seen.borrow().len() >= 1024);
    settle(&mut manager);
    assert!(seen.borrow().iter().copied().eq(0..1024), "the first ones, in order");
    assert_eq!(manager.stats().dropped_events, u64::from(FIRED) - 1024);
    assert_usable(&mut manager);
}

#[test]
fn hazard_12_errors_fired_in_an_error_event_do_not_recurse() {
    const FIRED: usize = 10_000;
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let log = journal.clone();
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
            match event {
                Event::Read => (0..FIRED).for_each(|_| c_error(connection)),
                Event::Error(_) => {
                    log.note("error");
                    (0..10).for_each(|_| c_error(connection));
                }
                Event::Close => log.note("close"),
                _ => {}
            }
            Ok(())
        })
        .expect("to listen");
    let mut peer = Peer::connect(listener.local_addr());
    peer.send("x").until_end(&mut manager);
    settle(&mut manager);
    let told = journal.count("error");
    assert!((1..=1024).contains(&told), "told {told} times");
    assert_eq!(journal.take().last().map(String::as_str), Some("close"));
    assert!(manager.stats().dropped_events >= (FIRED - 1024) as u64);
    assert_usable(&mut manager);
}

#[test]
fn invariant_05_every_connection_that_fails_is_told_however_many_fail_in_one_handler() {
    let count = scaled(2000).min(room());
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let log = journal.clone();
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |_: &Connection<'_>, event: Event<'_>| {
            if let Event::Error(Error::Reported(reason)) = event {
                log.note(reason);
            }
            Ok(())
        })
        .expect("to listen");
    let peers = connect_many(&mut manager, listener.local_addr(), count);
    manager
        .handle()
        .post(|registry| {
            for id in registry.connections() {
                let connection = registry.connection(id).expect("alive");
                // A second report of the same connection is none.
                connection.fail("enough");
                connection.fail("again");
            }
        })
        .expect("queued");
    poll_until(&mut manager, "their end", |manager| manager.stats().connections == 0);
    assert_eq!((journal.count("enough"), journal.count("again")), (count, 0));
    drop(peers);
}

#[test]
fn invariant_05_mg_ws_upgrade_in_a_handler_enters_no_handler() {
    struct Upgrader(Journal);
    impl http::Handler for Upgrader {
        fn request(&mut self, request: Request<'_>, _: Reply<'_>) -> Result<(), Error> {
            self.0.note("enter");
            // SAFETY: connection and message are alive while the handler runs; without a format there are no arguments.
            unsafe {
                sys::mg_ws_upgrade(request.connection().as_raw(), request.as_raw(), std::ptr::null());
            }
            self.0.note("leave");
            Ok(())
        }

        fn event(&mut self, _: &Connection<'_>, event: Event<'_>) {
            self.0.note(format!("{event:?}"));
        }
    }
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let listener = manager.http("http://127.0.0.1:0", Upgrader(journal.clone())).expect("to listen");
    let mut peer = Peer::connect(listener.local_addr());
    peer.send(
        "GET /chat HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    );
    let reply = peer.expect(&mut manager, "\r\n\r\n");
    assert!(reply.starts_with("HTTP/1.1 101 "), "{reply}");
    assert!(reply.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "the key of RFC 6455 section 1.3: {reply}");
    settle(&mut manager);
    assert_eq!(journal.take(), ["Accept", "enter", "leave"], "MG_EV_WS_OPEN entered nobody");
    assert_usable(&mut manager);
}

#[test]
fn invariant_05_a_handler_may_connect_listen_close_others_and_replace_itself_in_one_callback() {
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let log = journal.clone();
    let inside = Rc::new(Cell::new(false));
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
            assert!(!inside.replace(true), "entered while it ran");
            let registry = connection.registry();
            if let Event::Read = event {
                connection.consume(usize::MAX);
                for id in registry.connections() {
                    if id != connection.id() {
                        registry.connection(id)?.close();
                    }
                }
                let served = log.clone();
                let next =
                    registry.http("http://127.0.0.1:0", move |request: Request<'_>, reply: Reply<'_>| {
                        served.note(format!("request {}", request.path()));
                        reply.text("from the new listener")
                    })?;
                let told = log.clone();
                registry.connect(&format!("tcp://{}", next.local_addr()), client(&told))?;
                let log = log.clone();
                connection.set_handler(move |connection: &Connection<'_>, event: Event<'_>| {
                    if let Event::Read = event {
                        log.note("the successor reads");
                        connection.send("from the successor")?;
                        connection.consume(usize::MAX);
                    }
                    Ok(())
                })?;
                connection.send("from the first")?;
            } else if let Event::Close = event {
                log.note("closed by another");
            }
            inside.set(false);
            Ok(())
        })
        .expect("to listen");
    let mut other = Peer::connect(listener.local_addr());
    let mut peer = Peer::connect(listener.local_addr());
    poll_until(&mut manager, "both", |manager| manager.stats().accepted == 2);
    peer.send("go").expect(&mut manager, "from the first");
    assert!(other.until_end(&mut manager).is_empty());
    peer.send("on").expect(&mut manager, "from the successor");
    poll_until(&mut manager, "the reply", |_| journal.any(|line| line.contains("from the new listener")));
    for line in ["closed by another", "request /", "the successor reads"] {
        assert_eq!(journal.count(line), 1, "{line}");
    }
}

/// Asks for `/` once connected, and notes what comes.
fn client(journal: &Journal) -> impl mongoose::Handler + use<> {
    let journal = journal.clone();
    move |connection: &Connection<'_>, event: Event<'_>| {
        match event {
            Event::Connect => connection.send(get("/"))?,
            Event::Read => {
                journal.note(String::from_utf8_lossy(connection.received()));
                connection.consume(usize::MAX);
            }
            _ => {}
        }
        Ok(())
    }
}
