//! Bodies that are made or taken while they are on their way.

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mongoose::http::{Client, Download, Piece, Reply, Request, Response};
use mongoose::{Connection, ConnectionId, Error, Manager, http};
use mongoose_tests::{Server, poll_until, scaled};

use crate::scene::{Answer, Scene, ok};

/// Sends back what it receives.
fn echo_server() -> Server {
    Server::http(|| |request: Request<'_>, reply: Reply<'_>| reply.body(request.body()))
}

fn ask(
    server: &Server,
    build: impl FnOnce(&Client, &str) -> http::RequestBuilder<Client>,
) -> crate::scene::Outcome {
    let mut manager = Manager::new().expect("a manager");
    let client = Client::new(&manager);
    let answer = Answer::default();
    build(&client, &format!("http://{}/", server.address)).send(answer.handler()).expect("to begin");
    poll_until(&mut manager, "the answer", |_| answer.is_there());
    answer.take().expect("there")
}

#[test]
fn streamed_bodies_arrive_whole() {
    let server = echo_server();
    let text: Vec<u8> = (0..200_000u32).map(|n| (n % 251) as u8).collect();
    for length in [None, Some(200_000)] {
        let source = std::io::Cursor::new(text.clone());
        let outcome = ask(&server, |client, url| {
            let request = client.post(url).reader(source);
            match length {
                Some(bytes) => request.length(bytes),
                None => request,
            }
        });
        assert!(outcome.expect("an answer").body() == text, "{length:?}");
    }
    let empty = ask(&server, |client, url| client.request("PUT", url).reader(&b""[..]));
    assert_eq!(empty.expect("an answer").body(), b"");
}

#[test]
fn a_source_that_fails_or_has_another_length_fails_the_request() {
    let server = echo_server();
    for (pieces, length) in [(vec!["too ", "long"], Some(5)), (vec!["short"], Some(6)), (vec![], Some(1))] {
        let mut pieces = pieces.into_iter();
        let source = move || Ok(pieces.next().map_or(Piece::End, |piece| Piece::Data(piece.into())));
        let outcome = ask(&server, |client, url| client.post(url).stream(source).length(length.unwrap_or(0)));
        assert!(matches!(outcome, Err(Error::Body(_))), "{outcome:?}");
    }
    let mut calls = 0;
    let source = move || {
        calls += 1;
        if calls == 1 { Ok(Piece::Data("some".into())) } else { Err(Error::handler("mine")) }
    };
    let outcome = ask(&server, |client, url| client.post(url).stream(source));
    assert!(matches!(outcome, Err(Error::Handler(_))), "{outcome:?}");
}

#[test]
fn a_server_that_does_not_read_holds_up_the_source() {
    const PIECE: usize = 16 << 10;
    let mut scene = Scene::new();
    let made = Arc::new(AtomicUsize::new(0));
    let total = 4 * scaled(16 << 20).max(4 << 20);
    let count = Arc::clone(&made);
    let source = move || {
        let before = count.fetch_add(PIECE, Ordering::Relaxed);
        Ok(if before < total { Piece::Data(vec![7; PIECE.min(total - before)].into()) } else { Piece::End })
    };
    let request = scene.client.request("PUT", &scene.url("/")).stream(source).length(total as u64);
    let answer = scene.send(request);
    let mut peer = scene.accept();
    // Until the system takes no more: nothing was made in a whole round of polls.
    let mut before = usize::MAX;
    while before != made.load(Ordering::Relaxed) {
        before = made.load(Ordering::Relaxed);
        for _ in 0..20 {
            scene.manager.poll(std::time::Duration::from_millis(1)).expect("to poll");
        }
    }
    assert!(before < total, "{before} of {total} were made for a server that reads nothing");
    scene.head(&mut peer);
    let mut received = 0;
    scene.until("all of it", |_| {
        peer.fill();
        received += std::mem::take(&mut peer.received).len();
        (received >= total).then_some(())
    });
    peer.send(ok("thanks"));
    assert_eq!(scene.outcome(&answer).expect("an answer").body(), b"thanks");
}

