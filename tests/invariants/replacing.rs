//! Invariants 5 and 7: handlers that replace themselves or each other, and when those replaced are dropped.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use mongoose::http::{self, Reply, Request};
use mongoose::{Connection, ConnectionId, Error, Event, Manager};
use mongoose_tests::poll_until;

use crate::harness::{Journal, Mine, Noted, Peer, get, next_blast, settle};

/// Notes what it reads under its name, and takes it.
fn reader(journal: &Journal, name: &'static str) -> impl mongoose::Handler + use<> {
    let journal = journal.clone();
    let _noted = Noted(journal.clone(), name);
    move |connection: &Connection<'_>, event: Event<'_>| {
        let _keep = &_noted;
        if let Event::Read = event {
            journal.note(format!("{name} read {}", String::from_utf8_lossy(connection.received())));
            connection.consume(usize::MAX);
        }
        Ok(())
    }
}

#[test]
fn invariant_05_a_handler_that_replaces_itself_is_dropped_after_it_returned() {
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let log = journal.clone();
    let listener = manager
        .tcp_each("tcp://127.0.0.1:0", move || {
            let log = log.clone();
            let noted = Noted(log.clone(), "first dropped");
            move |connection: &Connection<'_>, event: Event<'_>| {
                let _keep = &noted;
                if let Event::Read = event {
                    // Twice: the one in between never runs.
                    connection.set_handler(reader(&log, "never"))?;
                    connection.set_handler(reader(&log, "second"))?;
                    connection.consume(3);
                    log.note("first returns");
                }
                Ok(())
            }
        })
        .expect("to listen");
    let mut peer = Peer::connect(listener.local_addr());
    peer.send("onetwo");
    poll_until(&mut manager, "the second handler", |_| journal.has("second read two"));
    assert_eq!(journal.take(), ["never", "first returns", "first dropped", "second read two"]);
    peer.send("three");
    poll_until(&mut manager, "the second handler", |_| journal.has("second read three"));
    drop(peer);
    poll_until(&mut manager, "the drop", |_| journal.has("second"));
    assert_eq!(journal.count("second"), 1, "dropped once (invariant 7)");
}

#[test]
fn invariant_05_an_idle_connection_s_next_event_goes_to_its_new_handler() {
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let log = journal.clone();
    let listener = manager.tcp_each("tcp://127.0.0.1:0", move || reader(&log, "old")).expect("to listen");
    let mut peer = Peer::connect(listener.local_addr());
    poll_until(&mut manager, "the connection", |manager| manager.stats().connections == 2);
    let id = manager.connections().into_iter().find(|id| *id != listener.id()).expect("the accepted one");
    manager.connection(id).expect("alive").set_handler(reader(&journal, "new")).expect("open");
    peer.send("x");
    poll_until(&mut manager, "the data", |_| journal.has("new read x") || journal.has("old read x"));
    assert_eq!(journal.take(), ["old", "new read x"], "the old one was dropped and saw nothing");
}

#[test]
fn invariant_05_replacing_the_handler_of_a_connection_inside_a_chunked_body_is_harmless() {
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let listener = manager
        .http("http://127.0.0.1:0", |_: Request<'_>, reply: Reply<'_>| reply.text("never"))
        .expect("to listen");
    let mut peer = Peer::connect(listener.local_addr());
    peer.send("POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel");
    poll_until(&mut manager, "the first piece", |manager| manager.stats().received > 0);
    let id = manager.connections().into_iter().find(|id| *id != listener.id()).expect("the accepted one");
    // From somewhere else than its own handler.
    let log = journal.clone();
    let taking_over = manager
        .once(Duration::ZERO, move |registry| {
            registry.connection(id).expect("alive").set_handler(reader(&log, "raw")).expect("open");
        })
        .expect("a timer");
    poll_until(&mut manager, "the timer", |_| !taking_over.is_active());
    peer.send("lo\r\n0\r\n\r\n");
    poll_until(&mut manager, "the rest", |_| journal.any(|line| line.ends_with("lo\r\n0\r\n\r\n")));
}

#[test]
fn invariant_05_a_client_whose_handler_is_replaced_while_it_connects_tells_the_new_one() {
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let listener =
        manager.tcp("tcp://127.0.0.1:0", |_: &Connection<'_>, _: Event<'_>| Ok(())).expect("to listen");
    let url = format!("tcp://{}", listener.local_addr());
    let noting = |name: &'static str| {
        let journal = journal.clone();
        move |_: &Connection<'_>, event: Event<'_>| {
            journal.note(format!("{name} {event:?}"));
            Ok(())
        }
    };
    let id = manager.connect(&url, noting("old")).expect("to begin");
    manager.connection(id).expect("there").set_handler(noting("new")).expect("open");
    poll_until(&mut manager, "a connection", |_| !journal.is_empty());
    assert_eq!(journal.take(), ["new Connect"]);
}

