//! Connections that we make: where from, and how they fail.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use mongoose::{Connection, Error, Event, Manager, Registry, udp};
use mongoose_tests::{PATIENCE, poll_until, steadily};

/// Polls until a client's connection is over, and answers how it failed: with what, and the error's text.
fn failure(
    connect: impl FnOnce(&Manager, Box<dyn FnMut(&Connection<'_>, Event<'_>) -> Result<(), Error>>),
) -> (io::ErrorKind, String) {
    let (told, events) = mpsc::channel();
    let mut manager = Manager::new().expect("a manager");
    let handler = move |_: &Connection<'_>, event: Event<'_>| {
        if let Event::Error(error) = event {
            let (Error::Connect { source, .. } | Error::Resolve { source, .. } | Error::Io { source, .. }) =
                error
            else {
                panic!("{error}")
            };
            let _ = told.send((source.kind(), error.to_string()));
        }
        Ok(())
    };
    connect(&manager, Box::new(handler));
    poll_until(&mut manager, "the end", |manager| manager.stats().connections == 0);
    let failure = events.try_recv().expect("an error");
    assert!(events.try_recv().is_err(), "one error");
    failure
}

#[test]
fn refused_unreachable_reset_and_timed_out_are_told_apart() {
    let refused = failure(|manager, handler| {
        // Nobody discards what comes any more.
        manager.connect("tcp://127.0.0.1:9", handler).expect("to begin");
    });
    assert_eq!(refused.0, io::ErrorKind::ConnectionRefused);
    assert!(refused.1.contains("tcp://127.0.0.1:"), "{}", refused.1);

    // Nothing but a name is at a broadcast address.
    let unreachable = failure(|manager, handler| {
        manager.connect("tcp://255.255.255.255:9", handler).expect("to begin");
    });
    assert_eq!(unreachable.0, io::ErrorKind::NetworkUnreachable, "{}", unreachable.1);
    assert!(unreachable.1.contains("tcp://255.255.255.255:9"), "{}", unreachable.1);

    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("tcp://{}", listener.local_addr().expect("bound"));
    let reset = failure(|manager, handler| {
        manager.connect(&url, handler).expect("to begin");
        let peer = std::thread::spawn(move || {
            let (stream, _) = listener.accept().expect("to accept");
            rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).expect("an option");
        });
        // The system connects by itself: the peer is gone before the loop turns, or after.
        drop(peer);
    });
    assert_eq!(reset.0, io::ErrorKind::ConnectionReset, "{}", reset.1);
}

#[test]
fn a_deadline_that_passes_says_where_to() {
    let socket = rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None)
        .expect("a socket");
    rustix::net::bind(&socket, &SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
    rustix::net::listen(&socket, 0).expect("to listen");
    let listener = TcpListener::from(socket);
    let place = listener.local_addr().expect("bound");
    let mut queued = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&place, Duration::from_millis(100)) {
        queued.push(stream);
        assert!(queued.len() < 100, "the queue has no end");
    }
    let url = format!("tcp://{place}");
    let timed_out = failure(|manager, handler| {
        let connector = manager.connector(&url).within(Duration::from_millis(50));
        connector.tcp(handler).expect("to begin");
    });
    assert_eq!(timed_out, (io::ErrorKind::TimedOut, format!("cannot connect to {url}: timed out")));
}

/// A listener, and the thread that says who came.
fn who_came(address: &str) -> (SocketAddr, Receiver<SocketAddr>) {
    let listener = TcpListener::bind(address).expect("a free port");
    let address = listener.local_addr().expect("bound");
    let (came, visitors) = mpsc::channel();
    std::thread::spawn(move || {
        let (_stream, from) = listener.accept().expect("to accept");
        let _ = came.send(from);
    });
    (address, visitors)
}

fn until_connected(registry: &Registry, url: &str, local: SocketAddr) -> Receiver<SocketAddr> {
    let (told, connected) = mpsc::channel();
    registry
        .connector(url)
        .bind(local)
        .keep_alive(Duration::from_secs(60))
        .no_delay(false)
        .tcp(move |connection: &Connection<'_>, event: Event<'_>| {
            match event {
                Event::Connect => {
                    let _ = told.send(connection.local_addr().expect("connected"));
                    connection.close();
                }
                Event::Error(error) => panic!("{error}"),
                _ => {}
            }
            Ok(())
        })
        .expect("to begin");
    connected
}

