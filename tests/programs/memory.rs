//! What large bodies cost: time, and no memory.

use std::io::Write;

use mongoose_tests::{Client, scaled};

use crate::program::HttpServer;

/// More than buffers, and much less than any of the bodies.
const ROOM: usize = 8 << 20;

#[test]
fn an_upload_costs_no_memory() {
    let server = HttpServer::start_one();
    let mut client = Client::connect(server.addresses[0]);
    assert_eq!(client.get("/hello").status, 200);
    let before = server.peak_memory();
    let piece = vec![b'x'; 1 << 20];
    let pieces = scaled(100).max(16);
    client.send(format!(
        "PUT /upload HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n\r\n",
        pieces * piece.len()
    ));
    for _ in 0..pieces {
        client.send(&piece);
    }
    assert!(client.response().text().starts_with(&format!("{{\"bytes\":{},", pieces * piece.len())));
    let after = server.peak_memory();
    assert!(after < before + ROOM, "{before} bytes before, {after} after");
}

#[test]
fn a_reply_that_nobody_reads_costs_no_memory() {
    let mut server = HttpServer::start_one_with(&["--timeout", "1"]);
    let mut client = Client::connect(server.addresses[0]);
    assert_eq!(client.get("/hello").status, 200);
    let before = server.peak_memory();
    client.send("GET /stream?lines=1000000000 HTTP/1.1\r\nHost: test\r\n\r\n");
    server.line_with("deadline passed: write");
    let after = server.peak_memory();
    assert!(after < before + ROOM, "{before} bytes before, {after} after");
}

#[test]
fn a_form_does_not_outgrow_its_limit() {
    let server = HttpServer::start_one_with(&["--max-body", "100000"]);
    let mut client = Client::connect(server.addresses[0]);
    client.send(
        "POST /form HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\
         Content-Type: multipart/form-data; boundary=x\r\n\r\n4000000\r\n",
    );
    let before = server.peak_memory();
    let piece = vec![b'x'; 64 << 10];
    // It answers at some point and closes; what is sent then fails.
    let mut stream = client.stream();
    let sent = (0..1024).take_while(|_| stream.write_all(&piece).is_ok()).count();
    assert!(sent < 1024, "it takes everything");
    let after = server.peak_memory();
    assert!(after < before + ROOM, "{before} bytes before, {after} after");
}
