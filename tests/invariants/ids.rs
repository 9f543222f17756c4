//! Invariant 4: an id names one connection for ever.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

use mongoose::{Connection, ConnectionId, Error, Event, Manager};
use mongoose_tests::{poll_until, scaled};

use crate::harness::{Journal, Peer, connect_many, settle};

/// The slot in an id's text, `manager.slot.generation`.
fn slot(id: ConnectionId) -> String {
    id.to_string().split('.').nth(1).expect("three parts").to_owned()
}

/// Listens, and notes in the journal who is told what.
fn listen(manager: &Manager, journal: &Journal) -> mongoose::Listener {
    let log = journal.clone();
    manager
        .tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
            log.note(format!("{} {event:?}", connection.id()));
            Ok(())
        })
        .expect("to listen")
}

fn is_closed<T>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::Closed))
}

#[test]
fn invariant_04_a_stale_id_is_closed_though_its_slot_is_used_again() {
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let listener = listen(&manager, &journal);
    let first = connect_many(&mut manager, listener.local_addr(), 1);
    let old = manager.connections().into_iter().find(|id| *id != listener.id()).expect("the accepted one");
    drop(first);
    poll_until(&mut manager, "the first to go", |manager| manager.stats().connections == 1);
    assert!(is_closed(manager.connection(old)));

    let mut second = connect_many(&mut manager, listener.local_addr(), 1).remove(0);
    let new = manager.connections().into_iter().find(|id| *id != listener.id()).expect("the accepted one");
    assert_eq!(slot(old), slot(new), "the slot is used again");
    assert_ne!(old, new);
    journal.take();

    // Nothing that is meant for the old one reaches the new one.
    assert!(is_closed(manager.connection(old)));
    let outcome = std::sync::Arc::new(std::sync::Mutex::new(None));
    let told = std::sync::Arc::clone(&outcome);
    let handle = manager.handle();
    handle.send(old, "for the old one").expect("queued");
    handle.wakeup(old, "for the old one").expect("queued");
    handle
        .send_then(old, "for the old one", move |result| *told.lock().expect("no panic") = Some(result))
        .expect("queued");
    settle(&mut manager);
    assert_eq!(manager.stats().undelivered, 3);
    assert!(matches!(outcome.lock().expect("no panic").take(), Some(Err(Error::Closed))));
    assert!(journal.is_empty(), "{journal:?}");
    assert!(second.arrived().is_empty());
    assert!(!second.has_ended());
}

#[test]
fn invariant_04_an_id_of_another_manager_is_closed() {
    let mut one = Manager::new().expect("a manager");
    let mut two = Manager::new().expect("a manager");
    let (journal, other_journal) = (Journal::default(), Journal::default());
    let (listener, other) = (listen(&one, &journal), listen(&two, &other_journal));
    let _peers = connect_many(&mut one, listener.local_addr(), 1);
    let mut others = connect_many(&mut two, other.local_addr(), 1);
    let (ids, other_ids) = (one.connections(), two.connections());
    for (id, other) in ids.iter().zip(&other_ids) {
        assert_eq!(slot(*id), slot(*other), "the same places in both");
        assert!(is_closed(two.connection(*id)) && is_closed(one.connection(*other)));
        two.handle().send(*id, "astray").expect("queued");
    }
    settle(&mut two);
    assert_eq!(two.stats().undelivered, 2);
    assert!(others[0].arrived().is_empty());
}

#[test]
fn invariant_04_ids_of_10000_connections_in_turn_are_all_different() {
    let count = scaled(10_000);
    let mut manager = Manager::new().expect("a manager");
    let seen = Rc::new(RefCell::new(HashSet::new()));
    let ids = Rc::clone(&seen);
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Accept = event {
                assert!(ids.borrow_mut().insert(connection.id()), "an id was given out twice");
                connection.close();
            }
            Ok(())
        })
        .expect("to listen");
    let mut left = count;
    while left > 0 {
        let batch = left.min(50);
        let peers: Vec<_> = (0..batch).map(|_| Peer::connect(listener.local_addr())).collect();
        left -= batch;
        let accepted = (count - left) as u64;
        poll_until(&mut manager, "a batch", |manager| {
            manager.stats().accepted == accepted && manager.stats().connections == 1
        });
        drop(peers);
    }
    let seen = seen.borrow();
    assert_eq!(seen.len(), count);
    let slots: HashSet<_> = seen.iter().map(|id| slot(*id)).collect();
    assert!(slots.len() <= 50, "{} slots: they are used again", slots.len());
    assert!(seen.iter().all(|id| is_closed(manager.connection(*id))));
}
