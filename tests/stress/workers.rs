//! Several event loops on one port.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use mongoose::http::{Reply, Request};
use mongoose::{Error, Workers};
use mongoose_tests::{Client, scaled};

/// Workers that answer with their number, and the port they share.
fn numbered(count: usize, restart: bool) -> (Workers, SocketAddr, Arc<Mutex<Vec<String>>>) {
    let (tell, told) = mpsc::channel();
    let panics = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&panics);
    let workers = Workers::builder(count)
        .restart(restart)
        .on_panic(move |worker, message| {
            seen.lock().expect("no panic in here").push(format!("{worker}: {message}"))
        })
        .start(move |worker, registry| {
            let listener =
                registry.http("http://127.0.0.1:0", move |request: Request<'_>, reply: Reply<'_>| {
                    assert_ne!(request.path(), "/panic", "asked to");
                    reply.text(worker.to_string())
                })?;
            // Nobody listens when a worker is started again.
            let _ = tell.send(listener.local_addr());
            Ok(())
        })
        .expect("to start");
    let addresses: Vec<SocketAddr> = told.try_iter().collect();
    assert_eq!(addresses.len(), count);
    assert!(addresses.iter().all(|&address| address == addresses[0]), "one port for all: {addresses:?}");
    (workers, addresses[0], panics)
}

#[test]
fn every_worker_serves_connections_of_the_same_port() {
    let (workers, address, _) = numbered(4, false);
    let mut served = [0; 4];
    // The system spreads connections by a hash of the addresses: 4 workers are all met within a few dozen.
    for _ in 0..1000 {
        let answer = Client::connect(address).get("/");
        served[answer.text().parse::<usize>().expect("a number")] += 1;
        if served.iter().all(|&count| count > 0) {
            break;
        }
    }
    assert!(served.iter().all(|&count| count > 0), "{served:?}");
    assert_eq!(workers.handles().len(), 4);
    workers.stop();
    workers.join().expect("no worker failed");
}

#[test]
fn a_panic_is_reported_and_ends_its_worker() {
    let (workers, address, panics) = numbered(1, false);
    let mut client = Client::connect(address);
    client.send("GET /panic HTTP/1.1\r\nHost: test\r\n\r\n").to_end();
    match workers.join() {
        Err(Error::Worker { worker: 0, message }) => assert!(message.contains("asked to"), "{message}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(panics.lock().expect("no panic in here").len(), 1);
}

#[test]
fn a_worker_that_is_to_restart_serves_again_on_the_same_port() {
    let (workers, address, panics) = numbered(1, true);
    for round in 1..=scaled(5).max(2) {
        let mut client = Client::connect(address);
        client.send("GET /panic HTTP/1.1\r\nHost: test\r\n\r\n").to_end();
        // Until the new loop listens, connecting is refused.
        let answer = (0..1_000_000).find_map(|_| {
            std::thread::yield_now();
            std::net::TcpStream::connect(address).ok()
        });
        assert!(answer.is_some(), "nobody listens again");
        assert_eq!(panics.lock().expect("no panic in here").len(), round);
    }
    assert_eq!(Client::connect(address).get("/").text(), "0");
    workers.stop();
    workers.join().expect("it was started again");
}

#[test]
fn a_set_up_that_fails_stops_all_and_is_the_error() {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let result = Workers::builder(3).start(move |worker, registry| {
        counted.fetch_add(1, Ordering::AcqRel);
        let url = if worker == 1 { "nonsense" } else { "tcp://127.0.0.1:0" };
        registry.tcp(url, |_: &mongoose::Connection<'_>, _: mongoose::Event<'_>| Ok(())).map(drop)
    });
    match result {
        Err(Error::Url { url, .. }) => assert_eq!(url, "nonsense"),
        other => panic!("{other:?}"),
    }
    assert_eq!(runs.load(Ordering::Acquire), 2, "the third was not started");
}

#[test]
fn a_set_up_that_panics_every_time_is_not_tried_for_ever() {
    let result = Workers::builder(1).restart(true).on_panic(|_, _| {}).start(|_, _| panic!("in set-up"));
    assert!(
        matches!(result, Err(Error::Worker { worker: 0, ref message }) if message == "in set-up"),
        "{result:?}"
    );
}

#[test]
fn stopping_waits_for_requests_in_flight() {
    let (arrived, arrives) = mpsc::channel();
    let (answer, answers) = mpsc::channel::<mongoose::http::Deferred>();
    let (tell, told) = mpsc::channel();
    let workers = Workers::builder(1)
        .start(move |_, registry| {
            let (arrived, answer) = (arrived.clone(), answer.clone());
            let listener = registry.http("http://127.0.0.1:0", move |_: Request<'_>, reply: Reply<'_>| {
                answer.send(reply.defer()).map_err(|_| Error::Closed)?;
                arrived.send(()).map_err(Error::handler)
            })?;
            tell.send(listener.local_addr()).map_err(Error::handler)
        })
        .expect("to start");
    let mut client = Client::connect(told.recv().expect("an address"));
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    arrives.recv().expect("the request");
    let stop = workers.stopper();
    stop();
    answers.recv().expect("a reply to give").reply().text("late").expect("the loop lives");
    assert_eq!(client.response().text(), "late");
    workers.join().expect("a clean end");
}
