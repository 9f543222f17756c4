//! Where responses begin and end, and what that makes of their connections: the hazards by number.

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::rc::Rc;

use mongoose::http::{Download, Response};
use mongoose::{Connection, Error};

use crate::scene::{Scene, ok};

/// What a receiver of pieces was told.
#[derive(Default)]
struct Log {
    heads: Cell<usize>,
    body: RefCell<Vec<u8>>,
    end: RefCell<Option<Result<(), String>>>,
}

struct Pieces(Rc<Log>);

impl Download for Pieces {
    fn head(&mut self, response: Response<'_>) -> Result<(), Error> {
        assert_eq!(response.body(), b"");
        self.0.heads.set(self.0.heads.get() + 1);
        Ok(())
    }

    fn data(&mut self, _: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
        assert!(!piece.is_empty() && self.0.heads.get() == 1);
        self.0.body.borrow_mut().extend_from_slice(piece);
        Ok(())
    }

    fn end(&mut self, _: &Connection<'_>) {
        assert!(self.0.end.replace(Some(Ok(()))).is_none(), "told twice");
    }

    fn failed(&mut self, error: &Error) {
        assert!(self.0.end.replace(Some(Err(error.to_string()))).is_none(), "told twice");
    }
}

/// Sends pieces as a response; answers how many heads, what body and what end the receiver was told.
fn receive(pieces: &[&[u8]], close: bool) -> (usize, Vec<u8>, Result<(), String>) {
    let mut scene = Scene::new();
    let log = Rc::new(Log::default());
    scene.client.get(&scene.url("/")).receive(Pieces(Rc::clone(&log))).expect("to begin");
    let mut peer = scene.accept();
    scene.head(&mut peer);
    let mut total = 0;
    for piece in pieces {
        if log.end.borrow().is_some() || peer.stream.write_all(piece).is_err() {
            // It was refused, and the connection closed.
            break;
        }
        total += piece.len() as u64;
        scene.until("the client to read a piece", |manager| {
            (log.end.borrow().is_some() || manager.stats().received >= total).then_some(())
        });
    }
    if close {
        peer.end();
    }
    let end = scene.until("the end", |_| log.end.take());
    (log.heads.get(), log.body.take(), end)
}

fn split(text: &str, size: usize) -> Vec<&[u8]> {
    text.as_bytes().chunks(size).collect()
}

#[test]
fn hazard_18_a_cut_body_is_no_end() {
    for text in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    ] {
        for size in [1, 7, 1000] {
            let (heads, body, end) = receive(&split(text, size), true);
            assert_eq!((heads, &*body), (1, &b"hello"[..]), "{text:?}");
            assert_eq!(end, Err(Error::Truncated.to_string()), "{text:?}");
        }
    }
    let (heads, body, end) = receive(&split("HTTP/1.1 200 OK\r\nContent-Le", 5), true);
    assert_eq!((heads, &*body, end), (0, &b""[..], Err(Error::Truncated.to_string())));
}

#[test]
fn hazard_33_the_head_is_told_once_and_pieces_as_they_come() {
    for text in [
        "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\nA: b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n",
    ] {
        for size in [1, 2, 3, 10, 1000] {
            let (heads, body, end) = receive(&split(text, size), false);
            assert_eq!((heads, &*body, end), (1, &b"hello world"[..], Ok(())), "{text:?} by {size}");
        }
    }
    let (heads, body, end) = receive(&split("HTTP/1.1 200 OK\r\n\r\nhello", 3), true);
    assert_eq!((heads, &*body, end), (1, &b"hello"[..], Ok(())), "the connection's end is the body's");
    for text in ["HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"] {
        let (heads, body, end) = receive(&split(text, 1000), false);
        assert_eq!((heads, &*body, end), (1, &b""[..], Ok(())), "{text:?}");
    }
}

#[test]
fn a_malformed_body_ends_with_what_was_right_of_it() {
    let text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n";
    for size in [1, 1000] {
        let (heads, body, end) = receive(&split(text, size), false);
        assert_eq!((heads, &*body), (1, &b"hello"[..]));
        assert!(end.expect_err("malformed").contains("chunk size"));
    }
}

