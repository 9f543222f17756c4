//! The orderly end: close, drain, half-close and shutdown.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use mongoose::http::{Deferred, Reply, Request};
use mongoose::{Connection, Event, Manager};
use mongoose_tests::{Client, PATIENCE, Server, poll_until};

#[test]
fn drain_sends_what_waits_and_close_does_not_wait() {
    let size = 3_000_000;
    for (drain, all) in [(true, true), (false, false)] {
        let server = Server::start(move |manager| {
            manager.tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
                if let Event::Accept = event {
                    connection.send(vec![b'x'; size])?;
                    if drain { connection.drain() } else { connection.close() }
                }
                Ok(())
            })
        });
        let received = Client::connect(server.address).to_end().len();
        assert!(if all { received == size } else { received < size }, "{received} bytes");
    }
}

#[test]
fn hazard_32_a_deferred_reply_reaches_a_peer_that_has_ended_its_direction() {
    let (defer, deferred) = mpsc::channel::<Deferred>();
    let server = Server::http(move || {
        move |_: Request<'_>, reply: Reply<'_>| defer.send(reply.defer()).map_err(mongoose::Error::handler)
    });
    let mut client = Client::connect(server.address);
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").end();
    let waiting = deferred.recv_timeout(PATIENCE).expect("the request");
    // The end has been read, too, when the loop has answered a question asked after it was sent.
    server.ask(|_| ());
    thread::spawn(move || waiting.reply().body(vec![b'x'; 5_000_000]).expect("a server that is there"));
    assert_eq!(client.response().body.len(), 5_000_000);
    assert!(client.to_end().is_empty(), "and then the connection is closed");
}

#[test]
fn shutdown_answers_what_is_in_flight_and_closes_what_is_idle() {
    let mut manager = Manager::new().expect("a manager");
    let (defer, deferred) = mpsc::channel::<Deferred>();
    let serve = move |request: Request<'_>, reply: Reply<'_>| match request.path() {
        "/defer" => defer.send(reply.defer()).map_err(mongoose::Error::handler),
        _ => reply.body(request.body()),
    };
    let listener = manager.http("http://127.0.0.1:0", serve).expect("to listen");
    let connect = || Client::connect(listener.local_addr());
    let (mut idle, mut due, mut sending) = (connect(), connect(), connect());
    due.send("GET /defer HTTP/1.1\r\nHost: h\r\n\r\n");
    sending.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbo");
    let mut waiting = None;
    poll_until(&mut manager, "all three", |manager| {
        waiting = waiting.take().or_else(|| deferred.try_recv().ok());
        waiting.is_some() && manager.stats().accepted == 3 && manager.stats().received > 80
    });
    let waiting: Deferred = waiting.expect("the request");

    let clients = thread::spawn(move || {
        assert!(idle.to_end().is_empty(), "an idle connection is closed");
        // The others are open: what was begun is finished.
        sending.send("dy");
        let response = sending.response();
        assert_eq!((response.text(), response.header("Connection")), ("body", Some("close")));
        assert!(sending.to_end().is_empty());
        waiting.reply().text("done").expect("a manager that is there");
        assert_eq!(due.response().text(), "done");
        assert!(due.to_end().is_empty());
    });
    manager.shutdown(PATIENCE).expect("to shut down");
    clients.join().expect("no panic");
    assert_eq!(manager.stats().connections, 0, "listeners too");
}

#[test]
fn shutdown_gives_up_when_the_grace_is_over() {
    let mut manager = Manager::new().expect("a manager");
    let kept: Rc<RefCell<Option<Deferred>>> = Rc::default();
    let keep = Rc::clone(&kept);
    let serve = move |_: Request<'_>, reply: Reply<'_>| {
        *keep.borrow_mut() = Some(reply.defer());
        Ok(())
    };
    let listener = manager.http("http://127.0.0.1:0", serve).expect("to listen");
    let mut client = Client::connect(listener.local_addr());
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    poll_until(&mut manager, "the request", |_| kept.borrow().is_some());
    manager.shutdown(Duration::from_millis(1)).expect("to shut down");
    assert_eq!(manager.stats().connections, 1, "the one that waits");
    drop(kept.take());
    poll_until(&mut manager, "the answer", |manager| manager.stats().sent > 0);
    assert_eq!(client.response().status, 500);
    drop(client);
    poll_until(&mut manager, "the end", |manager| manager.stats().connections == 0);
}

#[test]
fn each_connection_hears_of_its_close_once_whoever_closes() {
    let mut manager = Manager::new().expect("a manager");
    let closes = Rc::new(Cell::new(0));
    let count = Rc::clone(&closes);
    let serve = move |connection: &Connection<'_>, event: Event<'_>| {
        match event {
            Event::Read if connection.received() == b"close" => connection.close(),
            Event::Read if connection.received() == b"drain" => connection.drain(),
            Event::Close => count.set(count.get() + 1),
            _ => {}
        }
        Ok(())
    };
    let listener = manager.tcp("tcp://127.0.0.1:0", serve).expect("to listen");
    for (number, word) in [(1, "close"), (2, "drain"), (3, "")] {
        let mut client = Client::connect(listener.local_addr());
        client.send(word).end();
        poll_until(&mut manager, "the close", |_| closes.get() == number);
        assert!(client.to_end().is_empty());
    }
    let _client = Client::connect(listener.local_addr());
    poll_until(&mut manager, "the connection", |manager| manager.stats().accepted == 4);
    drop(manager);
    assert_eq!(closes.get(), 4, "the manager's end is one, too");
}
