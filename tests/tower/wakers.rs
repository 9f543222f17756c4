//! Wakers: from any thread, ever so often, and after all is over.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Poll, Waker};
use std::thread;

use http::Request;
use mongoose::Manager;
use mongoose::tower::{Body, Serve};
use mongoose_tests::{Client, PATIENCE, poll_until, scaled};

use crate::service::{Answers, Gate, serve, text};

/// Two wakes might be in one poll, but the last is never lost.
#[test]
fn no_wake_is_lost_whenever_it_comes() {
    let server = serve(|_: Request<Body>| {
        // It is woken by a thread that races with the poll, and looks at the flag that is set before.
        let (mut started, set) = (false, Arc::new(AtomicUsize::new(0)));
        async move {
            poll_fn(|context| {
                if !started {
                    started = true;
                    let (set, waker) = (Arc::clone(&set), context.waker().clone());
                    thread::spawn(move || {
                        for _ in 0..10 {
                            set.fetch_add(1, Ordering::SeqCst);
                            waker.wake_by_ref();
                        }
                    });
                }
                if set.load(Ordering::SeqCst) == 10 { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            text("woken")
        }
    });
    let mut clients: Vec<_> = (0..4).map(|_| Client::connect(server.address)).collect();
    for _ in 0..scaled(500) {
        for client in &mut clients {
            client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
        }
        for client in &mut clients {
            assert_eq!(client.response().text(), "woken");
        }
    }
}

#[test]
fn many_wakes_are_one_while_the_loop_has_not_looked() {
    let gate = Gate::default();
    let theirs = gate.clone();
    let mut manager = Manager::new().expect("a manager");
    let service = Answers(move |_: Request<Body>| {
        let gate = theirs.clone();
        async move {
            gate.opened().await;
            text("late")
        }
    });
    let listener = manager.http("http://127.0.0.1:0", Serve::new(service)).expect("to listen");
    let mut client = Client::connect(listener.local_addr());
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    poll_until(&mut manager, "the request to come", |_| !gate.wakers().is_empty());
    let handle = manager.handle();
    let wakers = gate.wakers();
    let together = Barrier::new(4);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                together.wait();
                for waker in wakers.iter().cycle().take(scaled(10_000)) {
                    waker.wake_by_ref();
                }
            });
        }
    });
    assert_eq!(handle.queued(), 1, "they are not kept one by one");
    gate.open();
    poll_until(&mut manager, "the answer to leave", |manager| manager.stats().sent > 0);
    assert_eq!(client.response().text(), "late");
}

#[test]
fn a_waker_outlives_request_connection_and_manager() {
    let gate = Gate::default();
    let theirs = gate.clone();
    let mut manager = Manager::new().expect("a manager");
    let service = Answers(move |request: Request<Body>| {
        let gate = theirs.clone();
        async move {
            if request.uri().path() == "/first" {
                // It leaves its waker behind.
                poll_fn(|context| {
                    let _ = gate.poll(context);
                    Poll::Ready(())
                })
                .await;
            }
            text(request.uri().path())
        }
    });
    let listener = manager.http("http://127.0.0.1:0", Serve::new(service)).expect("to listen");
    let address = listener.local_addr();
    let over = Arc::new(AtomicBool::new(false));
    let (left, wakes) = std::sync::mpsc::channel::<Waker>();
    let ringer = {
        let over = Arc::clone(&over);
        thread::spawn(move || {
            let waker = wakes.recv_timeout(PATIENCE).expect("a waker");
            while !over.load(Ordering::Relaxed) {
                waker.wake_by_ref();
                thread::yield_now();
            }
            (0..scaled(10_000)).for_each(|_| waker.wake_by_ref());
        })
    };
    let client = thread::spawn(move || {
        let mut client = Client::connect(address);
        assert_eq!(client.get("/first").text(), "/first");
        for _ in 0..scaled(200) {
            assert_eq!(client.get("/next").text(), "/next", "woken in the middle of another request");
        }
        drop(client);
        assert_eq!(Client::connect(address).get("/other").text(), "/other");
    });
    poll_until(&mut manager, "the first request", |_| !gate.wakers().is_empty());
    left.send(gate.wakers().remove(0)).expect("the thread to listen");
    poll_until(&mut manager, "the client to be done", |_| client.is_finished());
    client.join().expect("no panic");
    drop(manager);
    over.store(true, Ordering::Relaxed);
    ringer.join().expect("no panic");
}
