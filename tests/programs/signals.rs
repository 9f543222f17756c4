//! How `http_server` ends.

use std::net::TcpStream;
use std::time::Instant;

use mongoose_tests::{Client, PATIENCE};
use rustix::process::Signal;

use crate::program::HttpServer;

#[test]
fn sigint_and_sigterm_end_it_after_what_is_in_flight_is_answered() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut server = HttpServer::start_one();
        let mut idle = Client::connect(server.addresses[0]);
        let mut deferred = Client::connect(server.addresses[0]);
        deferred.send("GET /defer HTTP/1.1\r\nHost: h\r\n\r\n");
        let line = server.line();
        assert!(line.ends_with(" GET /defer"), "{line}");
        server.signal(signal);
        assert_eq!(deferred.response().text(), "deferred\n");
        assert!(deferred.to_end().is_empty() && idle.to_end().is_empty());
        drop((deferred, idle));
        let (status, rest) = server.end();
        assert_eq!((status.code(), rest), (Some(0), vec![]), "{signal:?}");
    }
}

#[test]
fn a_second_signal_ends_it_though_something_is_in_flight() {
    let server = HttpServer::start_one();
    let address = server.addresses[0];
    let mut client = Client::connect(address);
    // Before the signal, this much was seen; the rest never comes.
    client.send(
        "GET /hello HTTP/1.1\r\nHost: h\r\n\r\nPOST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nbo",
    );
    assert_eq!(client.response().text(), "hello\n");
    server.signal(Signal::INT);
    let end = Instant::now() + PATIENCE;
    while TcpStream::connect(address).is_ok() {
        assert!(Instant::now() < end, "it still listens");
    }
    server.signal(Signal::INT);
    let (status, _) = server.end();
    assert_eq!(status.code(), Some(0));
    assert!(client.to_end().is_empty());
}

#[test]
fn every_request_is_a_line_of_the_log() {
    let mut server = HttpServer::start(&["http://127.0.0.1:0", "http://[::1]:0"]);
    for address in server.addresses.clone() {
        let mut client = Client::connect(address);
        let own = client.stream().local_addr().expect("connected");
        for target in ["/hello", "/query?name=%0A", "/nowhere"] {
            client.get(target);
            assert_eq!(server.line(), format!("{own} GET {target}"));
        }
        client.send("BAD\r\n\r\n").response();
        let line = server.line();
        assert!(line.starts_with(&own.to_string()) && line.contains("400"), "{line}");
    }
    server.signal(Signal::TERM);
    assert_eq!(server.end().0.code(), Some(0));
}
