//! Graceful shutdown, and peers that go away.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::get;
use mongoose_tests::{Client, PATIENCE};
use tokio::sync::Notify;

use super::on_both;
use crate::service::Dropped;

#[test]
fn what_is_in_flight_is_answered_and_the_rest_closed_on_shutdown() {
    let (begun, begins) = channel();
    let go = Arc::new(Notify::new());
    let theirs = Arc::clone(&go);
    let router = move || {
        let (begun, go) = (begun.clone(), Arc::clone(&theirs));
        let waits = move || async move {
            begun.send(()).expect("the test to wait");
            go.notified().await;
            "done"
        };
        Router::new().route("/waits", get(waits)).route("/", get(|| async { "hello" }))
    };
    on_both(router, |site| {
        let mut idle = Client::connect(site.address);
        assert_eq!(idle.get("/").text(), "hello");
        let mut waiting = Client::connect(site.address);
        waiting.send("GET /waits HTTP/1.1\r\nHost: test\r\n\r\n");
        begins.recv_timeout(PATIENCE).expect("the request to come");
        site.stop();
        assert_eq!(idle.to_end(), b"", "one that is idle is closed at once");
        go.notify_one();
        assert_eq!(waiting.response().text(), "done");
        assert_eq!(waiting.to_end(), b"", "it is closed behind the answer");
        drop(waiting);
        site.join();
        assert!(std::net::TcpStream::connect(site.address).is_err(), "nobody listens");
    });
}

#[test]
fn the_future_of_an_aborted_request_is_dropped() {
    type Ends = (Sender<&'static str>, Arc<Mutex<Receiver<&'static str>>>);
    let (begun, begins) = channel();
    let (told, dropped): Ends = {
        let (told, dropped) = channel();
        (told, Arc::new(Mutex::new(dropped)))
    };
    let router = move || {
        let (begun, told) = (begun.clone(), told.clone());
        let never = move || async move {
            let _dropped = Dropped(told);
            begun.send(()).expect("the test to wait");
            std::future::pending::<&str>().await
        };
        Router::new().route("/never", get(never))
    };
    on_both(router, |site| {
        for leave in [Client::reset as fn(Client), drop] {
            let mut client = Client::connect(site.address);
            client.send("GET /never HTTP/1.1\r\nHost: test\r\n\r\n");
            begins.recv_timeout(PATIENCE).expect("the request to come");
            leave(client);
            let dropped = dropped.lock().expect("no panic");
            assert_eq!(dropped.recv_timeout(PATIENCE), Ok("dropped"));
        }
    });
}
