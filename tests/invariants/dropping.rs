//! Invariant 12: user code that runs while the manager is dropped, and what is left of it afterwards.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mongoose::http::{Reply, Request};
use mongoose::{Connection, Error, Event, Handle, Manager, Registry};
use mongoose_tests::{PATIENCE, poll_until};

use crate::harness::{Journal, Mine, Noted, Peer, blast, blast_of, connect_many, get};

/// Tries to create everything that can be created, and notes the answers.
fn create_all(registry: &Registry, journal: &Journal) {
    fn answer<T>(result: Result<T, Error>) -> String {
        result.map_or_else(|error| format!("{error:?}"), |_| "created".to_owned())
    }
    let idle = |_: &Connection<'_>, _: Event<'_>| Ok(());
    journal.note(answer(registry.tcp("tcp://127.0.0.1:0", idle)));
    journal
        .note(answer(registry.http("http://127.0.0.1:0", |_: Request<'_>, reply: Reply<'_>| reply.empty())));
    journal.note(answer(registry.connect("tcp://127.0.0.1:1", idle)));
    journal.note(answer(registry.every(Duration::ZERO, |_| {})));
    journal.note(answer(registry.once(Duration::ZERO, |_| {})));
}

#[test]
fn invariant_12_nothing_can_be_created_while_the_manager_is_dropped() {
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let log = journal.clone();
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Close = event {
                create_all(connection.registry(), &log);
                assert!(connection.send("x").is_err());
                assert!(connection.set_handler(|_: &Connection<'_>, _: Event<'_>| Ok(())).is_err());
                connection.fail("nobody is told");
                log.note("close");
            }
            Ok(())
        })
        .expect("to listen");
    let mut peers = connect_many(&mut manager, listener.local_addr(), 3);
    drop(manager);
    let lines = journal.take();
    assert_eq!(lines.iter().filter(|line| *line == "ShuttingDown").count(), 15, "{lines:?}");
    assert_eq!(lines.iter().filter(|line| *line == "close").count(), 3, "{lines:?}");
    assert!(peers.iter_mut().all(Peer::has_ended), "their descriptors are closed");
}

/// When it is dropped: posts, stops, sends, cancels, and panics in the end.
struct Busybody {
    handle: Handle,
    journal: Journal,
    timer: Option<mongoose::Timer>,
    listener: Option<mongoose::Listener>,
}

impl Drop for Busybody {
    fn drop(&mut self) {
        let never = || unreachable!("a closure that was queued while the manager was dropped never runs");
        match self.handle.post(move |_| never()) {
            // Queued, to be dropped unrun, or refused: both are right.
            Ok(()) | Err(Error::Gone) => {}
            Err(other) => unreachable!("{other}"),
        }
        self.handle.stop();
        drop(self.timer.take());
        if let Some(listener) = &self.listener {
            let _ = self.handle.wakeup(listener.id(), "x");
            listener.close();
        }
        self.journal.note("dropped");
        blast(1);
    }
}

#[test]
fn invariant_12_user_code_in_drop_may_post_cancel_and_panic_while_the_manager_is_dropped() {
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let busybody = |manager: &Manager, listener: Option<&mongoose::Listener>| Busybody {
        handle: manager.handle(),
        journal: journal.clone(),
        timer: Some(manager.once(Duration::from_secs(3600), |_| {}).expect("a timer")),
        listener: listener.cloned(),
    };
    let in_listener = busybody(&manager, None);
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |_: &Connection<'_>, event: Event<'_>| {
            let _keep = &in_listener;
            if let Event::Close = event {
                // Its payload panics too when it is thrown away.
                std::panic::panic_any(std::panic::AssertUnwindSafe(Mine(2)));
            }
            Ok(())
        })
        .expect("to listen");
    let peers = connect_many(&mut manager, listener.local_addr(), 2);
    let in_timer = busybody(&manager, Some(&listener));
    manager
        .every(Duration::from_secs(3600), move |_| {
            let _keep = &in_timer;
        })
        .expect("a timer")
        .detach();
    let in_client = busybody(&manager, Some(&listener));
    manager
        .connect("tcp://localhost:1", move |_: &Connection<'_>, _: Event<'_>| {
            let _keep = &in_client;
            Ok(())
        })
        .expect("to begin");
    // A closure has to be Send; a panic in its Drop is enough.
    let mine = Mine(3);
    manager
        .handle()
        .post(move |_| {
            let _keep = &mine;
            unreachable!("dropped unrun")
        })
        .expect("queued");
    blast_of(|| drop(manager)).expect("nothing unwinds out of drop");
    assert_eq!(journal.count("dropped"), 3);
    drop(peers);
}

#[test]
fn invariant_12_a_manager_dropped_by_a_panic_closes_its_connections_all_the_same() {
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let log = journal.clone();
    let listener = manager
        .tcp_each("tcp://127.0.0.1:0", move || {
            let noted = Noted(log.clone(), "dropped");
            move |_: &Connection<'_>, event: Event<'_>| {
                if let Event::Close = event {
                    noted.0.note("close");
                    blast(4);
                }
                Ok(())
            }
        })
        .expect("to listen");
    let mut peers = connect_many(&mut manager, listener.local_addr(), 3);
    let unwound = blast_of(move || {
        let _dropped_by_the_unwinding = manager;
        blast(5)
    });
    assert_eq!(unwound, Err::<(), _>(5));
    assert_eq!(journal.take(), ["close", "dropped"].repeat(3));
    assert!(peers.iter_mut().all(Peer::has_ended));
}

