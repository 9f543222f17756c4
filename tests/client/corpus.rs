//! Responses, valid and hostile, each with the verdict that RFC 9110 and 9112 have for it: the same whole, byte by byte
//! and split at random.

use std::cell::RefCell;
use std::io::Write;
use std::rc::Rc;

use mongoose::http::{Client, Download, RequestBuilder, Response};
use mongoose::{Connection, Error, Limits};
use mongoose_tests::{Random, scaled};

use crate::scene::{Outcome, Scene};

/// What is made of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    /// Status and body.
    Whole(u16, &'static [u8]),
    /// Refused, with the connection closed.
    Refused,
    Truncated,
}

use Verdict::{Refused, Truncated, Whole};

/// What is asked for.
#[derive(Clone, Copy, Debug)]
enum Ask {
    Get,
    Head,
    /// GET, and the server closes after the response.
    GetThenEnd,
    HeadThenEnd,
    Post,
}

use Ask::{Get, GetThenEnd, Head, HeadThenEnd, Post};

const CORPUS: &[(Ask, &str, Verdict)] = &[
    // Lengths.
    (Get, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", Whole(200, b"hello")),
    (Get, "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", Whole(200, b"")),
    (Get, "HTTP/1.1 404 Not Found\r\ncontent-LENGTH:\t007 \r\n\r\nno such", Whole(404, b"no such")),
    (Get, "HTTP/1.1 500 \r\nContent-Length: 3\r\nConnection: close\r\n\r\na\0b", Whole(500, b"a\0b")),
    (Get, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", Whole(200, b"hi")),
    (GetThenEnd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", Truncated),
    (GetThenEnd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Truncated),
    (GetThenEnd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", Truncated),
    (GetThenEnd, "HTTP/1.", Truncated),
    (GetThenEnd, "", Truncated),
    (Get, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", Refused),
    (Get, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", Refused),
    (Get, "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello", Refused),
    (Get, "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello", Refused),
    (Get, "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello", Refused),
    (Get, "HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\nhello", Refused),
    (Get, "HTTP/1.1 200 OK\r\nContent-Length: 5 5\r\n\r\nhello", Refused),
    (Get, "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n", Refused),
    (Get, "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nx", Refused),
    (Get, "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551621\r\n\r\nhello", Refused),
    (Get, "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", Refused),
    // No body.
    (Head, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Whole(200, b"")),
    (Head, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Whole(200, b"")),
    (Head, "HTTP/1.1 200 OK\r\n\r\n", Whole(200, b"")),
    (HeadThenEnd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", Whole(200, b"")),
    (Get, "HTTP/1.1 204 No Content\r\n\r\n", Whole(204, b"")),
    (Get, "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", Whole(204, b"")),
    (Get, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: \"x\"\r\n\r\n", Whole(304, b"")),
    (Get, "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", Whole(304, b"")),
    // Interim responses.
    (Post, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", Whole(200, b"hi")),
    (
        Get,
        "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\nContent-Length: 9\r\n\r\nHTTP/1.1 102 \r\n\r\n\
         HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        Whole(200, b"hi"),
    ),
    (GetThenEnd, "HTTP/1.1 100 Continue\r\n\r\n", Truncated),
    (Get, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", Refused),
    // Chunks.
    (
        Get,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=\"y\"\r\n world\r\n0\r\n\r\n",
        Whole(200, b"hello world"),
    ),
    (
        Get,
        "HTTP/1.1 200 OK\r\ntransfer-encoding:Chunked\r\n\r\n0005 \r\nhello\r\n0\r\nTrailer: x\r\n\r\n",
        Whole(200, b"hello"),
    ),
    (Get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Whole(200, b"")),
    (GetThenEnd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", Truncated),
    (GetThenEnd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", Truncated),
    (GetThenEnd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", Truncated),
    (Get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n", Refused),
    (Get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n", Refused),
    (Get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n", Refused),
    (Get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n", Refused),
    (Get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n", Refused),
    (
        Get,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nno colon\r\n\r\n",
        Refused,
    ),
    (Get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", Refused),
    (Get, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Refused),
    (Get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", Refused),
    (Get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", Refused),
    (Get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nhi", Refused),
    (Get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", Refused),
    (
        Get,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        Refused,
    ),
    (Get, "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Refused),
    // Bodies that end with the connection.
    (GetThenEnd, "HTTP/1.1 200 OK\r\n\r\nhello", Whole(200, b"hello")),
    (
        GetThenEnd,
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nhello\r\n\r\n",
        Whole(200, b"hello\r\n\r\n"),
    ),
    (GetThenEnd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", Whole(200, b"")),
    // Folded lines.
    (Get, "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\tc\r\nContent-Length:\r\n 5\r\n\r\nhello", Whole(200, b"hello")),
    (
        Get,
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: a\r\n Content-Length: 9\r\n\r\nhello",
        Whole(200, b"hello"),
    ),
    (Get, "HTTP/1.1 200 OK\r\n X: a\r\nContent-Length: 5\r\n\r\nhello", Refused),
    // Line ends, names and values.
    (Get, "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", Refused),
    (Get, "HTTP/1.1 200 OK\r\nContent-Length: 5\n\r\nhello", Refused),
    (Get, "HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 5\r\n\r\nhello", Refused),
    (Get, "HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 5\r\n\r\nhello", Refused),
    (Get, "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello", Refused),
    (Get, "HTTP/1.1 200 OK\r\nX(y: a\r\nContent-Length: 5\r\n\r\nhello", Refused),
    (Get, "HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 5\r\n\r\nhello", Refused),
    (Get, "HTTP/1.1 200 OK\r\n: a\r\nContent-Length: 5\r\n\r\nhello", Refused),
    // Status lines.
    (Get, "HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", Whole(999, b"")),
    (Get, "HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n", Refused),
    (Get, "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n", Refused),
    (Get, "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n", Refused),
    (Get, "HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n", Refused),
    (Get, "HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n", Refused),
    (Get, "HTTP/2 200\r\ncontent-length: 0\r\n\r\n", Refused),
    (Get, "http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Refused),
    (Get, "ICY 200 OK\r\n\r\n", Refused),
    (Get, "<html>HTTP/0.9</html>", Refused),
    (Get, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", Refused),
    (Get, "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Refused),
    (Get, "\x16\x03\x01\x02\0\x01", Refused),
];

fn ask(scene: &Scene, ask: Ask) -> RequestBuilder<Client> {
    let url = scene.url("/");
    match ask {
        Get | GetThenEnd => scene.client.get(&url),
        Head | HeadThenEnd => scene.client.request("HEAD", &url),
        Post => scene.client.post(&url).body("body"),
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.body = 1000;
    limits
}

fn run(what: Ask, pieces: &[&[u8]]) -> Outcome {
    let mut scene = Scene::within(limits());
    let answer = scene.send(ask(&scene, what));
    let mut peer = scene.accept();
    scene.head(&mut peer);
    scene.feed(&mut peer, &answer, pieces.iter().copied());
    if matches!(what, GetThenEnd | HeadThenEnd) {
        // Fails when the client has refused it already.
        let _ = peer.stream.shutdown(std::net::Shutdown::Write);
    }
    let outcome = scene.outcome(&answer);
    if outcome.is_err() {
        scene.closed(&mut peer);
    }
    outcome
}

fn verdict(outcome: &Outcome) -> Result<(u16, &[u8]), Verdict> {
    match outcome {
        Ok(response) => Ok((response.status(), response.body())),
        Err(Error::Response { .. }) => Err(Refused),
        Err(Error::Truncated) => Err(Truncated),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn the_verdict_is_that_of_the_rfc_whatever_the_split() {
    assert!(CORPUS.len() >= 60);
    let mut random = Random::new(31);
    for (what, text, expected) in CORPUS {
        let bytes = text.as_bytes();
        let single: Vec<_> = bytes.chunks(1).collect();
        let mut splits = vec![vec![bytes], single];
        splits.extend((0..scaled(5)).map(|_| random.split(bytes, 12)));
        let mut first = None;
        for pieces in splits {
            let outcome = run(*what, &pieces);
            let expected = match expected {
                Whole(status, body) => Ok((*status, *body)),
                other => Err(other.clone()),
            };
            assert_eq!(
                verdict(&outcome),
                expected,
                "{what:?} {text:?} in {} pieces: {outcome:?}",
                pieces.len()
            );
            let told = outcome.err().map(|error| error.to_string());
            assert_eq!(
                first.get_or_insert_with(|| told.clone()),
                &told,
                "{text:?} in {} pieces",
                pieces.len()
            );
        }
    }
}

/// What was handed over of a body, and how it ended.
#[derive(Default)]
struct Told {
    status: u16,
    body: Vec<u8>,
    end: Option<Result<(), Verdict>>,
}

#[derive(Clone, Default)]
struct Taken(Rc<RefCell<Told>>);

impl Download for Taken {
    fn head(&mut self, response: Response<'_>) -> Result<(), Error> {
        self.0.borrow_mut().status = response.status();
        Ok(())
    }

    fn data(&mut self, _: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
        self.0.borrow_mut().body.extend_from_slice(piece);
        Ok(())
    }

    fn end(&mut self, _: &Connection<'_>) {
        assert!(self.0.borrow_mut().end.replace(Ok(())).is_none(), "told twice");
    }

    fn failed(&mut self, error: &Error) {
        let verdict = match error {
            Error::Response { .. } => Refused,
            Error::Truncated => Truncated,
            error => panic!("{error}"),
        };
        assert!(self.0.borrow_mut().end.replace(Err(verdict)).is_none(), "told twice");
    }
}

#[test]
fn bodies_in_pieces_have_the_same_verdict() {
    let mut random = Random::new(32);
    for (what, text, expected) in CORPUS {
        let bytes = text.as_bytes();
        for pieces in [vec![bytes], bytes.chunks(1).collect(), random.split(bytes, 12)] {
            let mut scene = Scene::within(limits());
            let taken = Taken::default();
            ask(&scene, *what).receive(taken.clone()).expect("to begin");
            let mut peer = scene.accept();
            scene.head(&mut peer);
            let mut total = 0;
            for piece in pieces {
                if taken.0.borrow().end.is_some() || peer.stream.write_all(piece).is_err() {
                    break;
                }
                total += piece.len() as u64;
                scene.until("the client to read a piece", |manager| {
                    (taken.0.borrow().end.is_some() || manager.stats().received >= total).then_some(())
                });
            }
            // Of no consequence for what is whole.
            let _ = peer.stream.shutdown(std::net::Shutdown::Write);
            let end = scene.until("the end", |_| taken.0.borrow_mut().end.take());
            let Told { status, body, .. } = taken.0.take();
            match expected {
                Whole(expected, whole) => {
                    assert_eq!((end, status, &*body), (Ok(()), *expected, *whole), "{what:?} {text:?}");
                }
                // What is too large for a whole body is merely not all there.
                Refused if text.contains(": 1001\r\n") || text.contains("\n3e9\r\n") => {
                    assert_eq!(end, Err(Truncated), "{what:?} {text:?}");
                }
                other => assert_eq!(end, Err(other.clone()), "{what:?} {text:?}"),
            }
        }
    }
}

#[test]
fn a_head_past_the_limits_is_refused_whatever_the_split() {
    let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\nContent-Length: 0\r\n\r\n", "a".repeat(70_000));
    let many = format!("HTTP/1.1 200 OK\r\n{}Content-Length: 0\r\n\r\n", "X: y\r\n".repeat(128));
    let interim = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n".repeat(2000);
    for text in [long, many, interim] {
        let whole = run(Get, &[text.as_bytes()]);
        let split = run(Get, &text.as_bytes().chunks(1000).collect::<Vec<_>>());
        for outcome in [whole, split] {
            assert!(matches!(outcome, Err(Error::Response { .. })), "{outcome:?}");
        }
    }
}

#[test]
fn headers_come_as_they_were_sent() {
    let text =
        b"HTTP/1.1 200 Fine, thanks\r\nX: a\r\nx:  b \r\nY:\xff\r\nZ: a\r\n  b\r\nContent-Length: 0\r\n\r\n";
    let response = run(Get, &[text]).expect("valid");
    let headers: Vec<_> = response.headers().map(|(name, value)| (name, value.as_bytes())).collect();
    let expected: [(&str, &[u8]); 5] =
        [("X", b"a"), ("x", b"b"), ("Y", b"\xff"), ("Z", b"a    b"), ("Content-Length", b"0")];
    assert_eq!(headers, expected);
    assert_eq!(
        (response.reason(), response.header("x").expect("there").as_bytes()),
        ("Fine, thanks", &b"a"[..])
    );
}
