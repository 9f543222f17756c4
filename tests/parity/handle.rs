//! `Handle`: what other threads ask of the loop.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use mongoose::{Connection, ConnectionId, Error, Event, Manager, Registry};
use mongoose_tests::{Client, PATIENCE, Server, scaled};

/// A server of raw bytes that tells the id of each connection it accepts, and each payload it is woken with.
fn server() -> (Server, mpsc::Receiver<ConnectionId>, mpsc::Receiver<Vec<u8>>) {
    let ((accept, accepted), (wake, woken)) = (mpsc::channel(), mpsc::channel());
    let server = Server::start(move |manager| {
        manager.tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
            match event {
                Event::Accept => accept.send(connection.id()).map_err(Error::handler)?,
                Event::Wakeup(payload) => wake.send(payload.to_vec()).map_err(Error::handler)?,
                _ => {}
            }
            Ok(())
        })
    });
    (server, accepted, woken)
}

#[test]
fn posted_closures_run_in_order_on_the_loop_s_thread() {
    let (server, ..) = server();
    let (note, noted) = mpsc::channel();
    let loops = server.ask(|_| thread::current().id());
    let count = scaled(1000);
    for number in 0..count {
        let note = note.clone();
        let call =
            move |_: &Registry| note.send((number, thread::current().id())).expect("a test that waits");
        server.handle.post(call).expect("a server that is there");
    }
    for number in 0..count {
        assert_eq!(noted.recv_timeout(PATIENCE).expect("a call"), (number, loops));
    }
}

#[test]
fn bytes_sent_from_another_thread_reach_the_peer_in_order() {
    let (server, accepted, _) = server();
    let mut client = Client::connect(server.address);
    let id = accepted.recv_timeout(PATIENCE).expect("a connection");
    let count = scaled(1000);
    for number in 0..count {
        server.handle.send(id, format!("{number} ")).expect("a server that is there");
    }
    let expected: String = (0..count).map(|number| format!("{number} ")).collect();
    assert_eq!(client.exactly(expected.len()), expected.as_bytes());
}

#[test]
fn send_then_tells_what_became_of_it() {
    let (server, accepted, _) = server();
    let mut client = Client::connect(server.address);
    let id = accepted.recv_timeout(PATIENCE).expect("a connection");
    let (tell, told) = mpsc::channel();
    let first = tell.clone();
    server
        .handle
        .send_then(id, "hello", move |result| first.send(result.is_ok()).expect("a test"))
        .expect("queued");
    assert!(told.recv_timeout(PATIENCE).expect("told"));
    assert_eq!(client.exactly(5), b"hello");

    server.ask(move |registry| registry.connection(id).expect("open").close());
    assert!(client.to_end().is_empty());
    let gone = move |result| tell.send(matches!(result, Err(Error::Closed))).expect("a test");
    server.handle.send_then(id, "hello", gone).expect("queued");
    assert!(told.recv_timeout(PATIENCE).expect("told"), "the connection is gone");
    server.handle.send(id, "hello").expect("queued");
    assert_eq!(server.ask(|registry| registry.stats().undelivered), 2);
}

#[test]
fn wake_ups_carry_payloads_to_one_connection() {
    let (server, accepted, woken) = server();
    let _client = Client::connect(server.address);
    let id = accepted.recv_timeout(PATIENCE).expect("a connection");
    for payload in [&b""[..], b"hello", b"\0", &[7; 100_000]] {
        server.handle.wakeup(id, payload).expect("queued");
        assert_eq!(woken.recv_timeout(PATIENCE).expect("a payload"), payload);
    }
}

#[test]
fn stop_ends_run_now_or_when_it_begins() {
    let mut manager = Manager::new().expect("a manager");
    manager.handle().stop();
    manager.run().expect("to run");

    let handle = manager.handle();
    let ran = manager.once(Duration::ZERO, move |_| handle.stop()).expect("a timer");
    manager.run().expect("to run");
    assert!(!ran.is_active());

    let handle = manager.handle();
    let stops = thread::spawn(move || handle.stop());
    manager.run().expect("to run");
    stops.join().expect("no panic");
}

#[test]
fn a_closure_that_is_posted_from_one_that_runs_runs_too() {
    let mut manager = Manager::new().expect("a manager");
    let handle = manager.handle();
    manager
        .handle()
        .post(move |registry| {
            let inner = registry.handle();
            handle.post(move |_| inner.stop()).expect("a manager that is there");
        })
        .expect("a manager that is there");
    manager.run().expect("to run");
}