#[test]
fn invariant_05_a_handler_that_replaces_itself_for_ever_does_not_hold_the_loop() {
    struct Chameleon(Rc<Cell<u64>>);
    impl mongoose::Handler for Chameleon {
        fn event(&mut self, connection: &Connection<'_>, event: Event<'_>) -> Result<(), Error> {
            if let Event::Read = event {
                self.0.set(self.0.get() + 1);
                assert!(self.0.get() < 100_000, "poll does not return");
                connection.set_handler(Chameleon(Rc::clone(&self.0)))?;
            }
            Ok(())
        }
    }
    let mut manager = Manager::new().expect("a manager");
    let reads = Rc::new(Cell::new(0));
    let count = Rc::clone(&reads);
    let listener =
        manager.tcp_each("tcp://127.0.0.1:0", move || Chameleon(Rc::clone(&count))).expect("to listen");
    let mut peer = Peer::connect(listener.local_addr());
    peer.send("never consumed");
    poll_until(&mut manager, "some turns", |manager| reads.get() > 0 && manager.stats().polls > 20);
    // Others have their turn.
    let mut other = Peer::connect(listener.local_addr());
    other.send("x");
    poll_until(&mut manager, "the other to be accepted", |manager| manager.stats().accepted == 2);
}

#[test]
fn invariant_05_resuming_what_is_not_paused_does_not_hold_the_loop() {
    let mut manager = Manager::new().expect("a manager");
    let reads = Rc::new(Cell::new(0u64));
    let count = Rc::clone(&reads);
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Read = event {
                count.set(count.get() + 1);
                assert!(count.get() < 100_000, "poll does not return");
                // Nothing is consumed: the handler waits for more.
                connection.pause();
                connection.resume();
            }
            Ok(())
        })
        .expect("to listen");
    let mut peer = Peer::connect(listener.local_addr());
    peer.send("half a line");
    poll_until(&mut manager, "the line", |_| reads.get() > 0);
    settle(&mut manager);
    let before = reads.get();
    settle(&mut manager);
    assert_eq!(reads.get(), before, "nothing new came: there is nothing to tell");
}

#[test]
fn invariant_05_a_paused_handler_sees_what_it_left_once_it_is_resumed() {
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let log = journal.clone();
    let the_id = Rc::new(Cell::new(None::<ConnectionId>));
    let id = Rc::clone(&the_id);
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Read = event {
                log.note(String::from_utf8_lossy(connection.received()));
                if id.replace(Some(connection.id())).is_none() {
                    connection.pause();
                } else {
                    connection.consume(usize::MAX);
                }
            }
            Ok(())
        })
        .expect("to listen");
    let mut peer = Peer::connect(listener.local_addr());
    peer.send("left");
    poll_until(&mut manager, "the first look", |_| journal.has("left"));
    settle(&mut manager);
    assert_eq!(journal.take(), ["left"]);
    manager.connection(the_id.get().expect("noted")).expect("alive").resume();
    poll_until(&mut manager, "the second look", |_| journal.has("left"));
}

#[test]
fn invariant_13_a_replaced_handler_that_panics_in_drop_does_not_hold_up_its_successor() {
    struct Old {
        _mine: Mine,
        journal: Journal,
    }
    impl http::Handler for Old {
        fn request(&mut self, _: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
            reply.upgrade("raw", reader(&self.journal, "new"))
        }
    }
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let log = journal.clone();
    let listener = manager
        .http_each("http://127.0.0.1:0", move || Old { _mine: Mine(5), journal: log.clone() })
        .expect("to listen");
    let mut peer = Peer::connect(listener.local_addr());
    // All in one segment: what is behind the request is for the new handler, and nothing more comes to wake it.
    peer.send(get("/") + "behind");
    assert_eq!(next_blast(&mut manager), 5);
    peer.expect(&mut manager, "101 Switching Protocols");
    poll_until(&mut manager, "what is behind the request", |_| journal.has("new read behind"));
}

#[test]
fn invariant_05_a_connection_ready_in_the_same_batch_is_no_longer_its_old_handler_s() {
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let http = manager
        .http("http://127.0.0.1:0", |_: Request<'_>, reply: Reply<'_>| reply.text("never"))
        .expect("to listen");
    let mut victim = Peer::connect(http.local_addr());
    victim.send("POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel");
    poll_until(&mut manager, "the first piece", |manager| manager.stats().received > 0);
    let victim_id = manager.connections().into_iter().find(|id| *id != http.id()).expect("the accepted one");
    let log = journal.clone();
    let raw = manager
        .tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Read = event {
                connection.registry().connection(victim_id)?.set_handler(reader(&log, "raw"))?;
                connection.consume(usize::MAX);
            }
            Ok(())
        })
        .expect("to listen");
    let mut attacker = Peer::connect(raw.local_addr());
    poll_until(&mut manager, "both", |manager| manager.stats().accepted == 2);
    // Ready in this order, and seen by one poll: the old handler would ask to decode, the new one cannot.
    attacker.send("now");
    victim.send("lo\r\n0\r\n\r\n");
    poll_until(&mut manager, "the rest", |_| journal.any(|line| line.ends_with("lo\r\n0\r\n\r\n")));
}

