//! Sockets of datagrams.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::mpsc::{self, Receiver};

use mongoose::{Error, Manager, udp};
use mongoose_tests::{PATIENCE, Random, Server, poll_until, scaled, steadily};

/// Sends back every datagram.
fn echo(socket: &udp::Socket<'_>, event: udp::Event<'_>) -> Result<(), Error> {
    match event {
        udp::Event::Datagram(datagram) => socket.send_to(datagram.bytes, datagram.from),
        udp::Event::Error(error) => panic!("{error}"),
        _ => Ok(()),
    }
}

fn serve(url: &'static str) -> Server {
    Server::start(move |manager| manager.udp(url, echo))
}

/// A blocking peer whose every read ends in time.
fn peer(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind(address).expect("a free port");
    socket.set_read_timeout(Some(PATIENCE)).expect("an option");
    socket
}

fn receive(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = vec![0; 1 << 16];
    let (count, from) = steadily(|| socket.recv_from(&mut buffer)).expect("a datagram");
    buffer.truncate(count);
    (buffer, from)
}

/// What a socket was told, as text, or the datagram.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Connect,
    Datagram(Vec<u8>, SocketAddr),
    Wakeup(Vec<u8>),
    Error(String),
    Close,
}

/// Tells the test everything.
fn teller() -> (impl udp::Handler + Send, Receiver<Told>) {
    let (told, events) = mpsc::channel();
    let handler = move |_: &udp::Socket<'_>, event: udp::Event<'_>| {
        let event = match event {
            udp::Event::Connect => Told::Connect,
            udp::Event::Datagram(datagram) => Told::Datagram(datagram.bytes.to_vec(), datagram.from),
            udp::Event::Wakeup(payload) => Told::Wakeup(payload.to_vec()),
            udp::Event::Error(error) => Told::Error(error.to_string()),
            udp::Event::Close => Told::Close,
            other => panic!("{other:?}"),
        };
        // The test may be over.
        let _ = told.send(event);
        Ok(())
    };
    (handler, events)
}

fn next(events: &Receiver<Told>) -> Told {
    events.recv_timeout(PATIENCE).expect("another event")
}

#[test]
fn datagrams_of_every_length_come_back_whole() {
    for (url, own) in [("udp://127.0.0.1:0", "127.0.0.1:0"), ("udp://[::1]:0", "[::1]:0")] {
        let server = serve(url);
        let client = peer(own);
        let mut random = Random::new(5);
        for length in [0, 1, 2, 47, 1472, 1473, 9000, 65_000, 65_507, 0] {
            let bytes = random.bytes(length);
            client.send_to(&bytes, server.address).expect("to send");
            let (answer, from) = receive(&client);
            assert!(answer == bytes, "{length} bytes");
            assert_eq!(from, server.address);
        }
    }
}

#[test]
fn hazard_17_an_empty_datagram_is_a_datagram() {
    let (handler, events) = teller();
    let server = Server::start(move |manager| manager.udp("udp://127.0.0.1:0", handler));
    let client = peer("127.0.0.1:0");
    let own = client.local_addr().expect("bound");
    for bytes in [&b""[..], b"", b"x", b""] {
        client.send_to(bytes, server.address).expect("to send");
        assert_eq!(next(&events), Told::Datagram(bytes.to_vec(), own));
    }
}

#[test]
fn hazard_17_what_cannot_be_sent_is_an_error_and_the_socket_lives() {
    let server = serve("udp://127.0.0.1:0");
    let id = server.ask(|registry| registry.connections()[0]);
    let send = |length: usize, to: SocketAddr| {
        server.ask(move |registry| registry.udp_socket(id)?.send_to(&vec![0; length], to))
    };
    let client = peer("127.0.0.1:0");
    let own = client.local_addr().expect("bound");
    let too_long = send(65_508, own);
    assert!(matches!(&too_long, Err(Error::Datagram { to: Some(to), .. }) if *to == own), "{too_long:?}");
    let family = send(1, "[::1]:9".parse().expect("an address"));
    assert!(matches!(family, Err(Error::Datagram { .. })), "{family:?}");
    let broadcast = send(1, "255.255.255.255:9".parse().expect("an address"));
    assert!(matches!(broadcast, Err(Error::Datagram { .. })), "not allowed unless asked for: {broadcast:?}");
    // A port where nobody is: the system's complaint is not for this socket's other peers.
    let nobody = peer("127.0.0.1:0").local_addr().expect("bound");
    for _ in 0..3 {
        send(1, nobody).expect("to send");
    }
    client.send_to(b"still there?", server.address).expect("to send");
    assert_eq!(receive(&client).0, b"still there?");
}

