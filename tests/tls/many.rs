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

/// How clients are made.
#[derive(Clone, Copy)]
enum Clients {
    By(fn() -> tls::ClientConfig),
    /// They say hello by hand, and then what no keys seal.
    Broken,
}

impl Clients {
    /// Those who believe the server, or anybody where there are no others.
    fn right() -> Self {
        #[cfg(feature = "tls-rustls")]
        return Self::By(certificates::client);
        #[cfg(not(feature = "tls-rustls"))]
        return Self::By(|| tls::ClientConfig::dangerous().accept_any_certificate().build().expect("valid"));
    }
}

/// A ClientHello with a key, which every server has to answer.
fn hello() -> Vec<u8> {
    fn with_length(width: usize, body: &[u8]) -> Vec<u8> {
        [&body.len().to_be_bytes()[8 - width..], body].concat()
    }
    let share = [&[0, 29][..], &with_length(2, &[9; 32])].concat();
    let extensions: [(u8, Vec<u8>); 4] =
        [(43, vec![2, 3, 4]), (10, vec![0, 2, 0, 29]), (13, vec![0, 2, 4, 3]), (51, with_length(2, &share))];
    let extensions = extensions.map(|(kind, contents)| [&[0, kind][..], &with_length(2, &contents)].concat());
    let fixed = [&[3, 3][..], &[7; 32], &[0, 0, 2, 0x13, 3, 1, 0]].concat();
    let body = [fixed, with_length(2, &extensions.concat())].concat();
    let message = [vec![1], with_length(3, &body)].concat();
    [vec![22, 3, 1], with_length(2, &message)].concat()
}

/// Shakes hands with itself until `total` clients have come to their end, `at_once` at a time.
struct Crowd {
    manager: Manager,
    address: SocketAddr,
    clients: Clients,
    /// `None`: each client has one of its own, and so no session to resume.
    shared: Option<tls::ClientConfig>,
    done: Rc<Cell<usize>>,
    failed: Rc<Cell<usize>>,
}

impl Crowd {
    fn new(clients: Clients, resuming: bool) -> Self {
        let manager = Manager::new().expect("a manager");
        let failed = Rc::<Cell<usize>>::default();
        let broken = Rc::clone(&failed);
        let server = move |connection: &Connection<'_>, event: Event<'_>| {
            match event {
                Event::Read => {
                    connection.send(connection.received())?;
                    connection.drain();
                }
                Event::Error(Error::Tls { .. }) if matches!(clients, Clients::Broken) => {
                    broken.set(broken.get() + 1);
                }
                _ => {}
            }
            Ok(())
        };
        let shown = certificates::server("p256");
        let listener = manager.listener("tls://127.0.0.1:0").tls(shown).tcp(server).expect("to listen");
        let shared = match clients {
            Clients::By(config) if resuming => Some(config()),
            _ => None,
        };
        Self { address: listener.local_addr(), manager, clients, shared, done: Rc::default(), failed }
    }

    fn begin(&self) {
        match self.clients {
            Clients::By(config) => self.begin_by(self.shared.clone().unwrap_or_else(config)),
            Clients::Broken => self.begin_broken(),
        }
    }

    fn begin_broken(&self) {
        let done = Rc::clone(&self.done);
        let handler = move |connection: &Connection<'_>, event: Event<'_>| {
            match event {
                Event::Connect => connection.send(hello())?,
                Event::Read if connection.received().len() > 100 => {
                    // In the place of the Finished.
                    connection.consume(usize::MAX);
                    connection.send([&[23, 3, 3, 0, 53][..], &[7; 53]].concat())?;
                }
                Event::Error(error) => panic!("{error}"),
                Event::Close => done.set(done.get() + 1),
                _ => {}
            }
            Ok(())
        };
        self.manager.connect(&format!("tcp://{}", self.address), handler).expect("to begin");
    }

    fn begin_by(&self, config: tls::ClientConfig) {
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
fn nothing_grows(clients: Clients, good: bool) {
    for at_once in [1, 200] {
        let mut crowd = Crowd::new(clients, at_once > 1);
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
            nothing_grows(Clients::right(), true);
        },
    );
}

#[test]
fn broken_handshakes_leave_nothing_behind() {
    mongoose_tests::in_own_process(
        "many::broken_handshakes_leave_nothing_behind",
        |_| {},
        || {
            nothing_grows(Clients::Broken, false);
        },
    );
}

/// Under Valgrind, which sees no other processes, this is what it looks at.
#[test]
fn handshakes_and_broken_ones_come_to_their_end() {
    for (clients, failed) in [(Clients::right(), 0), (Clients::Broken, scaled(500))] {
        let mut crowd = Crowd::new(clients, false);
        crowd.run(scaled(500), 10);
        assert_eq!((crowd.done.get(), crowd.failed.get()), (scaled(500), failed));
    }
}

#[cfg(feature = "tls-rustls")]
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
            nothing_grows(Clients::By(stranger), false);
        },
    );
}
