//! Compressed bodies, where they were asked for.

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::rc::Rc;

use flate2::Compression;
use flate2::write::GzEncoder;
use mongoose::http::Download;
use mongoose::{Connection, ConnectionId, Error, Limits};
use mongoose_tests::Random;

use crate::scene::{Scene, ok};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("to memory");
    encoder.finish().expect("to memory")
}

/// A response with a compressed body, delimited in one of three ways.
fn response(body: &[u8], framing: &str) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n";
    match framing {
        "length" => [format!("{head}Content-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat(),
        "chunked" => {
            let mut response = format!("{head}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
            for chunk in body.chunks(1000) {
                response.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                response.extend_from_slice(chunk);
                response.extend_from_slice(b"\r\n");
            }
            response.extend_from_slice(b"0\r\n\r\n");
            response
        }
        _ => [format!("{head}\r\n").as_bytes(), body].concat(),
    }
}

/// Takes pieces, and pauses at each where told to.
#[derive(Clone, Default)]
struct Pieces {
    pauses: bool,
    paused: Rc<Cell<Option<ConnectionId>>>,
    body: Rc<RefCell<Vec<u8>>>,
    most: Rc<Cell<usize>>,
    end: Rc<RefCell<Option<Result<(), String>>>>,
}

impl Download for Pieces {
    fn data(&mut self, connection: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
        self.body.borrow_mut().extend_from_slice(piece);
        self.most.set(self.most.get().max(piece.len()));
        if self.pauses {
            connection.pause();
            self.paused.set(Some(connection.id()));
        }
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
fn bodies_are_decoded_however_they_are_delimited_and_split() {
    let mut random = Random::new(8);
    let text: Vec<u8> = (0..50_000u32).map(|n| (n / 7 % 251) as u8).collect();
    let body = [gzip(&text), gzip(b"and more"), gzip(&random.bytes(3000))].concat();
    let mut expected = text;
    expected.extend_from_slice(b"and more");
    let whole_length = expected.len() + 3000;
    for framing in ["length", "chunked", "close"] {
        let response = response(&body, framing);
        for pieces in [vec![&*response], response.chunks(7).collect(), random.split(&response, 1000)] {
            let mut scene = Scene::new();
            let answer = scene.send(scene.client.get(&scene.url("/")).gzip());
            let taken = Pieces::default();
            scene.client.get(&scene.url("/")).gzip().receive(taken.clone()).expect("to begin");
            let (mut one, mut other) = (scene.accept(), scene.accept());
            assert!(scene.head(&mut one).contains("\r\nAccept-Encoding: gzip\r\n"));
            scene.head(&mut other);
            scene.feed(&mut one, &answer, pieces.iter().copied());
            for piece in &pieces {
                other.send(piece);
                scene.manager.poll(std::time::Duration::ZERO).expect("to poll");
            }
            if framing == "close" {
                one.end();
                other.end();
            }
            let whole = scene.outcome(&answer).expect("an answer");
            assert_eq!(scene.until("the end", |_| taken.end.take()), Ok(()));
            assert!(whole.body().starts_with(&expected) && whole.body().len() == whole_length, "{framing}");
            assert!(*taken.body.borrow() == whole.body(), "{framing}");
            assert!(taken.most.get() <= 64 << 10);
            assert_eq!(scene.client.idle_connections(), if framing == "close" { 0 } else { 2 });
        }
    }
}

#[test]
fn what_was_not_asked_for_is_left_as_it_is() {
    let body = gzip(b"text");
    let mut scene = Scene::new();
    let answer = scene.get("/");
    let mut peer = scene.accept();
    assert!(!scene.head(&mut peer).contains("Accept-Encoding"));
    peer.send(response(&body, "length"));
    assert!(scene.outcome(&answer).expect("an answer").body() == body);

    // Nor is another coding, or none.
    for encoding in ["br", "identity", "gzip, br"] {
        let answer = scene.send(scene.client.get(&scene.url("/")).gzip());
        scene.head(&mut peer);
        peer.send(format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: 4\r\n\r\ntext"
        ));
        assert_eq!(scene.outcome(&answer).expect("an answer").body(), b"text", "{encoding}");
    }
    let answer = scene.send(scene.client.get(&scene.url("/")).gzip());
    scene.head(&mut peer);
    peer.send(ok("plain"));
    assert_eq!(scene.outcome(&answer).expect("an answer").body(), b"plain");
    let answer = scene.send(scene.client.request("HEAD", &scene.url("/")).gzip());
    scene.head(&mut peer);
    peer.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 400\r\n\r\n");
    assert_eq!(scene.outcome(&answer).expect("an answer").body(), b"");
}

#[test]
fn a_bomb_is_refused_whole_and_harmless_in_pieces() {
    const SIZE: usize = 20 << 20;
    let bomb = gzip(&vec![0; SIZE]);
    let mut scene = Scene::within(Limits::default());
    let answer = scene.send(scene.client.get(&scene.url("/")).gzip());
    let mut peer = scene.accept();
    scene.head(&mut peer);
    peer.send(response(&bomb, "length"));
    assert!(matches!(scene.outcome(&answer), Err(Error::Response { reason: "a body past the limit" })));
    scene.closed(&mut peer);

    // One that pauses is given no more than what is decoded at once.
    let taken = Pieces { pauses: true, ..Pieces::default() };
    scene.client.get(&scene.url("/")).gzip().receive(taken.clone()).expect("to begin");
    let mut peer = scene.accept();
    scene.head(&mut peer);
    peer.send(response(&bomb, "length"));
    let mut before = 0;
    let end = scene.until("the end", |manager| {
        let now = taken.body.borrow().len();
        assert!(now - before <= 1 << 20, "{} bytes in one go", now - before);
        before = now;
        if let Some(id) = taken.paused.take() {
            // It may be over.
            let _ = manager.connection(id).map(|connection| connection.resume());
        }
        taken.end.take()
    });
    assert_eq!((end, taken.body.borrow().len()), (Ok(()), SIZE));
}

#[test]
fn a_malformed_body_is_an_error() {
    let body = gzip(b"some text that is compressed");
    let mut changed = body.clone();
    changed[15] ^= 0xff;
    for bad in [&body[..body.len() - 1], &changed, &[&*body, b"x"].concat(), b"no gzip at all"] {
        for framing in ["length", "chunked", "close"] {
            let mut scene = Scene::new();
            let answer = scene.send(scene.client.get(&scene.url("/")).gzip());
            let taken = Pieces::default();
            scene.client.get(&scene.url("/")).gzip().receive(taken.clone()).expect("to begin");
            for mut peer in [scene.accept(), scene.accept()] {
                scene.head(&mut peer);
                peer.send(response(bad, framing));
                peer.end();
            }
            let outcome = scene.outcome(&answer);
            assert!(matches!(outcome, Err(Error::Response { .. })), "{framing}: {outcome:?}");
            let end = scene.until("the end", |_| taken.end.take());
            assert!(end.expect_err("malformed").contains("gzip"), "{framing}");
            assert_eq!(scene.client.idle_connections(), 0);
        }
    }
}

#[test]
fn what_was_decoded_is_not_said_to_be_compressed_elsewhere() {
    for (encoding, kept) in [("gzip", false), ("identity", true)] {
        let mut scene = Scene::new();
        let request = scene.client.get(&scene.url("/")).gzip();
        let answer = scene.send(request);
        let mut peer = scene.accept();
        scene.head(&mut peer);
        let body = if kept { b"text".to_vec() } else { gzip(b"text") };
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {}\r\nA: b\r\n\r\n",
            body.len()
        );
        peer.send([head.as_bytes(), &body].concat());
        let response = scene.outcome(&answer).expect("a response");
        let converted = ::http::Response::<Vec<u8>>::try_from(response).expect("a response");
        assert_eq!(converted.body(), b"text");
        for name in ["content-encoding", "content-length"] {
            assert_eq!(converted.headers().contains_key(name), kept, "{encoding}: {name}");
        }
        assert_eq!(converted.headers()["a"], "b");
    }
}
