//! Invariant 17: what becomes of a reply is decided by the engine.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use mongoose::http::{self, Deferred, Reply, Request};
use mongoose::{Connection, Error, Event, Listener, Manager};
use mongoose_tests::poll_until;

use crate::harness::{Journal, Peer, assert_usable, connect_many, get, settle};

/// Serves every way not to answer.
fn listen(manager: &Manager) -> Listener {
    manager
        .http("http://127.0.0.1:0", |request: Request<'_>, reply: Reply<'_>| {
            match request.path() {
                "/forgotten" => std::mem::forget(reply.status(204)),
                "/dropped" => drop(reply),
                "/error" => return Err(Error::handler("an error of the handler's")),
                "/bad-status" => return reply.status(99).text("not sent"),
                "/replied-and-error" => {
                    reply.text("replied")?;
                    return Err(Error::handler("too late"));
                }
                "/deferred-dropped" => drop(reply.defer()),
                "/deferred-dropped-elsewhere" => {
                    let deferred = reply.defer();
                    drop(thread::spawn(move || drop(deferred)));
                }
                "/deferred-reply-dropped" => drop(reply.defer().reply().status(200)),
                "/deferred-reply-forgotten-then-dropped" => {
                    let late = reply.defer().reply();
                    // Deferring what is deferred is the same token again.
                    drop(late.defer());
                }
                _ => return reply.text("fine"),
            }
            Ok(())
        })
        .expect("to listen")
}

#[test]
fn invariant_17_a_reply_that_nobody_made_is_500_and_the_connection_goes_on() {
    let mut manager = Manager::new().expect("a manager");
    let listener = listen(&manager);
    let mut peer = Peer::connect(listener.local_addr());
    for target in [
        "/forgotten",
        "/dropped",
        "/error",
        "/bad-status",
        "/deferred-dropped",
        "/deferred-dropped-elsewhere",
        "/deferred-reply-dropped",
        "/deferred-reply-forgotten-then-dropped",
    ] {
        // Pipelined, so that each reply has to find its place.
        peer.send(get("/before") + &get(target) + &get("/after"));
        peer.expect(&mut manager, "fine");
        let head = peer.expect(&mut manager, "Internal Server Error\n");
        assert!(head.starts_with("HTTP/1.1 500 "), "{target}: {head}");
        peer.expect(&mut manager, "fine");
    }
    peer.send(get("/replied-and-error")).expect(&mut manager, "replied");
    assert!(peer.arrived().is_empty(), "one reply, not two");
}

/// Forgets a token as `mem::forget` does; kept where it can be found, so that it is no leak to those who look for some.
fn forget(token: Deferred) {
    static FORGOTTEN: Mutex<Vec<Deferred>> = Mutex::new(Vec::new());
    FORGOTTEN.lock().expect("no panic").push(token);
}

/// Gives the tokens of deferred replies away.
fn listen_deferring(manager: &Manager) -> (Listener, Rc<RefCell<Vec<Deferred>>>) {
    let tokens = Rc::new(RefCell::new(Vec::new()));
    let store = Rc::clone(&tokens);
    let listener = manager
        .http("http://127.0.0.1:0", move |request: Request<'_>, reply: Reply<'_>| {
            if request.path() == "/fine" {
                return reply.text("fine");
            }
            store.borrow_mut().push(reply.defer());
            Ok(())
        })
        .expect("to listen");
    (listener, tokens)
}

#[test]
fn invariant_17_a_forgotten_deferred_breaks_nothing_else() {
    let mut manager = Manager::new().expect("a manager");
    let (listener, tokens) = listen_deferring(&manager);
    let mut peers = connect_many(&mut manager, listener.local_addr(), 3);
    for peer in &mut peers {
        // The request behind it waits: replies keep their order.
        peer.send(get("/defer") + &get("/fine"));
    }
    poll_until(&mut manager, "all three", |_| tokens.borrow().len() == 3);
    forget(tokens.borrow_mut().remove(0));
    for token in tokens.take() {
        token.reply().text("late").expect("queued");
    }
    for peer in &mut peers[1..] {
        peer.expect(&mut manager, "late");
        peer.expect(&mut manager, "fine");
    }
    assert!(peers[0].arrived().is_empty() && !peers[0].has_ended());
    assert_usable(&mut manager);
    // The peer that waits may go, and so may the manager while one waits.
    peers.remove(0).reset();
    poll_until(&mut manager, "it to go", |manager| manager.stats().connections == 3);
    peers[0].send(get("/defer"));
    poll_until(&mut manager, "one more", |_| tokens.borrow().len() == 1);
    forget(tokens.borrow_mut().remove(0));
    drop(manager);
    assert!(peers[0].has_ended());
}

