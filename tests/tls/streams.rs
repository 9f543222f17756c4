//! Raw connections through TLS.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use mongoose::{Connection, Error, Event, Limits, Manager, State};
use mongoose_tests::{Random, poll_until, scaled};

use crate::peer::{End, Peer};
use crate::{certificates, raw};

fn echo(connection: &Connection<'_>, event: Event<'_>) -> Result<(), mongoose::Error> {
    if let Event::Read = event {
        connection.send(connection.received())?;
        connection.consume(usize::MAX);
    }
    Ok(())
}

#[test]
fn an_echo_at_any_chunking_comes_back() {
    let server = raw(Limits::default(), || echo);
    let mut random = Random::new(3);
    let bytes = random.bytes(scaled(300_000));
    for mean in [10, 1000, 30_000] {
        let mut peer = Peer::connect(server.address);
        for piece in random.split(&bytes, mean) {
            peer.send(piece);
            assert_eq!(peer.exactly(piece.len()), piece);
        }
    }
}

#[test]
fn a_connection_says_that_it_is_secure() {
    let server = raw(Limits::default(), || {
        |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Accept = event {
                connection.send(format!("{}", connection.state().contains(State::TLS)))?;
                connection.drain();
            }
            Ok(())
        }
    });
    assert_eq!(Peer::connect(server.address).end(), (b"true".to_vec(), End::Notified));
}

/// More than rustls and the socket hold, to a peer that reads nothing before all is queued.
#[test]
fn a_draining_connection_delivers_all_before_it_says_so() {
    let body = Random::new(5).bytes(scaled(10_000_000));
    let sent = body.clone();
    let server = raw(Limits::default(), move || {
        move |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Accept = event {
                connection.send(sent.clone())?;
                connection.drain();
            }
            Ok(())
        }
    });
    let mut peer = Peer::connect(server.address);
    let (received, end) = peer.end();
    assert!(received == body, "{} of {} bytes", received.len(), body.len());
    assert_eq!(end, End::Notified);
}

#[test]
fn a_closed_connection_is_cut_off() {
    let server = raw(Limits::default(), || {
        |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Read = event {
                connection.close();
            }
            Ok(())
        }
    });
    assert_eq!(Peer::connect(server.address).send("x").end(), (Vec::new(), End::Cut));
}

/// The answers to changes of keys are sealed while others wait for room in the socket.
#[test]
fn keys_that_change_while_bytes_wait_lose_none() {
    let mut limits = Limits::default();
    limits.output = usize::MAX;
    let server = raw(limits, || echo);
    let mut random = Random::new(62);
    let bytes = random.bytes(scaled(12_000_000));
    let mut peer = Peer::connect(server.address);
    for (number, piece) in random.split(&bytes, 20_000).into_iter().enumerate() {
        if number % 3 != 0 {
            peer.tls.refresh_traffic_keys().expect("TLS 1.3");
        }
        peer.send(piece);
    }
    assert!(peer.exactly(bytes.len()) == bytes, "other bytes came back");
    peer.tls.refresh_traffic_keys().expect("TLS 1.3");
    peer.notify_close();
    assert_eq!(peer.end(), (Vec::new(), End::Notified));
}

#[test]
fn a_paused_connection_shows_later_what_was_decrypted() {
    let mut limits = Limits::default();
    limits.received = 1000;
    let server = raw(limits, || {
        move |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Read = event {
                // A hundred bytes at a time, with a rest in between.
                connection.send(&connection.received()[..connection.received().len().min(100)])?;
                connection.consume(100);
                connection.pause();
                let id = connection.id();
                connection
                    .registry()
                    .once(Duration::from_millis(1), move |registry| {
                        if let Ok(connection) = registry.connection(id) {
                            connection.resume();
                        }
                    })?
                    .detach();
            }
            Ok(())
        }
    });
    let mut peer = Peer::connect(server.address);
    let bytes = Random::new(11).bytes(scaled(40_000));
    // Full records, each of which is more than the server holds at a time.
    peer.send(&bytes);
    assert!(peer.exactly(bytes.len()) == bytes, "other bytes came back");
}

#[test]
fn a_shutdown_ends_connections_properly() {
    let mut manager = Manager::new().expect("a manager");
    let config = certificates::server("p256");
    let listener = manager.listener("tls://127.0.0.1:0").tls(config).tcp(echo).expect("to listen");
    let address = listener.local_addr();
    let client = std::thread::spawn(move || {
        let mut peer = Peer::connect(address);
        peer.send("x");
        assert_eq!(peer.exactly(1), b"x");
        peer.end().1
    });
    poll_until(&mut manager, "the echo", |manager| manager.stats().sent == 1);
    manager.shutdown(Duration::from_secs(30)).expect("to end");
    assert_eq!(client.join().expect("no panic"), End::Notified);
}

#[test]
fn a_shutdown_in_the_handshake_is_no_connection_that_is_told_of() {
    let mut manager = Manager::new().expect("a manager");
    let events = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&events);
    let greet = move |connection: &Connection<'_>, event: Event<'_>| {
        log.borrow_mut().push(format!("{event:?}"));
        if let Event::Accept = event { connection.send("hello") } else { Ok(()) }
    };
    let config = certificates::server("p256");
    let listener = manager.listener("tls://127.0.0.1:0").tls(config).tcp(greet).expect("to listen");
    let mut peer = Peer::new(listener.local_addr());
    peer.flush();
    while peer.tls.is_handshaking() {
        peer.socket.set_nonblocking(true).expect("an option");
        poll_until(&mut manager, "the server to answer", |_| peer.socket.peek(&mut [0]).is_ok());
        peer.socket.set_nonblocking(false).expect("an option");
        peer.receive();
    }
    // With this the handshake would be done.
    peer.flush();
    manager.shutdown(Duration::from_secs(30)).expect("to end");
    assert_eq!(*events.borrow(), ["Close"]);
}

#[test]
fn what_other_threads_send_arrives() {
    let server = raw(Limits::default(), || echo);
    let mut peer = Peer::connect(server.address);
    peer.send("x");
    assert_eq!(peer.exactly(1), b"x");
    let id = server.ask(|registry| {
        registry
            .connections()
            .into_iter()
            .find(|id| registry.connection(*id).is_ok_and(|one| one.state().contains(State::TLS)))
    });
    let bytes = Random::new(13).bytes(scaled(2_000_000));
    server.handle.send(id.expect("the connection"), bytes.clone()).expect("to be queued");
    assert!(peer.exactly(bytes.len()) == bytes, "other bytes came");
}

#[test]
fn our_end_is_said_properly_and_the_peers_bytes_still_come() {
    let (tell, told) = std::sync::mpsc::channel();
    let server = raw(Limits::default(), move || {
        move |connection: &Connection<'_>, event: Event<'_>| {
            match event {
                Event::Accept => {
                    connection.send("all of it")?;
                    connection.end();
                }
                Event::Read => {
                    tell.send(connection.received().to_vec()).map_err(Error::handler)?;
                    connection.consume(usize::MAX);
                }
                _ => {}
            }
            Ok(())
        }
    });
    let mut peer = Peer::connect(server.address);
    assert_eq!(peer.end(), (b"all of it".to_vec(), End::Notified));
    peer.send("after that");
    assert_eq!(told.recv_timeout(mongoose_tests::PATIENCE).as_deref(), Ok(&b"after that"[..]));
    peer.notify_close();
    server.wait_until("the end", |registry| registry.connections().len() == 1);
}
