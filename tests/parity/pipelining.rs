//! Requests that come before the reply to the one before.

use std::sync::mpsc;
use std::thread;

use mongoose::http::{Deferred, Reply, Request};
use mongoose_tests::{Client, Server};

const REQUESTS: usize = 100;

/// Answers paths; `/defer` is passed on.
fn server() -> (Server, mpsc::Receiver<Deferred>) {
    let (defer, deferred) = mpsc::channel();
    let server = Server::http(move || {
        move |request: Request<'_>, reply: Reply<'_>| match request.path() {
            "/defer" => defer.send(reply.defer()).map_err(mongoose::Error::handler),
            "/large" => reply.body(vec![b'x'; 100_000]),
            path => reply.text(path),
        }
    });
    (server, deferred)
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n")
}

#[test]
fn replies_to_100_requests_in_one_segment_come_in_order_with_a_deferred_one_in_the_middle() {
    let (server, deferred) = server();
    let requests: String = (0..REQUESTS)
        .map(|n| if n == REQUESTS / 2 { get("/defer") } else { get(&format!("/{n}")) })
        .collect();
    let mut client = Client::connect(server.address);
    client.send(requests);
    for n in 0..REQUESTS / 2 {
        assert_eq!(client.response().text(), format!("/{n}"));
    }
    let waiting = deferred.recv_timeout(mongoose_tests::PATIENCE).expect("the request in the middle");
    thread::spawn(move || waiting.reply().text("deferred").expect("a manager that is there"));
    assert_eq!(client.response().text(), "deferred");
    for n in REQUESTS / 2 + 1..REQUESTS {
        assert_eq!(client.response().text(), format!("/{n}"));
    }
}

#[test]
fn requests_behind_a_deferred_one_are_not_handled_before_it_is_answered() {
    let (server, deferred) = server();
    let mut client = Client::connect(server.address);
    for _ in 0..3 {
        client.send(get("/defer"));
    }
    for n in 0..3 {
        let waiting = deferred.recv_timeout(mongoose_tests::PATIENCE).expect("a request");
        assert!(deferred.try_recv().is_err(), "one at a time");
        waiting.reply().text(format!("{n}")).expect("a manager that is there");
        assert_eq!(client.response().text(), format!("{n}"));
    }
}

#[test]
fn large_replies_in_a_pipeline_come_in_order_though_the_client_reads_late() {
    let (server, _deferred) = server();
    let mut client = Client::connect(server.address);
    client.send((0..REQUESTS).map(|n| get(if n % 2 == 0 { "/large" } else { "/small" })).collect::<String>());
    for n in 0..REQUESTS {
        let response = client.response();
        match n % 2 {
            0 => assert_eq!(response.body.len(), 100_000),
            _ => assert_eq!(response.text(), "/small"),
        }
    }
}

#[test]
fn a_client_that_ends_its_direction_gets_all_replies_that_are_due() {
    let (server, deferred) = server();
    let mut client = Client::connect(server.address);
    client.send([get("/1"), get("/defer"), get("/2"), get("/defer"), get("/3")].concat()).end();
    assert_eq!(client.response().text(), "/1");
    for n in 2..4 {
        let waiting = deferred.recv_timeout(mongoose_tests::PATIENCE).expect("a request");
        thread::spawn(move || waiting.reply().text("deferred").expect("a manager that is there"));
        assert_eq!(client.response().text(), "deferred");
        assert_eq!(client.response().text(), format!("/{n}"));
    }
    assert!(client.to_end().is_empty());
}

#[test]
fn a_client_that_ends_its_direction_and_reads_late_gets_all_replies() {
    let mut limits = mongoose::Limits::default();
    limits.output = 100_000;
    let server =
        Server::http_within(limits, || |_: Request<'_>, reply: Reply<'_>| reply.body(vec![b'x'; 1_000_000]));
    let mut client = Client::connect(server.address);
    client.send((0..30).map(|_| get("/")).collect::<String>()).end();
    // More than the sockets between take: the server has to stop in the middle of what it has received.
    server.wait_until("the output to fill up", |registry| {
        registry
            .connections()
            .into_iter()
            .any(|id| registry.connection(id).is_ok_and(|found| found.queued() > 100_000))
    });
    for _ in 0..30 {
        assert_eq!(client.response().body.len(), 1_000_000);
    }
    assert!(client.to_end().is_empty());
}