#[test]
fn invariant_17_a_deferred_answered_after_its_connection_is_gone_is_counted() {
    let mut manager = Manager::new().expect("a manager");
    let (listener, tokens) = listen_deferring(&manager);
    let mut peers = connect_many(&mut manager, listener.local_addr(), 2);
    for peer in &mut peers {
        peer.send(get("/defer"));
    }
    poll_until(&mut manager, "both", |_| tokens.borrow().len() == 2);
    peers.into_iter().for_each(Peer::reset);
    poll_until(&mut manager, "both to go", |manager| manager.stats().connections == 1);
    // In their slots are others now, which are not to get what comes late.
    let mut others = connect_many(&mut manager, listener.local_addr(), 2);
    let mut late = tokens.take().into_iter();
    late.next().expect("two").reply().text("for the one that is gone").expect("queued");
    drop(late);
    poll_until(&mut manager, "both to be counted", |manager| manager.stats().undelivered == 2);
    for other in &mut others {
        assert!(other.arrived().is_empty());
        other.send(get("/fine")).expect(&mut manager, "fine");
    }
}

#[test]
fn invariant_17_replies_from_many_threads_find_their_requests() {
    const CONNECTIONS: usize = 20;
    const REQUESTS: usize = 10;
    let mut manager = Manager::new().expect("a manager");
    let (to_workers, work) = mpsc::channel::<(Deferred, String)>();
    let work = Arc::new(Mutex::new(work));
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let work = Arc::clone(&work);
            thread::spawn(move || {
                loop {
                    let next = work.lock().expect("no panic").recv();
                    let Ok((deferred, text)) = next else { return };
                    deferred.reply().text(text).expect("the manager to live");
                }
            })
        })
        .collect();
    let listener = manager
        .http("http://127.0.0.1:0", move |request: Request<'_>, reply: Reply<'_>| {
            to_workers.send((reply.defer(), format!("[{}]", request.path()))).expect("the workers to live");
            Ok(())
        })
        .expect("to listen");
    let mut peers = connect_many(&mut manager, listener.local_addr(), CONNECTIONS);
    for (connection, peer) in peers.iter_mut().enumerate() {
        for request in 0..REQUESTS {
            peer.send(get(&format!("/{connection}/{request}")));
        }
    }
    for (connection, peer) in peers.iter_mut().enumerate() {
        for request in 0..REQUESTS {
            let reply = peer.expect(&mut manager, "]");
            assert!(reply.ends_with(&format!("[/{connection}/{request}]")), "{reply}");
        }
    }
    drop(manager);
    for worker in workers {
        worker.join().expect("no panic");
    }
}

#[test]
fn invariant_17_a_connection_closed_by_its_handler_takes_no_reply() {
    struct Closing(Journal);
    impl http::Handler for Closing {
        fn request(&mut self, request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
            match request.path() {
                "/close" => request.connection().close(),
                _ => request.connection().drain(),
            }
            let refused = reply.text("too late");
            assert!(matches!(refused, Err(Error::Closed)));
            refused
        }

        fn event(&mut self, _: &Connection<'_>, event: Event<'_>) {
            self.0.note(format!("{event:?}"));
        }
    }
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let listener = manager.http("http://127.0.0.1:0", Closing(journal.clone())).expect("to listen");
    for target in ["/close", "/drain"] {
        let mut peer = Peer::connect(listener.local_addr());
        let received = peer.send(get(target)).until_end(&mut manager);
        assert!(!String::from_utf8_lossy(&received).contains("too late"));
        settle(&mut manager);
        assert_eq!(journal.take(), ["Accept", "Error(Closed)", "Close"], "{target}");
    }
    manager.poll(Duration::ZERO).expect("to poll");
}
