//! Invariant 13, in the events of raw connections.

use std::time::Duration;

use mongoose::{Connection, ConnectionId, Error, Event, Handler, Manager};
use mongoose_tests::{PATIENCE, poll_until};

use crate::harness::{
    Blast, Journal, Noted, Peer, assert_usable, blast, blast_of, connect_many, fire, next_blast,
    next_blast_while, settle,
};

/// Panics at the first event that looks like `at`, with that event's place as the number. Echoes otherwise.
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

impl Handler for Bomb {
    fn event(&mut self, connection: &Connection<'_>, event: Event<'_>) -> Result<(), Error> {
        let name = format!("{event:?}");
        self.journal.note(name.as_str());
        if name.starts_with(self.at) {
            blast(self.number);
        }
        if let Event::Read = event {
            connection.send(connection.received())?;
            connection.consume(usize::MAX);
        }
        Ok(())
    }
}

/// Has a connection of a `Bomb`'s own get to the event it panics at, and checks what has to hold afterwards.
fn explode(at: &'static str, number: u32, light: impl FnOnce(&mut Manager, ConnectionId, &mut Peer)) {
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let bystanders =
        manager.tcp("tcp://127.0.0.1:0", Bomb::new("never", 0, &Journal::default())).expect("to listen");
    let log = journal.clone();
    let listener =
        manager.tcp_each("tcp://127.0.0.1:0", move || Bomb::new(at, number, &log)).expect("to listen");
    let mut bystander = connect_many(&mut manager, bystanders.local_addr(), 1).remove(0);
    let before = manager.connections();
    let mut peer = Peer::connect(listener.local_addr());
    if at != "Accept" {
        poll_until(&mut manager, "the connection", |manager| manager.stats().accepted == 2);
    }
    if let Some(id) = manager.connections().into_iter().find(|id| !before.contains(id)) {
        light(&mut manager, id, &mut peer);
    }
    bystander.send("meanwhile");
    let blasted = next_blast_while(&mut manager, || {
        peer.arrived();
    });
    assert_eq!(blasted, number, "the panic that comes out of poll is the handler's");
    assert_eq!(journal.count("dropped"), 1, "the handler is dropped at once");
    let told = journal.take();

    // What was buffered is gone, and nobody is there to be told anything.
    let _ = std::io::Write::write(&mut peer.stream(), b"more");
    peer.until_end(&mut manager);
    settle(&mut manager);
    assert!(journal.take().is_empty(), "entered again after {told:?}");
    assert_eq!(manager.stats().connections, 3, "two listeners and the bystander are left");
    bystander.expect(&mut manager, "meanwhile");
    bystander.send("after").expect(&mut manager, "after");
    assert_usable(&mut manager);
}

#[test]
fn invariant_13_panic_in_accept() {
    explode("Accept", 101, |_, _, _| {});
}

#[test]
fn invariant_13_panic_in_read() {
    explode("Read", 102, |_, _, peer| {
        peer.send("never shown again");
    });
}

#[test]
fn invariant_13_panic_in_end() {
    explode("End", 110, |_, _, peer| {
        peer.stream().shutdown(std::net::Shutdown::Write).expect("to shut down");
    });
}

#[test]
fn invariant_13_panic_in_write() {
    explode("Write", 103, |manager, id, _| {
        // More than the system's buffers take, so that some has to wait.
        manager.connection(id).expect("alive").send(vec![b'x'; 12 << 20]).expect("room");
        settle(manager);
        let waiting = manager.connection(id).expect("alive").queued();
        assert!(waiting > 0, "the socket took all");
    });
}

#[test]
fn invariant_13_panic_in_wakeup() {
    explode("Wakeup", 104, |manager, id, _| manager.handle().wakeup(id, "x").expect("queued"));
}

#[test]
fn invariant_13_panic_in_a_user_event() {
    explode("User", 105, |manager, id, _| fire(&manager.connection(id).expect("alive"), 9));
}

#[test]
fn invariant_13_panic_in_error() {
    explode("Error", 106, |manager, id, _| manager.connection(id).expect("alive").fail("lit"));
}

#[test]
fn invariant_13_panic_in_close() {
    explode("Close", 107, |manager, id, _| manager.connection(id).expect("alive").close());
}