#[test]
fn hazard_17_an_error_that_a_handler_returns_comes_back_and_closes_nothing() {
    let (told, events) = mpsc::channel();
    let server = Server::start(move |manager| {
        manager.udp("udp://127.0.0.1:0", move |_: &udp::Socket<'_>, event: udp::Event<'_>| match event {
            udp::Event::Datagram(datagram) => Err(Error::handler(format!("{:?}", datagram.bytes))),
            udp::Event::Error(error) => {
                let _ = told.send(error.to_string());
                Err(Error::handler("again"))
            }
            _ => Ok(()),
        })
    });
    let client = peer("127.0.0.1:0");
    for byte in 0..3 {
        client.send_to(&[byte], server.address).expect("to send");
        assert_eq!(events.recv_timeout(PATIENCE).expect("an error"), format!("[{byte}]"));
    }
    assert_eq!(server.ask(|registry| registry.stats().connections), 1);
}

#[test]
fn hazard_55_senders_of_both_families_are_known_by_their_whole_address() {
    let (handler, events) = teller();
    let server = Server::start(move |manager| manager.udp("udp://[::]:0", handler));
    let port = server.address.port();
    let six = peer("[::1]:0");
    six.send_to(b"six", ("::1", port)).expect("to send");
    assert_eq!(next(&events), Told::Datagram(b"six".to_vec(), six.local_addr().expect("bound")));
    let four = peer("127.0.0.1:0");
    four.send_to(b"four", ("127.0.0.1", port)).expect("to send");
    let Told::Datagram(_, from) = next(&events) else { panic!("no datagram") };
    assert_eq!(from.ip().to_canonical(), Ipv4Addr::LOCALHOST);
    assert_eq!(from.port(), four.local_addr().expect("bound").port());
}

#[test]
fn a_connected_socket_hears_its_peer_alone() {
    let server = peer("127.0.0.1:0");
    let url = format!("udp://localhost:{}", server.local_addr().expect("bound").port());
    let (handler, events) = teller();
    let ours = Server::start(move |manager| {
        let id = manager.connect_udp(&url, handler)?;
        let too_early = manager.udp_socket(id).map(|_| ());
        assert!(matches!(too_early, Err(Error::Closed)), "{too_early:?}");
        assert!(manager.connection(id)?.send("no stream").is_err());
        manager.udp("udp://127.0.0.1:0", echo)
    });
    assert_eq!(next(&events), Told::Connect);
    let (id, own) = ours.ask(|registry| {
        let sockets = registry.connections().into_iter().filter_map(|id| registry.udp_socket(id).ok());
        let connected =
            sockets.into_iter().find(|socket| socket.remote_addr().is_some()).expect("it is there");
        connected.send(b"question").expect("to send");
        (connected.id(), connected.local_addr().expect("connected"))
    });
    let (question, from) = receive(&server);
    assert_eq!((&*question, from), (&b"question"[..], own));
    peer("127.0.0.1:0").send_to(b"forged", own).expect("to send");
    server.send_to(b"answer", own).expect("to send");
    let theirs = server.local_addr().expect("bound");
    assert_eq!(next(&events), Told::Datagram(b"answer".to_vec(), theirs));
    // Nobody is there any more: told, and the socket lives.
    drop(server);
    ours.ask(move |registry| registry.udp_socket(id)?.send(b"anybody?")).expect("to send");
    let Told::Error(error) = next(&events) else { panic!("no error") };
    assert!(error.contains("refused"), "{error}");
    let again = UdpSocket::bind(theirs).expect("the same port");
    again.set_read_timeout(Some(PATIENCE)).expect("an option");
    ours.ask(move |registry| registry.udp_socket(id)?.send(b"back?")).expect("to send");
    assert_eq!(receive(&again).0, b"back?");
    ours.ask(move |registry| registry.udp_socket(id).expect("it is there").close());
    assert_eq!(next(&events), Told::Close);
    assert!(matches!(ours.ask(move |registry| registry.udp_socket(id).map(|_| ())), Err(Error::Closed)));
}

#[test]
fn a_host_that_has_no_address_is_told() {
    let (handler, events) = teller();
    let _server = Server::start(move |manager| {
        manager.connect_udp("udp://nowhere.invalid:9", handler)?;
        manager.udp("udp://127.0.0.1:0", echo)
    });
    let Told::Error(error) = next(&events) else { panic!("no error") };
    assert!(error.contains("nowhere.invalid"), "{error}");
    assert_eq!(next(&events), Told::Close);
}

