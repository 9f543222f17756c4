//! Lookups by a name server of choice: one that lies, and one that others wrote.

use std::cell::RefCell;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use mongoose::{Connection, Dns, Error, Event, Manager, Registry};
use mongoose_tests::{PATIENCE, find_program, poll_until};

use crate::peer::{A, AAAA, Question, framed, start, start_long, start_on};

type Found = Result<Vec<SocketAddr>, Error>;

fn resolve_by(dns: Dns, host: &str) -> Found {
    let mut manager = Manager::new().expect("a manager");
    manager.set_dns(dns);
    let answer = Rc::new(RefCell::new(None));
    let note = Rc::clone(&answer);
    let then = move |_: &Registry, found: Found| {
        assert!(note.borrow_mut().replace(found).is_none(), "one answer");
    };
    let lookup = manager.resolve(host, then).expect("to begin");
    assert!(answer.borrow().is_none(), "never before it returns");
    poll_until(&mut manager, "an answer", |_| answer.borrow().is_some());
    drop(lookup);
    poll_until(&mut manager, "its sockets to be closed", |manager| manager.stats().connections == 0);
    answer.take().expect("an answer")
}

/// As text, without the ports.
pub fn addresses(server: SocketAddr, host: &str) -> Vec<String> {
    let found = resolve_by(Dns::server(server).within(PATIENCE), host);
    found.expect(host).into_iter().map(|address| address.ip().to_string()).collect()
}

