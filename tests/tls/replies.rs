//! HTTP through TLS: what works on a plain connection works here.

use std::io::Write;
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use mongoose::http::{Reply, Request};
use mongoose::{Error, Limits};
use mongoose_tests::{Random, scaled};

use crate::peer::{End, Peer};
use crate::{echo, https, https_within};

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = https(|| |request: Request<'_>, reply: Reply<'_>| reply.text(request.path()));
    let mut peer = Peer::connect(server.address);
    let count = scaled(1000);
    let requests: String = (0..count).map(|at| format!("GET /{at} HTTP/1.1\r\nHost: test\r\n\r\n")).collect();
    let records = peer.encrypt(requests.as_bytes());
    let mut socket = peer.socket.try_clone().expect("a handle");
    let writer = thread::spawn(move || socket.write_all(&records));
    for at in 0..count {
        assert_eq!(peer.response().text(), format!("/{at}"));
    }
    writer.join().expect("no panic").expect("to send");
}

#[test]
fn a_request_may_come_with_the_last_of_the_handshake() {
    let server = https(|| echo);
    let mut peer = Peer::new(server.address);
    peer.flush();
    while peer.tls.is_handshaking() {
        peer.receive();
    }
    // The client's last flight has not left yet: all in one go.
    peer.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(peer.response().status, 200);
}

#[test]
fn large_bodies_come_and_go_whole() {
    let mut limits = Limits::default();
    limits.body = 64 << 20;
    let server = https_within(limits, || echo);
    let mut peer = Peer::connect(server.address);
    let body = Random::new(7).bytes(scaled(20_000_000));
    let head = format!("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n\r\n", body.len());
    let mut records = peer.encrypt(head.as_bytes());
    records.extend(peer.encrypt(&body));
    peer.socket.write_all(&records).expect("to send");
    assert!(peer.response().body == body, "another body came back");
}

/// What is owned, borrowed, shared and made on demand takes other ways through the output queue.
#[test]
fn a_slow_reader_gets_all_of_each_kind_of_body_and_the_end() {
    let body: Arc<[u8]> = Random::new(9).bytes(scaled(8_000_000)).into();
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("body-{}", std::process::id()));
    std::fs::write(&file, &body).expect("to write");
    let served = Arc::clone(&body);
    let path = file.clone();
    let server = https(move || {
        move |request: Request<'_>, reply: Reply<'_>| match request.path() {
            "/owned" => reply.body(served.to_vec()),
            "/borrowed" => reply.body(&served[..]),
            "/shared" => reply.body(Arc::clone(&served)),
            "/streamed" => reply.reader(std::io::Cursor::new(Arc::clone(&served))),
            _ => reply.file(&request, &path),
        }
    });
    for target in ["/owned", "/borrowed", "/shared", "/streamed", "/file"] {
        let mut peer = Peer::connect(server.address);
        let before = server.ask(|registry| registry.stats().sent);
        peer.send(format!("GET {target} HTTP/1.0\r\n\r\n"));
        // Nothing is read before the server has written what the socket takes.
        server.wait_until("the server to write", move |registry| registry.stats().sent > before);
        let (reply, end) = peer.end();
        assert!(reply.ends_with(&body), "{target}: {} bytes came", reply.len());
        assert_eq!(end, End::Notified, "{target}");
    }
    std::fs::remove_file(file).expect("to remove");
}

#[test]
fn a_reply_from_another_thread_arrives() {
    let server = https(|| {
        |_: Request<'_>, reply: Reply<'_>| {
            let deferred = reply.defer();
            thread::spawn(move || deferred.reply().text("later"));
            Ok(())
        }
    });
    let mut peer = Peer::connect(server.address);
    for _ in 0..10 {
        assert_eq!(peer.get("/").text(), "later");
    }
}

#[test]
fn half_a_connection_is_answered() {
    let server = https(|| {
        |_: Request<'_>, reply: Reply<'_>| {
            let deferred = reply.defer();
            thread::spawn(move || deferred.reply().text("late"));
            Ok(())
        }
    });
    for notified in [true, false] {
        let mut peer = Peer::connect(server.address);
        peer.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
        if notified {
            peer.notify_close();
        }
        peer.socket.shutdown(Shutdown::Write).expect("to shut down");
        assert_eq!(peer.response().text(), "late");
        assert_eq!(peer.end(), (Vec::new(), End::Notified));
    }
}

#[test]
fn a_request_that_is_cut_off_is_no_request() {
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    let server = https(move || {
        move |_: Request<'_>, reply: Reply<'_>| {
            count.fetch_add(1, Ordering::Relaxed);
            reply.text("")
        }
    });
    let mut peer = Peer::connect(server.address);
    peer.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\n12345");
    peer.socket.shutdown(Shutdown::Write).expect("to shut down");
    assert_eq!(peer.end().0, b"");
    assert_eq!(seen.load(Ordering::Relaxed), 0);
}

#[test]
fn a_body_that_breaks_is_not_said_to_be_whole() {
    struct Breaks;
    impl mongoose::http::BodySource for Breaks {
        fn next(&mut self) -> Result<mongoose::http::Piece, Error> {
            Err(Error::handler("broken"))
        }
    }
    let server = https(|| |_: Request<'_>, reply: Reply<'_>| reply.stream(Breaks));
    let mut peer = Peer::connect(server.address);
    // In HTTP/1.0 the connection's end is the body's.
    peer.send("GET / HTTP/1.0\r\n\r\n");
    let (reply, end) = peer.end();
    assert!(reply.starts_with(b"HTTP/1.1 200"), "{:?}", String::from_utf8_lossy(&reply));
    assert_eq!(end, End::Cut);
}
