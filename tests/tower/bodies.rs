//! Bodies in pieces, both ways and at once.

use std::collections::VecDeque;
use std::pin::Pin;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use mongoose::tower::Body;
use mongoose::{Error, Limits};
use mongoose_tests::{Client, PATIENCE, find_program, scaled};

use crate::service::{Dropped, Gate, Made, piece, serve, serve_within, text, whole};

const HEAD: &str = "POST / HTTP/1.1\r\nHost: test\r\n";

fn pattern(size: usize) -> Vec<u8> {
    (0..size as u32).map(|number| (number % 251) as u8).collect()
}

fn status(status: u16) -> Result<Response<Body>, Error> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    Ok(response)
}

#[test]
fn a_body_past_every_limit_arrives_whole_and_the_connection_goes_on() {
    let server = serve(|request: Request<Body>| async move {
        let body = whole(request.into_body()).await?;
        text(format!("{} {}", body.len(), body.iter().map(|&byte| u64::from(byte)).sum::<u64>()))
    });
    let mut client = Client::connect(server.address);
    for size in [0, 1, 1000, 70_000, scaled(50 << 20)] {
        let body = pattern(size);
        let expected = format!("{size} {}", body.iter().map(|&byte| u64::from(byte)).sum::<u64>());
        client.send(format!("{HEAD}Content-Length: {size}\r\n\r\n")).send(&body);
        assert_eq!(client.response().text(), expected);
        client.send(format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n"));
        for chunk in body.chunks(100_000) {
            client.send(format!("{:x}\r\n", chunk.len())).send(chunk).send("\r\n");
        }
        client.send("0\r\n\r\n");
        assert_eq!(client.response().text(), expected);
    }
}

/// A response that is the request's body, piece by piece.
#[test]
fn a_response_may_be_made_of_the_request_while_that_comes() {
    let server = serve(|request: Request<Body>| async move { Ok(Response::new(request.into_body())) });
    let mut client = Client::connect(server.address);
    for round in 0..2 {
        client.send(format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n"));
        client.send("3\r\nabc\r\n");
        let head = std::iter::from_fn(|| Some(client.line()).filter(|line| !line.is_empty()));
        assert!(head.collect::<Vec<_>>().contains(&"Transfer-Encoding: chunked".to_owned()), "round {round}");
        assert_eq!(client.chunk().expect("a piece"), b"abc");
        client.send("2\r\nde\r\n");
        assert_eq!(client.chunk().expect("a piece"), b"de");
        client.send("0\r\n\r\n");
        assert_eq!(client.chunk(), None);
    }
    // Much of it, by a peer that reads while it sends.
    let body = pattern(scaled(20 << 20));
    let mut writer = Client::from(client.stream().try_clone().expect("a second handle"));
    let sent = body.clone();
    let thread = thread::spawn(move || {
        writer.send(format!("{HEAD}Content-Length: {}\r\n\r\n", sent.len())).send(&sent);
    });
    assert!(client.response().body == body, "another body");
    thread.join().expect("to send");
    client.send(format!("{HEAD}Content-Length: 1\r\n\r\nx"));
    assert_eq!(client.response().text(), "x");
}

#[test]
fn a_reply_need_not_wait_for_a_body_that_is_not_read() {
    let server = serve(|_: Request<Body>| async { status(401) });
    // Small enough to be read away: the connection stays, and the body is no request.
    let mut client = Client::connect(server.address);
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: test\r\n\r\n";
    client.send(format!("{HEAD}Content-Length: {}\r\n\r\n", smuggled.len()));
    let response = client.response();
    assert_eq!((response.status, response.header("Connection")), (401, None));
    client.send(smuggled).send("GET /next HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    assert_eq!(client.response().status, 401);
    assert_eq!(client.to_end(), b"", "two answers to two requests");
    // Too much, or nobody knows how much: it closes, and says so.
    for framing in [
        "Content-Length: 100000000",
        "Transfer-Encoding: chunked",
        "Expect: 100-continue\r\nContent-Length: 3",
    ] {
        let mut client = Client::connect(server.address);
        client.send(format!("{HEAD}{framing}\r\n\r\n"));
        let response = client.response();
        assert_eq!((response.status, response.header("Connection")), (401, Some("close")), "{framing}");
        assert_eq!(client.to_end(), b"");
    }
}

#[test]
fn what_is_left_of_a_body_after_the_reply_is_read_away_or_the_connection_closes() {
    let server = serve(|request: Request<Body>| async move {
        let mut body = request.into_body();
        let first = piece(&mut body).await.expect("a piece")?;
        text(format!("{}", first.len()))
    });
    for (size, stays) in [(1000, true), (10 << 20, false)] {
        let mut client = Client::connect(server.address);
        client.send(format!("{HEAD}Content-Length: {size}\r\n\r\n"));
        client.send("x");
        let response = client.response();
        assert_eq!((response.text(), response.header("Connection").is_none()), ("1", stays));
        if stays {
            client.send(&pattern(size)[1..]);
            client.send(format!("{HEAD}Content-Length: 1\r\n\r\nx"));
            assert_eq!(client.response().text(), "1");
        }
    }
}

#[test]
fn a_body_may_be_read_after_its_reply() {
    let (told, read) = channel();
    let gate = Gate::default();
    let opened = gate.clone();
    let server = serve(move |request: Request<Body>| {
        let (told, gate) = (told.clone(), gate.clone());
        // As a spawned task would: on a thread with an executor of its own.
        thread::spawn(move || {
            let mut future = Box::pin(async move {
                gate.opened().await;
                let body = whole(request.into_body()).await;
                told.send(body.map(|body| body.len())).expect("the test to listen");
            });
            let waker = Arc::new(Unpark(thread::current())).into();
            while future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
                thread::park();
            }
        });
        async { text("early") }
    });
    let size = scaled(5 << 20);
    let mut client = Client::connect(server.address);
    client.send(format!("{HEAD}Content-Length: {size}\r\n\r\n"));
    assert_eq!(client.response().text(), "early");
    opened.open();
    client.send(pattern(size));
    assert_eq!(read.recv_timeout(PATIENCE).expect("in time").expect("whole"), size);
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(client.response().text(), "early");
}

struct Unpark(thread::Thread);

impl std::task::Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[test]
fn the_peer_is_told_to_go_on_when_the_body_is_asked_for() {
    let gate = Gate::default();
    let opened = gate.clone();
    let server = serve(move |request: Request<Body>| {
        let gate = gate.clone();
        async move {
            match request.uri().path() {
                "/unwanted" => return status(403),
                "/later" => gate.opened().await,
                _ => {}
            }
            text(format!("{}", whole(request.into_body()).await?.len()))
        }
    });
    let expect = "Host: test\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
    let mut client = Client::connect(server.address);
    client.send(format!("POST /now HTTP/1.1\r\n{expect}"));
    assert_eq!(client.response().status, 100);
    assert_eq!(client.send("abc").response().text(), "3");

    client.send(format!("POST /later HTTP/1.1\r\n{expect}"));
    let mut other = Client::connect(server.address);
    other.send(format!("POST /unwanted HTTP/1.1\r\n{expect}"));
    let response = other.response();
    assert_eq!((response.status, response.header("Connection")), (403, Some("close")));
    opened.open();
    assert_eq!(client.response().status, 100);
    assert_eq!(client.send("abc").response().text(), "3");
    // Who does not wait is not told.
    client.send(format!("POST /now HTTP/1.1\r\n{expect}abc"));
    assert_eq!(client.response().text(), "3");
}

#[test]
fn a_body_that_is_not_read_holds_its_peer_back() {
    let gate = Gate::default();
    let opened = gate.clone();
    let server = serve(move |request: Request<Body>| {
        let gate = gate.clone();
        async move {
            gate.opened().await;
            text(format!("{}", whole(request.into_body()).await?.len()))
        }
    });
    let size = 16 << 20;
    let mut client = Client::connect(server.address);
    let mut writer = Client::from(client.stream().try_clone().expect("a second handle"));
    let thread = thread::spawn(move || {
        writer.send(format!("{HEAD}Content-Length: {size}\r\n\r\n")).send(vec![b'x'; size]);
    });
    server.wait_until("the body to come", |registry| registry.stats().received > 64 << 10);
    // However often it is looked at, no more is read.
    let received = (0..100).map(|_| server.ask(|registry| registry.stats().received)).max().expect("some");
    assert!(received < 512 << 10, "{received} bytes were read for nobody");
    assert!(!thread.is_finished());
    opened.open();
    assert_eq!(client.response().text(), format!("{size}"));
    thread.join().expect("to send");
}

#[test]
fn a_body_that_comes_byte_by_byte_waits_in_few_pieces() {
    let gate = Gate::default();
    let opened = gate.clone();
    let server = serve(move |request: Request<Body>| {
        let gate = gate.clone();
        async move {
            gate.opened().await;
            let (mut body, mut pieces) = (request.into_body(), 0);
            while let Some(piece) = piece(&mut body).await {
                piece?;
                pieces += 1;
            }
            text(format!("{pieces}"))
        }
    });
    let mut client = Client::connect(server.address);
    client.send(format!("{HEAD}Content-Length: 2000\r\n\r\n"));
    server.wait_until("the head to come", |registry| registry.stats().received > 0);
    let before = server.ask(|registry| registry.stats().received);
    for sent in 1..=2000 {
        client.send("x");
        // Each by itself, as far as the system lets it.
        if sent % 100 == 0 {
            server
                .wait_until("the bytes to come", move |registry| registry.stats().received == before + sent);
        }
    }
    opened.open();
    let pieces: u32 = client.response().text().parse().expect("a number");
    assert!(pieces <= 2, "{pieces} pieces of 2000 bytes");
}

#[test]
fn a_peer_that_does_not_read_holds_the_response_back() {
    let made = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&made);
    let server = serve(move |_: Request<Body>| {
        let made = Arc::clone(&counter);
        async move {
            let mut left = 1000;
            Ok(Response::new(Made(move |_: &mut Context<'_>| {
                made.fetch_add(1, Ordering::Relaxed);
                left -= 1;
                Poll::Ready((left >= 0).then(|| Ok(Frame::data(Bytes::from(vec![b'x'; 32 << 10])))))
            })))
        }
    });
    let mut client = Client::connect(server.address);
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    server.wait_until("the response to begin", |registry| registry.stats().sent > 0);
    // However often it is looked at, no more is made.
    (0..100).for_each(|_| server.ask(|_| ()));
    let before = made.load(Ordering::Relaxed);
    assert!(before < 600, "{before} pieces were made for nobody");
    assert_eq!(client.response().body.len(), 1000 * (32 << 10));
    assert_eq!(made.load(Ordering::Relaxed), 1001);
}

