//! No state of a connection makes the loop spin: a loop with nothing to do for a while turns a few times at most.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::time::Duration;

use mongoose::http::{Deferred, Reply, Request};
use mongoose::{Connection, Event, Limits, Manager, State};
use mongoose_tests::{in_own_process, poll_until};

use crate::harness::{Journal, Peer, Watchdog, connect_many, get, settle};

/// How many turns are few: a loop that spins makes thousands in the same time, and hundreds under valgrind.
const FEW: u64 = 10;

/// Runs until a timer ends it, and checks how often the loop turned meanwhile.
fn assert_idle(manager: &mut Manager, state: &str) {
    let end = manager.once(Duration::from_millis(200), |registry| registry.handle().stop()).expect("a timer");
    let _watchdog = Watchdog::new(manager);
    let before = manager.stats().polls;
    manager.run().expect("to run");
    let turns = manager.stats().polls - before;
    assert!(!end.is_active(), "the loop slept past its timer");
    assert!(turns <= FEW, "{turns} turns while {state}");
}

fn quiet(_: &Connection<'_>, _: Event<'_>) -> Result<(), mongoose::Error> {
    Ok(())
}

/// A manager with one raw connection that consumes nothing.
fn one_connection() -> (Manager, mongoose::ConnectionId, Peer) {
    let mut manager = Manager::new().expect("a manager");
    let listener = manager.tcp("tcp://127.0.0.1:0", quiet).expect("to listen");
    let peer = connect_many(&mut manager, listener.local_addr(), 1).remove(0);
    let id = manager.connections().into_iter().find(|id| *id != listener.id()).expect("the accepted one");
    (manager, id, peer)
}

#[test]
fn no_busy_loop_with_nothing_at_all() {
    let mut manager = Manager::new().expect("a manager");
    assert_idle(&mut manager, "empty");
    manager.http("http://127.0.0.1:0", |_: Request<'_>, reply: Reply<'_>| reply.empty()).expect("to listen");
    assert_idle(&mut manager, "listening");
}

#[test]
fn hazard_21_no_busy_loop_while_paused_with_data_waiting() {
    let (mut manager, id, mut peer) = one_connection();
    manager.connection(id).expect("alive").pause();
    settle(&mut manager);
    peer.send("waits with the system");
    assert_idle(&mut manager, "paused with data waiting");
    assert!(manager.connection(id).expect("alive").received().is_empty());
    peer.end();
    assert_idle(&mut manager, "paused with data and an end waiting");
    manager.connection(id).expect("alive").resume();
    poll_until(&mut manager, "it to be read and ended", |manager| manager.stats().connections == 1);
    assert_eq!(manager.stats().received, 21);
}

#[test]
fn no_busy_loop_after_a_reset_while_paused() {
    let (mut manager, id, mut peer) = one_connection();
    manager.connection(id).expect("alive").pause();
    settle(&mut manager);
    peer.send("lost");
    peer.reset();
    assert_idle(&mut manager, "paused after a reset");
    // Nothing can come of it any more: it need not be resumed to end.
    poll_until(&mut manager, "it to fail and go", |manager| manager.stats().connections == 1);
}

#[test]
fn no_busy_loop_while_the_handler_leaves_more_than_the_limit() {
    let mut manager = Manager::new().expect("a manager");
    let mut limits = Limits::default();
    limits.received = 1000;
    let listener = manager.listener("tcp://127.0.0.1:0").limits(limits).tcp(quiet).expect("to listen");
    let mut peer = connect_many(&mut manager, listener.local_addr(), 1).remove(0);
    peer.send([b'x'; 2000]);
    settle(&mut manager);
    peer.send([b'y'; 2000]);
    assert_idle(&mut manager, "full");
    peer.reset();
    assert_idle(&mut manager, "full after a reset");
}

#[test]
fn no_busy_loop_while_the_peer_does_not_read() {
    let (mut manager, id, mut peer) = one_connection();
    manager.connection(id).expect("alive").send(vec![b'x'; 12 << 20]).expect("room");
    settle(&mut manager);
    assert!(manager.connection(id).expect("alive").queued() > 0);
    assert_idle(&mut manager, "output waits");
    peer.end();
    assert_idle(&mut manager, "output waits and the peer has ended its direction");
    // It gets all of it (hazard 32), and then the connection is over.
    assert_eq!(peer.until_end(&mut manager).len(), 12 << 20);
    poll_until(&mut manager, "it to go", |manager| manager.stats().connections == 1);
}

#[test]
fn no_busy_loop_while_draining_to_a_peer_that_sends_and_does_not_read() {
    let (mut manager, id, mut peer) = one_connection();
    let connection = manager.connection(id).expect("alive");
    connection.send(vec![b'x'; 12 << 20]).expect("room");
    connection.drain();
    settle(&mut manager);
    peer.send("thrown away");
    settle(&mut manager);
    assert_idle(&mut manager, "draining");
    peer.reset();
    poll_until(&mut manager, "it to go", |manager| manager.stats().connections == 1);
}

