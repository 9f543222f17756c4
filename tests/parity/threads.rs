//! R1: no lock but the queue's, so managers on many threads work at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use mongoose::http::{Reply, Request};
use mongoose::{Connection, Event, Handle, Manager};
use mongoose_tests::{poll_until, scaled};

const THREADS: usize = 8;

/// A client of raw bytes that asks again as soon as it is answered, and stops its manager when it has asked `left` times.
fn asks(mut left: usize) -> impl FnMut(&Connection<'_>, Event<'_>) -> Result<(), mongoose::Error> {
    move |connection, event| {
        let answered = connection.received().ends_with(b"\r\n\r\nhello");
        if answered {
            connection.consume(usize::MAX);
            left -= 1;
        }
        match event {
            Event::Connect | Event::Read if left == 0 => connection.handle().stop(),
            Event::Connect => connection.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")?,
            Event::Read if answered => connection.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")?,
            Event::Error(error) => panic!("{error}"),
            _ => {}
        }
        Ok(())
    }
}

#[test]
fn r1_8_managers_on_8_threads_serve_10_000_requests_at_once() {
    let each = scaled(10_000 / THREADS);
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut manager = Manager::new().expect("a manager");
                let served = std::rc::Rc::new(std::cell::Cell::new(0));
                let count = std::rc::Rc::clone(&served);
                let serve = move |_: Request<'_>, reply: Reply<'_>| {
                    count.set(count.get() + 1);
                    reply.text("hello")
                };
                let listener = manager.http("http://127.0.0.1:0", serve).expect("to listen");
                manager.connect(&format!("tcp://{}", listener.local_addr()), asks(each)).expect("to connect");
                start.wait();
                manager.run().expect("to run");
                assert_eq!(served.get(), each);
            });
        }
    });
}

#[test]
fn r1_8_threads_post_to_one_another_and_all_of_it_arrives() {
    let each = scaled(2_000);
    let handles: Mutex<Vec<(Handle, Arc<AtomicUsize>)>> = Mutex::default();
    let (known, done) = (Barrier::new(THREADS), Barrier::new(THREADS));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut manager = Manager::new().expect("a manager");
                let arrived = Arc::new(AtomicUsize::new(0));
                handles.lock().expect("no panic").push((manager.handle(), Arc::clone(&arrived)));
                known.wait();
                let all = handles.lock().expect("no panic").clone();
                for _ in 0..each {
                    for (handle, count) in &all {
                        let count = Arc::clone(count);
                        let call = move |_: &mongoose::Registry| {
                            count.fetch_add(1, Ordering::Relaxed);
                        };
                        handle.post(call).expect("a manager that is there");
                    }
                }
                poll_until(&mut manager, "all that was posted", |_| {
                    arrived.load(Ordering::Relaxed) == each * THREADS
                });
                // Nobody goes before all have posted to it.
                done.wait();
            });
        }
    });
}
