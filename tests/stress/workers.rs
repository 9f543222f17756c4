//! Several event loops on one port.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use mongoose::http::{Reply, Request};
use mongoose::{Error, Workers};
use mongoose_tests::{Client, scaled};

/// Workers that answer with their number.
struct Numbered {
    workers: Workers,
    /// The port they share.
    address: SocketAddr,
    /// Gets each address that a worker listens at, also when it is started again.
    listens: mpsc::Receiver<SocketAddr>,
    panics: mpsc::Receiver<String>,
}

impl Numbered {
    fn start(count: usize, restart: bool) -> Self {
        let (tell, listens) = mpsc::channel();
        let (report, panics) = mpsc::channel();
        let workers = Workers::builder(count)
            .restart(restart)
            .on_panic(move |worker, message| {
                report.send(format!("{worker}: {message}")).expect("the test lives")
            })
            .start(move |worker, registry| {
                let answer = move |request: Request<'_>, reply: Reply<'_>| {
                    assert_ne!(request.path(), "/panic", "asked to");
                    reply.text(worker.to_string())
                };
                let listener = registry.http("http://127.0.0.1:0", answer)?;
                tell.send(listener.local_addr()).map_err(Error::handler)
            })
            .expect("to start");
        let addresses: Vec<SocketAddr> = listens.iter().take(count).collect();
        assert!(addresses.iter().all(|&address| address == addresses[0]), "one port for all: {addresses:?}");
        Self { workers, address: addresses[0], listens, panics }
    }

    /// Asks for a panic, and waits until it is reported.
    fn panic(&self) {
        let mut client = Client::connect(self.address);
        client.send("GET /panic HTTP/1.1\r\nHost: test\r\n\r\n").to_end();
        let report = self.panics.recv().expect("a report");
        assert!(report.starts_with("0: ") && report.contains("asked to"), "{report}");
    }
}

#[test]
fn every_worker_serves_connections_of_the_same_port() {
    let Numbered { workers, address, listens, panics } = Numbered::start(4, false);
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
    assert!(listens.try_recv().is_err() && panics.try_recv().is_err());
}

#[test]
fn a_panic_is_reported_and_ends_its_worker() {
    let one = Numbered::start(1, false);
    one.panic();
    match one.workers.join() {
        Err(Error::Worker { worker: 0, message }) => assert!(message.contains("asked to"), "{message}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_worker_that_is_to_restart_serves_again_on_the_same_port() {
    let one = Numbered::start(1, true);
    for _ in 0..scaled(5).max(2) {
        one.panic();
        assert_eq!(one.listens.recv(), Ok(one.address));
        assert_eq!(Client::connect(one.address).get("/").text(), "0");
    }
    one.workers.stop();
    one.workers.join().expect("it was started again");
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
