//! Invariant 13, where no connection is involved: timers, posted closures, completions, and Drop.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use mongoose::{Connection, Event, Manager, Registry, Timer};
use mongoose_tests::{PATIENCE, poll_until};

use crate::harness::{Journal, Mine, Peer, assert_usable, blast, blast_of, connect_many, next_blast, settle};

#[test]
fn invariant_13_panic_in_a_repeating_timer_ends_it() {
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let log = journal.clone();
    let timer = manager
        .every(Duration::ZERO, move |_| {
            log.note("tick");
            blast(301);
        })
        .expect("a timer");
    assert_eq!(next_blast(&mut manager), 301);
    assert!(!timer.is_active());
    settle(&mut manager);
    assert_eq!(journal.count("tick"), 1);
    assert_usable(&mut manager);
}

#[test]
fn invariant_13_panic_in_a_timer_leaves_those_due_with_it_for_the_next_poll() {
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let timers: Vec<_> = (0..5)
        .map(|number| {
            let log = journal.clone();
            let call = move |_: &Registry| {
                log.note(number.to_string());
                if number % 2 == 0 {
                    blast(number);
                }
            };
            manager.once(Duration::ZERO, call).expect("a timer")
        })
        .collect();
    for number in [0, 2, 4] {
        assert_eq!(next_blast(&mut manager), number);
    }
    assert_eq!(journal.take(), ["0", "1", "2", "3", "4"], "each once, in order");
    drop(timers);
    assert_usable(&mut manager);
}

#[test]
fn invariant_13_panic_in_a_posted_closure_leaves_those_behind_it_for_the_next_poll() {
    let mut manager = Manager::new().expect("a manager");
    let (sender, receiver) = std::sync::mpsc::channel();
    let handle = manager.handle();
    for number in 0..4u32 {
        let sender = sender.clone();
        handle
            .post(move |_| {
                sender.send(number).expect("the test to wait");
                if number == 1 {
                    blast(302);
                }
            })
            .expect("queued");
    }
    assert_eq!(blast_of(|| manager.poll(PATIENCE)).expect_err("a panic"), 302);
    assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [0, 1]);
    manager.poll(PATIENCE).expect("to poll");
    assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [2, 3]);
    assert_usable(&mut manager);
}

#[test]
fn invariant_13_panic_in_a_completion() {
    let mut manager = Manager::new().expect("a manager");
    let listener =
        manager.tcp("tcp://127.0.0.1:0", |_: &Connection<'_>, _: Event<'_>| Ok(())).expect("to listen");
    let mut peer = connect_many(&mut manager, listener.local_addr(), 1).remove(0);
    let id = manager.connections().into_iter().find(|id| *id != listener.id()).expect("the accepted one");
    manager.handle().send_then(id, "sent all the same", |_| blast(303)).expect("queued");
    manager.handle().send_then(listener.id(), "to a listener", |_| blast(304)).expect("queued");
    assert_eq!(next_blast(&mut manager), 303);
    assert_eq!(next_blast(&mut manager), 304);
    peer.expect(&mut manager, "sent all the same");
    assert_usable(&mut manager);
}

#[test]
fn invariant_13_panic_in_the_drop_of_a_handler() {
    let mut manager = Manager::new().expect("a manager");
    let listener = manager
        .tcp_each("tcp://127.0.0.1:0", || {
            let mine = Mine(305);
            move |_: &Connection<'_>, _: Event<'_>| {
                let _keep = &mine;
                Ok(())
            }
        })
        .expect("to listen");
    let peers = connect_many(&mut manager, listener.local_addr(), 3);
    drop(peers);
    for _ in 0..3 {
        assert_eq!(next_blast(&mut manager), 305);
    }
    poll_until(&mut manager, "all to go", |manager| manager.stats().connections == 1);
    assert_usable(&mut manager);
}

#[test]
fn invariant_13_panic_in_the_drop_of_a_listener_s_shared_handler() {
    let mut manager = Manager::new().expect("a manager");
    let mine = Mine(306);
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |_: &Connection<'_>, _: Event<'_>| {
            let _keep = &mine;
            Ok(())
        })
        .expect("to listen");
    listener.close();
    assert_eq!(next_blast(&mut manager), 306);
    assert_eq!(manager.stats().connections, 0);
    assert_usable(&mut manager);
}

#[test]
fn invariant_13_panic_in_the_drop_of_a_timer_s_closure_after_its_last_call() {
    let mut manager = Manager::new().expect("a manager");
    let slot: Rc<RefCell<Option<Timer>>> = Rc::default();
    let own = Rc::clone(&slot);
    let mine = Mine(307);
    let timer = manager
        .every(Duration::ZERO, move |_| {
            let _keep = &mine;
            // Cancelled inside its own call: what it holds is dropped by the loop.
            drop(own.borrow_mut().take());
        })
        .expect("a timer");
    slot.replace(Some(timer));
    assert_eq!(next_blast(&mut manager), 307);
    assert_usable(&mut manager);
}

#[test]
fn invariant_13_panic_in_the_drop_of_a_timer_that_a_handler_cancels_is_that_handler_s() {
    let mut manager = Manager::new().expect("a manager");
    let mine = Mine(308);
    let timer = manager
        .once(Duration::from_secs(3600), move |_| {
            let _keep = &mine;
        })
        .expect("a timer");
    let mut timer = Some(timer);
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |_: &Connection<'_>, event: Event<'_>| {
            if let Event::Read = event {
                drop(timer.take());
            }
            Ok(())
        })
        .expect("to listen");
    let mut peer = Peer::connect(listener.local_addr());
    peer.send("x");
    assert_eq!(next_blast(&mut manager), 308);
    peer.until_end(&mut manager);
    assert_usable(&mut manager);
}

#[test]
fn invariant_13_panic_in_the_drop_of_what_a_posted_closure_holds() {
    let mut manager = Manager::new().expect("a manager");
    let mine = Mine(309);
    manager
        .handle()
        .post(move |_| {
            let _keep = &mine;
        })
        .expect("queued");
    assert_eq!(next_blast(&mut manager), 309);
    assert_usable(&mut manager);
}

#[test]
fn invariant_13_run_goes_on_after_each_panic() {
    let mut manager = Manager::new().expect("a manager");
    let handle = manager.handle();
    for number in 0..3 {
        handle.post(move |_| blast(number)).expect("queued");
    }
    let stopping = handle.clone();
    handle.post(move |_| stopping.stop()).expect("queued");
    for number in 0..3 {
        assert_eq!(blast_of(|| manager.run()).expect_err("a panic"), number);
    }
    blast_of(|| manager.run()).expect("no further panic").expect("to run");
    assert_usable(&mut manager);
}