/// A manager whose handler defers each reply.
fn deferring() -> (Manager, Peer, Rc<RefCell<Vec<Deferred>>>) {
    let mut manager = Manager::new().expect("a manager");
    let tokens = Rc::new(RefCell::new(Vec::new()));
    let store = Rc::clone(&tokens);
    let listener = manager
        .http("http://127.0.0.1:0", move |_: Request<'_>, reply: Reply<'_>| {
            store.borrow_mut().push(reply.defer());
            Ok(())
        })
        .expect("to listen");
    let mut peer = connect_many(&mut manager, listener.local_addr(), 1).remove(0);
    peer.send(get("/"));
    poll_until(&mut manager, "the request", |_| tokens.borrow().len() == 1);
    (manager, peer, tokens)
}

#[test]
fn no_busy_loop_after_the_peer_s_end_while_a_late_reply_is_due() {
    let (mut manager, mut peer, tokens) = deferring();
    peer.end();
    settle(&mut manager);
    assert_idle(&mut manager, "half-closed with a reply due");
    tokens.take().remove(0).reply().text("late").expect("queued");
    assert!(peer.until_end(&mut manager).ends_with(b"late"), "it still gets its reply (hazard 32)");
}

#[test]
fn no_busy_loop_while_more_requests_wait_behind_a_late_reply_than_are_read() {
    let (mut manager, peer, tokens) = deferring();
    // More than is read while a reply is due, and then some that stay with the system.
    let requests = get(&format!("/{}", "x".repeat(1000))).repeat(300);
    peer.stream().write_all(&requests.as_bytes()[..60_000]).expect("to send");
    settle(&mut manager);
    let _ = peer.stream().write(&requests.as_bytes()[60_000..]);
    settle(&mut manager);
    assert_idle(&mut manager, "requests wait behind a reply that is due");
    assert_eq!(tokens.borrow().len(), 1, "none of them is handled before its turn");
}

#[test]
fn no_busy_loop_in_half_a_request() {
    for part in
        ["G", "GET / HTTP/1.1\r\nHost: te", "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nab"]
    {
        let mut manager = Manager::new().expect("a manager");
        let listener = manager
            .http("http://127.0.0.1:0", |_: Request<'_>, reply: Reply<'_>| reply.text("whole"))
            .expect("to listen");
        let mut peer = connect_many(&mut manager, listener.local_addr(), 1).remove(0);
        peer.send(part);
        settle(&mut manager);
        assert_idle(&mut manager, part);
    }
}

#[test]
fn no_busy_loop_while_a_refused_peer_lingers() {
    let mut manager = Manager::new().expect("a manager");
    let listener = manager
        .http("http://127.0.0.1:0", |_: Request<'_>, reply: Reply<'_>| reply.text("never"))
        .expect("to listen");
    let mut peer = connect_many(&mut manager, listener.local_addr(), 1).remove(0);
    peer.send("NOT HTTP\r\n\r\n");
    peer.expect(&mut manager, "HTTP/1.1 400 ");
    assert_idle(&mut manager, "the refused peer has not closed");
}

#[test]
fn no_busy_loop_after_a_listener_or_a_connection_was_closed() {
    let (mut manager, id, peer) = one_connection();
    manager.connection(id).expect("alive").close();
    settle(&mut manager);
    assert_idle(&mut manager, "one was closed");
    drop(peer);
    let listener = manager.connections()[0];
    manager.connection(listener).expect("alive").close();
    settle(&mut manager);
    assert_eq!(manager.stats().connections, 0);
    assert_idle(&mut manager, "all were closed");
}

#[test]
fn no_busy_loop_while_a_connect_is_under_way() {
    let mut manager = Manager::new().expect("a manager");
    // A listener whose backlog is full leaves further connects waiting.
    let listener =
        rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None)
            .expect("a socket");
    rustix::net::bind(&listener, &"127.0.0.1:0".parse::<std::net::SocketAddr>().expect("an address"))
        .expect("to bind");
    rustix::net::listen(&listener, 0).expect("to listen");
    let address = std::net::TcpListener::from(listener);
    let url = format!("tcp://{}", address.local_addr().expect("bound"));
    let ids: Vec<_> = (0..4).map(|_| manager.connect(&url, quiet).expect("to begin")).collect();
    settle(&mut manager);
    let connecting = |manager: &Manager| {
        let state = |id| manager.connection(id).map(|it| it.state());
        ids.iter().any(|id| state(*id).is_ok_and(|state| state.contains(State::CONNECTING)))
    };
    assert!(connecting(&manager), "all were connected");
    assert_idle(&mut manager, "connecting");
}

/// Second descriptors of all sockets of this process that are connected to a peer. There must be no other thread.
fn descriptors_of(peer: &Peer) -> Vec<TcpStream> {
    let address = peer.stream().local_addr().expect("bound");
    let numbers = std::fs::read_dir("/proc/self/fd")
        .expect("a list of descriptors")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let numbers: Vec<i32> = numbers.collect();
    let copies = numbers.into_iter().filter_map(|number| {
        // SAFETY: nobody else is there to close it; the list's own, which is closed by now, is refused.
        let copy = unsafe { BorrowedFd::borrow_raw(number) }.try_clone_to_owned().ok()?;
        Some(TcpStream::from(copy))
    });
    // All of them before any is dropped: its number would be that of another one.
    let mut copies: Vec<_> = copies.collect();
    copies.retain(|copy| copy.peer_addr().is_ok_and(|peer| peer == address));
    copies
}