#[test]
fn a_source_that_has_nothing_yet_is_asked_again_when_it_is_nudged() {
    let mut scene = Scene::new();
    let pieces = Arc::new(std::sync::Mutex::new(vec![]));
    let given = Arc::clone(&pieces);
    let source = move || Ok(given.lock().expect("no panic").pop().unwrap_or(Piece::Wait));
    let answer = Answer::default();
    let request = scene.client.post(&scene.url("/")).stream(source);
    let pending = request.send(answer.handler()).expect("to begin");
    let mut peer = scene.accept();
    scene.head(&mut peer);
    for piece in [Piece::Data("one".into()), Piece::Data("two".into()), Piece::End] {
        pieces.lock().expect("no panic").push(piece);
        let connection = pending.connection_id().expect("on its way");
        scene.manager.handle().nudge(connection).expect("the manager is there");
        if pieces.lock().expect("no panic").len() == 1 {
            scene.bytes(&mut peer, 5);
        }
    }
    scene.until("the end", |_| {
        peer.fill().then_some(()).or_else(|| peer.received.ends_with(b"0\r\n\r\n").then_some(()))
    });
    peer.send(ok("thanks"));
    assert!(scene.outcome(&answer).is_ok());
}

#[test]
fn another_thread_writes_a_body() {
    let mut scene = Scene::new();
    let (sender, body) = http::channel(scene.manager.handle(), 1000);
    assert_eq!(sender.connection_id(), None);
    let answer = scene.send(scene.client.post(&scene.url("/")).stream(body).length(100_000));
    let writer = std::thread::spawn(move || {
        for _ in 0..100 {
            sender.send_wait(vec![7; 1000]).expect("somebody reads");
        }
        assert!(sender.connection_id().is_some());
        sender.finish();
    });
    let mut peer = scene.accept();
    scene.head(&mut peer);
    assert!(scene.bytes(&mut peer, 100_000) == vec![7; 100_000]);
    writer.join().expect("the writer");
    peer.send(ok("thanks"));
    assert!(scene.outcome(&answer).is_ok());

    // One that goes without a word has not finished.
    let (sender, body) = http::channel(scene.manager.handle(), 1000);
    let answer = scene.send(scene.client.post(&scene.url("/")).stream(body));
    sender.send("some").expect("room");
    drop(sender);
    assert!(matches!(scene.outcome(&answer), Err(Error::Body(_))));
    scene.closed(&mut peer);

    // And one whose request is over is told.
    let (sender, body) = http::channel(scene.manager.handle(), 1000);
    let answer = scene.send(scene.client.post(&scene.url("/")).stream(body));
    let mut peer = scene.accept();
    scene.head(&mut peer);
    drop(peer);
    assert!(scene.outcome(&answer).is_err());
    assert!(matches!(sender.send("more"), Err(Error::Closed)));
}

