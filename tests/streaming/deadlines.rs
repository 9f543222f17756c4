//! Who takes too long: each deadline, with what the peer is told. No test asserts how long anything took.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use mongoose::http::{Deferred, Reply, Request};
use mongoose::{Error, Event, Limits};
use mongoose_tests::{Client, PATIENCE, Server};

use crate::site::{Seen, Site, sum, until};

/// Limits of an hour, but for what `change` makes a moment.
fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    let hour = Duration::from_secs(3600);
    limits.head_time = hour;
    limits.body_time = hour;
    limits.idle_time = hour;
    limits.reply_time = hour;
    limits.write_time = hour;
    change(&mut limits);
    limits
}

const MOMENT: Duration = Duration::from_millis(50);

fn server(limits: Limits) -> (Server, Receiver<Seen>) {
    let (seen, told) = channel();
    let answer = |request: Request<'_>, reply: Reply<'_>| reply.text(sum(request.body()));
    (Server::http_within(limits, move || Site { seen, answer }), told)
}

#[test]
fn hazard_23_a_slow_head_is_408() {
    let (server, told) = server(limits(|limits| limits.head_time = MOMENT));
    for part in ["G", "GET / HTTP/1.1\r\nHost: test\r\n", "\r\n"] {
        let mut client = Client::connect(server.address);
        client.send(part);
        let response = client.response();
        assert_eq!((response.status, response.header("Connection")), (408, Some("close")), "{part:?}");
        assert_eq!(client.to_end(), b"");
        drop(client);
        let seen = until(&told, |seen| *seen == Seen::Closed);
        assert!(matches!(&seen[0], Seen::Error(message) if message.contains("408")), "{seen:?}");
    }
}

#[test]
fn a_connection_that_says_nothing_is_closed_without_a_word() {
    let (server, told) = server(limits(|limits| limits.head_time = MOMENT));
    assert_eq!(Client::connect(server.address).to_end(), b"");
    assert_eq!(told.recv_timeout(PATIENCE), Ok(Seen::Closed));
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let (server, _told) = server(limits(|limits| limits.idle_time = MOMENT));
    let mut client = Client::connect(server.address);
    assert_eq!(client.get("/").status, 200);
    assert_eq!(client.to_end(), b"");
}

#[test]
fn the_head_of_a_later_request_has_a_deadline_of_its_own() {
    let (server, _told) = server(limits(|limits| limits.head_time = MOMENT));
    let mut client = Client::connect(server.address);
    assert_eq!(client.get("/").status, 200);
    client.send("GET /");
    assert_eq!(client.response().status, 408);
}

#[test]
fn a_slow_body_is_408_and_no_message() {
    for target in ["/buffered", "/upload"] {
        let (server, told) = server(limits(|limits| limits.body_time = MOMENT));
        for framing in ["Content-Length: 10\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n5\r\nabc"] {
            let mut client = Client::connect(server.address);
            client.send(format!("POST {target} HTTP/1.1\r\nHost: test\r\n{framing}"));
            assert_eq!(client.response().status, 408, "{target} {framing}");
            assert_eq!(client.to_end(), b"");
            drop(client);
            let seen = until(&told, |seen| *seen == Seen::Closed);
            let failed = seen.iter().filter(|seen| matches!(seen, Seen::Failed(_))).count();
            assert_eq!(failed, usize::from(target == "/upload"), "{seen:?}");
        }
    }
}

