//! What is under way on a connection when something else happens to it.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use mongoose::http::{self, BodyMode, BodySource, Deferred, Handler, Piece, Reply, Request, Upload};
use mongoose::{Connection, ConnectionId, Error, Event, Limits, Manager, Registry, State};
use mongoose_tests::{Client, PATIENCE, Server, in_own_process};

const MOMENT: Duration = Duration::from_millis(50);

/// Waits until a timer of a server's has fired 20 times: shorter deadlines have passed by then, too.
fn moments(server: &Server) {
    let (fired, fires) = channel();
    server.ask(move |registry| {
        let tick = move |_: &Registry| {
            // The test has seen enough.
            let _ = fired.send(());
        };
        registry.every(MOMENT, tick).expect("a timer").detach();
    });
    assert_eq!(fires.iter().take(20).count(), 20);
}

/// Streams what comes, and does with each piece what `F` says.
struct Receiving<F>(Rc<RefCell<F>>);

impl<F> Receiving<F> {
    fn new(data: F) -> Self {
        Self(Rc::new(RefCell::new(data)))
    }
}

impl<F: FnMut(&Connection<'_>, &[u8]) -> Result<(), Error> + 'static> Handler for Receiving<F> {
    fn body_mode(&mut self, _: &Request<'_>) -> BodyMode {
        BodyMode::Streamed
    }

    fn request(&mut self, _: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        reply.receive(Self(Rc::clone(&self.0)))
    }
}

impl<F: FnMut(&Connection<'_>, &[u8]) -> Result<(), Error> + 'static> Upload for Receiving<F> {
    fn data(&mut self, connection: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
        (self.0.borrow_mut())(connection, piece)
    }

    fn end(&mut self, reply: Reply<'_>) -> Result<(), Error> {
        reply.text("whole")
    }
}

#[test]
fn the_time_of_a_pause_counts_for_none_of_the_later_pieces() {
    for framing in ["Content-Length: 6\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n6\r\nabc"] {
        let mut limits = Limits::default();
        limits.body_time = MOMENT;
        let (came, pieces) = channel();
        let server = Server::http_within(limits, move || {
            Receiving::new(move |connection: &Connection<'_>, piece: &[u8]| {
                if piece.starts_with(b"a") {
                    connection.pause();
                }
                came.send(connection.id()).map_err(Error::handler)
            })
        });
        let mut client = Client::connect(server.address);
        client.send(format!("POST / HTTP/1.1\r\nHost: test\r\n{framing}"));
        let id = pieces.recv_timeout(PATIENCE).expect("a piece");
        moments(&server);
        server
            .ask(move |registry| registry.connection(id).map(|connection| connection.resume()))
            .expect("still there");
        client.send("d");
        pieces.recv_timeout(PATIENCE).expect("a piece");
        // Two turns: what is overdue is told.
        (0..2).for_each(|_| server.ask(|_| ()));
        client.send(if framing.starts_with('T') { "ef\r\n0\r\n\r\n" } else { "ef" });
        let response = client.response();
        assert_eq!((response.status, response.text()), (200, "whole"), "{framing}");
    }
}

#[test]
fn a_connection_is_not_idle_while_its_peer_reads_a_reply() {
    let mut limits = Limits::default();
    limits.idle_time = MOMENT;
    limits.output = 1000;
    let server = Server::http_within(limits, || {
        |request: Request<'_>, reply: Reply<'_>| match request.path() {
            "/large" => reply.body(vec![7; 16 << 20]),
            _ => reply.text("next"),
        }
    });
    let mut client = Client::connect(server.address);
    client.send("GET /large HTTP/1.1\r\nHost: test\r\n\r\nGET /next HTTP/1.1\r\nHost: test\r\n\r\n");
    moments(&server);
    assert_eq!(client.response().body.len(), 16 << 20);
    assert_eq!(client.response().text(), "next");
}

/// Sends to a peer that does not read until something waits.
fn fill(connection: &Connection<'_>) {
    while connection.queued() == 0 {
        connection.send([b'x'; 32 << 10].as_slice()).expect("an open connection");
    }
}

#[test]
fn a_streamed_reply_that_comes_after_drain_is_dropped_whole() {
    let (keep, kept) = channel::<Deferred>();
    let server = Server::http(move || {
        move |request: Request<'_>, reply: Reply<'_>| {
            fill(request.connection());
            request.connection().drain();
            keep.send(reply.defer()).map_err(Error::handler)
        }
    });
    let mut client = Client::connect(server.address);
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    let mut pieces = [Piece::Data("too late".into()), Piece::End].into_iter();
    let body = move || Ok(pieces.next().unwrap_or(Piece::End));
    let deferred = kept.recv_timeout(PATIENCE).expect("a token");
    deferred.reply().stream(body).expect("queued");
    server.ask(|_| ());
    let received = client.to_end();
    let beside =
        received.iter().position(|&byte| byte != b'x').map(|at| String::from_utf8_lossy(&received[at..]));
    assert_eq!(beside, None);
}

#[test]
fn a_deadline_says_nothing_behind_drain() {
    let mut limits = Limits::default();
    limits.body_time = MOMENT;
    let server = Server::http_within(limits, || {
        Receiving::new(|connection: &Connection<'_>, _: &[u8]| {
            fill(connection);
            connection.drain();
            Ok(())
        })
    });
    let mut client = Client::connect(server.address);
    client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\na");
    moments(&server);
    let received = client.to_end();
    assert_eq!(received.iter().position(|&byte| byte != b'x'), None);
}

