//! R6: no text of a user or a peer is ever a format.

use std::sync::mpsc;

use mongoose::http::{Reply, Request};
use mongoose::{Connection, Error, Event, sys};
use mongoose_tests::{Client, PATIENCE, Server};

const FORMAT: &str = "%s%n%d %.*s %99999d %%";

#[test]
fn r6_formats_in_body_and_headers_arrive_as_written() {
    let server = Server::http(|| {
        |request: Request<'_>, reply: Reply<'_>| {
            assert_eq!(request.header("X-Format").expect("a header"), FORMAT);
            assert_eq!(request.body(), FORMAT.as_bytes());
            reply.header("X-Format", FORMAT).text(FORMAT)
        }
    });
    let request = format!(
        "POST /%25s%25n HTTP/1.1\r\nHost: h\r\nX-Format: {FORMAT}\r\nContent-Length: {}\r\n\r\n{FORMAT}",
        FORMAT.len()
    );
    let response = Client::connect(server.address).send(request).response();
    assert_eq!((response.header("X-Format"), response.text()), (Some(FORMAT), FORMAT));
}

#[test]
fn r6_formats_in_a_target_and_a_redirect_arrive_as_written() {
    let server = Server::http(|| {
        |request: Request<'_>, reply: Reply<'_>| {
            assert_eq!(request.query_value("v")?.as_deref(), Some("%s%n%d"));
            reply.redirect(request.path())
        }
    });
    let response = Client::connect(server.address).get("/%s%n%d?v=%25s%25n%25d");
    assert_eq!((response.status, response.header("Location")), (302, Some("/%s%n%d")));
}

/// Fails each connection when it is accepted, and passes on what it is told then.
fn errors(fail: fn(&Connection<'_>)) -> (Server, mpsc::Receiver<String>) {
    let (tell, told) = mpsc::channel();
    let server = Server::start(move |manager| {
        manager.tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
            match event {
                Event::Accept => fail(connection),
                Event::Error(Error::Reported(text)) => tell.send(text.clone()).expect("a test that waits"),
                _ => {}
            }
            Ok(())
        })
    });
    (server, told)
}

#[test]
fn r6_formats_in_an_error_arrive_as_written() {
    let (server, told) = errors(|connection| connection.fail(FORMAT));
    assert!(Client::connect(server.address).to_end().is_empty());
    assert_eq!(told.recv_timeout(PATIENCE).expect("an error"), FORMAT);

    let (server, told) = errors(|connection| {
        // SAFETY: the connection lives as long as the borrow; the format is ours and takes one NUL-terminated string.
        unsafe { sys::mg_error(connection.as_raw(), c"%s".as_ptr(), c"%s%n%d".as_ptr()) }
    });
    assert!(Client::connect(server.address).to_end().is_empty());
    assert_eq!(told.recv_timeout(PATIENCE).expect("C's error"), "%s%n%d");
}

#[test]
fn r6_formats_in_what_a_raw_connection_sends_arrive_as_written() {
    let server = Server::start(|manager| {
        manager.tcp("tcp://127.0.0.1:0", |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Accept = event {
                connection.send(FORMAT)?;
                connection.drain();
            }
            Ok(())
        })
    });
    assert_eq!(Client::connect(server.address).to_end(), FORMAT.as_bytes());
}