#[test]
fn invariant_12_panics_that_were_not_resumed_are_dropped_with_the_manager() {
    let mut manager = Manager::new().expect("a manager");
    for number in 0..3 {
        let mine = Mine(number);
        manager
            .handle()
            .post(move |_| {
                let _keep = &mine;
            })
            .expect("queued");
    }
    blast_of(|| manager.poll(PATIENCE)).expect_err("the first");
    blast_of(|| drop(manager)).expect("the others do not come out of drop");
}

#[test]
fn invariant_12_a_panic_whose_payload_panics_for_ever_does_not_come_out_of_drop() {
    struct Hydra;
    impl Drop for Hydra {
        fn drop(&mut self) {
            std::panic::panic_any(Hydra);
        }
    }
    let mut manager = Manager::new().expect("a manager");
    let listener = manager
        .tcp("tcp://127.0.0.1:0", |_: &Connection<'_>, event: Event<'_>| {
            if let Event::Close = event {
                std::panic::panic_any(Hydra);
            }
            Ok(())
        })
        .expect("to listen");
    let _peers = connect_many(&mut manager, listener.local_addr(), 2);
    blast_of(|| drop(manager)).expect("nothing unwinds out of drop");
}

#[test]
fn invariant_12_a_handle_outlives_its_manager() {
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let mut manager = Manager::new().expect("a manager");
    let listener =
        manager.tcp("tcp://127.0.0.1:0", |_: &Connection<'_>, _: Event<'_>| Ok(())).expect("to listen");
    let _peers = connect_many(&mut manager, listener.local_addr(), 1);
    let id = manager.connections()[1];
    let timer = manager.once(Duration::from_secs(3600), |_| {}).expect("a timer");
    let handle = manager.handle();
    drop(manager);

    let dropped = Arc::new(AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let counted = Counted(Arc::clone(&dropped));
            assert!(matches!(handle.post(move |_| drop(counted)), Err(Error::Gone)));
            assert!(matches!(handle.send(id, "x"), Err(Error::Gone)));
            let counted = Counted(Arc::clone(&dropped));
            assert!(matches!(handle.send_then(id, "x", move |_| drop(counted)), Err(Error::Gone)));
            assert!(matches!(handle.wakeup(id, "x"), Err(Error::Gone)));
            handle.stop();
        });
    });
    assert_eq!(dropped.load(Ordering::Relaxed), 2, "what was refused is dropped");
    assert!(!timer.is_active());
    timer.cancel();
    listener.close();
    assert_ne!(listener.local_addr().port(), 0);
}

#[test]
fn invariant_12_a_deferred_reply_outlives_its_manager() {
    let mut manager = Manager::new().expect("a manager");
    let slot = Rc::new(RefCell::new(Vec::new()));
    let deferred = Rc::clone(&slot);
    let listener = manager
        .http("http://127.0.0.1:0", move |_: Request<'_>, reply: Reply<'_>| {
            deferred.borrow_mut().push(reply.defer());
            Ok(())
        })
        .expect("to listen");
    let mut peers = connect_many(&mut manager, listener.local_addr(), 2);
    for peer in &mut peers {
        peer.send(get("/"));
    }
    poll_until(&mut manager, "both", |_| slot.borrow().len() == 2);
    drop(manager);
    let last = slot.borrow_mut().pop().expect("a reply");
    std::thread::spawn(move || assert!(matches!(last.reply().text("late"), Err(Error::Gone))))
        .join()
        .expect("no panic");
    drop(slot.take());
}

#[test]
fn invariant_12_a_manager_may_be_dropped_by_a_handler_of_another() {
    let mut outer = Manager::new().expect("a manager");
    let mut inner = Manager::new().expect("a manager");
    let journal = Journal::default();
    let log = journal.clone();
    let inner_listener = inner
        .tcp("tcp://127.0.0.1:0", move |_: &Connection<'_>, event: Event<'_>| {
            log.note(format!("{event:?}"));
            if let Event::Close = event {
                blast(6);
            }
            Ok(())
        })
        .expect("to listen");
    let mut peer = connect_many(&mut inner, inner_listener.local_addr(), 1).remove(0);
    let done = Rc::new(Cell::new(false));
    let set = Rc::clone(&done);
    outer
        .once(Duration::ZERO, move |_| {
            drop(inner);
            set.set(true);
        })
        .expect("a timer")
        .detach();
    poll_until(&mut outer, "the timer", |_| done.get());
    assert!(peer.has_ended());
    assert_eq!(journal.take(), ["Accept", "Close"]);
}

#[test]
fn invariant_12_closures_queued_from_drop_do_not_deadlock_or_run() {
    struct Reposter(Handle, Arc<AtomicUsize>);
    impl Drop for Reposter {
        fn drop(&mut self) {
            // Were the queue's lock held now, this would never return.
            let handle = self.0.clone();
            let refused = self.0.post(move |_| drop(handle)).is_err();
            self.1.fetch_add(usize::from(refused), Ordering::Relaxed);
        }
    }
    let manager = Manager::new().expect("a manager");
    let refused = Arc::new(AtomicUsize::new(0));
    for _ in 0..100 {
        let reposter = Reposter(manager.handle(), Arc::clone(&refused));
        manager.handle().post(move |_| drop(reposter)).expect("queued");
    }
    drop(manager);
    assert_eq!(refused.load(Ordering::Relaxed), 100, "the queue was closed before they were dropped");
}