#[test]
fn no_busy_loop_and_no_end_after_a_readiness_without_bytes() {
    let name = "busy::no_busy_loop_and_no_end_after_a_readiness_without_bytes";
    in_own_process(
        name,
        |_| {},
        || {
            let mut manager = Manager::new().expect("a manager");
            let (journal, sockets) = (Journal::default(), Rc::new(RefCell::new(Vec::<TcpStream>::new())));
            let (note, others) = (journal.clone(), Rc::clone(&sockets));
            let serve = move |connection: &Connection<'_>, event: Event<'_>| {
                if let Event::Read = event {
                    note.note(connection.received().escape_ascii().to_string());
                    connection.consume(usize::MAX);
                    // Whoever comes first takes what the other was reported to have.
                    others.borrow_mut().drain(..).for_each(|mut socket| drop(socket.read(&mut [0; 8])));
                }
                Ok(())
            };
            let listener = manager.tcp("tcp://127.0.0.1:0", serve).expect("to listen");
            let mut peers = connect_many(&mut manager, listener.local_addr(), 2);
            sockets.replace(peers.iter().flat_map(descriptors_of).collect());
            assert_eq!(sockets.borrow().len(), 2);
            for peer in &mut peers {
                peer.send("taken");
            }
            poll_until(&mut manager, "one of the two", |_| journal.has("taken"));
            assert_idle(&mut manager, "another has taken what there was to read");
            assert_eq!(journal.take(), ["taken"], "the other had nothing to read");
            assert_eq!(manager.stats().connections, 3, "and nothing is no end");
            for peer in &mut peers {
                peer.send("more");
            }
            poll_until(&mut manager, "both", |_| journal.count("more") == 2);
        },
    );
}

#[test]
fn no_busy_loop_after_urgent_data_and_after_writes_of_nothing() {
    let (mut manager, id, mut peer) = one_connection();
    assert_eq!(peer.stream().write(b"").expect("to write nothing"), 0);
    assert_idle(&mut manager, "nothing was written");
    for urgent in [b"!", b"?"] {
        rustix::net::send(peer.stream(), urgent, rustix::net::SendFlags::OOB).expect("to send");
        assert_idle(&mut manager, "urgent data waits");
    }
    peer.send("x");
    poll_until(&mut manager, "what is not urgent", |manager| {
        manager.connection(id).expect("alive").received().ends_with(b"x")
    });
    assert_idle(&mut manager, "all was read");
}

#[test]
fn no_busy_loop_on_a_listener_that_others_shut_down() {
    let mut manager = Manager::new().expect("a manager");
    let shared = TcpListener::bind("127.0.0.1:0").expect("to bind");
    let ours = shared.try_clone().expect("a second descriptor");
    manager.listener_on(ours).tcp(quiet).expect("to listen");
    rustix::net::shutdown(&shared, rustix::net::Shutdown::Both).expect("to shut down");
    settle(&mut manager);
    assert_idle(&mut manager, "nothing can be accepted");
    // Whoever shares it may have it listen again.
    rustix::net::listen(&shared, 16).expect("to listen again");
    let peer = Peer::connect(shared.local_addr().expect("bound anew"));
    poll_until(&mut manager, "the peer", |manager| manager.stats().accepted == 1);
    drop(peer);
}

#[test]
fn no_busy_loop_while_a_websocket_holds_back_messages_that_it_could_not_answer() {
    use mongoose::ws;

    // More than the system takes, so that some of it waits.
    const MUCH: usize = 12_000_000;
    let mut manager = Manager::new().expect("a manager");
    let listener = manager
        .http("http://127.0.0.1:0", |request: Request<'_>, reply: Reply<'_>| {
            let mut limits = ws::Limits::default();
            limits.output = 100_000;
            ws::upgrade(request, reply).limits(limits).accept(
                |peer: &ws::Connection<'_>, event: ws::Event<'_>| match event {
                    ws::Event::Open => peer.send_binary(vec![7; MUCH]),
                    ws::Event::Message(message) => peer.send(message),
                    _ => Ok(()),
                },
            )
        })
        .expect("to listen");
    let mut peer = connect_many(&mut manager, listener.local_addr(), 1).remove(0);
    peer.send(
        "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    );
    poll_until(&mut manager, "it to send", |manager| manager.stats().sent > 0);
    settle(&mut manager);
    // A message, and more behind it than is read.
    peer.send([0x82, 0x81, 0, 0, 0, 0, 7]);
    assert_idle(&mut manager, "holding back");
    peer.send([0x82, 0x81, 0, 0, 0, 0, 7].repeat(1000));
    assert_idle(&mut manager, "holding back more");
    peer.end();
    assert_idle(&mut manager, "holding back with an end behind it");
    drop(peer);
    poll_until(&mut manager, "its end", |manager| manager.stats().connections == 1);
}
