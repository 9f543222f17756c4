//! HTTP over connections that break at each of their bytes: what came whole is handled and answered, what did not is no
//! request.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use mongoose::http::{self, BodyMode, EventSender, Reply, Request, ServerEvent};
use mongoose::{Connection, Error, Event, Limits};
use mongoose_tests::{Client, PATIENCE, Server, in_own_process};

use crate::broken::{assert_cut, at_every_byte, converse, undated, wait_until_over};
use crate::descriptors;
use crate::proxy::{BOTH_WAYS, Fault, How, Proxy, Way};

const FIRST: &str = "GET /first?a=1 HTTP/1.1\r\nHost: test\r\nUser-Agent: faults\r\n\r\n";
const SECOND: &str =
    "POST /second HTTP/1.1\r\nHost: test\r\nContent-Length: 11\r\nConnection: close\r\n\r\nhello again";
const UPLOAD: &str = "PUT /upload HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
    5\r\nhello\r\n11;x=y\r\n, of 17 bytes now\r\n0\r\nA: trailer\r\n\r\n";
const EVENTS: &str = "GET /events HTTP/1.1\r\nHost: test\r\n\r\n";

/// What a handler was told.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Request(String),
    /// An upload that came whole.
    Upload(String),
    /// One that did not.
    Failed(String),
    Error(String),
    Accepted,
    Closed,
}

struct Site {
    tell: Sender<Seen>,
    subscribers: Vec<EventSender>,
}

impl http::Handler for Site {
    fn body_mode(&mut self, request: &Request<'_>) -> BodyMode {
        if request.path() == "/upload" { BodyMode::Streamed } else { BodyMode::Buffered }
    }

    fn request(&mut self, request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        match request.path() {
            "/upload" => reply.receive(Upload { tell: self.tell.clone(), received: Vec::new() }),
            "/events" => {
                self.subscribers.retain(|subscriber| !subscriber.is_closed());
                let sender = reply.events(10_000)?;
                for number in ["1", "2", "3"] {
                    sender.send(&ServerEvent::new(number))?;
                }
                self.subscribers.push(sender);
                Ok(())
            }
            "/next" => reply.text("next"),
            path => {
                let body = String::from_utf8_lossy(request.body());
                let _ = self.tell.send(Seen::Request(format!("{path} {body}")));
                reply.text(format!("{path} has {} bytes\n", body.len()))
            }
        }
    }

    fn event(&mut self, _: &Connection<'_>, event: Event<'_>) {
        let _ = match event {
            Event::Error(error) => self.tell.send(Seen::Error(error.to_string())),
            Event::Accept => self.tell.send(Seen::Accepted),
            Event::Close => self.tell.send(Seen::Closed),
            _ => Ok(()),
        };
    }
}

struct Upload {
    tell: Sender<Seen>,
    received: Vec<u8>,
}

impl http::Upload for Upload {
    fn data(&mut self, _: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
        self.received.extend_from_slice(piece);
        Ok(())
    }

    fn end(&mut self, reply: Reply<'_>) -> Result<(), Error> {
        let _ = self.tell.send(Seen::Upload(String::from_utf8_lossy(&self.received).into_owned()));
        reply.text("taken\n")
    }

    fn failed(&mut self, error: &Error) {
        let _ = self.tell.send(Seen::Failed(error.to_string()));
    }
}

/// A server behind a proxy.
struct Scene {
    server: Server,
    proxy: Proxy,
    told: Receiver<Seen>,
}

impl Scene {
    fn within(limits: Limits) -> Self {
        let (tell, told) = channel();
        let server = Server::http_within(limits, move || Site { tell, subscribers: Vec::new() });
        let proxy = Proxy::start(server.address);
        Self { server, proxy, told }
    }

    fn new() -> Self {
        Self::within(Limits::default())
    }