#[test]
fn a_body_waits_for_100_where_that_is_asked_for() {
    let mut scene = Scene::new();
    let answer = scene.send(scene.client.post(&scene.url("/")).body("body").expect_continue());
    let mut peer = scene.accept();
    assert!(scene.head(&mut peer).contains("\r\nExpect: 100-continue\r\n"));
    assert!(peer.received.is_empty());
    peer.send("HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(scene.bytes(&mut peer, 4), b"body");
    peer.send(ok("thanks"));
    assert_eq!(scene.outcome(&answer).expect("an answer").body(), b"thanks");
    assert_eq!(scene.client.idle_connections(), 1);

    // One that is not wanted is not sent, and the connection not used again: the server may wait for it.
    let answer = scene.send(scene.client.post(&scene.url("/")).reader(&b"body"[..]).expect_continue());
    scene.head(&mut peer);
    peer.send("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(scene.outcome(&answer).expect("an answer").status(), 417);
    scene.closed(&mut peer);
    assert!(peer.received.is_empty());

    // Nobody says anything, and there is nothing to wait for.
    let answer = scene.send(scene.client.post(&scene.url("/")).body("body").expect_continue());
    let mut peer = scene.accept();
    scene.head(&mut peer);
    assert_eq!(scene.bytes(&mut peer, 4), b"body");
    peer.send(ok("thanks"));
    assert!(scene.outcome(&answer).is_ok());
    let answer = scene.send(scene.client.post(&scene.url("/")).expect_continue());
    assert!(!scene.head(&mut peer).contains("Expect"));
    peer.send(ok("thanks"));
    assert!(scene.outcome(&answer).is_ok());
}

#[test]
fn our_own_server_asks_for_the_body_and_gets_it() {
    let server = echo_server();
    let outcome = ask(&server, |client, url| client.post(url).body("body").expect_continue());
    assert_eq!(outcome.expect("an answer").body(), b"body");
}

#[test]
fn a_response_may_come_before_the_body_has_left() {
    let mut scene = Scene::new();
    let source = || Ok(Piece::Data(vec![0; 10_000].into()));
    let answer = scene.send(scene.client.post(&scene.url("/")).stream(source));
    let mut peer = scene.accept();
    scene.head(&mut peer);
    peer.send("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!");
    let response = scene.outcome(&answer).expect("an answer");
    assert_eq!((response.status(), response.body()), (413, &b"no!"[..]));
    scene.closed(&mut peer);
}

#[test]
fn a_response_is_heard_while_more_than_the_output_limit_waits() {
    let mut scene = Scene::new();
    // More than `Limits::output`, and than any socket takes.
    let answer = scene.send(scene.client.post(&scene.url("/")).body(vec![0; 40 << 20]).redirects(0));
    let mut peer = scene.accept();
    scene.head(&mut peer);
    peer.send("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nno!");
    assert_eq!(scene.outcome(&answer).expect("an answer").status(), 413);
    scene.closed(&mut peer);
}

#[test]
fn a_response_is_read_though_the_server_reset_the_connection() {
    for _ in 0..scaled(50) {
        let mut scene = Scene::new();
        let answer = scene.send(scene.client.post(&scene.url("/")).body(vec![0; 10 << 20]).redirects(0));
        let mut peer = scene.accept();
        scene.head(&mut peer);
        peer.send("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!");
        // With most of the body unread: the system resets the connection.
        drop(peer);
        let response = scene.outcome(&answer).expect("an answer");
        assert_eq!((response.status(), response.body()), (413, &b"no!"[..]));
    }
}

#[test]
fn a_server_that_answers_and_resets_at_any_moment_is_heard() {
    use std::io::Read;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let place = listener.local_addr().expect("bound");
    let rounds = scaled(200);
    let server = std::thread::spawn(move || {
        for round in 0..rounds {
            let (mut stream, _) = listener.accept().expect("a connection");
            // Somewhere in the body.
            let mut some = vec![0; 1 + 5000 * round];
            stream.read_exact(&mut some).expect("so much at least");
            stream.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nno!").expect("to answer");
        }
    });
    let mut manager = Manager::new().expect("a manager");
    let client = Client::new(&manager);
    for _ in 0..rounds {
        let answer = Answer::default();
        let source = || Ok(Piece::Data(vec![0; 10_000].into()));
        client.post(&format!("http://{place}/")).stream(source).send(answer.handler()).expect("to begin");
        poll_until(&mut manager, "the answer", |_| answer.is_there());
        let response = answer.take().expect("there").expect("an answer");
        assert_eq!((response.status(), response.body()), (413, &b"no!"[..]));
    }
    server.join().expect("the server");
}

#[test]
fn both_directions_may_stream_at_once() {
    let mut scene = Scene::new();
    let log = Rc::new(RefCell::new(Vec::new()));
    let mut left = scaled(1000).max(10);
    let expected = left;
    let source = move || {
        left = left.saturating_sub(1);
        Ok(if left > 0 { Piece::Data("x".repeat(1000).into()) } else { Piece::End })
    };
    struct Collect(Rc<RefCell<Vec<u8>>>, Rc<Cell<bool>>);
    impl Download for Collect {
        fn data(&mut self, _: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
            self.0.borrow_mut().extend_from_slice(piece);
            Ok(())
        }
        fn end(&mut self, _: &Connection<'_>) {
            self.1.set(true);
        }
        fn failed(&mut self, error: &Error) {
            panic!("{error}");
        }
    }
    let ended = Rc::new(Cell::new(false));
    let request = scene.client.post(&scene.url("/")).stream(source).length(1000 * (expected as u64 - 1));
    request.receive(Collect(Rc::clone(&log), Rc::clone(&ended))).expect("to begin");
    let mut peer = scene.accept();
    scene.head(&mut peer);
    peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 1000 * (expected - 1)));
    let mut waiting = Vec::new();
    scene.until("the echo", |_| {
        peer.fill();
        waiting.append(&mut peer.received);
        if let Ok(count) = peer.stream.write(&waiting) {
            waiting.drain(..count);
        }
        ended.get().then_some(())
    });
    assert_eq!(log.borrow().len(), 1000 * (expected - 1));
}

