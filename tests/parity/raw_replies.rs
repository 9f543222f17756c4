//! C functions in a handler: what they append and what Rust appends leaves in order, and counts as the answer.

use mongoose::http::{Reply, Request};
use mongoose::{Connection, Error, Event, http, sys};
use mongoose_tests::{Client, Server};

fn reply_in_c(connection: &Connection<'_>) {
    // SAFETY: the connection is alive and this is its manager's thread; the format has no arguments.
    unsafe { sys::mg_http_reply(connection.as_raw(), 200, c"".as_ptr(), c"from C".as_ptr()) };
}

#[test]
fn a_reply_of_cs_is_the_answer_though_its_bytes_were_looked_at() {
    let server = Server::http(|| {
        |request: Request<'_>, _: Reply<'_>| {
            reply_in_c(request.connection());
            assert!(!request.connection().queued_bytes().is_empty());
            Ok(())
        }
    });
    let mut client = Client::connect(server.address);
    client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert_eq!(client.response().text(), "from C");
    assert!(client.to_end().is_empty(), "no 500 behind it");
}

#[test]
fn a_reply_of_cs_leaves_before_the_100_for_the_next_request() {
    let server = Server::http(|| {
        |request: Request<'_>, _: Reply<'_>| {
            reply_in_c(request.connection());
            Ok(())
        }
    });
    let mut client = Client::connect(server.address);
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(client.response().status, 200);
    assert_eq!(client.response().status, 100);
    assert_eq!(client.send("hi").response().status, 200);
}

#[test]
fn a_refused_head_request_gets_no_body() {
    let server = Server::http(|| |_: Request<'_>, reply: Reply<'_>| reply.empty());
    let mut client = Client::connect(server.address);
    client.send("HEAD / HTTP/1.1\r\nHost: h\r\nExpect: miracles\r\n\r\n");
    assert_eq!(client.response_to_head().status, 417);
    assert!(client.end().to_end().is_empty());
}

/// Tells what it was told.
struct Errors(std::sync::mpsc::Sender<String>);

impl http::Handler for Errors {
    fn request(&mut self, _: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        reply.empty()
    }

    fn event(&mut self, _: &Connection<'_>, event: Event<'_>) {
        let told = match event {
            Event::Error(error) => error.to_string(),
            Event::Close => "closed".to_owned(),
            _ => return,
        };
        self.0.send(told).expect("the test waits");
    }
}

#[test]
fn an_empty_line_behind_the_last_request_is_nothing_that_was_cut() {
    let (tell, told) = std::sync::mpsc::channel();
    let server = Server::http(move || Errors(tell));
    let mut client = Client::connect(server.address);
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n\r\n").end();
    assert_eq!(client.response().status, 200);
    assert_eq!(told.recv().as_deref(), Ok("closed"));
    client.to_end();
    let mut client = Client::connect(server.address);
    client.send("GET / HTTP/1.1\r\nHo").end();
    assert_eq!(told.recv().expect("an error"), Error::Truncated.to_string());
    assert_eq!(told.recv().as_deref(), Ok("closed"));
}
