//! Invariants 5, 8 and 13, for sockets of datagrams.

use std::net::{SocketAddr, UdpSocket};

use mongoose::{Error, Manager, udp};
use mongoose_tests::{PATIENCE, poll_until, steadily};

use crate::harness::{Journal, Noted, assert_usable, blast, next_blast, settle};

/// Panics at the first event that looks like `at`. Echoes otherwise.
struct Bomb {
    at: &'static str,
    number: u32,
    journal: Journal,
    _noted: Noted,
}

impl Bomb {
    fn new(at: &'static str, number: u32, journal: &Journal) -> Self {
        Self { at, number, journal: journal.clone(), _noted: Noted(journal.clone(), "dropped") }
    }
}

impl udp::Handler for Bomb {
    fn event(&mut self, socket: &udp::Socket<'_>, event: udp::Event<'_>) -> Result<(), Error> {
        let name = format!("{event:?}");
        self.journal.note(name.as_str());
        if name.starts_with(self.at) {
            blast(self.number);
        }
        match event {
            udp::Event::Datagram(datagram) => socket.send_to(datagram.bytes, datagram.from),
            _ => Ok(()),
        }
    }
}

fn peer() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.set_read_timeout(Some(PATIENCE)).expect("an option");
    socket
}

/// Has a socket get to the event it panics at, and checks what has to hold afterwards.
fn explode(at: &'static str, number: u32, light: impl FnOnce(&Manager, mongoose::ConnectionId, SocketAddr)) {
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let bystander = manager.udp("udp://127.0.0.1:0", Bomb::new("never", 0, &Journal::default()));
    let bystander = bystander.expect("a free port").local_addr();
    let socket = manager.udp("udp://127.0.0.1:0", Bomb::new(at, number, &journal)).expect("a free port");
    light(&manager, socket.id(), socket.local_addr());
    assert_eq!(next_blast(&mut manager), number);
    assert_eq!(journal.count("dropped"), 1, "the handler is dropped at once");
    journal.take();
    poll_until(&mut manager, "it to go", |manager| manager.stats().connections == 1);
    assert!(journal.take().is_empty(), "entered again");
    assert!(UdpSocket::bind(socket.local_addr()).is_ok(), "its port is free");
    let client = peer();
    client.send_to(b"x", bystander).expect("to send");
    poll_until(&mut manager, "the bystander", |manager| manager.stats().sent > 0);
    assert_eq!(steadily(|| client.recv(&mut [0; 9])).expect("an answer"), 1);
    assert_usable(&mut manager);
}

#[test]
fn invariant_13_panic_at_a_datagram_though_more_wait() {
    explode("Datagram", 301, |_, _, address| {
        let client = peer();
        for _ in 0..5 {
            client.send_to(b"lit", address).expect("to send");
        }
    });
}

#[test]
fn invariant_13_panic_at_a_wakeup_of_a_socket() {
    explode("Wakeup", 302, |manager, id, _| manager.handle().wakeup(id, "lit").expect("queued"));
}

#[test]
fn invariant_13_panic_at_the_close_of_a_socket() {
    explode("Close", 303, |manager, id, _| manager.udp_socket(id).expect("it is there").close());
}

#[test]
fn invariant_13_panic_at_an_error_of_a_socket() {
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    manager.connect_udp("udp://nowhere.invalid:1", Bomb::new("Error", 304, &journal)).expect("to begin");
    assert_eq!(next_blast(&mut manager), 304);
    poll_until(&mut manager, "it to go", |manager| manager.stats().connections == 0);
    assert!(!journal.has("Close"), "never entered again: {journal:?}");
    assert_usable(&mut manager);
}

#[test]
fn invariant_5_what_a_handler_sends_to_itself_comes_after_it_returned() {
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let log = journal.clone();
    let mut left = 3;
    let handler = move |socket: &udp::Socket<'_>, event: udp::Event<'_>| {
        if let udp::Event::Datagram(datagram) = event {
            log.note("enter");
            let before = datagram.bytes.to_vec();
            if left > 0 {
                left -= 1;
                socket.send_to(&[left; 100], socket.local_addr().expect("bound"))?;
            }
            assert_eq!(datagram.bytes, before, "the view stays as it is (invariant 3)");
            log.note("leave");
        }
        Ok(())
    };
    let socket = manager.udp("udp://127.0.0.1:0", handler).expect("a free port");
    peer().send_to(b"begin", socket.local_addr()).expect("to send");
    poll_until(&mut manager, "all of them", |_| journal.count("leave") == 4);
    assert_eq!(journal.take(), ["enter", "leave"].repeat(4));
}

#[test]
fn invariant_8_a_socket_that_closes_itself_hears_no_more() {
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let log = journal.clone();
    let handler = move |socket: &udp::Socket<'_>, event: udp::Event<'_>| {
        log.note(format!("{event:?}").split('(').next().unwrap_or_default());
        if let udp::Event::Datagram(datagram) = event {
            socket.close();
            let refused = socket.send_to(b"x", datagram.from);
            assert!(matches!(refused, Err(Error::Closed)), "{refused:?}");
        }
        Ok(())
    };
    let socket = manager.udp("udp://127.0.0.1:0", handler).expect("a free port");
    let client = peer();
    for _ in 0..3 {
        client.send_to(b"x", socket.local_addr()).expect("to send");
    }
    poll_until(&mut manager, "it to go", |manager| manager.stats().connections == 0);
    settle(&mut manager);
    assert_eq!(journal.take(), ["Datagram", "Close"]);
}
