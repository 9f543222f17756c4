//! R8 and R10: what is over is an error, found at once and without a flag to race on.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use mongoose::http::{Deferred, Reply, Request};
use mongoose::{Connection, ConnectionId, Error, Event, Manager, Registry};
use mongoose_tests::{Client, poll_until, scaled};

#[test]
fn r8_a_closed_connection_is_an_error_wherever_it_is_used() {
    let mut manager = Manager::new().expect("a manager");
    let closed: Rc<Cell<Option<ConnectionId>>> = Rc::default();
    let note = Rc::clone(&closed);
    let serve = move |connection: &Connection<'_>, event: Event<'_>| {
        match event {
            Event::Accept => {
                connection.close();
                assert!(matches!(connection.send("late"), Err(Error::Closed)));
            }
            Event::Close => {
                assert!(matches!(connection.send("late"), Err(Error::Closed)));
                let other = |_: &Connection<'_>, _: Event<'_>| Ok(());
                assert!(matches!(connection.set_handler(other), Err(Error::Closed)));
                note.set(Some(connection.id()));
            }
            _ => {}
        }
        Ok(())
    };
    let listener = manager.tcp("tcp://127.0.0.1:0", serve).expect("to listen");
    let mut client = Client::connect(listener.local_addr());
    poll_until(&mut manager, "the close", |_| closed.get().is_some());
    assert!(client.to_end().is_empty());

    let id = closed.get().expect("closed");
    assert!(matches!(manager.connection(id), Err(Error::Closed)));
    let told = Arc::new(AtomicUsize::new(0));
    let tell = Arc::clone(&told);
    manager
        .handle()
        .send_then(id, "late", move |result| {
            assert!(matches!(result, Err(Error::Closed)));
            tell.fetch_add(1, Ordering::Relaxed);
        })
        .expect("queued");
    manager.handle().wakeup(id, "late").expect("queued");
    poll_until(&mut manager, "the completion", |_| told.load(Ordering::Relaxed) == 1);
    assert_eq!(manager.stats().undelivered, 2);
    assert!(matches!(manager.connection(listener.id()).expect("open").send("x"), Err(Error::Closed)));
}

#[test]
fn r8_ids_of_connections_that_came_and_went_never_find_another() {
    let mut manager = Manager::new().expect("a manager");
    let ids = Rc::new(std::cell::RefCell::new(Vec::new()));
    let note = Rc::clone(&ids);
    let serve = move |connection: &Connection<'_>, event: Event<'_>| {
        if let Event::Accept = event {
            note.borrow_mut().push(connection.id());
            connection.close();
        }
        Ok(())
    };
    let listener = manager.tcp("tcp://127.0.0.1:0", serve).expect("to listen");
    let count = scaled(500);
    for number in 1..=count {
        let _client = Client::connect(listener.local_addr());
        poll_until(&mut manager, "the close", |manager| {
            manager.stats().accepted == number as u64 && manager.stats().connections == 1
        });
    }
    let ids = ids.borrow();
    assert!(ids.iter().all(|id| matches!(manager.connection(*id), Err(Error::Closed))));
    assert_eq!(ids.iter().collect::<std::collections::HashSet<_>>().len(), count);
}

/// Counts its drops.
struct Guard(Arc<AtomicUsize>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn r10_a_handle_outlives_its_manager_and_says_so() {
    let manager = Manager::new().expect("a manager");
    let listener =
        manager.tcp("tcp://127.0.0.1:0", |_: &Connection<'_>, _: Event<'_>| Ok(())).expect("to listen");
    let (handle, id) = (manager.handle(), listener.id());
    drop(manager);

    let dropped = Arc::new(AtomicUsize::new(0));
    let (in_call, in_completion) = (Guard(Arc::clone(&dropped)), Guard(Arc::clone(&dropped)));
    assert!(matches!(handle.post(move |_: &Registry| drop(in_call)), Err(Error::Gone)));
    assert!(matches!(handle.send_then(id, "x", move |_| drop(in_completion)), Err(Error::Gone)));
    assert_eq!(dropped.load(Ordering::Relaxed), 2, "what cannot run is dropped at once");
    assert!(matches!(handle.send(id, "x"), Err(Error::Gone)));
    assert!(matches!(handle.wakeup(id, "x"), Err(Error::Gone)));
    handle.stop();
    listener.close();
}

#[test]
fn r10_a_deferred_reply_outlives_its_manager_and_says_so() {
    let mut manager = Manager::new().expect("a manager");
    let kept: Rc<Cell<Option<Deferred>>> = Rc::default();
    let keep = Rc::clone(&kept);
    let serve = move |_: Request<'_>, reply: Reply<'_>| {
        keep.set(Some(reply.defer()));
        Ok(())
    };
    let listener = manager.http("http://127.0.0.1:0", serve).expect("to listen");
    let mut client = Client::connect(listener.local_addr());
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    let mut deferred = None;
    poll_until(&mut manager, "the request", |_| {
        deferred = kept.take();
        deferred.is_some()
    });
    drop(manager);
    assert!(client.to_end().is_empty());
    let deferred = deferred.expect("the request");
    let answered = thread::spawn(move || deferred.reply().text("too late")).join().expect("no panic");
    assert!(matches!(answered, Err(Error::Gone)));
}

#[test]
fn r10_posts_that_race_with_the_manager_s_end_run_or_are_refused() {
    for _ in 0..scaled(100) {
        let mut manager = Manager::new().expect("a manager");
        let (ran, dropped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let posters: Vec<_> = (0..4)
            .map(|_| {
                let (handle, ran, dropped) = (manager.handle(), Arc::clone(&ran), Arc::clone(&dropped));
                thread::spawn(move || {
                    let mut refused = 0;
                    for _ in 0..100 {
                        let (ran, guard) = (Arc::clone(&ran), Guard(Arc::clone(&dropped)));
                        let call = move |_: &Registry| {
                            let _guard = guard;
                            ran.fetch_add(1, Ordering::Relaxed);
                        };
                        refused += usize::from(matches!(handle.post(call), Err(Error::Gone)));
                    }
                    refused
                })
            })
            .collect();
        manager.poll(std::time::Duration::ZERO).expect("to poll");
        drop(manager);
        let refused: usize = posters.into_iter().map(|poster| poster.join().expect("no panic")).sum();
        assert_eq!(dropped.load(Ordering::Relaxed), 400, "each closure is dropped exactly once");
        assert!(ran.load(Ordering::Relaxed) + refused <= 400);
    }
}
