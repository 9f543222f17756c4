//! R4, R5, R9: views are of the buffer itself, last as long as they are used, and cost nothing; snapshots are copies.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use mongoose::http::{Reply, Request};
use mongoose::{Connection, Event, Manager};
use mongoose_tests::{Client, Server, poll_until};

/// Where bytes lie.
fn place(bytes: &[u8]) -> Range<usize> {
    let start = bytes.as_ptr() as usize;
    start..start + bytes.len()
}

fn lies_in(inner: &[u8], outer: &[u8]) -> bool {
    place(outer).start <= place(inner).start && place(inner).end <= place(outer).end
}

#[test]
fn r4_a_view_stays_as_it_is_until_the_handler_returns() {
    let server = Server::start(|manager| {
        manager.tcp("tcp://127.0.0.1:0", |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Read = event {
                let view = connection.received();
                let copy = view.to_vec();
                connection.consume(usize::MAX);
                assert!(connection.received().is_empty(), "what is consumed is not shown again");
                connection.send(vec![b'-'; 100_000])?;
                connection.drain();
                assert_eq!(view, copy);
                let listener = connection
                    .registry()
                    .tcp("tcp://127.0.0.1:0", |_: &Connection<'_>, _: Event<'_>| Ok(()))?;
                listener.close();
                assert_eq!(view, copy);
            }
            Ok(())
        })
    });
    let mut client = Client::connect(server.address);
    assert_eq!(client.send("some bytes").to_end().len(), 100_000);
}

#[test]
fn r4_received_bytes_are_shown_again_until_they_are_consumed() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let note = Rc::clone(&seen);
    let mut manager = Manager::new().expect("a manager");
    let serve = move |connection: &Connection<'_>, event: Event<'_>| {
        if let Event::Read = event {
            let received = connection.received();
            note.borrow_mut().push(String::from_utf8_lossy(received).into_owned());
            if let Some(end) = received.iter().position(|&byte| byte == b'\n') {
                connection.consume(end + 1);
            }
        }
        Ok(())
    };
    let listener = manager.tcp("tcp://127.0.0.1:0", serve).expect("to listen");
    let mut client = Client::connect(listener.local_addr());
    for (text, shown) in [("on", "on"), ("e\ntw", "one\ntw"), ("o\n", "two\n"), ("x", "x")] {
        client.send(text);
        poll_until(&mut manager, "the bytes", |_| seen.borrow().last().is_some_and(|last| last == shown));
    }
    assert_eq!(*seen.borrow(), ["on", "one\ntw", "two\n", "x"]);
}

#[test]
fn r4_a_snapshot_of_what_waits_is_a_copy() {
    let server = Server::start(|manager| {
        manager.tcp("tcp://127.0.0.1:0", |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Accept = event {
                connection.send("one ")?;
                let snapshot = connection.queued_bytes();
                connection.send("two")?;
                assert_eq!(snapshot, b"one ");
                assert_eq!(connection.queued_bytes(), b"one two");
                assert_eq!(connection.queued(), 7);
                connection.drain();
            }
            Ok(())
        })
    });
    assert_eq!(Client::connect(server.address).to_end(), b"one two");
}

#[test]
fn r5_strings_handed_to_a_reply_may_end_before_it() {
    let server = Server::http(|| {
        |_: Request<'_>, reply: Reply<'_>| {
            let mut reply = reply.status(201);
            for number in 0..3 {
                let name = format!("X-{number}");
                let value = format!("value {number}");
                reply = reply.header(&name, value);
            }
            let deferred = reply.header("X-Lost", "a reply that is deferred begins anew").defer();
            let later = {
                let value = String::from("later");
                deferred.reply().status(202).header("X-Later", &value)
            };
            let body = String::from("body");
            later.text(&body)
        }
    });
    let response = Client::connect(server.address).get("/");
    assert_eq!((response.status, response.text()), (202, "body"));
    assert_eq!(response.header("X-Later"), Some("later"));
    assert_eq!(response.header("X-Lost"), None);

    let server = Server::http(|| {
        |_: Request<'_>, reply: Reply<'_>| {
            let reply = (0..50).fold(reply, |reply, n| reply.header(&format!("X-{n}"), format!("value {n}")));
            reply.text(format!("{}", 42))
        }
    });
    let response = Client::connect(server.address).get("/");
    for n in 0..50 {
        assert_eq!(response.header(&format!("X-{n}")), Some(&*format!("value {n}")));
    }
    assert_eq!(response.text(), "42");
}

#[test]
fn r9_all_that_a_request_shows_lies_in_the_receive_buffer() {
    let server = Server::http(|| {
        |request: Request<'_>, reply: Reply<'_>| {
            let message = request.message();
            for view in [request.method(), request.target(), request.path(), request.query()] {
                assert!(lies_in(view.as_bytes(), request.head()), "{view} is a copy");
            }
            for (name, value) in request.headers().iter() {
                assert!(
                    lies_in(name.as_bytes(), request.head()) && lies_in(value.as_bytes(), request.head())
                );
            }
            assert!(lies_in(request.head(), message) && lies_in(request.body(), message));
            assert_eq!(place(request.body()).end, place(message).end);
            // Looked up again, it is the same bytes, not a second conversion of them.
            let first = request.header("X-Long").expect("a header");
            for _ in 0..1000 {
                let again = request.header("x-LONG").expect("a header");
                assert_eq!(place(again.as_bytes()), place(first.as_bytes()));
                assert_eq!(place(again.to_str().expect("text").as_bytes()), place(first.as_bytes()));
            }
            let plain = request.query_value("plain")?.expect("a variable");
            assert!(lies_in(plain.as_bytes(), request.head()), "it needed no decoding");
            reply.text("checked")
        }
    });
    let request = format!(
        "POST /a/b?plain=c&d=%20 HTTP/1.1\r\nHost: h\r\nX-Long: {}\r\nContent-Length: 4\r\n\r\nbody",
        "x".repeat(5000)
    );
    assert_eq!(Client::connect(server.address).send(request).response().text(), "checked");
}
