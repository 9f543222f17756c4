//! Invariant 13, in HTTP handlers.

use mongoose::http::{self, Reply, Request};
use mongoose::{Connection, Error, Event, Manager};
use mongoose_tests::poll_until;

use crate::harness::{
    Journal, Mine, Noted, Peer, assert_usable, blast, connect_many, get, next_blast, next_blast_while, settle,
};

/// Panics at the first request for `/boom`, and at the first event that looks like `at`.
struct Bomb {
    at: &'static str,
    number: u32,
    journal: Journal,
    _noted: Noted,
}

impl Bomb {
    fn new(at: &'static str, number: u32, journal: &Journal) -> Self {
        let noted = Noted(journal.clone(), "dropped");
        Self { at, number, journal: journal.clone(), _noted: noted }
    }
}

impl http::Handler for Bomb {
    fn request(&mut self, request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        self.journal.note(format!("{} {}", request.method(), request.path()));
        match request.path() {
            "/boom" => blast(self.number),
            "/large" => reply.body(vec![b'x'; 12 << 20]),
            "/error" => Err(Error::handler("refused")),
            _ => reply.text("fine"),
        }
    }

    fn event(&mut self, _: &Connection<'_>, event: Event<'_>) {
        let name = format!("{event:?}");
        self.journal.note(name.as_str());
        if name.starts_with(self.at) {
            blast(self.number);
        }
    }
}

/// Has a `Bomb` of one connection get to where it panics, and checks what has to hold afterwards.
fn explode(at: &'static str, number: u32, light: impl FnOnce(&mut Manager, &mut Peer)) {
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let log = journal.clone();
    let listener =
        manager.http_each("http://127.0.0.1:0", move || Bomb::new(at, number, &log)).expect("to listen");
    let quiet = Journal::default();
    let bystanders = manager.http("http://127.0.0.1:0", Bomb::new("never", 0, &quiet)).expect("to listen");
    let mut bystander = connect_many(&mut manager, bystanders.local_addr(), 1).remove(0);
    let mut peer = Peer::connect(listener.local_addr());
    if at != "Accept" {
        poll_until(&mut manager, "the connection", |manager| manager.stats().accepted == 2);
    }
    light(&mut manager, &mut peer);
    bystander.send(get("/meanwhile"));
    let blasted = next_blast_while(&mut manager, || {
        peer.arrived();
    });
    assert_eq!(blasted, number, "the panic that comes out of poll is the handler's");
    assert_eq!(journal.count("dropped"), 1, "the handler is dropped at once");
    let told = journal.take();
    let _ = std::io::Write::write(&mut peer.stream(), get("/more").as_bytes());
    peer.until_end(&mut manager);
    settle(&mut manager);
    assert!(journal.is_empty(), "entered again after {told:?}");
    bystander.expect(&mut manager, "fine");
    assert_eq!(quiet.count("GET /meanwhile"), 1);
    assert_eq!(manager.stats().connections, 3, "two listeners and the bystander are left");
    assert_usable(&mut manager);
}

#[test]
fn invariant_13_panic_in_a_request() {
    explode("never", 201, |_, peer| {
        // The one behind it is in the same segment and must never be handled.
        peer.send(get("/boom") + &get("/behind"));
    });
}

#[test]
fn invariant_13_panic_in_a_request_whose_body_came_in_pieces() {
    explode("never", 202, |manager, peer| {
        peer.send("POST /boom HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab");
        settle(manager);
        peer.send("c\r\n0\r\n\r\n");
    });
}

#[test]
fn invariant_13_panic_in_an_http_accept() {
    explode("Accept", 203, |_, _| {});
}

#[test]
fn invariant_13_panic_in_an_http_error_of_the_gate() {
    explode("Error(Refused", 204, |_, peer| {
        peer.send("NOT HTTP\r\n\r\n");
    });
}

#[test]
fn invariant_13_panic_in_an_http_error_of_the_handler_s_own() {
    explode("Error(Handler", 205, |_, peer| {
        peer.send(get("/error"));
    });
}

#[test]
fn invariant_13_panic_in_an_http_error_of_a_truncated_request() {
    explode("Error(Truncated", 206, |_, peer| {
        peer.send("GET / HTTP").end();
    });
}