#[test]
fn urls_that_are_not_of_udp_are_refused() {
    let manager = Manager::new().expect("a manager");
    for url in ["tcp://127.0.0.1:0", "udp://127.0.0.1", "127.0.0.1:0", "udp://127.0.0.1:0/path"] {
        assert!(matches!(manager.udp(url, echo), Err(Error::Url { .. })), "{url}");
        assert!(matches!(manager.connect_udp(url, echo), Err(Error::Url { .. })), "{url}");
    }
    for url in ["tcp://127.0.0.1:0", "https://127.0.0.1:0"] {
        let error = manager.udp(url, echo).expect_err("no datagrams there").to_string();
        assert!(error.contains("another scheme is needed here"), "{error}");
    }
    let listener = manager.udp("udp://127.0.0.1:0", echo).expect("a free port");
    let taken = format!("udp://{}", listener.local_addr());
    assert!(matches!(manager.udp(&taken, echo), Err(Error::Listen { .. })));
}

#[test]
fn thousands_of_datagrams_keep_order_and_boundaries() {
    let mut manager = Manager::new().expect("a manager");
    let listener = manager.udp("udp://127.0.0.1:0", echo).expect("a free port");
    let client = peer("127.0.0.1:0");
    client.connect(listener.local_addr()).expect("to connect");
    let mut buffer = [0; 2048];
    for burst in 0..scaled(200) as u64 {
        // More than one turn takes, less than the system holds.
        for number in 0..100u64 {
            let mut bytes = vec![0; 8 + (number * 7 % 500) as usize];
            bytes[..8].copy_from_slice(&(burst * 100 + number).to_be_bytes());
            client.send(&bytes).expect("to send");
        }
        let before = manager.stats().sent;
        let total: u64 = (0..100).map(|number| 8 + number * 7 % 500).sum();
        poll_until(&mut manager, "the burst", |manager| manager.stats().sent == before + total);
        for number in 0..100u64 {
            let count = steadily(|| client.recv(&mut buffer)).expect("a datagram");
            assert_eq!(count, 8 + (number * 7 % 500) as usize);
            assert_eq!(buffer[..8], (burst * 100 + number).to_be_bytes());
        }
    }
}

#[test]
fn a_flooded_socket_leaves_others_their_turn() {
    let mut manager = Manager::new().expect("a manager");
    let busy = manager.udp("udp://127.0.0.1:0", echo).expect("a free port");
    let quiet = manager.udp("udp://127.0.0.1:0", echo).expect("a free port");
    let (flooder, client) = (peer("127.0.0.1:0"), peer("127.0.0.1:0"));
    for _ in 0..200 {
        flooder.send_to(b"x", busy.local_addr()).expect("to send");
    }
    client.send_to(b"y", quiet.local_addr()).expect("to send");
    manager.poll(PATIENCE).expect("to poll");
    assert!(manager.stats().sent < 100, "{} in one turn", manager.stats().sent);
    assert_eq!(receive(&client).0, b"y");
}

#[test]
fn an_access_list_drops_what_others_send() {
    let (handler, events) = teller();
    let server = Server::start(move |manager| {
        manager.listener("udp://127.0.0.1:0").allow("+127.0.0.2".parse()?).udp(handler)
    });
    peer("127.0.0.1:0").send_to(b"no", server.address).expect("to send");
    server.wait_until("it to be counted", |registry| registry.stats().denied == 1);
    #[cfg(target_os = "linux")]
    {
        peer("127.0.0.2:0").send_to(b"yes", server.address).expect("to send");
        assert!(matches!(next(&events), Told::Datagram(bytes, _) if bytes == b"yes"));
    }
    drop(server);
    assert_eq!(next(&events), Told::Close);
}

#[test]
fn a_socket_that_others_bound_serves_and_others_are_refused() {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let server = Server::start(move |manager| manager.listener_on(socket).udp(echo));
    let client = peer("127.0.0.1:0");
    client.send_to(b"x", server.address).expect("to send");
    assert_eq!(receive(&client).0, b"x");
    let manager = Manager::new().expect("a manager");
    let stream = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    assert!(matches!(manager.listener_on(stream).udp(echo), Err(Error::Listen { .. })));
    let unix = std::os::unix::net::UnixDatagram::unbound().expect("a socket");
    assert!(matches!(manager.listener_on(unix).udp(echo), Err(Error::Listen { .. })));
}

#[cfg(target_os = "linux")]
#[test]
fn a_socket_that_keeps_messages_apart_is_no_listener_of_streams() {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, listen, socket};
    let messages = socket(AddressFamily::UNIX, SocketType::SEQPACKET, None).expect("a socket");
    let name = format!("mongoose-messages-{}", std::process::id());
    bind(&messages, &SocketAddrUnix::new_abstract_name(name.as_bytes()).expect("a name")).expect("to bind");
    listen(&messages, 1).expect("to listen");
    let manager = Manager::new().expect("a manager");
    let ignore = |_: &mongoose::Connection<'_>, _: mongoose::Event<'_>| Ok(());
    let refused = manager.listener_on(messages).tcp(ignore);
    assert!(matches!(refused, Err(Error::Listen { .. })), "{refused:?}");
}

