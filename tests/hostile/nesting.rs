//! Callbacks inside callbacks, and ends inside ends: hazards 12, 13, 56, 57.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use mongoose::{Connection, ConnectionId, Error, Event, Manager, State, sys};
use mongoose_tests::{Client, poll_until, scaled};

#[test]
fn hazard_12_an_error_reported_in_the_error_s_event_does_not_come_again() {
    let mut manager = Manager::new().expect("a manager");
    let events: Rc<RefCell<Vec<String>>> = Rc::default();
    let note = Rc::clone(&events);
    let serve = move |connection: &Connection<'_>, event: Event<'_>| {
        match event {
            Event::Accept => connection.fail("first"),
            Event::Error(error) => {
                note.borrow_mut().push(error.to_string());
                connection.fail("second");
                // SAFETY: the connection lives as long as the borrow; the format is ours and takes nothing.
                unsafe { sys::mg_error(connection.as_raw(), c"third".as_ptr()) };
            }
            Event::Close => note.borrow_mut().push("close".to_owned()),
            _ => {}
        }
        Ok(())
    };
    let listener = manager.tcp("tcp://127.0.0.1:0", serve).expect("to listen");
    let mut client = Client::connect(listener.local_addr());
    poll_until(&mut manager, "the close", |_| events.borrow().last().is_some_and(|last| last == "close"));
    assert!(client.to_end().is_empty());
    assert_eq!(*events.borrow(), ["first", "close"]);
}

#[test]
fn hazard_13_nothing_is_made_while_the_manager_ends() {
    let mut manager = Manager::new().expect("a manager");
    let refused = Rc::new(Cell::new(0));
    let count = Rc::clone(&refused);
    let serve = move |connection: &Connection<'_>, event: Event<'_>| {
        if let Event::Close = event {
            let registry = connection.registry();
            let quiet = |_: &Connection<'_>, _: Event<'_>| Ok(());
            assert!(matches!(registry.connect("tcp://127.0.0.1:1", quiet), Err(Error::ShuttingDown)));
            assert!(matches!(registry.tcp("tcp://127.0.0.1:0", quiet), Err(Error::ShuttingDown)));
            assert!(matches!(registry.every(Duration::ZERO, |_| {}), Err(Error::ShuttingDown)));
            assert!(matches!(connection.send("late"), Err(Error::Closed)));
            count.set(count.get() + 1);
        }
        Ok(())
    };
    let listener = manager.tcp("tcp://127.0.0.1:0", serve).expect("to listen");
    let clients: Vec<_> = (0..3).map(|_| Client::connect(listener.local_addr())).collect();
    poll_until(&mut manager, "three connections", |manager| manager.stats().accepted == 3);
    drop(manager);
    assert_eq!(refused.get(), 3);
    for mut client in clients {
        assert!(client.to_end().is_empty());
    }
}

#[test]
fn hazard_56_connections_closed_oldest_first_leave_the_others_at_work() {
    let mut manager = Manager::new().expect("a manager");
    let open: Rc<RefCell<VecDeque<ConnectionId>>> = Rc::default();
    let note = Rc::clone(&open);
    let serve = move |connection: &Connection<'_>, event: Event<'_>| {
        match event {
            Event::Accept => note.borrow_mut().push_back(connection.id()),
            Event::Read => {
                connection.send(connection.received())?;
                connection.consume(usize::MAX);
            }
            _ => {}
        }
        Ok(())
    };
    let listener = manager.tcp("tcp://127.0.0.1:0", serve).expect("to listen");
    let count = scaled(400);
    let mut clients = VecDeque::new();
    for number in 1..=count {
        clients.push_back(Client::connect(listener.local_addr()));
        poll_until(&mut manager, "the connection", |_| open.borrow().len() == number);
    }
    while let Some(mut oldest) = clients.pop_front() {
        let id = open.borrow_mut().pop_front().expect("as many");
        manager.connection(id).expect("open").close();
        poll_until(&mut manager, "the close", |manager| manager.connection(id).is_err());
        assert!(oldest.to_end().is_empty());
        if let Some(youngest) = clients.back_mut() {
            let received = manager.stats().received;
            let sent = manager.stats().sent;
            youngest.send("x");
            poll_until(&mut manager, "the echo", |manager| {
                manager.stats().received > received && manager.stats().sent > sent
            });
            assert_eq!(youngest.exactly(1), b"x");
        }
    }
}

#[test]
fn hazard_57_what_is_closed_cannot_be_written_to_and_keeps_its_addresses() {
    let mut manager = Manager::new().expect("a manager");
    let seen = Rc::new(Cell::new(None));
    let note = Rc::clone(&seen);
    let serve = move |connection: &Connection<'_>, event: Event<'_>| {
        match event {
            Event::Accept => connection.drain(),
            Event::Close => {
                assert!(connection.state().contains(State::CLOSING));
                assert!(matches!(connection.send("to whoever has the descriptor now"), Err(Error::Closed)));
                connection.consume(1);
                connection.resume();
                connection.drain();
                connection.close();
                connection.fail("too late");
                note.set(connection.local_addr().zip(connection.remote_addr()));
            }
            Event::Error(error) => panic!("{error}"),
            _ => {}
        }
        Ok(())
    };
    let listener = manager.tcp("tcp://127.0.0.1:0", serve).expect("to listen");
    let mut client = Client::connect(listener.local_addr());
    let own = client.stream().local_addr().expect("connected");
    poll_until(&mut manager, "the close", |_| seen.get().is_some());
    assert_eq!(seen.get(), Some((listener.local_addr(), own)));
    assert!(client.to_end().is_empty());
}
