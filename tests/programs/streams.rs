//! Bodies without an end in sight: slow readers, and events.

use mongoose_tests::{Client, scaled};
use rustix::process::Signal;

use crate::curl::{curl, is_there};
use crate::program::HttpServer;

#[test]
fn a_slow_download_comes_whole() {
    if !is_there("a slow download by curl") {
        return;
    }
    let server = HttpServer::start_one();
    let lines = scaled(700_000);
    // Some 9 MB: more than the sockets hold, so the thread that writes it has to wait.
    let url = server.url(&format!("/stream?lines={lines}"));
    let body = curl(&["--limit-rate", "6M", &url], b"");
    let mut expected = 0;
    for line in body.split_inclusive(|&byte| byte == b'\n') {
        expected += 1;
        assert_eq!(line, format!("line {expected}\n").as_bytes());
    }
    assert_eq!(expected, lines);
}

/// The number of the next event.
fn tick(client: &mut Client) -> u64 {
    let chunk = String::from_utf8(client.chunk().expect("an event")).expect("text");
    let number = chunk.strip_prefix("event: tick\nid: ").and_then(|rest| rest.split('\n').next());
    let number = number.unwrap_or_else(|| panic!("{chunk:?}"));
    assert_eq!(chunk, format!("event: tick\nid: {number}\ndata: {number}\n\n"));
    number.parse().expect("a number")
}

fn subscribe(server: &HttpServer, last: Option<u64>) -> Client {
    let mut client = Client::connect(server.addresses[0]);
    let last = last.map_or(String::new(), |last| format!("Last-Event-ID: {last}\r\n"));
    client.send(format!("GET /sse HTTP/1.1\r\nHost: test\r\n{last}\r\n"));
    for expected in ["HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked", ""] {
        let found = std::iter::repeat_with(|| client.line()).find(|line| line == expected || line.is_empty());
        assert_eq!(found.as_deref(), Some(expected));
    }
    client
}

#[test]
fn every_subscriber_gets_every_event_also_what_it_missed() {
    let server = HttpServer::start_one_with(&["--workers", "2"]);
    let mut all: Vec<_> = (0..4).map(|_| subscribe(&server, None)).collect();
    for client in &mut all {
        let first = tick(client);
        assert_eq!(tick(client), first + 1);
    }
    let seen = tick(&mut all[0]);
    drop(all);
    let mut again = subscribe(&server, Some(seen - 2));
    for number in seen - 1..=seen + 1 {
        assert_eq!(tick(&mut again), number);
    }
    // Nonsense, and numbers that are yet to come.
    assert!(tick(&mut subscribe(&server, Some(u64::MAX))) > seen);
}

#[test]
fn a_stream_of_events_ends_whole_with_the_server() {
    let server = HttpServer::start_one();
    let mut client = subscribe(&server, None);
    tick(&mut client);
    server.signal(Signal::TERM);
    // The last chunk says that nothing is missing; a browser would come back.
    while client.chunk().is_some() {}
    assert!(client.to_end().is_empty());
    assert_eq!(server.end().0.code(), Some(0));
}