pub fn failure(server: SocketAddr, host: &str) -> (io::ErrorKind, String) {
    match resolve_by(Dns::server(server).within(PATIENCE), host) {
        Err(Error::Resolve { url, source }) if url == host => (source.kind(), source.to_string()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn addresses_of_both_families_are_found() {
    let server = start(|question| vec![question.answer(0, &["10.0.0.1", "10.0.0.2", "2001:db8::1"])]);
    assert_eq!(addresses(server, "host.test"), ["2001:db8::1", "10.0.0.1", "10.0.0.2"]);
    assert_eq!(addresses(server, "HOST.test."), ["2001:db8::1", "10.0.0.1", "10.0.0.2"]);
    let server = start(|question| vec![question.answer(0, &["10.0.0.1"])]);
    assert_eq!(addresses(server, "host.test"), ["10.0.0.1"]);
}

#[test]
fn one_family_is_enough_though_the_other_fails() {
    let server =
        start(|question| vec![question.answer(if question.kind == A { 0 } else { 2 }, &["10.0.0.1"])]);
    assert_eq!(addresses(server, "host.test"), ["10.0.0.1"]);
    // One that never answers for the other.
    let server = start(|question| match question.kind {
        AAAA => vec![question.answer(0, &["2001:db8::1"])],
        _ => Vec::new(),
    });
    for within in [Duration::from_millis(100), Duration::MAX] {
        let found = resolve_by(Dns::server(server).within(within), "host.test");
        assert_eq!(found.expect("an address")[0].ip().to_string(), "2001:db8::1");
    }
}

#[test]
fn what_a_server_says_instead_is_the_reason() {
    let no_name = failure(start(|question| vec![question.answer(3, &[])]), "host.test");
    assert_eq!(no_name, (io::ErrorKind::NotFound, "the name does not exist".to_owned()));
    let nothing = failure(start(|question| vec![question.answer(0, &[])]), "host.test");
    assert_eq!(nothing, (io::ErrorKind::NotFound, "the host has no address".to_owned()));
    let failed = failure(start(|question| vec![question.answer(2, &[])]), "host.test");
    assert_eq!(failed.1, "the name server failed: code 2");
    let refused = failure(start(|question| vec![question.answer(5, &["10.0.0.1"])]), "host.test");
    assert_eq!(refused.1, "the name server failed: code 5");
    // Nobody discards what comes any more.
    assert_eq!(
        failure(SocketAddr::from(([127, 0, 0, 1], 9)), "host.test").0,
        io::ErrorKind::ConnectionRefused
    );
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let server = silent.local_addr().expect("bound");
    let found = resolve_by(Dns::server(server).within(Duration::from_millis(50)), "host.test");
    assert!(
        matches!(&found, Err(Error::Resolve { source, .. }) if source.kind() == io::ErrorKind::TimedOut),
        "{found:?}"
    );
}

#[test]
fn a_question_that_is_lost_is_asked_again() {
    let seen = Mutex::new(Vec::new());
    let server = start(move |question| {
        let mut seen = seen.lock().expect("no panic");
        if seen.contains(&question.message.to_vec()) {
            return vec![question.answer(0, &["10.0.0.1"])];
        }
        seen.push(question.message.to_vec());
        Vec::new()
    });
    assert_eq!(addresses(server, "host.test"), ["10.0.0.1"]);
}

#[test]
fn hazard_8_and_52_forged_answers_are_passed_over() {
    let server = start(|question| {
        let evil = question.answer(0, &["6.6.6.6", "2001:db8:6::6"]);
        let changed = |at: usize, byte: u8| {
            let mut message = evil.clone();
            message[at] ^= byte;
            message
        };
        let behind = question.message.len();
        let mut circle = evil.clone();
        circle[behind..behind + 2].copy_from_slice(&[0xc0, behind as u8]);
        vec![
            Vec::new(),
            question.message.to_vec(),
            changed(0, 1),
            changed(1, 1),
            changed(13, 1),
            changed(behind - 3, 1),
            changed(behind - 1, 2),
            changed(2, 0x10),
            changed(5, 1),
            evil[..evil.len() - 1].to_vec(),
            circle,
            question.answer(0, &["10.0.0.1"]),
        ]
    });
    assert_eq!(addresses(server, "host.test"), ["10.0.0.1"]);
    let server = start(|question| {
        let mut other_owner = question.answer(0, &["6.6.6.6", "2001:db8:6::6"]);
        // A record of the name's last label alone.
        other_owner[question.message.len() + 1] = 17;
        vec![other_owner]
    });
    assert_eq!(failure(server, "host.test").1, "the host has no address");
}

#[test]
fn hazard_8_a_stranger_is_not_heard_and_redirects_nothing() {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let server = start_on(socket, |socket, question, from| {
        let stranger = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        for _ in 0..10 {
            stranger.send_to(&question.answer(0, &["6.6.6.6", "2001:db8:6::6"]), from).expect("to send");
        }
        socket.send_to(&question.answer(0, &["10.0.0.1"]), from).expect("to send");
    });
    for _ in 0..3 {
        assert_eq!(addresses(server, "host.test"), ["10.0.0.1"]);
    }
}

#[test]
fn hazard_8_ids_and_ports_differ_from_one_lookup_to_the_next() {
    let seen = std::sync::Arc::new(Mutex::new(Vec::new()));
    let note = std::sync::Arc::clone(&seen);
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let server = start_on(socket, move |socket, question, from| {
        note.lock().expect("no panic").push((question.message[..2].to_vec(), from.port()));
        socket.send_to(&question.answer(0, &["10.0.0.1"]), from).expect("to send");
    });
    for _ in 0..8 {
        addresses(server, "host.test");
    }
    let seen = seen.lock().expect("no panic");
    let differing = |mut all: Vec<u32>| {
        all.sort_unstable();
        all.dedup();
        all.len()
    };
    let ids = seen.iter().map(|(id, _)| u32::from(id[0]) << 8 | u32::from(id[1])).collect();
    assert!(differing(ids) >= 14, "{seen:?}");
    // C's next id is at most 256 above the one before.
    let id = |(id, _): &(Vec<u8>, u16)| u16::from_be_bytes([id[0], id[1]]);
    let near = |pair: &[(Vec<u8>, u16)]| id(&pair[1]).wrapping_sub(id(&pair[0])) <= 256;
    assert!(seen.windows(2).filter(|pair| near(pair)).count() <= 2, "{seen:?}");
    let ports = seen.iter().map(|(_, port)| u32::from(*port)).collect();
    assert!(differing(ports) >= 4, "{seen:?}");
}

#[test]
fn an_answer_that_is_too_long_for_a_datagram_comes_by_a_stream() {
    let server = start_long(|question| {
        let many = vec!["10.0.0.1"; 4000];
        framed(&question.answer(0, &many))
    });
    let found = addresses(server, "host.test");
    assert_eq!(found.len(), 4000);
    assert!(found.iter().all(|address| address == "10.0.0.1"));
}

#[test]
fn a_stream_that_lies_or_ends_is_an_error() {
    type Lie = fn(&Question<'_>) -> Vec<u8>;
    let lies: [(Lie, io::ErrorKind); 6] = [
        (|_| Vec::new(), io::ErrorKind::UnexpectedEof),
        (|question| framed(&question.answer(0, &["6.6.6.6"]))[..20].to_vec(), io::ErrorKind::UnexpectedEof),
        (|_| framed(&[]), io::ErrorKind::InvalidData),
        (|question| framed(question.message), io::ErrorKind::InvalidData),
        (|question| framed(&question.truncated()), io::ErrorKind::InvalidData),
        (
            |question| {
                let mut other = question.answer(0, &["6.6.6.6", "2001:db8:6::6"]);
                other[0] ^= 1;
                framed(&other)
            },
            io::ErrorKind::InvalidData,
        ),
    ];
    for (number, (lie, expected)) in lies.into_iter().enumerate() {
        let (kind, text) = failure(start_long(lie), "host.test");
        assert_eq!(kind, expected, "{number}: {text}");
    }
}

#[test]
fn names_that_are_none_and_this_host_are_not_asked_for() {
    let server = start(|question| panic!("asked for {:?}", question.message));
    assert_eq!(addresses(server, "localhost"), ["::1", "127.0.0.1"]);
    assert_eq!(addresses(server, "Some.Localhost."), ["::1", "127.0.0.1"]);
    assert_eq!(addresses(server, "192.0.2.1"), ["192.0.2.1"]);
    for host in ["", ".", "a..b", &"x".repeat(64), "a b", "\u{e9}.test"] {
        assert_eq!(
            failure(server, host),
            (io::ErrorKind::NotFound, "it is not the name of a host".to_owned())
        );
    }
}

#[test]
fn a_lookup_that_is_dropped_ends_at_once() {
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let mut manager = Manager::new().expect("a manager");
    manager.set_dns(Dns::server(silent.local_addr().expect("bound")));
    let kept = Rc::new(());
    for polls in 0..4 {
        let in_closure = Rc::clone(&kept);
        let then = move |_: &Registry, found: Found| panic!("{in_closure:?} {found:?}");
        let lookup = manager.resolve("host.test", then).expect("to begin");
        (0..polls).for_each(|_| manager.poll(Duration::ZERO).expect("to poll"));
        drop(lookup);
        assert_eq!(Rc::strong_count(&kept), 1);
        poll_until(&mut manager, "its socket to be closed", |manager| manager.stats().connections == 0);
    }
    // And with its manager.
    let lookup = manager.resolve("host.test", |_: &Registry, found: Found| panic!("{found:?}"));
    manager.poll(Duration::ZERO).expect("to poll");
    drop(manager);
    drop(lookup);
}

#[test]
fn somebody_who_closes_all_connections_ends_lookups_too() {
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let mut manager = Manager::new().expect("a manager");
    manager.set_dns(Dns::server(silent.local_addr().expect("bound")));
    let answer = Rc::new(RefCell::new(None));
    let note = Rc::clone(&answer);
    let then = move |_: &Registry, found: Found| *note.borrow_mut() = Some(found);
    let _lookup = manager.resolve("host.test", then).expect("to begin");
    for id in manager.connections() {
        manager.connection(id).expect("it is there").close();
    }
    poll_until(&mut manager, "an answer", |_| answer.borrow().is_some());
    assert!(matches!(answer.take(), Some(Err(Error::Resolve { .. }))));
}

#[test]
fn hazard_3_a_lookup_that_a_connection_asks_for_outlives_it() {
    let server = start(|question| vec![question.answer(0, &["10.0.0.1"])]);
    let mut manager = Manager::new().expect("a manager");
    manager.set_dns(Dns::server(server));
    let found = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&found);
    let ask = move |connection: &Connection<'_>, event: Event<'_>| {
        if let Event::Accept = event {
            for host in ["one.test", "two.test"] {
                let log = Rc::clone(&log);
                let then =
                    move |_: &Registry, found: Found| log.borrow_mut().push(found.expect("an address"));
                connection.registry().resolve(host, then)?.detach();
            }
            connection.close();
        }
        Ok(())
    };
    let listener = manager.tcp("tcp://127.0.0.1:0", ask).expect("to listen");
    let _peer = std::net::TcpStream::connect(listener.local_addr()).expect("to connect");
    poll_until(&mut manager, "both answers", |_| found.borrow().len() == 2);
    assert!(found.borrow().iter().all(|found| found[0].ip() == IpAddr::from([10, 0, 0, 1])));
}

#[test]
fn hazard_16_a_name_server_may_be_replaced_while_it_is_asked() {
    let (server, gone) = (start(|question| vec![question.answer(0, &["10.0.0.1"])]), "192.0.2.1:53");
    let mut manager = Manager::new().expect("a manager");
    manager.set_dns(Dns::server(server));
    let answer = Rc::new(RefCell::new(None));
    let note = Rc::clone(&answer);
    let then = move |_: &Registry, found: Found| *note.borrow_mut() = Some(found);
    let _lookup = manager.resolve("host.test", then).expect("to begin");
    // C keeps a pointer to what the user may have freed by now.
    manager.set_dns(Dns::server(gone.parse().expect("an address")));
    poll_until(&mut manager, "an answer", |_| answer.borrow().is_some());
    assert_eq!(answer.take().expect("it is there").expect("an address")[0].ip(), IpAddr::from([10, 0, 0, 1]));
}

#[test]
fn connections_are_made_by_what_the_server_says() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    // Nobody is at the first; the others are tried.
    let server = start(|question| vec![question.answer(0, &["::ffff:127.0.0.9", "127.0.0.9", "127.0.0.1"])]);
    let mut manager = Manager::new().expect("a manager");
    manager.set_dns(Dns::server(server));
    let connected = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&connected);
    let handler = move |connection: &Connection<'_>, event: Event<'_>| {
        match event {
            Event::Connect => log.borrow_mut().push(connection.remote_addr().expect("connected")),
            Event::Error(error) => panic!("{error}"),
            _ => {}
        }
        connection.close();
        Ok(())
    };
    manager.connect(&format!("tcp://host.test:{port}"), handler).expect("to begin");
    poll_until(&mut manager, "the end", |manager| manager.stats().connections == 0);
    assert_eq!(*connected.borrow(), [SocketAddr::from(([127, 0, 0, 1], port))]);
}

/// Killed when it is dropped.
struct Dnsmasq {
    child: Child,
    address: SocketAddr,
}

impl Dnsmasq {
    /// Starts it at a free port, another where somebody else takes that before it does.
    fn start(program: &Path) -> Self {
        for _ in 0..20 {
            let free = UdpSocket::bind("127.0.0.1:0").and_then(|free| free.local_addr());
            let address = free.expect("a free port");
            let mut command = Command::new(program);
            command.args(["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts"]);
            command.args([
                "--bind-interfaces",
                "--listen-address=127.0.0.1",
                "--local=/test/",
                "--pid-file=",
            ]);
            command.arg(format!("--port={}", address.port()));
            command.args(["--host-record=host.test,10.0.0.1,2001:db8::1", "--cname=alias.test,host.test"]);
            (1..=100).for_each(|number| {
                command.arg(format!("--host-record=many.test,10.0.1.{number}"));
            });
            let child = command.stderr(Stdio::null()).stdout(Stdio::null()).spawn().expect("to start");
            let mut dnsmasq = Self { child, address };
            let end = Instant::now() + PATIENCE;
            while dnsmasq.child.try_wait().expect("its state").is_none() {
                // Refused until it is up.
                if resolve_by(Dns::server(address), "host.test").is_ok() {
                    return dnsmasq;
                }
                assert!(Instant::now() < end, "it does not answer");
            }
        }
        panic!("it does not start");
    }
}

impl Drop for Dnsmasq {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn dnsmasq_is_understood() {
    let Some(program) = find_program("dnsmasq", "dnsmasq_is_understood") else { return };
    let dnsmasq = Dnsmasq::start(&program);
    let server = dnsmasq.address;
    assert_eq!(addresses(server, "host.test"), ["2001:db8::1", "10.0.0.1"]);
    assert_eq!(addresses(server, "Alias.test"), ["2001:db8::1", "10.0.0.1"]);
    assert_eq!(addresses(server, "many.test").len(), 100, "by a stream");
    let missing = failure(server, "nobody.test");
    assert_eq!(missing, (io::ErrorKind::NotFound, "the name does not exist".to_owned()));
}