    /// Waits for the end of a connection, and answers what the handler was told of it: each that was accepted is closed.
    fn seen(&self) -> Vec<Seen> {
        wait_until_over(&self.proxy, &self.server);
        let mut seen: Vec<_> = self.told.try_iter().collect();
        let count = |seen: &[Seen], what: &Seen| seen.iter().filter(|one| *one == what).count();
        assert_eq!(count(&seen, &Seen::Accepted), count(&seen, &Seen::Closed), "{seen:?}");
        seen.retain(|one| !matches!(one, Seen::Accepted | Seen::Closed));
        seen
    }

    fn assert_serves_the_next(&self) {
        assert_eq!(Client::connect(self.server.address).get("/next").text(), "next");
        assert_eq!(self.seen(), []);
    }
}

/// Runs a test in a process of its own, whose descriptors are all closed again at the end.
fn without_leaks(name: &str, test: impl FnOnce(&Scene)) {
    in_own_process(
        name,
        |_| {},
        || {
            let scene = Scene::new();
            scene.assert_serves_the_next();
            let before = descriptors::open();
            test(&scene);
            descriptors::wait_until_back(before);
        },
    );
}

/// Where each of some messages ends that follow each other.
fn ends<'m>(messages: impl IntoIterator<Item = &'m str>) -> Vec<usize> {
    let add = |end: &mut usize, message: &str| {
        *end += message.len();
        Some(*end)
    };
    messages.into_iter().scan(0, add).collect()
}

#[test]
fn hazard_18_two_requests_on_one_connection() {
    without_leaks("http::hazard_18_two_requests_on_one_connection", |scene| {
        let request = [FIRST, SECOND].concat();
        let request_ends = ends([FIRST, SECOND]);
        let requests = [Seen::Request("/first ".to_owned()), Seen::Request("/second hello again".to_owned())];
        let mut whole = Vec::new();
        let mut reply_ends = Vec::new();
        at_every_byte(&scene.proxy, |fault| {
            let got = undated(converse(scene.proxy.address, request.as_bytes(), None));
            let seen = scene.seen();
            let (handled, errors): (Vec<_>, Vec<_>) =
                seen.into_iter().partition(|one| matches!(one, Seen::Request(_)));
            assert!(requests.starts_with(&handled), "{fault:?}: {handled:?}");
            let Some(fault) = fault else {
                assert_eq!((handled.len(), errors.len()), (2, 0));
                let text = String::from_utf8(got.clone()).expect("text");
                let second = text.rfind("HTTP/1.1 200 OK").expect("two replies");
                reply_ends = vec![second, text.len()];
                whole = got;
                return;
            };
            match (fault.way, fault.how) {
                (Way::ToServer, How::End) => {
                    let arrived = request_ends.iter().filter(|end| **end <= fault.after).count();
                    assert_eq!(handled.len(), arrived, "{fault:?}");
                    let end = arrived.checked_sub(1).map_or(0, |last| reply_ends[last]);
                    assert!(got == whole[..end], "{fault:?}: {:?}", String::from_utf8_lossy(&got));
                    let cut = fault.after > 0 && !request_ends.contains(&fault.after);
                    assert_eq!(errors.len(), usize::from(cut), "{fault:?}: {errors:?}");
                }
                (Way::ToServer, _) => {
                    let arrived = request_ends.iter().filter(|end| **end <= fault.after).count();
                    assert!(handled.len() <= arrived, "{fault:?}: {handled:?}");
                    assert!(whole.starts_with(&got), "{fault:?}");
                }
                (Way::ToClient, _) => assert_cut(&got, &whole, fault),
            }
            scene.assert_serves_the_next();
        });
    });
}

