//! R13: thousands of handshakes, one after another and many at a time, good and bad, and nothing grows.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;

use mongoose::{Connection, Error, Event, Manager, tls};
use mongoose_tests::{poll_until, scaled};

use crate::certificates;

/// The most memory that the process ever had, in KB, and how many descriptors it has. The memory that it has now says
/// less: the allocator gives some back when it likes to.
fn held() -> (usize, usize) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let memory = line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|number| number.parse().ok());
    let descriptors = std::fs::read_dir("/proc/self/fd").map(Iterator::count);
    (memory.unwrap_or(0), descriptors.unwrap_or(0))
}

/// Shakes hands with itself until `total` clients have come to their end, `at_once` at a time.
struct Crowd {
    manager: Manager,
    address: SocketAddr,
    config: fn() -> tls::ClientConfig,
    /// `None`: each client has one of its own, and so no session to resume.
    shared: Option<tls::ClientConfig>,
    done: Rc<Cell<usize>>,
    failed: Rc<Cell<usize>>,
}

impl Crowd {
    fn new(config: fn() -> tls::ClientConfig, resuming: bool) -> Self {
        let manager = Manager::new().expect("a manager");
        let server = |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Read = event {
                connection.send(connection.received())?;
                connection.drain();
            }
            Ok(())
        };
        let shown = certificates::server("p256");
        let listener = manager.listener("tls://127.0.0.1:0").tls(shown).tcp(server).expect("to listen");
        let (address, shared) = (listener.local_addr(), resuming.then(config));
        Self { manager, address, config, shared, done: Rc::default(), failed: Rc::default() }
    }

    fn begin(&self) {
        let (done, failed) = (Rc::clone(&self.done), Rc::clone(&self.failed));
        let handler = move |connection: &Connection<'_>, event: Event<'_>| {
            match event {
                Event::Connect => connection.send("x")?,
                Event::Read => connection.consume(usize::MAX),
                Event::Error(Error::Tls { .. }) => failed.set(failed.get() + 1),
                Event::Error(error) => panic!("{error}"),
                Event::Close => done.set(done.get() + 1),
                _ => {}
            }
            Ok(())
        };
        let url = format!("tls://{}", self.address);
        let config = self.shared.clone().unwrap_or_else(self.config);
        self.manager.connector(&url).tls(config).tcp(handler).expect("to begin");
    }

    fn run(&mut self, total: usize, at_once: usize) {
        let before = self.done.get();
        for begun in 0..total {
            let done = Rc::clone(&self.done);
            poll_until(&mut self.manager, "a place", |_| before + begun - done.get() < at_once);
            self.begin();
        }
        let done = Rc::clone(&self.done);
        poll_until(&mut self.manager, "the last", |manager| {
            done.get() - before == total && manager.connections().len() == 1
        });
    }
}

/// Neither memory nor descriptors grow any more.
fn nothing_grows(config: fn() -> tls::ClientConfig, good: bool) {
    for at_once in [1, 200] {
        let mut crowd = Crowd::new(config, at_once > 1);
        let some = scaled(1000).max(at_once.min(20));
        // Twice: the allocator learns from the first how it does the second.
        crowd.run(some, at_once);
        crowd.run(some, at_once);
        let before = held();
        crowd.run(some, at_once);
        let after = held();
        let failed = crowd.failed.get();
        assert_eq!(failed, if good { 0 } else { 3 * some }, "{at_once} at a time");
        assert_eq!(after.1, before.1, "descriptors, {at_once} at a time");
        // A leak of 2 KB a handshake would be as much.
        assert!(after.0 < before.0 + 2500, "{} KB and then {} KB, {at_once} at a time", before.0, after.0);
    }
}

#[test]
fn handshakes_leave_nothing_behind() {
    // By itself: what others hold meanwhile would count.
    mongoose_tests::in_own_process(
        "many::handshakes_leave_nothing_behind",
        |_| {},
        || {
            nothing_grows(certificates::client, true);
        },
    );
}

#[test]
fn failed_handshakes_leave_nothing_behind() {
    mongoose_tests::in_own_process(
        "many::failed_handshakes_leave_nothing_behind",
        |_| {},
        || {
            let stranger = || {
                let builder = tls::ClientConfig::roots_file(certificates::path("other-ca.pem"));
                builder.build().expect("a configuration")
            };
            nothing_grows(stranger, false);
        },
    );
}
