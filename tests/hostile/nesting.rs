//! Callbacks inside callbacks, and ends inside ends: hazards 12 to 14, 56, 57, 59.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use mongoose::{Connection, ConnectionId, Error, Event, Manager, Registry, State, Timer, sys};
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
fn hazard_14_a_timer_may_cancel_itself_and_all_others_that_are_due() {
    let mut manager = Manager::new().expect("a manager");
    let fired = Rc::new(Cell::new(0));
    let timers: Rc<RefCell<Vec<Timer>>> = Rc::default();
    for _ in 0..10 {
        let (count, all) = (Rc::clone(&fired), Rc::clone(&timers));
        let call = move |registry: &Registry| {
            count.set(count.get() + 1);
            all.borrow_mut().clear();
            registry.connections().into_iter().for_each(|id| registry.connection(id).expect("open").close());
            // And what it holds is still there.
            assert!(all.borrow().is_empty());
        };
        timers.borrow_mut().push(manager.every(Duration::ZERO, call).expect("a timer"));
    }
    let quiet = |_: &Connection<'_>, _: Event<'_>| Ok(());
    manager.tcp("tcp://127.0.0.1:0", quiet).expect("to listen");
    poll_until(&mut manager, "the close", |manager| manager.stats().connections == 0);
    (0..3).for_each(|_| manager.poll(Duration::ZERO).expect("to poll"));
    assert_eq!(fired.get(), 1);
    assert_eq!(Rc::strong_count(&fired), 1, "their closures are gone");
}

#[test]
fn hazard_59_nothing_that_a_manager_was_given_outlives_it() {
    let count = scaled(200).max(10);
    let mut manager = Manager::new().expect("a manager");
    let kept = Rc::new(());
    let closed = Rc::new(Cell::new(0));
    let (held, count_closed) = (Rc::clone(&kept), Rc::clone(&closed));
    let serve = move |connection: &Connection<'_>, event: Event<'_>| {
        if let Event::Close = event {
            count_closed.set(count_closed.get() + 1);
            // What C makes now stays for ever.
            let held = Rc::clone(&held);
            let more = move |_: &Connection<'_>, _: Event<'_>| {
                let _ = &held;
                Ok(())
            };
            assert!(connection.registry().connect("tcp://127.0.0.1:9", more).is_err());
        }
        Ok(())
    };
    let listener = manager.tcp("tcp://127.0.0.1:0", serve).expect("to listen");
    let _clients: Vec<_> = (0..count).map(|_| Client::connect(listener.local_addr())).collect();
    poll_until(&mut manager, "the connections", |manager| manager.stats().accepted == count as u64);
    let held = Rc::clone(&kept);
    manager.every(Duration::MAX, move |_| drop(Rc::clone(&held))).expect("a timer").detach();
    let held = Rc::clone(&kept);
    manager.resolve("localhost", move |_: &Registry, _| drop(held)).expect("to begin").detach();
    let held = Rc::clone(&kept);
    let connecting = move |_: &Connection<'_>, _: Event<'_>| {
        let _ = &held;
        Ok(())
    };
    manager.connect("tcp://localhost:9", connecting).expect("to begin");
    drop(manager);
    assert_eq!((closed.get(), Rc::strong_count(&kept)), (count, 1));
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