/// What another thread has written.
#[derive(Default)]
struct Mail {
    frames: VecDeque<Frame<Bytes>>,
    whole: bool,
    reader: Option<Waker>,
}

#[test]
fn pieces_leave_as_they_are_written_by_another_thread() {
    let mailbox = Arc::new(Mutex::new(Mail::default()));
    let theirs = Arc::clone(&mailbox);
    let server = serve(move |_: Request<Body>| {
        let mailbox = Arc::clone(&theirs);
        async move {
            Ok(Response::new(Made(move |context: &mut Context<'_>| {
                let mut state = mailbox.lock().expect("no panic");
                match state.frames.pop_front() {
                    Some(frame) => Poll::Ready(Some(Ok(frame))),
                    None if state.whole => Poll::Ready(None),
                    None => {
                        state.reader = Some(context.waker().clone());
                        Poll::Pending
                    }
                }
            })))
        }
    });
    let write = |bytes: Option<&str>| {
        let mut state = mailbox.lock().expect("no panic");
        match bytes {
            Some(bytes) => state.frames.push_back(Frame::data(Bytes::copy_from_slice(bytes.as_bytes()))),
            None => state.whole = true,
        }
        let waker = state.reader.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    };
    let mut client = Client::connect(server.address);
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    while !client.line().is_empty() {}
    for round in 0..scaled(2000) {
        write(Some(&format!("{round}")));
        assert_eq!(client.chunk().expect("a piece"), format!("{round}").as_bytes());
    }
    write(None);
    assert_eq!(client.chunk(), None);
}

