//! `--timeout`, in each of the four ways that a peer can be slow.

use mongoose_tests::Client;

use crate::program::HttpServer;

#[test]
fn slow_heads_and_bodies_are_408_and_who_is_idle_or_does_not_read_is_closed() {
    let mut server = HttpServer::start_one_with(&["--timeout", "1"]);
    let begin = |request: &str| {
        let mut client = Client::connect(server.addresses[0]);
        client.send(request);
        client
    };
    let mut slow = [
        begin("GET / HTTP/1.1\r\n"),
        begin("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\n1234"),
        begin("POST /upload HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\n1234"),
    ];
    let mut idle = begin("GET /hello HTTP/1.1\r\nHost: test\r\n\r\n");
    let deaf = begin("GET /stream?lines=1000000000 HTTP/1.1\r\nHost: test\r\n\r\n");
    // What takes its time at our end is no matter of the peer's.
    let mut patient = begin("GET /slow?seconds=2 HTTP/1.1\r\nHost: test\r\n\r\n");

    for client in &mut slow {
        assert_eq!(client.response().status, 408);
        assert!(client.to_end().is_empty());
    }
    assert_eq!(idle.response().status, 200);
    assert!(idle.to_end().is_empty(), "closed without a word");
    assert_eq!(patient.response().text(), "after 2 seconds\n");
    server.line_with("deadline passed: write");
    drop(deaf);
}