#[test]
fn a_nudge_beside_a_full_output_does_not_lose_the_event_that_it_left() {
    struct Filling(Sender<ConnectionId>);
    impl mongoose::Handler for Filling {
        fn event(&mut self, connection: &Connection<'_>, event: Event<'_>) -> Result<(), Error> {
            if matches!(event, Event::Accept) {
                self.0.send(connection.id()).map_err(Error::handler)?;
            }
            let mut room = matches!(event, Event::Accept | Event::Write);
            while room {
                match connection.send([b'x'; 4096].as_slice()) {
                    Err(Error::OutputFull { .. }) => room = false,
                    sent => sent?,
                }
            }
            Ok(())
        }
    }

    let (tell, told) = channel();
    let mut limits = Limits::default();
    limits.output = 16 << 10;
    let server =
        Server::start(move |manager| manager.listener("tcp://127.0.0.1:0").limits(limits).tcp(Filling(tell)));
    let mut client = Client::connect(server.address);
    let id = told.recv_timeout(PATIENCE).expect("a connection");
    // Nothing leaves any more: the socket is full.
    let look = move |registry: &Registry| {
        let queued = registry.connection(id).map_or(0, |connection| connection.queued());
        (queued, registry.stats().sent)
    };
    let mut before = (0, 0);
    let (_, sent) = loop {
        let now = server.ask(look);
        if now.0 > 0 && now == before {
            break now;
        }
        before = now;
    };
    // In one batch: the loop stands still until the peer has read all, then comes to the nudge before it has looked at
    // the socket.
    let (go_on, stop) = channel::<()>();
    server.ask(move |registry| {
        let handle = registry.handle();
        let stand_still = move |_: &Registry| stop.recv_timeout(PATIENCE).expect("the test to go on");
        handle.post(stand_still).and_then(|()| handle.nudge(id)).expect("a manager");
    });
    client.exactly(usize::try_from(sent).expect("not so many"));
    go_on.send(()).expect("the loop to wait");
    // More than waited: the handler was told that there is room.
    client.exactly(1 << 20);
}

#[test]
fn all_that_a_channel_paused_are_resumed() {
    let (tell, told) = channel();
    let server = Server::start(move |manager| {
        let (sender, mut receiver) = http::channel(manager.handle(), 1);
        let mut count = 0;
        let forward = move |connection: &Connection<'_>, piece: &[u8]| {
            sender.forward(connection, piece)?;
            count += usize::from(connection.state().contains(State::PAUSED));
            if count == 2 {
                while let Ok(Piece::Data(_)) = receiver.next() {}
            }
            tell.send(()).map_err(Error::handler)
        };
        manager.http("http://127.0.0.1:0", Receiving::new(forward))
    });
    let mut clients = [0; 2].map(|_| Client::connect(server.address));
    for client in &mut clients {
        client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nabc");
        told.recv_timeout(PATIENCE).expect("a piece");
    }
    for mut client in clients {
        client.send("d");
        assert_eq!(client.response().text(), "whole");
    }
}

#[test]
fn a_handler_that_takes_over_when_the_mode_is_chosen_gets_the_bytes_as_they_came() {
    struct Leaving;
    impl Handler for Leaving {
        fn body_mode(&mut self, request: &Request<'_>) -> BodyMode {
            let echo = |connection: &Connection<'_>, event: Event<'_>| {
                if let Event::Read = event {
                    connection.send(connection.received())?;
                    connection.consume(usize::MAX);
                }
                Ok(())
            };
            request.connection().set_handler(echo).expect("an open connection");
            BodyMode::Buffered
        }

        fn request(&mut self, _: Request<'_>, _: Reply<'_>) -> Result<(), Error> {
            panic!("the body is not there");
        }
    }

    let server = Server::http(|| Leaving);
    let request = "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";
    let mut client = Client::connect(server.address);
    client.send(request);
    assert_eq!(client.exactly(request.len()), request.as_bytes());
}

/// Panics when it is dropped.
struct Loud;

impl Drop for Loud {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

/// Streams from and to what panics when it is dropped, as it does itself.
struct Breaking(Loud);

impl Handler for Breaking {
    fn body_mode(&mut self, _: &Request<'_>) -> BodyMode {
        BodyMode::Streamed
    }

    fn request(&mut self, request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        if request.method() == "POST" {
            return reply.receive(Self(Loud));
        }
        let held = Loud;
        reply.stream(move || {
            let _held = &held;
            Ok(Piece::Wait)
        })
    }
}

impl Upload for Breaking {
    fn data(&mut self, _: &Connection<'_>, _: &[u8]) -> Result<(), Error> {
        panic!("in the middle");
    }

    fn end(&mut self, reply: Reply<'_>) -> Result<(), Error> {
        reply.empty()
    }
}

#[test]
fn a_handler_and_a_body_that_panic_when_dropped_do_so_one_by_one() {
    let name = "interplay::a_handler_and_a_body_that_panic_when_dropped_do_so_one_by_one";
    in_own_process(
        name,
        |_| {},
        || {
            let upload = "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\nabc";
            for (request, panics) in [("GET / HTTP/1.1\r\nHost: test\r\n\r\n", 2), (upload, 3)] {
                let mut manager = Manager::new().expect("a manager");
                let listener = manager.http_each("http://127.0.0.1:0", || Breaking(Loud)).expect("to listen");
                let mut client = Client::connect(listener.local_addr());
                client.send(request);
                let (mut client, mut seen) = (Some(client), 0);
                let polls = manager.stats().polls;
                while seen < panics && manager.stats().polls < polls + 6000 {
                    let poll = AssertUnwindSafe(|| manager.poll(Duration::from_millis(10)));
                    seen += usize::from(catch_unwind(poll).is_err());
                    if manager.stats().received > 0
                        && let Some(client) = client.take()
                    {
                        client.reset();
                    }
                }
                assert_eq!(seen, panics);
            }
        },
    );
}
