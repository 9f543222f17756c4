//! One router on several workers, each within a tokio runtime of its own.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{channel, sync_channel};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use mongoose::tower::Serve;
use mongoose::{Error, Workers, WorkersBuilder};
use mongoose_tests::{Client, PATIENCE, scaled};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// Connections among which one worker alone will hardly get all.
const MANY: usize = 64;

fn here() -> String {
    std::thread::current().name().unwrap_or_default().to_owned()
}

fn serve(workers: WorkersBuilder, router: Router) -> (Workers, SocketAddr) {
    let (told, address) = channel();
    let workers = workers
        .start(move |_, registry| {
            // Within the runtime from the beginning.
            tokio::spawn(async {});
            let listener = registry.http("http://127.0.0.1:0", Serve::new(router.clone()))?;
            // Nobody listens the second time.
            let _ = told.send(listener.local_addr());
            Ok(())
        })
        .expect("workers");
    let address = address.recv_timeout(PATIENCE).expect("an address");
    (workers, address)
}

#[test]
fn requests_spread_over_workers_whose_services_use_tokio() {
    let requests = Arc::new(AtomicUsize::new(0));
    let count = |State(requests): State<Arc<AtomicUsize>>| async move {
        requests.fetch_add(1, Ordering::Relaxed);
        let task = tokio::spawn(async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            here()
        });
        let spawned_on = task.await.expect("no panic");
        assert_eq!(spawned_on, here(), "a task stays with its worker");
        spawned_on
    };
    let asks = |address: String| async move {
        let mut stream = TcpStream::connect(address).await.expect("to connect");
        let request = "GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.expect("to send");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("to receive");
        answer.lines().next().unwrap_or_default().to_owned()
    };
    let router = Router::new()
        .route("/", get(count))
        .route("/asks", axum::routing::post(asks))
        .with_state(Arc::clone(&requests));
    let (workers, address) = serve(Workers::builder(2).tokio(), router);
    let mut clients: Vec<_> = (0..MANY).map(|_| Client::connect(address)).collect();
    let mut names = HashSet::new();
    let rounds = scaled(20);
    for _ in 0..rounds {
        for client in &mut clients {
            client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
        }
        names.extend(clients.iter_mut().map(|client| client.response().text().to_owned()));
    }
    assert_eq!(requests.load(Ordering::Relaxed), rounds * MANY);
    assert_eq!(names, ["mongoose-worker-0", "mongoose-worker-1"].map(str::to_owned).into());
    // By a socket of tokio's to whichever of them, perhaps the same.
    for client in &mut clients[..8] {
        let body = address.to_string();
        client.send(format!(
            "POST /asks HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        assert_eq!(client.response().text(), "HTTP/1.1 200 OK");
    }
    workers.stop();
    workers.join().expect("no worker to fail");
}

#[test]
fn all_workers_finish_what_is_in_flight_on_shutdown() {
    let go = Arc::new(Semaphore::new(0));
    let (begun, begins) = sync_channel(MANY);
    let waits = {
        let go = Arc::clone(&go);
        move || async move {
            begun.send(here()).expect("the test to wait");
            go.acquire().await.expect("open").forget();
            "done"
        }
    };
    let router = Router::new().route("/waits", get(waits)).route("/", get(|| async { "hello" }));
    let (workers, address) = serve(Workers::builder(2).tokio(), router);
    let mut idle: Vec<_> = (0..8).map(|_| Client::connect(address)).collect();
    for client in &mut idle {
        assert_eq!(client.get("/").text(), "hello");
    }
    let mut waiting: Vec<_> = (0..MANY).map(|_| Client::connect(address)).collect();
    for client in &mut waiting {
        client.send("GET /waits HTTP/1.1\r\nHost: test\r\n\r\n");
    }
    let names: HashSet<_> =
        (0..MANY).map(|_| begins.recv_timeout(PATIENCE).expect("the requests to come")).collect();
    assert_eq!(names.len(), 2, "both are busy");
    workers.stop();
    for client in &mut idle {
        assert_eq!(client.to_end(), b"", "one that is idle is closed at once");
    }
    go.add_permits(MANY);
    for client in &mut waiting {
        assert_eq!(client.response().text(), "done");
        assert_eq!(client.to_end(), b"", "it is closed behind the answer");
    }
    workers.join().expect("no worker to fail");
    assert!(std::net::TcpStream::connect(address).is_err(), "nobody listens");
}

#[test]
fn a_panic_of_a_service_costs_its_worker_alone() {
    for restart in [true, false] {
        let (told, panics) = channel();
        let router = Router::new()
            .route("/panics", get(|| async { panic!("on purpose") as &'static str }))
            .route("/", get(here_slowly));
        let builder = Workers::builder(2).tokio().restart(restart);
        let builder = builder.on_panic(move |worker, message| {
            told.send((worker, message.to_owned())).expect("the test to listen");
        });
        let (workers, address) = serve(builder, router);
        let mut clients: Vec<_> = (0..MANY).map(|_| Client::connect(address)).collect();
        let names: Vec<_> = clients.iter_mut().map(|client| client.get("/").text().to_owned()).collect();
        let mut broken = Client::connect(address);
        broken.send("GET /panics HTTP/1.1\r\nHost: test\r\n\r\n");
        let (worker, message) = panics.recv_timeout(PATIENCE).expect("to be told");
        assert_eq!(message, "on purpose");
        assert_eq!(broken.to_end(), b"");
        let lost = format!("mongoose-worker-{worker}");
        for (client, name) in clients.iter_mut().zip(&names) {
            if *name == lost {
                assert_eq!(client.to_end(), b"");
            } else {
                assert_eq!(client.get("/").text(), name);
            }
        }
        if restart {
            // Whoever connects now is served, by either.
            let end = std::time::Instant::now() + PATIENCE;
            while workers.handles().len() < 2 {
                assert!(std::time::Instant::now() < end, "it is not started again");
                std::thread::yield_now();
            }
            let served: HashSet<_> =
                (0..MANY).map(|_| Client::connect(address).get("/").text().to_owned()).collect();
            assert_eq!(served.len(), 2);
        }
        workers.stop();
        match workers.join() {
            Ok(()) => assert!(restart, "a worker has failed"),
            Err(Error::Worker { worker: failed, .. }) => assert!(!restart && failed == worker),
            Err(error) => panic!("{error}"),
        }
    }
}

async fn here_slowly() -> String {
    tokio::time::sleep(Duration::from_millis(1)).await;
    here()
}
