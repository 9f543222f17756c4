//! Invariants 1 and 2: one thread, and one place in memory.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;

use mongoose::http::{Deferred, Headers, Reply, Request};
use mongoose::{
    Connection, ConnectionId, Error, Event, Handle, Limits, Listener, Manager, Payload, Registry, Stats,
    Timer, sys,
};
use mongoose_tests::{poll_until, scaled};
use static_assertions::{assert_impl_all, assert_not_impl_any};

use crate::harness::{Peer, connect_many};

#[test]
fn invariant_01_a_manager_and_what_is_borrowed_from_it_stay_on_their_thread() {
    assert_not_impl_any!(Manager: Send, Sync);
    assert_not_impl_any!(Registry: Send, Sync, Clone);
    assert_not_impl_any!(&Registry: Send);
    assert_not_impl_any!(Connection<'static>: Send, Sync);
    assert_not_impl_any!(Request<'static>: Send, Sync);
    assert_not_impl_any!(Headers<'static>: Send, Sync);
    assert_not_impl_any!(Reply<'static>: Send, Sync, Clone);
    assert_not_impl_any!(Timer: Send, Sync, Clone);
    assert_not_impl_any!(Listener: Send, Sync);
    // What does cross threads.
    assert_impl_all!(Handle: Send, Sync, Clone);
    assert_impl_all!(ConnectionId: Send, Sync, Copy);
    assert_impl_all!(Deferred: Send);
    assert_impl_all!(Payload<'static>: Send, Sync);
    assert_impl_all!(Error: Send, Sync);
    assert_impl_all!(Limits: Send, Sync);
    assert_impl_all!(Stats: Send, Sync);
}

#[test]
fn invariant_01_what_8_threads_post_runs_on_the_manager_s_thread_in_each_one_s_order() {
    const THREADS: usize = 8;
    let count = scaled(10_000);
    let mut manager = Manager::new().expect("a manager");
    let (sender, receiver) = mpsc::channel();
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let handle = manager.handle();
            let sender = sender.clone();
            thread::spawn(move || {
                for number in 0..count {
                    let sender = sender.clone();
                    handle
                        .post(move |_| {
                            sender.send((thread, number, thread::current().id())).expect("the test to wait");
                        })
                        .expect("queued");
                }
            })
        })
        .collect();
    let mut next = [0; THREADS];
    poll_until(&mut manager, "all closures", |_| {
        for (thread, number, ran_on) in receiver.try_iter() {
            assert_eq!(ran_on, thread::current().id());
            assert_eq!(number, next[thread], "in the order of thread {thread}");
            next[thread] += 1;
        }
        next == [count; THREADS]
    });
    for thread in threads {
        thread.join().expect("no panic");
    }
}

#[test]
fn invariant_02_a_manager_that_moves_leaves_c_s_struct_where_it_is() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&seen);
    let manager = Manager::new().expect("a manager");
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Read = event {
                // SAFETY: the connection is alive as long as it is borrowed.
                let mgr = unsafe { (*connection.as_raw()).mgr };
                log.borrow_mut().push(mgr);
                connection.send(connection.received())?;
                connection.consume(usize::MAX);
            }
            Ok(())
        })
        .expect("to listen");
    let mut peer = Peer::connect(listener.local_addr());
    // From the stack to the heap, into a vector that moves when it grows, and out again.
    let mut manager = Box::new(manager);
    peer.send("one").expect(&mut manager, "one");
    let mut several = vec![*manager];
    several.extend((0..10).map(|_| Manager::new().expect("a manager")));
    several.rotate_left(3);
    let at = several.len() - 3;
    peer.send("two").expect(&mut several[at], "two");
    let mut manager = several.swap_remove(at);
    drop(several);
    peer.send("three").expect(&mut manager, "three");
    let seen = seen.borrow();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|mgr: &*mut sys::mg_mgr| *mgr == seen[0]));
}

#[test]
fn invariant_02_managers_that_change_places_keep_their_connections() {
    let mut managers = [Manager::new().expect("a manager"), Manager::new().expect("a manager")];
    let listeners: Vec<_> = ["first", "second"]
        .into_iter()
        .zip(&managers)
        .map(|(name, manager)| {
            manager
                .tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
                    if let Event::Read = event {
                        connection.send(name)?;
                        connection.consume(usize::MAX);
                    }
                    Ok(())
                })
                .expect("to listen")
        })
        .collect();
    let mut peers: Vec<_> =
        (0..2).map(|at| connect_many(&mut managers[at], listeners[at].local_addr(), 1).remove(0)).collect();
    let [first, second] = &mut managers;
    std::mem::swap(first, second);
    peers[0].send("x").expect(&mut managers[1], "first");
    peers[1].send("x").expect(&mut managers[0], "second");
}

#[test]
fn invariant_02_a_handler_reaches_the_registry_of_its_own_manager() {
    let mut manager = Manager::new().expect("a manager");
    let timers = Rc::new(Cell::new(0));
    let count = Rc::clone(&timers);
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Read = event {
                let registry = connection.registry();
                assert!(registry.connection(connection.id()).is_ok());
                let count = Rc::clone(&count);
                registry.once(std::time::Duration::ZERO, move |_| count.set(count.get() + 1))?.detach();
                connection.consume(usize::MAX);
            }
            Ok(())
        })
        .expect("to listen");
    let mut peer = Peer::connect(listener.local_addr());
    peer.send("x");
    poll_until(&mut manager, "the handler's timer", |_| timers.get() == 1);
}
