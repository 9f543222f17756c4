//! R2: one definition of each property: what Rust answers is the bit that C keeps.

use std::cell::RefCell;
use std::rc::Rc;

use mongoose::http::{Reply, Request};
use mongoose::sys::mg_connection as C;
use mongoose::{Connection, Event, Manager, State};
use mongoose_tests::{Client, poll_until};

/// What C's bits say.
fn state_in_c(connection: &Connection<'_>) -> State {
    let raw = connection.as_raw();
    assert!(!raw.is_null());
    // SAFETY: the struct lives as long as the borrow of the connection; the raw accessors only read it.
    let bits = unsafe {
        [
            (C::is_listening_raw(raw), State::LISTENING),
            (C::is_client_raw(raw), State::CLIENT),
            (C::is_accepted_raw(raw), State::ACCEPTED),
            (C::is_resolving_raw(raw), State::RESOLVING),
            (C::is_connecting_raw(raw), State::CONNECTING),
            (C::is_draining_raw(raw), State::DRAINING),
            (C::is_closing_raw(raw), State::CLOSING),
            (C::is_full_raw(raw), State::PAUSED),
            (C::is_resp_raw(raw), State::RESPONDING),
        ]
    };
    bits.into_iter().filter(|(bit, _)| *bit != 0).map(|(_, state)| state).collect()
}

fn assert_state(connection: &Connection<'_>, expected: State) {
    assert_eq!(connection.state(), expected);
    assert_eq!(state_in_c(connection), expected, "C says otherwise");
}

#[test]
fn r2_the_state_of_each_kind_of_connection_is_what_c_has() {
    let mut manager = Manager::new().expect("a manager");
    let seen = Rc::new(RefCell::new(Vec::new()));
    let note = Rc::clone(&seen);
    let serve = move |connection: &Connection<'_>, event: Event<'_>| {
        if let Event::Accept = event {
            assert_state(connection, State::ACCEPTED);
            connection.pause();
            assert_state(connection, State::ACCEPTED | State::PAUSED);
            connection.resume();
            assert_state(connection, State::ACCEPTED);
            connection.drain();
            assert_state(connection, State::ACCEPTED | State::DRAINING);
            note.borrow_mut().push("accepted");
        }
        Ok(())
    };
    let listener = manager.tcp("tcp://127.0.0.1:0", serve).expect("to listen");
    assert_state(&manager.connection(listener.id()).expect("a listener"), State::LISTENING);

    let note = Rc::clone(&seen);
    let connected = move |connection: &Connection<'_>, event: Event<'_>| {
        match event {
            Event::Connect => {
                assert_state(connection, State::CLIENT);
                connection.close();
                assert_state(connection, State::CLIENT | State::CLOSING);
                note.borrow_mut().push("connected");
            }
            Event::Close => {
                assert_state(connection, State::CLIENT | State::CLOSING);
                note.borrow_mut().push("closed");
            }
            _ => {}
        }
        Ok(())
    };
    let url = format!("tcp://{}", listener.local_addr());
    let id = manager.connect(&url, connected).expect("to connect");
    assert_state(&manager.connection(id).expect("just made"), State::CLIENT | State::RESOLVING);
    poll_until(&mut manager, "both ends", |_| seen.borrow().len() == 3);
}

#[test]
fn r2_a_request_that_is_being_answered_is_so_in_c_too() {
    let server = mongoose_tests::Server::http(|| {
        |request: Request<'_>, reply: Reply<'_>| {
            assert_state(request.connection(), State::ACCEPTED | State::RESPONDING);
            reply.text("yes")
        }
    });
    assert_eq!(Client::connect(server.address).get("/").text(), "yes");
}

#[test]
fn r2_what_c_code_sets_rust_sees_and_does() {
    let mut manager = Manager::new().expect("a manager");
    let serve = |connection: &Connection<'_>, event: Event<'_>| {
        if let Event::Accept = event {
            connection.send("the end")?;
            // SAFETY: the struct lives as long as the borrow of the connection, and nobody else has a reference to it.
            unsafe { C::set_is_draining_raw(connection.as_raw(), 1) };
            assert_state(connection, State::ACCEPTED | State::DRAINING);
            assert!(connection.send("more").is_err());
        }
        Ok(())
    };
    let listener = manager.tcp("tcp://127.0.0.1:0", serve).expect("to listen");
    let mut client = Client::connect(listener.local_addr());
    poll_until(&mut manager, "the connection to drain", |manager| {
        manager.stats().accepted == 1 && manager.stats().connections == 1
    });
    assert_eq!(client.to_end(), b"the end");
}