#[test]
fn a_reply_that_never_comes_is_504_and_the_connection_goes_on() {
    let (keep, kept) = channel::<Deferred>();
    let server = Server::http_within(limits(|limits| limits.reply_time = MOMENT), move || {
        move |request: Request<'_>, reply: Reply<'_>| match request.path() {
            "/late" => keep.send(reply.defer()).map_err(Error::handler),
            _ => reply.text("at once"),
        }
    });
    let mut client = Client::connect(server.address);
    client.send("GET /late HTTP/1.1\r\nHost: test\r\n\r\nGET /next HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(client.response().status, 504);
    assert_eq!(client.response().text(), "at once");
    // What comes too late is not taken for the answer to another request.
    let late = kept.recv_timeout(PATIENCE).expect("a token");
    client.send("GET /late HTTP/1.1\r\nHost: test\r\n\r\n");
    let second = kept.recv_timeout(PATIENCE).expect("a token");
    late.reply().text("too late").expect("queued");
    assert_eq!(client.response().status, 504);
    drop(second);
    assert_eq!(client.get("/next").text(), "at once");
}

#[test]
fn a_peer_that_does_not_read_is_closed_whatever_it_is_owed() {
    let (tell, told) = channel();
    struct Large<T>(T);
    impl<T: FnMut(&Error) + 'static> mongoose::http::Handler for Large<T> {
        fn request(&mut self, _: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
            reply.body(vec![7; 64 << 20])
        }
        fn event(&mut self, _: &mongoose::Connection<'_>, event: Event<'_>) {
            if let Event::Error(error) = event {
                (self.0)(error);
            }
        }
    }
    let server = Server::http_within(limits(|limits| limits.write_time = MOMENT), move || {
        Large(move |error: &Error| tell.send(error.to_string()).expect("the test to listen"))
    });
    let mut client = Client::connect(server.address);
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(told.recv_timeout(PATIENCE).as_deref(), Ok("the deadline passed: write"));
    server.wait_until("its end", |registry| registry.stats().connections == 1);
}

#[test]
fn a_raw_peer_that_does_not_read_is_closed_too() {
    let (tell, told) = channel();
    let limits = limits(|limits| limits.write_time = MOMENT);
    let server = Server::start(move |manager| {
        manager.listener("tcp://127.0.0.1:0").limits(limits).tcp(
            move |connection: &mongoose::Connection<'_>, event: Event<'_>| match event {
                Event::Accept => connection.send(vec![7; 64 << 20]),
                Event::Error(error) => tell.send(error.to_string()).map_err(Error::handler),
                _ => Ok(()),
            },
        )
    });
    let _client = Client::connect(server.address);
    assert_eq!(told.recv_timeout(PATIENCE).as_deref(), Ok("the deadline passed: write"));
    server.wait_until("its end", |registry| registry.stats().connections == 1);
}

#[test]
fn a_paused_upload_is_not_the_peers_fault() {
    use mongoose::http::{BodyMode, Handler, Upload};

    struct Pausing(std::sync::mpsc::Sender<mongoose::ConnectionId>);
    impl Handler for Pausing {
        fn body_mode(&mut self, _: &Request<'_>) -> BodyMode {
            BodyMode::Streamed
        }
        fn request(&mut self, _: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
            reply.receive(Pausing(self.0.clone()))
        }
    }
    impl Upload for Pausing {
        fn data(&mut self, connection: &mongoose::Connection<'_>, _: &[u8]) -> Result<(), Error> {
            connection.pause();
            self.0.send(connection.id()).map_err(Error::handler)
        }
        fn end(&mut self, reply: Reply<'_>) -> Result<(), Error> {
            reply.text("whole")
        }
    }

    let (paused, told) = channel();
    let server = Server::http_within(limits(|limits| limits.body_time = MOMENT), move || Pausing(paused));
    let mut client = Client::connect(server.address);
    client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 6\r\n\r\nabc");
    let id = told.recv_timeout(PATIENCE).expect("a piece");
    // Timers of the same length, set one after the other, have fired several times: the deadline has, too.
    let (fired, fires) = channel();
    server.ask(move |registry| {
        let mut count = 0;
        let tick = move |_: &mongoose::Registry| {
            count += 1;
            let _ = fired.send(count);
        };
        registry.every(MOMENT, tick).expect("a timer").detach();
    });
    assert_eq!(fires.iter().find(|&count| count == 20), Some(20));
    server
        .ask(move |registry| registry.connection(id).map(|connection| connection.resume()))
        .expect("still there");
    client.send("def");
    assert_eq!(client.response().text(), "whole");
}