#[test]
fn invariant_15_limits_hold_for_a_raw_handler_that_took_over_from_http() {
    const LIMIT: usize = 100_000;
    let mut manager = Manager::new().expect("a manager");
    let most = Rc::new(Cell::new(0));
    let seen = Rc::clone(&most);
    let mut limits = mongoose::Limits::default();
    limits.received = LIMIT;
    let listener = manager
        .listener("http://127.0.0.1:0")
        .limits(limits)
        .http(move |_: Request<'_>, reply: Reply<'_>| {
            let seen = Rc::clone(&seen);
            reply.upgrade("raw", move |connection: &Connection<'_>, _: Event<'_>| {
                // Nothing is ever consumed.
                seen.set(connection.received().len());
                Ok(())
            })
        })
        .expect("to listen");
    let mut peer = Peer::connect(listener.local_addr());
    peer.send(get("/"));
    peer.expect(&mut manager, "\r\n\r\n");
    let mut stream = peer.stream();
    let block = [b'x'; 4096];
    // Until the system's own buffers are full too.
    poll_until(&mut manager, "the sender to be held up", |_| {
        (0..64).any(|_| std::io::Write::write(&mut stream, &block).is_err())
    });
    settle(&mut manager);
    // One read past the limit may be held: it was begun below it.
    assert!((LIMIT..LIMIT + (256 << 10)).contains(&most.get()), "{} bytes held", most.get());
}

#[test]
fn invariant_05_consuming_under_a_request_does_not_shift_it() {
    struct Meddler(Journal);
    impl http::Handler for Meddler {
        fn request(&mut self, request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
            self.0.note(format!("{} {:?}", request.path(), request.body_str()));
            request.connection().consume(usize::MAX);
            reply.text("ok")
        }

        fn event(&mut self, connection: &Connection<'_>, event: Event<'_>) {
            if let Event::Wakeup(_) = event {
                connection.consume(30);
                self.0.note("meddled");
            }
        }
    }
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let listener = manager.http("http://127.0.0.1:0", Meddler(journal.clone())).expect("to listen");
    let mut peer = Peer::connect(listener.local_addr());
    let body = "GET /smuggled HTTP/1.1\r\nHost: test\r\n\r\n";
    peer.send(format!("POST /one HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n\r\nG", body.len()));
    poll_until(&mut manager, "the first piece", |manager| manager.stats().received > 0);
    let id = manager.connections().into_iter().find(|id| *id != listener.id()).expect("the accepted one");
    manager.handle().wakeup(id, "").expect("queued");
    poll_until(&mut manager, "the wake-up", |_| journal.has("meddled"));
    peer.send(&body[1..]).send(get("/two"));
    poll_until(&mut manager, "both requests", |_| journal.any(|line| line.starts_with("/two")));
    assert_eq!(
        journal.take(),
        ["meddled".to_owned(), format!("/one Ok({body:?})"), "/two Ok(\"\")".to_owned()]
    );
}

#[test]
fn invariant_13_bytes_that_are_there_are_shown_though_the_one_replaced_panics_in_drop() {
    for itself in [false, true] {
        let mut manager = Manager::new().expect("a manager");
        let journal = Journal::default();
        let log = journal.clone();
        let listener = manager
            .tcp_each("tcp://127.0.0.1:0", move || {
                let (log, mine) = (log.clone(), Mine(1));
                move |connection: &Connection<'_>, event: Event<'_>| {
                    let _keep = &mine;
                    log.note(format!("{event:?}"));
                    if let Event::Wakeup(_) = event {
                        connection.set_handler(reader(&log, "next"))?;
                    }
                    Ok(())
                }
            })
            .expect("to listen");
        let mut peer = Peer::connect(listener.local_addr());
        peer.send("abc");
        poll_until(&mut manager, "the bytes", |_| journal.has("Read"));
        journal.take();
        let id = manager.connections().into_iter().find(|id| *id != listener.id()).expect("it is there");
        if itself {
            manager.handle().wakeup(id, "now").expect("to be queued");
        } else {
            let connection = manager.connection(id).expect("it is there");
            connection.set_handler(reader(&journal, "next")).expect("to be set");
        }
        assert_eq!(next_blast(&mut manager), 1);
        settle(&mut manager);
        assert_eq!(journal.take().last().map(String::as_str), Some("next read abc"));
    }
}
