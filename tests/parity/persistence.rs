//! HEAD, keep-alive and close, of HTTP/1.1 and 1.0.

use mongoose::Error;
use mongoose::http::{Reply, Request};
use mongoose_tests::{Client, Server};

fn echo_path(request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
    match request.path() {
        "/close" => reply.close().text("closing"),
        "/defer" => {
            let deferred = reply.defer();
            std::thread::spawn(move || deferred.reply().text("deferred"));
            Ok(())
        }
        "/defer-close" => {
            let deferred = reply.defer();
            std::thread::spawn(move || deferred.reply().close().text("closing"));
            Ok(())
        }
        "/nothing" => Ok(()),
        path => reply.text(path),
    }
}

#[test]
fn head_gets_the_head_that_get_gets_and_no_body() {
    let server = Server::http(|| echo_path);
    let mut client = Client::connect(server.address);
    for path in ["/hello", "/defer", "/nothing"] {
        let get = client.get(path);
        client.send(format!("HEAD {path} HTTP/1.1\r\nHost: h\r\n\r\n"));
        let head = client.response_to_head();
        assert_eq!((head.status, head.header("Content-Length")), (get.status, get.header("Content-Length")));
        assert_eq!(head.header("Content-Type"), get.header("Content-Type"));
    }
    assert_eq!(client.get("/next").text(), "/next", "nothing was left between");
}

#[test]
fn http_1_1_stays_unless_somebody_says_close() {
    let server = Server::http(|| echo_path);
    let mut client = Client::connect(server.address);
    for _ in 0..3 {
        let response = client.get("/hello");
        assert_eq!((response.text(), response.header("Connection")), ("/hello", None));
    }
    client.send("GET /hello HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n");
    let last = client.response();
    assert_eq!((last.text(), last.header("Connection")), ("/hello", Some("close")));
    assert!(client.to_end().is_empty());
}

#[test]
fn a_reply_that_closes_is_the_last_now_or_later() {
    let server = Server::http(|| echo_path);
    for path in ["/close", "/defer-close"] {
        let mut client = Client::connect(server.address);
        client.send(format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\nGET /more HTTP/1.1\r\nHost: h\r\n\r\n"));
        let response = client.response();
        assert_eq!((response.text(), response.header("Connection")), ("closing", Some("close")));
        assert!(client.to_end().is_empty(), "what was pipelined behind it is not answered");
    }
}

#[test]
fn http_1_0_closes_unless_it_asks_to_stay() {
    let server = Server::http(|| echo_path);
    for path in ["/hello", "/defer", "/nothing"] {
        let mut client = Client::connect(server.address);
        let get = client.send(format!("GET {path} HTTP/1.0\r\n\r\n")).response();
        assert_eq!(get.header("Connection"), Some("close"), "{path}");
        assert!(client.to_end().is_empty());

        let mut client = Client::connect(server.address);
        for _ in 0..3 {
            let get =
                client.send(format!("GET {path} HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")).response();
            assert_eq!(get.header("Connection"), Some("keep-alive"), "{path}");
        }
        client.send(format!("GET {path} HTTP/1.0\r\n\r\n"));
        assert_eq!(client.response().header("Connection"), Some("close"));
        assert!(client.to_end().is_empty());
    }
}

#[test]
fn closing_after_an_error_lets_the_client_read_the_reply_though_it_sends_on() {
    let server = Server::http(|| echo_path);
    let mut client = Client::connect(server.address);
    client.send("BAD REQUEST\r\n\r\n");
    // Bytes that nobody reads would have the system reset the connection and throw the reply away.
    client.send(vec![b'x'; 1_000_000]);
    let response = client.response();
    assert_eq!((response.status, response.header("Connection")), (400, Some("close")));
    assert!(client.end().to_end().is_empty());
}
