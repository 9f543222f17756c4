//! What the RFCs ask of a server's answers: hazards 31, 32, 36, 37, 54.

use std::thread;

use mongoose::http::{Reply, Request};
use mongoose::{Error, Limits, State, sys};
use mongoose_tests::{Client, Server};

const LARGE: usize = 5_000_000;

fn site(request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
    match request.path() {
        "/none" => reply.status(204).text("not sent"),
        "/same" => reply.status(304).text("not sent"),
        "/large" => reply.body(vec![b'x'; LARGE]),
        "/defer" => {
            let deferred = reply.defer();
            thread::spawn(move || deferred.reply().text("deferred"));
            Ok(())
        }
        // No length is no body (RFC 9112 section 6.3): only the handler knows that it wants one.
        "/put" if request.header("Content-Length").is_none() => reply.status(411).empty(),
        path => reply.text(path),
    }
}

#[test]
fn hazard_31_a_client_can_tell_where_each_answer_ends() {
    let server = Server::http(|| site);
    let mut client = Client::connect(server.address);
    let line = |method: &str, path: &str| format!("{method} {path} HTTP/1.1\r\nHost: h\r\n\r\n");
    let requests = [
        line("HEAD", "/large"),
        line("GET", "/none"),
        line("GET", "/same"),
        line("HEAD", "/none"),
        line("GET", "/x"),
    ];
    client.send(requests.concat());
    let head = client.response_to_head();
    assert_eq!((head.status, head.header("Content-Length")), (200, Some("5000000")));
    for status in [204, 304, 204] {
        let response = client.response_to_head();
        assert_eq!((response.status, response.header("Content-Length")), (status, None));
    }
    assert_eq!(client.response().text(), "/x");
}

#[test]
fn hazard_32_a_peer_that_has_ended_its_direction_gets_a_large_answer_whole() {
    let server = Server::http(|| site);
    let mut client = Client::connect(server.address);
    client.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n").end();
    assert_eq!(client.response().body.len(), LARGE);
    assert!(client.to_end().is_empty());
}

#[test]
fn hazard_36_a_body_goes_on_behind_a_nul() {
    let server = Server::http(|| {
        |request: Request<'_>, reply: Reply<'_>| {
            let body = b"before\0after";
            if request.path() == "/rust" {
                return reply.body(body);
            }
            let raw = request.connection().as_raw();
            // SAFETY: the connection lives as long as the borrow; the format takes a length as an int and as many bytes.
            unsafe {
                let length: std::ffi::c_int = 12;
                sys::mg_http_reply(raw, 200, c"".as_ptr(), c"%.*s".as_ptr(), length, body.as_ptr());
            }
            assert!(!request.connection().state().contains(State::RESPONDING), "C has answered");
            drop(reply);
            Ok(())
        }
    });
    let mut client = Client::connect(server.address);
    assert_eq!(client.get("/rust").body, b"before\0after");
    assert_eq!(client.get("/c").body, b"before", "C stops there");
    assert_eq!(client.get("/rust").body, b"before\0after");
}

#[test]
fn hazard_37_each_refusal_has_its_status_and_closes() {
    let mut limits = Limits::default();
    (limits.head, limits.body) = (1000, 100);
    let server = Server::http_within(limits, || site);
    let long = "x".repeat(1000);
    let chunk = format!("65\r\n{}\r\n0\r\n\r\n", "x".repeat(0x65));
    for (status, request) in [
        (400, "GET / HTTP/1.1\r\nHost: h\r\nbad header\r\n\r\n".to_owned()),
        (413, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n".to_owned()),
        (413, format!("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}")),
        (414, format!("GET /{long} HTTP/1.1\r\nHost: h\r\n\r\n")),
        (417, "POST / HTTP/1.1\r\nHost: h\r\nExpect: 200-ok\r\nContent-Length: 1\r\n\r\nx".to_owned()),
        (431, format!("GET / HTTP/1.1\r\nHost: h\r\nX: {long}\r\n\r\n")),
        (431, format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "X: y\r\n".repeat(128))),
        (501, "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n".to_owned()),
        (501, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n".to_owned()),
        (505, "GET / HTTP/3.0\r\nHost: h\r\n\r\n".to_owned()),
    ] {
        let mut client = Client::connect(server.address);
        let response = client.send(&request).response();
        assert_eq!(response.status, status, "{request:?}");
        assert_eq!(response.header("Connection"), Some("close"));
        assert!(response.header("Date").is_some() && !response.body.is_empty());
        assert!(client.end().to_end().is_empty());
    }
}

#[test]
fn hazard_37_a_handler_that_wants_a_length_answers_411_and_the_connection_goes_on() {
    let server = Server::http(|| site);
    let mut client = Client::connect(server.address);
    client.send(
        "PUT /put HTTP/1.1\r\nHost: h\r\n\r\nPUT /put HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
    );
    assert_eq!(client.response().status, 411);
    assert_eq!(client.response().status, 200);
}

#[test]
fn hazard_37_late_replies_close_where_close_was_asked_for() {
    let server = Server::http(|| site);
    for path in ["/defer", "/large", "/none"] {
        let mut client = Client::connect(server.address);
        client.send(format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
        assert_eq!(client.response().header("Connection"), Some("close"), "{path}");
        assert!(client.to_end().is_empty(), "{path}");
    }
}

#[test]
fn hazard_54_http_1_0_is_answered_and_closed_or_kept_when_asked() {
    let server = Server::http(|| site);
    // What `ab` sends, without and with -k.
    let request = |extra: &str| {
        format!(
            "GET /hello HTTP/1.0\r\n{extra}Host: 127.0.0.1\r\nUser-Agent: ApacheBench/2.3\r\nAccept: */*\r\n\r\n"
        )
    };
    for _ in 0..10 {
        let mut client = Client::connect(server.address);
        assert_eq!(client.send(request("")).response().text(), "/hello");
        assert!(client.to_end().is_empty(), "closed by the server");
    }
    let mut client = Client::connect(server.address);
    for _ in 0..10 {
        let response = client.send(request("Connection: Keep-Alive\r\n")).response();
        assert_eq!((response.text(), response.header("Connection")), ("/hello", Some("keep-alive")));
        assert_eq!(response.header("Content-Length"), Some("6"));
    }
}