#[test]
fn hazard_31_responses_without_a_body_leave_the_connection_usable() {
    let mut scene = Scene::new();
    let (mut peer, outcome) = scene.exchange("/", &ok("first"));
    assert_eq!(outcome.expect("valid").body(), b"first");
    for (method, response, status) in [
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", 200),
        ("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n", 304),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n", 204),
        ("HEAD", "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n", 404),
        ("POST", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", 201),
        ("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200),
    ] {
        let answer = scene.send(scene.client.request(method, &scene.url("/next")));
        let head = scene.head(&mut peer);
        assert!(head.starts_with(&format!("{method} /next HTTP/1.1\r\n")), "{head}");
        peer.send(response);
        let response = scene.outcome(&answer).expect("valid");
        assert_eq!((response.status(), response.body()), (status, &b""[..]));
    }
    assert_eq!(scene.manager.stats().connections, 1);
}

#[test]
fn hazard_36_bodies_are_bytes() {
    let body: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let mut scene = Scene::new();
    let answer = scene.send(scene.client.post(&scene.url("/")).body(body.clone()));
    let mut peer = scene.accept();
    let head = scene.head(&mut peer);
    assert!(head.contains("\r\nContent-Length: 100000\r\n"), "{head}");
    assert!(scene.bytes(&mut peer, body.len()) == body);
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    peer.send(&body);
    assert!(scene.outcome(&answer).expect("valid").into_body() == body);
}

#[test]
fn hazard_37_what_the_server_says_of_the_connection_is_heeded() {
    for (response, stays) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: Close\r\n\r\nhi", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: x\r\nConnection: y , close\r\n\r\nhi", false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: Keep-Alive\r\n\r\nhi", true),
    ] {
        let mut scene = Scene::new();
        let (mut peer, outcome) = scene.exchange("/", response.as_bytes());
        assert_eq!(outcome.expect("valid").body(), b"hi");
        assert_eq!(scene.client.idle_connections(), usize::from(stays), "{response:?}");
        if !stays {
            scene.closed(&mut peer);
        }
    }
}

#[test]
fn a_request_that_closes_says_so_and_does() {
    let mut scene = Scene::new();
    let answer = scene.send(scene.client.get(&scene.url("/")).close());
    let mut peer = scene.accept();
    assert!(scene.head(&mut peer).contains("\r\nConnection: close\r\n"));
    peer.send(ok("hi").as_slice());
    assert!(scene.outcome(&answer).is_ok());
    scene.closed(&mut peer);
}

#[test]
fn a_response_may_be_larger_than_what_is_read_at_once() {
    let mut scene = Scene::new();
    let body = "x".repeat(2_000_000);
    let answer = scene.get("/");
    let mut peer = scene.accept();
    scene.head(&mut peer);
    let response = ok(&body);
    let mut sent = 0;
    let outcome = scene.until("the response", |_| {
        use std::io::Write;
        while sent < response.len() {
            match peer.stream.write(&response[sent..]) {
                Ok(count) => sent += count,
                Err(_) => break,
            }
        }
        answer.take()
    });
    assert_eq!(outcome.expect("valid").body().len(), body.len());
}

#[test]
fn a_body_past_the_limit_is_refused_unless_it_is_taken_in_pieces() {
    let mut limits = mongoose::Limits::default();
    limits.body = 10;
    for (head, body) in [
        ("Content-Length: 11\r\n", "hello world"),
        ("Transfer-Encoding: chunked\r\n", "b\r\nhello world\r\n0\r\n\r\n"),
        ("", "hello world"),
    ] {
        let text = format!("HTTP/1.1 200 OK\r\n{head}\r\n{body}");
        let mut scene = Scene::within(limits.clone());
        let (mut peer, outcome) = scene.exchange("/", text.as_bytes());
        assert!(matches!(outcome, Err(Error::Response { reason: "a body past the limit" })), "{outcome:?}");
        scene.closed(&mut peer);
        // One request may have other limits than its client.
        let mut scene = Scene::new();
        let answer = scene.send(scene.client.get(&scene.url("/")).limits(limits.clone()));
        let mut peer = scene.accept();
        scene.head(&mut peer);
        peer.send(&text);
        assert!(matches!(scene.outcome(&answer), Err(Error::Response { .. })));
    }
}
