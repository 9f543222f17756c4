//! R12: what threads post arrives, all of it, in the order of each thread.

use std::cell::RefCell;
use std::net::TcpStream;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use mongoose::{Connection, Error, Event, Manager};
use mongoose_tests::{poll_until, scaled};

const THREADS: usize = 8;

thread_local! {
    /// The next number expected of each thread; the loop runs on this thread.
    static EXPECTED: RefCell<[usize; THREADS]> = const { RefCell::new([0; THREADS]) };
}

/// Has 8 threads post numbers, which have to arrive in order.
fn post_from_all(manager: &Manager, each: usize) -> Vec<thread::JoinHandle<()>> {
    (0..THREADS)
        .map(|thread| {
            let handle = manager.handle();
            thread::spawn(move || {
                for number in 0..each {
                    let check = move |_: &mongoose::Registry| {
                        EXPECTED.with_borrow_mut(|expected| {
                            assert_eq!(expected[thread], number, "of thread {thread}");
                            expected[thread] += 1;
                        });
                    };
                    handle.post(check).expect("the manager lives");
                }
            })
        })
        .collect()
}

fn all_arrived(each: usize) -> bool {
    EXPECTED.with_borrow(|expected| expected.iter().all(|&count| count == each))
}

#[test]
fn r12_a_million_posts_of_each_of_8_threads_arrive_in_order() {
    let each = scaled(1_000_000);
    let mut manager = Manager::new().expect("a manager");
    let threads = post_from_all(&manager, each);
    poll_until(&mut manager, "all posts", |_| all_arrived(each));
    threads.into_iter().for_each(|thread| thread.join().expect("a poster"));
}

#[test]
fn r12_posts_arrive_in_order_while_connections_come_and_go() {
    let each = scaled(100_000);
    let mut manager = Manager::new().expect("a manager");
    let greet = |connection: &Connection<'_>, event: Event<'_>| {
        if let Event::Accept = event {
            connection.send("hello")?;
            connection.drain();
        }
        Ok(())
    };
    let address = manager.tcp("tcp://127.0.0.1:0", greet).expect("to listen").local_addr();
    let stop = Arc::new(AtomicBool::new(false));
    let connects = Arc::new(AtomicUsize::new(0));
    let connector = {
        let (stop, connects) = (Arc::clone(&stop), Arc::clone(&connects));
        thread::spawn(move || {
            while !stop.load(Ordering::Acquire) {
                let mut greeting = String::new();
                let mut stream = TcpStream::connect(address).expect("to connect");
                std::io::Read::read_to_string(&mut stream, &mut greeting).expect("to read");
                assert_eq!(greeting, "hello");
                connects.fetch_add(1, Ordering::AcqRel);
            }
        })
    };
    let threads = post_from_all(&manager, each);
    poll_until(&mut manager, "all posts and a connection", |_| {
        all_arrived(each) && connects.load(Ordering::Acquire) > 0
    });
    stop.store(true, Ordering::Release);
    poll_until(&mut manager, "the connector's end", |_| connector.is_finished());
    connector.join().expect("the connector");
    threads.into_iter().for_each(|thread| thread.join().expect("a poster"));
}

#[test]
fn r12_bytes_sent_from_8_threads_arrive_and_each_completion_runs_once() {
    let each = scaled(2_000);
    let mut manager = Manager::new().expect("a manager");
    let accepted = Rc::new(RefCell::new(None));
    let remember = {
        let accepted = Rc::clone(&accepted);
        move |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Accept = event {
                *accepted.borrow_mut() = Some(connection.id());
            }
            Ok::<(), Error>(())
        }
    };
    let address = manager.tcp("tcp://127.0.0.1:0", remember).expect("to listen").local_addr();
    let client = TcpStream::connect(address).expect("to connect");
    poll_until(&mut manager, "the connection", |_| accepted.borrow().is_some());
    let id = accepted.borrow().expect("just seen");

    let total = THREADS * each * 100;
    let reader = thread::spawn(move || {
        let mut counts = [0usize; THREADS];
        let mut bytes = vec![0; 1 << 16];
        while counts.iter().sum::<usize>() < total {
            let count = std::io::Read::read(&mut &client, &mut bytes).expect("to read");
            assert_ne!(count, 0, "closed early");
            bytes[..count].iter().for_each(|&byte| counts[usize::from(byte)] += 1);
        }
        counts
    });
    let done = Arc::new(AtomicUsize::new(0));
    let senders: Vec<_> = (0..THREADS)
        .map(|thread| {
            let (handle, done) = (manager.handle(), Arc::clone(&done));
            thread::spawn(move || {
                for _ in 0..each {
                    let done = Arc::clone(&done);
                    let count = move |result: Result<(), Error>| {
                        result.expect("room and a connection");
                        done.fetch_add(1, Ordering::AcqRel);
                    };
                    handle.send_then(id, vec![thread as u8; 100], count).expect("the manager lives");
                }
            })
        })
        .collect();
    poll_until(&mut manager, "all bytes", |_| reader.is_finished());
    assert_eq!(reader.join().expect("the reader"), [each * 100; THREADS]);
    assert_eq!(done.load(Ordering::Acquire), THREADS * each);
    senders.into_iter().for_each(|sender| sender.join().expect("a sender"));
}
