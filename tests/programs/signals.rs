//! How `http_server` ends.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Instant;

use mongoose_tests::{Client, PATIENCE};
use rustix::process::{Pid, Signal, kill_process};

use crate::program::{HttpServer, http_server};

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

#[test]
fn it_serves_on_when_nobody_reads_its_log() {
    let mut child =
        http_server(&["--listen", "http://127.0.0.1:0"]).stderr(Stdio::piped()).spawn().expect("to start");
    let mut line = String::new();
    // The only end of the pipe that can be read: gone behind this.
    BufReader::new(child.stderr.take().expect("piped")).read_line(&mut line).expect("a line");
    let address = line.trim().strip_prefix("listening on http://").and_then(|address| address.parse().ok());
    let mut client = Client::connect(address.expect("an address"));
    for _ in 0..3 {
        assert_eq!(client.get("/hello").text(), "hello\n");
    }
    kill_process(Pid::from_child(&child), Signal::TERM).expect("a process that is there");
    assert_eq!(child.wait().expect("a status").code(), Some(0));
}