#[test]
fn a_connection_comes_from_the_address_it_is_bound_to() {
    let mut manager = Manager::new().expect("a manager");
    let (address, visitors) = who_came("0.0.0.0:0");
    let url = format!("tcp://127.0.0.1:{}", address.port());
    let connected = until_connected(&manager, &url, SocketAddr::from(([127, 0, 0, 2], 0)));
    poll_until(&mut manager, "the end", |manager| manager.stats().connections == 0);
    let local = connected.try_recv().expect("connected");
    assert_eq!(local.ip(), IpAddr::from([127, 0, 0, 2]));
    assert_eq!(visitors.recv_timeout(PATIENCE).expect("somebody"), local);

    // A port of choice; and the name has an address of the other family too, which cannot be used.
    let (address, visitors) = who_came("127.0.0.1:0");
    // It is kept from others: what does not listen may share its port with us.
    let holder = rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None)
        .expect("a socket");
    rustix::net::sockopt::set_socket_reuseaddr(&holder, true).expect("an option");
    rustix::net::bind(&holder, &SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
    let holder = TcpStream::from(holder);
    let free = holder.local_addr().expect("bound");
    let url = format!("tcp://localhost:{}", address.port());
    let connected = until_connected(&manager, &url, free);
    poll_until(&mut manager, "the end", |manager| manager.stats().connections == 0);
    assert_eq!(connected.try_recv().expect("connected"), free);
    assert_eq!(visitors.recv_timeout(PATIENCE).expect("somebody"), free);
}

#[test]
fn an_address_that_is_not_ours_cannot_be_bound_to() {
    let failed = failure(|manager, handler| {
        let connector =
            manager.connector("tcp://127.0.0.1:9").bind("192.0.2.1:0".parse().expect("an address"));
        connector.tcp(handler).expect("to begin");
    });
    assert_eq!(failed.0, io::ErrorKind::AddrNotAvailable, "{}", failed.1);
    let other_family = failure(|manager, handler| {
        let connector = manager.connector("tcp://127.0.0.1:9").bind("[::1]:0".parse().expect("an address"));
        connector.tcp(handler).expect("to begin");
    });
    assert_eq!(other_family.0, io::ErrorKind::AddrNotAvailable, "{}", other_family.1);
}

#[test]
fn a_datagram_comes_from_the_address_its_socket_is_bound_to() {
    let peer = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    peer.set_read_timeout(Some(PATIENCE)).expect("an option");
    let mut manager = Manager::new().expect("a manager");
    let url = format!("udp://{}", peer.local_addr().expect("bound"));
    let say_hello = |socket: &udp::Socket<'_>, event: udp::Event<'_>| match event {
        udp::Event::Connect => socket.send(b"hello"),
        udp::Event::Error(error) => panic!("{error}"),
        _ => Ok(()),
    };
    let local = SocketAddr::from(([127, 0, 0, 2], 0));
    manager.connector(&url).bind(local).udp(say_hello).expect("to begin");
    poll_until(&mut manager, "the datagram to leave", |manager| manager.stats().sent == 5);
    let (_, from) = steadily(|| peer.recv_from(&mut [0; 16])).expect("a datagram");
    assert_eq!(from.ip(), local.ip());
}

#[test]
fn a_silent_address_of_either_family_does_not_hold_up_the_other() {
    // `localhost` has both on most systems, and the listener is of one.
    for host in ["127.0.0.1:0", "[::1]:0"] {
        let listener = TcpListener::bind(host).expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let has_both = std::net::ToSocketAddrs::to_socket_addrs(&("localhost", port))
            .expect("every system has it")
            .any(|address| TcpStream::connect(address).is_ok());
        if !has_both {
            continue;
        }
        let mut manager = Manager::new().expect("a manager");
        let url = format!("tcp://localhost:{port}");
        let (told, connected) = mpsc::channel();
        manager
            .connect(&url, move |connection: &Connection<'_>, event: Event<'_>| {
                match event {
                    Event::Connect => {
                        let _ = told.send(());
                        connection.close();
                    }
                    Event::Error(error) => panic!("{error}"),
                    _ => {}
                }
                Ok(())
            })
            .expect("to begin");
        poll_until(&mut manager, "the end", |manager| manager.stats().connections == 0);
        connected.try_recv().expect("connected");
    }
}