#[test]
fn an_error_of_a_response_body_truncates_it() {
    let server = serve(|request: Request<Body>| async move {
        let mut left = if request.uri().path() == "/at-once" { 0 } else { 1 };
        Ok(Response::new(Made(move |_: &mut Context<'_>| {
            left -= 1;
            Poll::Ready(Some(if left < 0 {
                Err(Error::handler("no more"))
            } else {
                Ok(Frame::data(Bytes::from_static(b"some")))
            }))
        })))
    });
    let mut client = Client::connect(server.address);
    assert_eq!(client.get("/at-once").status, 500, "nothing was sent yet");
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    let all = String::from_utf8(client.to_end()).expect("text");
    assert!(all.contains("4\r\nsome\r\n") && !all.contains("\r\n0\r\n"), "{all}");
}

#[test]
fn a_body_that_is_cut_off_malformed_or_slow_is_refused_and_its_future_dropped() {
    let (told, dropped) = channel();
    let mut limits = Limits::default();
    limits.body_time = Duration::from_millis(300);
    let server = serve_within(limits, move |request: Request<Body>| {
        let dropped = Dropped(told.clone());
        async move {
            let _dropped = dropped;
            whole(request.into_body()).await?;
            text("it was whole")
        }
    });
    let chunked = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    for (sent, end, status) in [
        ("Content-Length: 10\r\n\r\nhello", true, None),
        (&*format!("{chunked}xyz\r\n"), false, Some(400)),
        (chunked, false, Some(408)),
    ] {
        let mut client = Client::connect(server.address);
        client.send(format!("{HEAD}{sent}"));
        if end {
            client.end();
        }
        if let Some(status) = status {
            assert_eq!(client.response().status, status);
        }
        assert_eq!(client.to_end(), b"");
        assert_eq!(dropped.recv_timeout(PATIENCE), Ok("dropped"));
    }
}

