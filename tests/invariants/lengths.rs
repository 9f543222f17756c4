//! Invariant 19: lengths and pointers, from C and from users, at their extremes.

use std::cell::Cell;
use std::ffi::{CString, c_int};
use std::ptr::{null, null_mut};
use std::rc::Rc;
use std::time::Duration;

use mongoose::http::{Reply, Request};
use mongoose::{Connection, Event, Limits, Manager, sys};
use mongoose_tests::poll_until;

use crate::harness::{Journal, Peer, assert_usable, connect_many, get, settle};

#[test]
fn invariant_19_any_event_number_and_a_missing_message_are_harmless() {
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let log = journal.clone();
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Read = event {
                let first = connection.received() == b"1";
                connection.consume(usize::MAX);
                let user = sys::MG_EV_USER as c_int;
                for code in [c_int::MIN, -user, -1, user - 1, user, c_int::MAX] {
                    // SAFETY: the connection is alive as long as it is borrowed; none of these events has data.
                    unsafe { sys::mg_call(connection.as_raw(), code, null_mut()) };
                }
                if first {
                    // SAFETY: as above; an error without a text.
                    unsafe { sys::mg_call(connection.as_raw(), sys::MG_EV_ERROR as c_int, null_mut()) };
                    connection.close();
                } else {
                    let not_text = CString::new(b"a\xffb".as_slice()).expect("no NUL");
                    // SAFETY: as above; the text is NUL-terminated and lives through the call.
                    unsafe { sys::mg_sys_error(connection.as_raw(), not_text.as_ptr()) };
                }
            } else {
                log.note(format!("{event:?}"));
            }
            Ok(())
        })
        .expect("to listen");
    let last = format!("User({})", c_int::MAX as u32 - sys::MG_EV_USER);
    for (text, error) in [("1", ""), ("2", "a\u{fffd}b")] {
        Peer::connect(listener.local_addr()).send(text).until_end(&mut manager);
        settle(&mut manager);
        let error = format!("Error(Reported({error:?}))");
        assert_eq!(journal.take(), ["Accept", "User(0)", &last, &error, "Close"]);
    }
}

#[test]
fn invariant_19_what_c_appends_is_taken_whatever_its_length() {
    let mut manager = Manager::new().expect("a manager");
    let listener = manager
        .tcp("tcp://127.0.0.1:0", |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Read = event {
                connection.consume(usize::MAX);
                let large = vec![b'c'; 300_000];
                // SAFETY: the connection is alive as long as it is borrowed; C copies the bytes before it returns.
                unsafe {
                    sys::mg_send(connection.as_raw(), null(), 0);
                    sys::mg_send(connection.as_raw(), large.as_ptr().cast(), large.len());
                }
                // In the order of the calls, whoever made them.
                connection.send("from Rust")?;
                // SAFETY: as above.
                unsafe { sys::mg_send(connection.as_raw(), c"from C".as_ptr().cast(), 6) };
                assert_eq!(connection.queued(), 300_000 + 9 + 6);
            }
            Ok(())
        })
        .expect("to listen");
    let mut peer = Peer::connect(listener.local_addr());
    peer.send("x");
    assert!(peer.exactly(&mut manager, 300_000).iter().all(|byte| *byte == b'c'));
    assert_eq!(peer.exactly(&mut manager, 15), b"from Rustfrom C");
}

#[test]
fn invariant_19_c_sees_the_message_that_rust_sees_with_none_to_128_headers() {
    let mut manager = Manager::new().expect("a manager");
    let listener = manager
        .http("http://127.0.0.1:0", |request: Request<'_>, reply: Reply<'_>| {
            let count = request.headers().len();
            let raw = request.as_raw();
            // SAFETY: the message is alive while the handler runs; the names are NUL-terminated.
            let (first, none, slots) = unsafe {
                let first = sys::mg_http_get_header(raw, c"Host".as_ptr());
                let none = sys::mg_http_get_header(raw, c"X-None".as_ptr());
                let slots = (&raw const (*raw).headers).cast::<sys::mg_http_header>();
                (first, none, (0..count).filter(|at| (*slots.add(*at)).name.len > 0).count())
            };
            assert!(none.is_null());
            assert_eq!(slots, count);
            // SAFETY: C answers a pointer into the message.
            let host = unsafe { (*first).len };
            assert_eq!(host, 4);
            // SAFETY: the message is alive; an empty query is `{NULL, 0}` or `{x, 0}`, both legal.
            let query = unsafe { (*raw).query.len };
            assert_eq!((query, request.query(), request.body()), (0, "", b"".as_slice()));
            reply.text(count.to_string())
        })
        .expect("to listen");
    let mut peer = Peer::connect(listener.local_addr());
    for more in [0, 1, 126, 127] {
        let empty_values = "X-Empty:\r\n".repeat(more);
        peer.send_all(&mut manager, format!("GET / HTTP/1.1\r\nHost: test\r\n{empty_values}\r\n").as_bytes());
        let head = peer.expect(&mut manager, "\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        peer.expect(&mut manager, &(more + 1).to_string());
    }
}

#[test]
fn invariant_19_the_largest_numbers_a_user_can_give_overflow_nothing() {
    let mut manager = Manager::new().expect("a manager");
    let mut limits = Limits::default();
    (limits.head, limits.headers, limits.body) = (usize::MAX, usize::MAX, usize::MAX);
    (limits.received, limits.output) = (usize::MAX, usize::MAX);
    let raw = manager
        .listener("tcp://127.0.0.1:0")
        .limits(limits.clone())
        .backlog(u16::MAX)
        .tcp(|connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Read = event {
                connection.consume(1);
                connection.consume(usize::MAX);
                connection.consume(usize::MAX);
                connection.send("seen")?;
            }
            Ok(())
        })
        .expect("to listen");
    let http = manager
        .listener("http://127.0.0.1:0")
        .limits(limits)
        .http(|_: Request<'_>, reply: Reply<'_>| reply.text("served"))
        .expect("to listen");
    let mut peer = connect_many(&mut manager, raw.local_addr(), 1).remove(0);
    peer.send("x").expect(&mut manager, "seen");
    let mut peer = connect_many(&mut manager, http.local_addr(), 1).remove(0);
    peer.send(get("/")).expect(&mut manager, "served");
    // 129 headers do not fit C's struct, whatever the limit says.
    peer.send_all(
        &mut manager,
        format!("GET / HTTP/1.1\r\nHost: test\r\n{}\r\n", "X: y\r\n".repeat(128)).as_bytes(),
    );
    peer.expect(&mut manager, "HTTP/1.1 431 ");
    let mut peer = connect_many(&mut manager, http.local_addr(), 1).remove(0);
    // A length that is a number, and more than there is memory: it may wait, it may be refused, it may not crash.
    peer.send(format!("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n\r\nx", usize::MAX));
    settle(&mut manager);
    let timers = [
        manager.once(Duration::MAX, |_| unreachable!("never due")).expect("a timer"),
        manager.every(Duration::MAX, |_| unreachable!("never due")).expect("a timer"),
    ];
    manager.handle().post(|_| {}).expect("queued");
    manager.poll(Duration::MAX).expect("to poll");
    assert!(timers.iter().all(mongoose::Timer::is_active));
    let ticks = Rc::new(Cell::new(0));
    let count = Rc::clone(&ticks);
    let timer = manager.every(Duration::from_nanos(1), move |_| count.set(count.get() + 1)).expect("a timer");
    poll_until(&mut manager, "the shortest period", |_| ticks.get() > 3);
    drop(timer);
    assert_usable(&mut manager);
}
