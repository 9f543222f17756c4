//! A manager within a tokio runtime.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::Request;
use mongoose::http::Reply;
use mongoose::tower::{Body, Serve};
use mongoose::{Manager, http as mg};
use mongoose_tests::{Client, PATIENCE, scaled};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::LocalSet;
use tokio::time::{sleep, timeout};

use crate::axum::runtime;
use crate::service::{Answers, text};

fn hello(manager: &Manager) -> std::net::SocketAddr {
    let handler = |_: mg::Request<'_>, reply: Reply<'_>| reply.text("hello");
    manager.http("http://127.0.0.1:0", handler).expect("to listen").local_addr()
}

fn many_threads() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

#[test]
fn a_manager_runs_until_it_is_stopped_and_may_be_run_again() {
    for runtime in [runtime(), many_threads()] {
        let mut manager = Manager::new().expect("a manager");
        let address = hello(&manager);
        for _ in 0..3 {
            let handle = manager.handle();
            let client = std::thread::spawn(move || {
                let mut client = Client::connect(address);
                for _ in 0..scaled(500) {
                    assert_eq!(client.get("/").text(), "hello");
                }
                handle.stop();
            });
            runtime.block_on(mongoose::tokio::run(&mut manager)).expect("to run");
            client.join().expect("no panic");
        }
        // Dropped in the middle.
        runtime.block_on(async {
            let run = mongoose::tokio::run(&mut manager);
            assert!(timeout(Duration::from_millis(20), run).await.is_err());
        });
        let handle = manager.handle();
        handle.stop();
        runtime.block_on(mongoose::tokio::run(&mut manager)).expect("to run");
    }
}

#[test]
fn a_loop_that_has_nothing_to_do_is_not_polled() {
    let mut manager = Manager::new().expect("a manager");
    hello(&manager);
    runtime().block_on(async {
        let _ = timeout(Duration::from_millis(20), mongoose::tokio::run(&mut manager)).await;
        let before = manager.stats().polls;
        let _ = timeout(Duration::from_millis(300), mongoose::tokio::run(&mut manager)).await;
        let polls = manager.stats().polls - before;
        assert!(polls < 10, "{polls} turns without an event");
    });
}

#[test]
fn timers_of_the_manager_ring() {
    let mut manager = Manager::new().expect("a manager");
    let rung = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&rung);
    let _timer = manager.every(Duration::from_millis(5), move |registry| {
        if counter.fetch_add(1, Ordering::Relaxed) == 9 {
            registry.handle().stop();
        }
    });
    let run = async { timeout(PATIENCE, mongoose::tokio::run(&mut manager)).await };
    runtime().block_on(run).expect("in time").expect("to run");
    assert_eq!(rung.load(Ordering::Relaxed), 10);
}

#[test]
fn services_use_the_runtime() {
    let mut manager = Manager::new().expect("a manager");
    let service = Answers(|request: Request<Body>| async move {
        let path = request.uri().path().to_owned();
        let task = tokio::spawn(async move {
            sleep(Duration::from_millis(2)).await;
            path
        });
        text(task.await.expect("no panic"))
    });
    let listener = manager.http("http://127.0.0.1:0", Serve::new(service)).expect("to listen");
    let (address, handle) = (listener.local_addr(), manager.handle());
    let clients = std::thread::spawn(move || {
        std::thread::scope(|scope| {
            for number in 0..4 {
                scope.spawn(move || {
                    let mut client = Client::connect(address);
                    for round in 0..scaled(100) {
                        let path = format!("/{number}/{round}");
                        assert_eq!(client.get(&path).text(), path);
                    }
                });
            }
        });
        handle.stop();
    });
    runtime().block_on(mongoose::tokio::run(&mut manager)).expect("to run");
    clients.join().expect("no panic");
}

#[test]
fn no_message_of_another_thread_is_lost_or_late() {
    for runtime in [runtime(), many_threads()] {
        let mut manager = Manager::new().expect("a manager");
        let handle = manager.handle();
        let rounds = scaled(5000);
        let poster = std::thread::spawn(move || {
            for _ in 0..rounds {
                let (done, wait) = std::sync::mpsc::channel();
                handle.post(move |_| done.send(()).expect("the thread to wait")).expect("a manager");
                wait.recv_timeout(PATIENCE).expect("in time");
            }
            handle.stop();
        });
        runtime.block_on(mongoose::tokio::run(&mut manager)).expect("to run");
        poster.join().expect("no panic");
    }
}

#[test]
fn other_tasks_have_their_turn_while_the_loop_is_busy() {
    let mut manager = Manager::new().expect("a manager");
    let address = hello(&manager);
    let handle = manager.handle();
    let (stop, stopped) = oneshot::channel::<()>();
    let client = std::thread::spawn(move || {
        let mut client = Client::connect(address);
        let mut stopped = stopped;
        while stopped.try_recv().is_err() {
            client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n".repeat(100));
            (0..100).for_each(|_| assert_eq!(client.response().text(), "hello"));
        }
        handle.stop();
    });
    runtime().block_on(async {
        tokio::spawn(async move {
            let end = Instant::now() + PATIENCE;
            for _ in 0..100 {
                tokio::task::yield_now().await;
                sleep(Duration::from_millis(1)).await;
                assert!(Instant::now() < end, "starved");
            }
            stop.send(()).expect("the client to listen");
        });
        mongoose::tokio::run(&mut manager).await.expect("to run");
    });
    client.join().expect("no panic");
}

#[test]
fn several_managers_share_a_thread() {
    let local = LocalSet::new();
    let runtime = runtime();
    let (told, addresses) = std::sync::mpsc::channel();
    let client = std::thread::spawn(move || {
        let managers: Vec<_> = (0..3).map(|_| addresses.recv().expect("an address")).collect();
        for (address, _) in &managers {
            assert_eq!(Client::connect(*address).get("/").text(), "hello");
        }
        managers.into_iter().for_each(|(_, handle): (_, mongoose::Handle)| handle.stop());
    });
    local.block_on(&runtime, async {
        let mut tasks = Vec::new();
        for _ in 0..3 {
            let told = told.clone();
            tasks.push(tokio::task::spawn_local(async move {
                let mut manager = Manager::new().expect("a manager");
                told.send((hello(&manager), manager.handle())).expect("the client to listen");
                mongoose::tokio::run(&mut manager).await.expect("to run");
            }));
        }
        for task in tasks {
            task.await.expect("no panic");
        }
    });
    client.join().expect("no panic");
}

#[test]
fn a_grace_that_is_over_ends_a_shutdown() {
    let mut manager = Manager::new().expect("a manager");
    let service = Answers(|_: Request<Body>| async {
        std::future::pending::<Result<http::Response<Body>, mongoose::Error>>().await
    });
    let listener = manager.http("http://127.0.0.1:0", Serve::new(service)).expect("to listen");
    let mut client = Client::connect(listener.local_addr());
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    runtime().block_on(async {
        let ended = mongoose::tokio::run_until(
            &mut manager,
            sleep(Duration::from_millis(50)),
            Duration::from_millis(50),
        );
        timeout(PATIENCE, ended).await.expect("in time").expect("to shut down");
    });
    assert_eq!(manager.stats().connections, 1, "it is there still, and goes with the manager");
    drop(manager);
    assert_eq!(client.to_end(), b"");
}