#[test]
fn an_upload_that_breaks_after_its_reply_has_begun_ends_the_connection() {
    let mut limits = Limits::default();
    limits.body_time = Duration::from_millis(300);
    let server =
        serve_within(limits, |request: Request<Body>| async move { Ok(Response::new(request.into_body())) });
    for broken in ["xyz\r\n", ""] {
        let mut client = Client::connect(server.address);
        client.send(format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"));
        while !client.line().is_empty() {}
        assert_eq!(client.chunk().expect("the echo"), b"hello");
        client.send(broken);
        assert_eq!(client.to_end(), b"", "neither a second reply nor the end of a whole body");
    }
}

#[test]
fn the_peer_is_told_to_go_on_before_a_response_that_is_made_of_its_request() {
    let gate = Gate::default();
    let opened = gate.clone();
    let server = serve(move |request: Request<Body>| {
        let gate = gate.clone();
        async move {
            if request.uri().path() == "/later" {
                gate.opened().await;
            }
            Ok(Response::new(request.into_body()))
        }
    });
    opened.open();
    let mut client = Client::connect(server.address);
    for path in ["/now", "/later"] {
        for (framing, body) in
            [("Content-Length: 3", "abc"), ("Transfer-Encoding: chunked", "3\r\nabc\r\n0\r\n\r\n")]
        {
            client.send(format!(
                "POST {path} HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\n{framing}\r\n\r\n"
            ));
            assert_eq!(client.response().status, 100, "{path} {framing}");
            let response = client.send(body).response();
            assert_eq!((response.status, response.text()), (200, "abc"), "{path} {framing}");
        }
    }
    // Who does not wait is not told.
    let expect = "Host: test\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
    client.send(format!("POST /now HTTP/1.1\r\n{expect}abc"));
    assert_eq!(client.response().text(), "abc");
    let Some(curl) = find_program("curl", "the_peer_is_told_to_go_on_before_a_response_of_its_request")
    else {
        return;
    };
    let url = format!("http://{}/now", server.address);
    let body = "x".repeat(2 << 20);
    let file = std::env::temp_dir().join(format!("mongoose-continue-{}", std::process::id()));
    std::fs::write(&file, &body).expect("to write");
    // For ever rather than for a second.
    let arguments =
        ["--silent", "--show-error", "--expect100-timeout", "3600", "--max-time", "60", "--data-binary"];
    let output = Command::new(curl).args(arguments).arg(format!("@{}", file.display())).arg(url).output();
    std::fs::remove_file(file).expect("to remove");
    let output = output.expect("to run");
    assert!(output.stdout == body.as_bytes(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// After the head of the final response there is no 100 any more: the peer sends its body, or it does not.
#[test]
fn a_body_that_is_asked_for_behind_the_response_is_taken_if_it_comes() {
    let mut limits = Limits::default();
    limits.body_time = Duration::from_millis(300);
    let server = serve_within(limits, |request: Request<Body>| async move {
        let mut first = Some(Bytes::from_static(b"first "));
        let mut body = request.into_body();
        Ok(Response::new(Made(move |context: &mut Context<'_>| match first.take() {
            Some(first) => Poll::Ready(Some(Ok(Frame::data(first)))),
            None => http_body::Body::poll_frame(Pin::new(&mut body), context),
        })))
    });
    for comes in [true, false] {
        let mut client = Client::connect(server.address);
        client.send(format!("{HEAD}Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"));
        assert!(client.line().starts_with("HTTP/1.1 200"));
        while !client.line().is_empty() {}
        assert_eq!(client.chunk().expect("a piece"), b"first ");
        if comes {
            assert_eq!(client.send("abc").chunk().expect("a piece"), b"abc");
            assert_eq!(client.chunk(), None);
        } else {
            assert_eq!(client.to_end(), b"", "no whole body, and what comes next is not taken for one");
        }
    }
}