/// Pauses at each piece.
struct Slow {
    paused: Rc<Cell<Option<ConnectionId>>>,
    received: Rc<Cell<usize>>,
    end: Rc<RefCell<Option<Result<(), String>>>>,
}

impl Download for Slow {
    fn data(&mut self, connection: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
        connection.pause();
        self.paused.set(Some(connection.id()));
        self.received.set(self.received.get() + piece.len());
        Ok(())
    }

    fn end(&mut self, _: &Connection<'_>) {
        *self.end.borrow_mut() = Some(Ok(()));
    }

    fn failed(&mut self, error: &Error) {
        *self.end.borrow_mut() = Some(Err(error.to_string()));
    }
}

#[test]
fn a_receiver_that_pauses_holds_up_the_server() {
    let total = scaled(30 << 20).max(3 << 20);
    let server = Server::http(move || {
        move |_: Request<'_>, reply: Reply<'_>| {
            let mut left = total;
            reply.stream(move || {
                let count = left.min(100_000);
                left -= count;
                Ok(if count > 0 { Piece::Data(vec![7; count].into()) } else { Piece::End })
            })
        }
    });
    let mut manager = Manager::new().expect("a manager");
    let client = Client::new(&manager);
    let (paused, received) = (Rc::new(Cell::new(None)), Rc::new(Cell::new(0)));
    let end = Rc::new(RefCell::new(None));
    let slow = Slow { paused: Rc::clone(&paused), received: Rc::clone(&received), end: Rc::clone(&end) };
    client.get(&format!("http://{}/", server.address)).receive(slow).expect("to begin");
    poll_until(&mut manager, "the first piece", |_| paused.get().is_some());
    let before = manager.stats().received;
    for _ in 0..50 {
        manager.poll(std::time::Duration::from_millis(1)).expect("to poll");
    }
    assert_eq!(manager.stats().received, before, "nothing is read meanwhile");
    poll_until(&mut manager, "the end", |manager| {
        if let Some(id) = paused.take() {
            manager.connection(id).expect("open").resume();
        }
        end.borrow().is_some()
    });
    assert_eq!((end.take(), received.get()), (Some(Ok(())), total));
    assert_eq!(client.idle_connections(), 1, "the connection goes on, and is not paused");
    let answer = Answer::default();
    client.request("HEAD", &format!("http://{}/", server.address)).send(answer.handler()).expect("to begin");
    poll_until(&mut manager, "the next answer", |_| answer.is_there());
    assert_eq!(server.ask(|registry| registry.stats().accepted), 1);
}

#[test]
fn a_receiver_that_fails_ends_its_download() {
    struct Picky(&'static str, Rc<RefCell<Vec<String>>>);
    impl Download for Picky {
        fn head(&mut self, response: Response<'_>) -> Result<(), Error> {
            assert_eq!(response.status(), 200);
            if self.0 == "head" { Err(Error::handler("mine")) } else { Ok(()) }
        }
        fn data(&mut self, _: &Connection<'_>, _: &[u8]) -> Result<(), Error> {
            self.1.borrow_mut().push("data".to_owned());
            Err(Error::handler("mine"))
        }
        fn end(&mut self, _: &Connection<'_>) {
            self.1.borrow_mut().push("end".to_owned());
        }
        fn failed(&mut self, error: &Error) {
            self.1.borrow_mut().push(error.to_string());
        }
    }
    for (place, expected) in [("head", vec!["mine"]), ("data", vec!["data", "mine"])] {
        let mut scene = Scene::new();
        let log = Rc::new(RefCell::new(Vec::new()));
        scene.client.get(&scene.url("/")).receive(Picky(place, Rc::clone(&log))).expect("to begin");
        let mut peer = scene.accept();
        scene.head(&mut peer);
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello");
        scene.closed(&mut peer);
        assert_eq!(*log.borrow(), expected);
    }
}
