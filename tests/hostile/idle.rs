//! The loop rests when there is nothing to do, wakes when there is, and touches only what is ready: hazards 21, 22, 34, 35.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::rc::Rc;
use std::time::Duration;

use mongoose::http::{Deferred, Reply, Request};
use mongoose::{Connection, ConnectionId, Error, Event, Limits, Manager};
use mongoose_tests::{Client, in_own_process, poll_until, scaled};

/// How long a loop is watched.
const WATCH: Duration = Duration::from_millis(250);

/// More turns than this while it is watched, and it spins: that makes thousands.
const TURNS_MAX: u64 = 12;

/// Lets a loop run until a timer fires, and counts its turns.
fn assert_rests(manager: &mut Manager, what: &str) {
    let before = manager.stats().polls;
    let timer = manager.once(WATCH, |_| {}).expect("a timer");
    while timer.is_active() {
        manager.poll(None).expect("to poll");
        let turns = manager.stats().polls - before;
        assert!(turns <= TURNS_MAX, "{what}: {turns} turns and no end");
    }
}

/// A raw listener whose connections do `on_read` with each event of that kind.
fn listen(
    manager: &Manager,
    limits: Limits,
    mut on_read: impl FnMut(&Connection<'_>) -> Result<(), Error> + 'static,
) -> mongoose::Listener {
    let serve = move |connection: &Connection<'_>, event: Event<'_>| match event {
        Event::Read => on_read(connection),
        _ => Ok(()),
    };
    manager.listener("tcp://127.0.0.1:0").limits(limits).tcp(serve).expect("to listen")
}

fn received(manager: &Manager, at_least: u64) -> bool {
    manager.stats().received >= at_least
}

#[test]
fn hazard_21_a_paused_connection_with_bytes_waiting_rests() {
    let mut manager = Manager::new().expect("a manager");
    let paused: Rc<Cell<Option<ConnectionId>>> = Rc::default();
    let note = Rc::clone(&paused);
    let listener = listen(&manager, Limits::default(), move |connection| {
        connection.consume(usize::MAX);
        connection.pause();
        note.set(Some(connection.id()));
        Ok(())
    });
    let mut client = Client::connect(listener.local_addr());
    client.send("x");
    poll_until(&mut manager, "the pause", |_| paused.get().is_some());
    client.send(vec![b'y'; 100_000]);
    assert_rests(&mut manager, "paused, bytes waiting");
    assert_eq!(manager.stats().received, 1);
    client.end();
    assert_rests(&mut manager, "paused, bytes and the end waiting");

    manager.connection(paused.get().expect("paused")).expect("open").resume();
    poll_until(&mut manager, "the rest", |manager| received(manager, 2));
}

#[test]
fn hazard_21_a_paused_connection_whose_peer_is_gone_rests() {
    let mut manager = Manager::new().expect("a manager");
    let paused = Rc::new(Cell::new(false));
    let note = Rc::clone(&paused);
    let listener = listen(&manager, Limits::default(), move |connection| {
        connection.pause();
        note.set(true);
        Ok(())
    });
    let mut client = Client::connect(listener.local_addr());
    client.send("x");
    poll_until(&mut manager, "the pause", |_| paused.get());
    client.reset();
    assert_rests(&mut manager, "paused, reset");
}

#[test]
fn hazard_21_a_connection_whose_handler_consumes_nothing_rests() {
    let mut manager = Manager::new().expect("a manager");
    let mut limits = Limits::default();
    limits.received = 1000;
    let listener = listen(&manager, limits, |_| Ok(()));
    let mut client = Client::connect(listener.local_addr());
    client.send(vec![b'x'; 500_000]);
    poll_until(&mut manager, "the first bytes", |manager| received(manager, 1000));
    assert_rests(&mut manager, "the limit of unconsumed bytes reached, more waiting");
}

#[test]
fn hazard_21_half_a_head_and_half_a_body_rest() {
    let mut manager = Manager::new().expect("a manager");
    let serve = |_: Request<'_>, reply: Reply<'_>| reply.text("hello");
    let listener = manager.http("http://127.0.0.1:0", serve).expect("to listen");
    let mut clients = Vec::new();
    for half in ["GET", "\r", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nbo"] {
        let mut client = Client::connect(listener.local_addr());
        client.send(half);
        clients.push(client);
    }
    poll_until(&mut manager, "all halves", |manager| received(manager, 50));
    assert_rests(&mut manager, "half a request");
}

#[test]
fn hazard_21_a_peer_that_ended_its_direction_and_waits_rests() {
    let mut manager = Manager::new().expect("a manager");
    let kept: Rc<RefCell<Vec<Deferred>>> = Rc::default();
    let keep = Rc::clone(&kept);
    let serve = move |_: Request<'_>, reply: Reply<'_>| {
        keep.borrow_mut().push(reply.defer());
        Ok(())
    };
    let listener = manager.http("http://127.0.0.1:0", serve).expect("to listen");
    let mut client = Client::connect(listener.local_addr());
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").end();
    poll_until(&mut manager, "the request", |_| kept.borrow().len() == 1);
    assert_rests(&mut manager, "half-closed, a reply due");
    let deferred = kept.borrow_mut().pop().expect("one");
    deferred.reply().text("done").expect("a manager that is there");
    poll_until(&mut manager, "the end", |manager| manager.stats().connections == 1);
    assert_eq!(client.response().text(), "done");
}

#[test]
fn hazard_21_a_peer_that_does_not_read_its_replies_rests() {
    let mut manager = Manager::new().expect("a manager");
    let serve = |_: Request<'_>, reply: Reply<'_>| reply.body(vec![b'x'; 20_000_000]);
    let listener = manager.http("http://127.0.0.1:0", serve).expect("to listen");
    let mut client = Client::connect(listener.local_addr());
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n".repeat(10));
    poll_until(&mut manager, "the first reply to be stuck", |manager| manager.stats().sent > 0);
    // The system's buffers take what they take; then nothing moves.
    let mut sent = 0;
    poll_until(&mut manager, "the sockets to fill up", |manager| {
        std::mem::replace(&mut sent, manager.stats().sent) == manager.stats().sent
    });
    assert_rests(&mut manager, "output stuck, requests waiting");
}

#[test]
fn hazard_22_out_of_descriptors_accepting_pauses_and_goes_on() {
    in_own_process(
        "idle::hazard_22_out_of_descriptors_accepting_pauses_and_goes_on",
        |_| {},
        || {
            use rustix::process::{Resource, getrlimit, setrlimit};
            let mut limit = getrlimit(Resource::Nofile);
            limit.current = Some(64);
            setrlimit(Resource::Nofile, limit).expect("to lower a limit");

            let mut manager = Manager::new().expect("a manager");
            let serve = |_: Request<'_>, reply: Reply<'_>| reply.text("hello");
            let listener = manager.http("http://127.0.0.1:0", serve).expect("to listen");
            let mut held: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
            // One descriptor for the client, none for the server's side.
            held.pop();
            let mut client = Client::connect(listener.local_addr());
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            assert_rests(&mut manager, "out of descriptors, a connection waiting");
            assert_eq!(manager.stats().accepted, 0);

            held.truncate(held.len() - 5);
            poll_until(&mut manager, "the request", |manager| manager.stats().sent > 0);
            assert_eq!(client.response().text(), "hello");
            assert_eq!(manager.stats().accepted, 1);
        },
    );
}

#[test]
fn hazard_34_a_timer_fires_though_nothing_else_happens() {
    let mut manager = Manager::new().expect("a manager");
    let ticks = Rc::new(Cell::new(0));
    let count = Rc::clone(&ticks);
    let timer = manager.every(Duration::from_millis(10), move |_| count.set(count.get() + 1));
    let _timer = timer.expect("a timer");
    // A poll that waited for its own time-out would not come back while the test lives.
    for _ in 0..10 {
        let before = ticks.get();
        while ticks.get() == before {
            manager.poll(Duration::from_secs(1 << 20)).expect("to poll");
        }
    }
    assert!(manager.stats().polls <= 40, "{} turns for 10 ticks", manager.stats().polls);
}

#[test]
fn hazard_35_one_turn_accepts_all_that_wait() {
    let mut manager = Manager::new().expect("a manager");
    let listener = listen(&manager, Limits::default(), |_| Ok(()));
    let clients: Vec<_> = (0..50).map(|_| Client::connect(listener.local_addr())).collect();
    manager.poll(mongoose_tests::PATIENCE).expect("to poll");
    assert_eq!(manager.stats().accepted, 50);
    drop(clients);
}

#[test]
fn hazard_35_idle_connections_are_not_touched() {
    let mut manager = Manager::new().expect("a manager");
    let events = Rc::new(Cell::new(0));
    let count = Rc::clone(&events);
    let serve = move |connection: &Connection<'_>, event: Event<'_>| {
        count.set(count.get() + 1);
        if let Event::Read = event {
            connection.consume(usize::MAX);
        }
        Ok(())
    };
    let listener = manager.tcp("tcp://127.0.0.1:0", serve).expect("to listen");
    let mut clients: Vec<_> = (1..=scaled(300))
        .map(|number| {
            let client = Client::connect(listener.local_addr());
            poll_until(&mut manager, "the connection", |manager| manager.stats().accepted == number as u64);
            client
        })
        .collect();
    events.set(0);
    for number in 1..=20 {
        let before = manager.stats().received;
        clients[0].send("x");
        poll_until(&mut manager, "the byte", |manager| manager.stats().received > before);
        assert_eq!(events.get(), number, "one event, of the one that sent");
    }
}