#[test]
fn invariant_13_panic_in_connect() {
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let listener =
        manager.tcp("tcp://127.0.0.1:0", Bomb::new("never", 0, &Journal::default())).expect("to listen");
    let url = format!("tcp://{}", listener.local_addr());
    manager.connect(&url, Bomb::new("Connect", 108, &journal)).expect("to begin");
    assert_eq!(next_blast(&mut manager), 108);
    poll_until(&mut manager, "both ends to go", |manager| manager.stats().connections == 1);
    assert_eq!(journal.take(), ["Connect", "dropped"]);
    assert_usable(&mut manager);
}

#[test]
fn invariant_13_panic_in_the_error_of_a_connect_that_failed() {
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("tcp://{}", nobody.local_addr().expect("bound"));
    drop(nobody);
    manager.connect(&url, Bomb::new("Error(Connect", 109, &journal)).expect("to begin");
    assert_eq!(next_blast(&mut manager), 109);
    poll_until(&mut manager, "it to go", |manager| manager.stats().connections == 0);
    assert!(!journal.has("Close"), "never entered again: {journal:?}");
    assert_usable(&mut manager);
}

#[test]
fn invariant_13_panic_in_the_factory_of_a_tcp_listener() {
    let mut manager = Manager::new().expect("a manager");
    let mut made = 0;
    let listener = manager
        .tcp_each("tcp://127.0.0.1:0", move || {
            made += 1;
            if made == 1 {
                blast(110);
            }
            Bomb::new("never", 0, &Journal::default())
        })
        .expect("to listen");
    let mut first = Peer::connect(listener.local_addr());
    let mut second = Peer::connect(listener.local_addr());
    assert_eq!(next_blast(&mut manager), 110);
    assert!(first.until_end(&mut manager).is_empty());
    second.send("the factory goes on").expect(&mut manager, "the factory goes on");
}

#[test]
fn invariant_13_a_shared_handler_serves_its_other_connections_after_a_panic() {
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let mut panicked = false;
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Read = event {
                journal.note("read");
                if !std::mem::replace(&mut panicked, true) {
                    blast(111);
                }
                connection.send(connection.received())?;
                connection.consume(usize::MAX);
            }
            Ok(())
        })
        .expect("to listen");
    let mut peers = connect_many(&mut manager, listener.local_addr(), 3);
    // All three are ready in one batch: the first panics, the others wait for the next poll.
    for peer in &mut peers {
        peer.send("x");
    }
    assert_eq!(next_blast(&mut manager), 111);
    assert!(peers.iter_mut().all(|peer| peer.arrived().is_empty()), "served before the panic was resumed");
    peers[0].until_end(&mut manager);
    for peer in &mut peers[1..] {
        peer.expect(&mut manager, "x");
    }
}

#[test]
fn invariant_13_two_panics_come_out_of_two_polls_and_nobody_is_entered_in_between() {
    struct Twice(Journal);
    impl Handler for Twice {
        fn event(&mut self, connection: &Connection<'_>, event: Event<'_>) -> Result<(), Error> {
            if let Event::Read = event {
                connection.set_handler(Twice(self.0.clone()))?;
                blast(1);
            }
            Ok(())
        }
    }
    impl Drop for Twice {
        fn drop(&mut self) {
            self.0.note("dropped");
            blast(1 + self.0.count("dropped") as u32);
        }
    }
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let log = journal.clone();
    let listener = manager.tcp_each("tcp://127.0.0.1:0", move || Twice(log.clone())).expect("to listen");
    let mut peer = connect_many(&mut manager, listener.local_addr(), 1).remove(0);
    let log = journal.clone();
    peer.send("x");
    assert_eq!(next_blast(&mut manager), 1, "the handler's own");
    manager.handle().post(|_| panic!("ran before the panics were told")).expect("queued");
    // Due at once, and yet not before the panics are all told.
    let timer = manager.once(Duration::ZERO, move |_| log.note("timer")).expect("a timer");
    for expected in [2, 3] {
        assert_eq!(blast_of(|| manager.poll(Duration::ZERO)).expect_err("a panic"), expected);
        assert!(!journal.has("timer"), "entered while a panic waited");
    }
    drop(timer);
}

#[test]
fn invariant_13_the_payload_is_the_one_that_was_thrown() {
    let mut manager = Manager::new().expect("a manager");
    let payload = std::sync::Arc::new(Blast(1));
    let thrown = std::sync::Arc::clone(&payload);
    manager.handle().post(move |_| std::panic::panic_any(thrown)).expect("queued");
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| manager.poll(PATIENCE)));
    let caught = caught.expect_err("the panic").downcast::<std::sync::Arc<Blast>>().expect("the same type");
    assert!(std::sync::Arc::ptr_eq(&payload, &caught));
}