#[test]
fn hazard_18_a_chunked_upload() {
    without_leaks("http::hazard_18_a_chunked_upload", |scene| {
        let head = UPLOAD.find("\r\n\r\n").expect("a head") + 4;
        let body = Seen::Upload("hello, of 17 bytes now".to_owned());
        let mut whole = Vec::new();
        at_every_byte(&scene.proxy, |fault| {
            let got = undated(converse(scene.proxy.address, UPLOAD.as_bytes(), None));
            let mut seen = scene.seen();
            let Some(fault) = fault else {
                assert_eq!(seen.as_slice(), std::slice::from_ref(&body));
                whole = got;
                return;
            };
            let has_failed = seen.iter().filter(|one| matches!(one, Seen::Failed(_))).count();
            seen.retain(|one| matches!(one, Seen::Upload(_)));
            assert!(seen.len() + has_failed <= 1, "{fault:?}: whole or not, and once");
            assert!(seen.iter().all(|one| *one == body), "{fault:?}: {seen:?}");
            match (fault.way, fault.how) {
                (Way::ToServer, how) => {
                    let complete = fault.after == UPLOAD.len();
                    assert!(complete || seen.is_empty(), "{fault:?}: not all of it was sent");
                    if how == How::End {
                        assert_eq!(seen.len(), usize::from(complete), "{fault:?}");
                        assert_eq!(has_failed, usize::from((head..UPLOAD.len()).contains(&fault.after)));
                        assert_eq!(got, if complete { &whole[..] } else { b"" }, "{fault:?}");
                    }
                }
                (Way::ToClient, _) => {
                    assert!(fault.after == 0 || seen.len() == 1, "{fault:?}: it was answered");
                    assert_cut(&got, &whole, fault);
                }
            }
            scene.assert_serves_the_next();
        });
    });
}

#[test]
fn events_to_a_subscriber() {
    without_leaks("http::events_to_a_subscriber", |scene| {
        let mut whole = Vec::new();
        at_every_byte(&scene.proxy, |fault| {
            let last = Some(&b"data: 3\n\n\r\n"[..]);
            let got = undated(converse(scene.proxy.address, EVENTS.as_bytes(), last));
            // Though nothing is sent to it any more, each that is gone is noticed.
            scene.seen();
            match fault {
                None => whole = got,
                Some(fault) if fault.way == Way::ToClient => assert_cut(&got, &whole, fault),
                Some(fault) => assert!(whole.starts_with(&got), "{fault:?}"),
            }
            scene.assert_serves_the_next();
        });
    });
}

#[test]
fn connections_that_stall_at_any_byte_are_closed_in_time() {
    const TIME: Duration = Duration::from_secs(2);
    in_own_process(
        "http::connections_that_stall_at_any_byte_are_closed_in_time",
        |_| {},
        || {
            let mut limits = Limits::default();
            (limits.head_time, limits.body_time, limits.idle_time) = (TIME, TIME, TIME);
            let scene = Scene::within(limits);
            let request = [FIRST, SECOND].concat();
            let whole = converse(scene.proxy.address, request.as_bytes(), None);
            scene.seen();
            let before = descriptors::open();
            let mut clients = VecDeque::new();
            for way in BOTH_WAYS {
                let length = if way == Way::ToServer { request.len() } else { whole.len() };
                for after in 0..=length {
                    scene.proxy.add(Fault { way, after, how: How::Stall });
                    let mut stream = TcpStream::connect(scene.proxy.address).expect("to connect");
                    stream.write_all(request.as_bytes()).expect("there is room");
                    clients.push_back((way, after, stream));
                }
            }
            // All at once, without a word of theirs.
            let all = clients.len() as u64 + 1;
            let end = Instant::now() + PATIENCE;
            while scene.server.ask(|registry| (registry.stats().accepted, registry.stats().connections))
                != (all, 1)
            {
                assert!(Instant::now() < end, "the server does not give them up");
            }
            let request_ends = ends([FIRST, SECOND]);
            for (way, after, mut stream) in clients {
                stream.set_read_timeout(Some(PATIENCE)).expect("an option");
                let mut got = Vec::new();
                if way == Way::ToServer {
                    stream.read_to_end(&mut got).expect("an end");
                    let text = String::from_utf8(got).expect("text");
                    let answered = request_ends.iter().filter(|end| **end <= after).count();
                    assert_eq!(text.matches("HTTP/1.1 200 ").count(), answered, "{after}: {text}");
                    let cut = after > 0 && !request_ends.contains(&after);
                    assert_eq!(text.matches("HTTP/1.1 408 ").count(), usize::from(cut), "{after}: {text}");
                }
            }
            scene.seen();
            scene.assert_serves_the_next();
            descriptors::wait_until_back(before);
        },
    );
}