#[test]
fn invariant_13_panic_in_an_http_close() {
    explode("Close", 207, |_, peer| {
        peer.send("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    });
}

#[test]
fn invariant_13_panic_in_an_http_write() {
    explode("Write", 208, |manager, peer| {
        peer.send(get("/large"));
        settle(manager);
    });
}

#[test]
fn invariant_13_panic_in_an_http_wakeup() {
    explode("Wakeup", 209, |manager, _| {
        for id in manager.connections() {
            manager.handle().wakeup(id, "x").expect("queued");
        }
    });
}

#[test]
fn invariant_13_panic_while_a_reply_is_deferred_loses_that_reply_alone() {
    struct Deferring;
    impl http::Handler for Deferring {
        fn request(&mut self, request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
            let deferred = reply.defer();
            if request.path() == "/boom" {
                // Dropped by the unwinding: its 500 finds nobody.
                blast(210);
            }
            deferred.reply().text("late")
        }
    }
    let mut manager = Manager::new().expect("a manager");
    let listener = manager.http("http://127.0.0.1:0", Deferring).expect("to listen");
    let mut peers = connect_many(&mut manager, listener.local_addr(), 2);
    peers[0].send(get("/boom"));
    assert_eq!(next_blast(&mut manager), 210);
    assert!(peers[0].until_end(&mut manager).is_empty());
    peers[1].send(get("/")).expect(&mut manager, "late");
    assert_eq!(manager.stats().undelivered, 1);
    assert_usable(&mut manager);
}

#[test]
fn invariant_13_panic_after_the_reply_or_an_upgrade_closes_without_it() {
    struct Late(Journal);
    impl http::Handler for Late {
        fn request(&mut self, request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
            let noted = Noted(self.0.clone(), "successor dropped");
            match request.path() {
                "/reply" => reply.text("sent before the panic")?,
                _ => reply.upgrade("raw", move |_: &Connection<'_>, _: Event<'_>| {
                    noted.0.note("entered");
                    Ok(())
                })?,
            }
            blast(211)
        }
    }
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let listener = manager.http("http://127.0.0.1:0", Late(journal.clone())).expect("to listen");
    for target in ["/reply", "/upgrade"] {
        let mut peer = connect_many(&mut manager, listener.local_addr(), 1).remove(0);
        peer.send(get(target) + "more");
        assert_eq!(next_blast(&mut manager), 211, "{target}");
        assert!(peer.until_end(&mut manager).is_empty(), "{target}");
    }
    assert_eq!(journal.take(), ["successor dropped", "successor dropped"]);
    assert_usable(&mut manager);
}

#[test]
fn invariant_13_panic_in_the_factory_of_an_http_listener() {
    let mut manager = Manager::new().expect("a manager");
    let mut made = 0;
    let listener = manager
        .http_each("http://127.0.0.1:0", move || {
            made += 1;
            if made == 1 {
                blast(212);
            }
            Bomb::new("never", 0, &Journal::default())
        })
        .expect("to listen");
    let mut first = Peer::connect(listener.local_addr());
    let mut second = Peer::connect(listener.local_addr());
    assert_eq!(next_blast(&mut manager), 212);
    assert!(first.until_end(&mut manager).is_empty());
    second.send(get("/")).expect(&mut manager, "fine");
}

#[test]
fn invariant_13_handler_and_successor_that_both_panic_in_drop_do_not_end_the_process() {
    struct Grim(Mine);
    impl http::Handler for Grim {
        fn request(&mut self, _: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
            let mine = Mine(self.0.0 + 1);
            reply.upgrade("raw", move |_: &Connection<'_>, _: Event<'_>| {
                let _keep = &mine;
                Ok(())
            })?;
            blast(1)
        }
    }
    let mut manager = Manager::new().expect("a manager");
    let listener = manager.http_each("http://127.0.0.1:0", || Grim(Mine(2))).expect("to listen");
    let mut peer = Peer::connect(listener.local_addr());
    peer.send(get("/"));
    // Each of the three comes out of a poll of its own.
    for number in [1, 2, 3] {
        assert_eq!(next_blast(&mut manager), number);
    }
    peer.until_end(&mut manager);
    assert_usable(&mut manager);
}