#[test]
fn other_threads_wake_a_socket_and_cannot_take_it_for_a_stream() {
    let (handler, events) = teller();
    let server = Server::start(move |manager| manager.udp("udp://127.0.0.1:0", handler));
    let id = server.ask(|registry| registry.connections()[0]);
    server.handle.wakeup(id, "now").expect("queued");
    assert_eq!(next(&events), Told::Wakeup(b"now".to_vec()));
    server.handle.send(id, "no stream").expect("queued");
    server.wait_until("it to be counted", |registry| registry.stats().undelivered == 1);
    let client = peer("127.0.0.1:0");
    client.send_to(b"x", server.address).expect("to send");
    assert!(matches!(next(&events), Told::Datagram(..)));
}

#[test]
fn multicast_is_heard_between_join_and_leave() {
    let group = Ipv4Addr::new(239, 255, 77, 1);
    let (handler, events) = teller();
    let server = Server::start(move |manager| manager.udp("udp://0.0.0.0:0", handler));
    let id = server.ask(|registry| registry.connections()[0]);
    server
        .ask(move |registry| registry.udp_socket(id)?.join_multicast_v4(group, Ipv4Addr::LOCALHOST))
        .expect("to join");
    let port = server.address.port();
    let sent = server.ask(move |registry| {
        let to = SocketAddr::from((group, port));
        let sender = registry.udp("udp://127.0.0.1:0", echo)?;
        let socket = registry.udp_socket(sender.id())?;
        socket.set_multicast_ttl_v4(0)?;
        socket.set_multicast_loop(true)?;
        socket.send_to(b"to all", to)
    });
    sent.expect("to send on the loopback interface");
    assert!(matches!(next(&events), Told::Datagram(bytes, _) if bytes == b"to all"));
    let leave = move |registry: &mongoose::Registry| {
        registry.udp_socket(id)?.leave_multicast_v4(group, Ipv4Addr::LOCALHOST)
    };
    server.ask(leave).expect("to leave");
    assert!(matches!(server.ask(leave), Err(Error::Io { .. })), "left already");
}

#[test]
fn broadcast_is_refused_until_it_is_asked_for() {
    let manager = Manager::new().expect("a manager");
    let listener = manager.udp("udp://0.0.0.0:0", echo).expect("a free port");
    let socket = manager.udp_socket(listener.id()).expect("it is there");
    // The loopback network's own.
    let to: SocketAddr = "127.255.255.255:9".parse().expect("an address");
    assert!(socket.send_to(b"x", to).is_err());
    socket.set_broadcast(true).expect("to set");
    socket.send_to(b"x", to).expect("to send");
}

#[test]
fn streams_are_no_sockets_of_datagrams() {
    let manager = Manager::new().expect("a manager");
    let listener = manager
        .tcp("tcp://127.0.0.1:0", |_: &mongoose::Connection<'_>, _: mongoose::Event<'_>| Ok(()))
        .expect("a free port");
    assert!(matches!(manager.udp_socket(listener.id()), Err(Error::Closed)));
}

#[test]
fn workers_share_a_port_that_the_system_chose() {
    let (told, started) = mpsc::channel();
    let workers = mongoose::Workers::builder(3).start(move |_, registry| {
        let socket = registry.udp("udp://127.0.0.1:0", echo)?;
        let _ = told.send(socket.local_addr());
        Ok(())
    });
    let workers = workers.expect("to start");
    let addresses: Vec<_> = (0..3).map(|_| started.recv_timeout(PATIENCE).expect("a worker")).collect();
    assert!(addresses.iter().all(|address| *address == addresses[0]), "{addresses:?}");
    for _ in 0..20 {
        let client = peer("127.0.0.1:0");
        client.send_to(b"x", addresses[0]).expect("to send");
        assert_eq!(receive(&client).0, b"x");
    }
    workers.stop();
    workers.join().expect("to end");
}

#[test]
fn a_socket_that_somebody_else_shut_down_is_told_as_such_and_closes() {
    use rustix::net::Shutdown;
    for how in [Shutdown::Read, Shutdown::Both] {
        let mut manager = Manager::new().expect("a manager");
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        // As another process has it that inherited the socket.
        let theirs = socket.try_clone().expect("a handle");
        let (handler, events) = teller();
        manager.listener_on(socket).udp(handler).expect("a socket of datagrams");
        // Of one that is not connected, the system says that it is not, and does it.
        let _ = rustix::net::shutdown(&theirs, how);
        while manager.stats().connections > 0 {
            assert!(manager.stats().polls < 20, "{how:?}: it spins");
            manager.poll(PATIENCE).expect("to poll");
        }
        assert!(
            matches!(next(&events), Told::Error(reason) if reason.ends_with("shut the socket down")),
            "{how:?}"
        );
        assert_eq!(next(&events), Told::Close, "{how:?}");
    }
}
