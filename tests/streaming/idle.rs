//! A body that waits for somebody costs the loop no turn.

use std::cell::RefCell;
use std::io::{ErrorKind, Write};
use std::rc::Rc;
use std::time::Duration;

use mongoose::http::{BodyMode, BodySender, Deferred, EventSender, Handler, Piece, Reply, Request, Upload};
use mongoose::{Connection, Error, Limits, Manager};
use mongoose_tests::{Client, poll_until};

/// How many turns are few: a loop that spins makes thousands in the same time, and hundreds under valgrind.
const FEW: u64 = 10;

/// What handlers were given and hold.
#[derive(Default)]
struct Held {
    channels: Vec<BodySender>,
    events: Vec<EventSender>,
    deferred: Vec<Deferred>,
}

struct Site(Rc<RefCell<Held>>);

impl Handler for Site {
    fn body_mode(&mut self, _: &Request<'_>) -> BodyMode {
        BodyMode::Streamed
    }

    fn request(&mut self, request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        let mut held = self.0.borrow_mut();
        match request.path() {
            "/channel" => held.channels.push(reply.channel(1000)?),
            "/events" => held.events.push(reply.events(1000)?),
            "/endless" => return reply.stream(|| Ok(Piece::Data(vec![7; 10_000].into()))),
            "/deferred" => held.deferred.push(reply.defer()),
            "/pausing" => return reply.receive(Receiving(true)),
            _ => return reply.receive(Receiving(false)),
        }
        Ok(())
    }
}

struct Receiving(bool);

impl Upload for Receiving {
    fn data(&mut self, connection: &Connection<'_>, _: &[u8]) -> Result<(), Error> {
        if self.0 {
            connection.pause();
        }
        Ok(())
    }

    fn end(&mut self, reply: Reply<'_>) -> Result<(), Error> {
        reply.text("whole")
    }
}

struct Loop {
    manager: Manager,
    held: Rc<RefCell<Held>>,
    client: Client,
}

impl Loop {
    /// A connection on which one request was sent and handled.
    fn after(request: &str) -> Self {
        let mut manager = Manager::new().expect("a manager");
        let held = Rc::new(RefCell::default());
        let site = Site(Rc::clone(&held));
        let listener =
            manager.listener("http://127.0.0.1:0").limits(Limits::default()).http(site).expect("to listen");
        let mut client = Client::connect(listener.local_addr());
        client.send(request);
        let count = request.len() as u64;
        poll_until(&mut manager, "the request", |manager| manager.stats().received >= count);
        Self { manager, held, client }
    }

    #[track_caller]
    fn assert_idle(&mut self) {
        // What is still to be settled may be.
        (0..FEW).for_each(|_| self.manager.poll(Duration::ZERO).expect("to poll"));
        let end = self.manager.once(Duration::from_millis(200), |registry| registry.handle().stop());
        let end = end.expect("a timer");
        let before = self.manager.stats().polls;
        while end.is_active() && self.manager.stats().polls < before + 1000 {
            self.manager.poll(Duration::from_secs(1)).expect("to poll");
        }
        let turns = self.manager.stats().polls - before;
        assert!(turns <= FEW, "{turns} turns");
    }

    /// Sends for as long as the system takes it.
    fn flood(&mut self) {
        self.client.stream().set_nonblocking(true).expect("an option");
        let full = loop {
            match self.client.stream().write_all(&[b'x'; 10_000]) {
                Ok(()) => self.manager.poll(Duration::ZERO).expect("to poll"),
                Err(error) => break error,
            }
        };
        assert_eq!(full.kind(), ErrorKind::WouldBlock);
        self.client.stream().set_nonblocking(false).expect("an option");
    }
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n")
}

fn post(path: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000000\r\n\r\nabc")
}

#[test]
fn no_busy_loop_while_a_stream_has_nothing_to_give() {
    for path in ["/channel", "/events"] {
        let mut on = Loop::after(&get(path));
        on.assert_idle();
        on.flood();
        on.assert_idle();
        on.client.end();
        on.assert_idle();
    }
}

#[test]
fn no_busy_loop_after_the_end_of_a_peer_that_is_streamed_to() {
    for path in ["/channel", "/events"] {
        let mut on = Loop::after(&get(path));
        on.client.end();
        on.assert_idle();
        let open = on.manager.stats().connections > 1;
        assert_eq!(open, path == "/channel", "{path}: nobody subscribes with half a connection");
        let Loop { mut manager, held, client } = on;
        client.reset();
        poll_until(&mut manager, "the reset", |manager| manager.stats().connections == 1);
        let held = held.borrow();
        assert!(
            held.channels.iter().all(BodySender::is_closed) && held.events.iter().all(EventSender::is_closed)
        );
    }
}

#[test]
fn no_busy_loop_while_a_peer_reads_nothing_of_a_stream() {
    let mut on = Loop::after(&get("/endless"));
    for _ in 0..1000 {
        on.manager.poll(Duration::from_millis(1)).expect("to poll");
    }
    on.assert_idle();
    on.flood();
    on.assert_idle();
}

#[test]
fn no_busy_loop_while_an_upload_waits() {
    for path in ["/", "/pausing", "/deferred"] {
        let mut on = Loop::after(&post(path));
        on.assert_idle();
        if path != "/" {
            on.flood();
            on.assert_idle();
        }
        on.client.end();
        on.assert_idle();
    }
}
