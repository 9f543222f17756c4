//! What takes too long.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use mongoose::http::Download;
use mongoose::{Connection, ConnectionId, Error, Limits};

use crate::scene::{Scene, ok};

fn short(set: impl FnOnce(&mut Limits, Duration)) -> Limits {
    let mut limits = Limits::default();
    set(&mut limits, Duration::from_millis(30));
    limits
}

fn phase(outcome: crate::scene::Outcome) -> &'static str {
    match outcome {
        Err(Error::Deadline { phase }) => phase,
        Err(Error::Connect { source, .. }) if source.kind() == std::io::ErrorKind::TimedOut => "connect",
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    for text in ["", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 100 Continue\r\n\r\n"] {
        let mut scene = Scene::within(short(|limits, time| limits.head_time = time));
        let answer = scene.get("/");
        let mut peer = scene.accept();
        scene.head(&mut peer);
        peer.send(text);
        assert_eq!(phase(scene.outcome(&answer)), "read the head");
        scene.closed(&mut peer);
    }
}

#[test]
fn a_body_that_stops_is_given_up() {
    for text in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello",
        "HTTP/1.1 200 OK\r\n\r\nhello",
    ] {
        let mut scene = Scene::within(short(|limits, time| limits.body_time = time));
        let (mut peer, outcome) = scene.exchange("/", text.as_bytes());
        assert_eq!(phase(outcome), "read the body", "{text:?}");
        scene.closed(&mut peer);
    }
}

#[test]
fn the_whole_has_a_bound_though_every_step_is_in_time() {
    // Dripping for ever.
    let mut scene = Scene::new();
    let request = scene.client.get(&scene.url("/")).timeout(Duration::from_millis(100));
    let answer = scene.send(request);
    let mut peer = scene.accept();
    scene.head(&mut peer);
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    let outcome = scene.until("the end", |_| {
        // Fails once the client has closed.
        let _ = std::io::Write::write(&mut peer.stream, b"x");
        answer.take()
    });
    assert_eq!(phase(outcome), "finish");

    // From redirect to redirect.
    let request = scene.client.get(&scene.url("/")).timeout(Duration::from_millis(100)).redirects(usize::MAX);
    let answer = scene.send(request);
    let mut peer = scene.accept();
    let outcome = scene.until("the end", |_| {
        peer.fill();
        if peer.received.ends_with(b"\r\n\r\n") {
            peer.received.clear();
            peer.send(crate::scene::redirect(302, "/"));
        }
        answer.take()
    });
    assert_eq!(phase(outcome), "finish");
}

#[test]
fn a_connection_that_nobody_accepts_is_given_up() {
    // A queue that is full: the system answers no further connection.
    let socket = rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None)
        .expect("a socket");
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    rustix::net::bind(&socket, &any).expect("a free port");
    rustix::net::listen(&socket, 0).expect("to listen");
    let listener = std::net::TcpListener::from(socket);
    let place = listener.local_addr().expect("bound");
    let mut queued = Vec::new();
    while let Ok(stream) = std::net::TcpStream::connect_timeout(&place, Duration::from_millis(100)) {
        queued.push(stream);
        assert!(queued.len() < 100, "the queue has no end");
    }
    let mut scene = Scene::within(short(|limits, time| limits.connect_time = time));
    let answer = scene.send(scene.client.get(&format!("http://{place}/")));
    assert_eq!(phase(scene.outcome(&answer)), "connect");
    let answer = scene.send(
        scene.client.get(&format!("http://{place}/")).limits(Limits::default()).timeout(Duration::ZERO),
    );
    assert_eq!(phase(scene.outcome(&answer)), "connect");
    assert_eq!(scene.manager.stats().connections, 0);
}

#[test]
fn a_refused_connection_is_an_error() {
    let mut scene = Scene::new();
    let place = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound");
    let answer = scene.send(scene.client.get(&format!("http://u:secret@{place}/x")));
    match scene.outcome(&answer) {
        Err(error @ Error::Connect { .. }) => {
            let text = error.to_string();
            assert!(text.contains(&format!("http://{place}/x")) && !text.contains("secret"), "{text}");
        }
        other => panic!("{other:?}"),
    }
    let answer = scene.send(scene.client.get("http://no-such-host.invalid/"));
    assert!(matches!(scene.outcome(&answer), Err(Error::Resolve { .. })));
}

#[test]
fn an_upload_may_take_longer_than_a_head() {
    let mut scene = Scene::within(short(|limits, time| limits.head_time = time));
    let mut left = 6;
    let waited = Rc::new(Cell::new(0));
    let source = move || {
        left -= 1;
        Ok(match left {
            0 => mongoose::http::Piece::End,
            _ => mongoose::http::Piece::Wait,
        })
    };
    let answer = crate::scene::Answer::default();
    let pending = scene.client.post(&scene.url("/")).stream(source).send(answer.handler()).expect("to begin");
    let mut peer = scene.accept();
    scene.head(&mut peer);
    // Each wait is as long as the deadline, and there are several.
    let id: ConnectionId = pending.connection_id().expect("on its way");
    let count = Rc::clone(&waited);
    let timer = scene
        .manager
        .every(Duration::from_millis(30), move |registry| {
            count.set(count.get() + 1);
            registry.handle().nudge(id).expect("the manager is there");
        })
        .expect("a timer");
    scene.until("the end of the body", |_| {
        peer.fill();
        assert!(!answer.is_there(), "given up meanwhile");
        peer.received.ends_with(b"0\r\n\r\n").then_some(())
    });
    timer.cancel();
    assert!(waited.get() >= 5);
    peer.send(ok("thanks"));
    assert!(scene.outcome(&answer).is_ok());
}

#[test]
fn a_pause_is_not_the_servers_fault() {
    struct Pausing(Rc<Cell<Option<ConnectionId>>>, Rc<RefCell<Option<Result<(), String>>>>);
    impl Download for Pausing {
        fn data(&mut self, connection: &Connection<'_>, _: &[u8]) -> Result<(), Error> {
            connection.pause();
            self.0.set(Some(connection.id()));
            Ok(())
        }
        fn end(&mut self, _: &Connection<'_>) {
            *self.1.borrow_mut() = Some(Ok(()));
        }
        fn failed(&mut self, error: &Error) {
            *self.1.borrow_mut() = Some(Err(error.to_string()));
        }
    }
    let mut scene = Scene::within(short(|limits, time| limits.body_time = time));
    let (paused, end) = (Rc::new(Cell::new(None)), Rc::new(RefCell::new(None)));
    let request = scene.client.get(&scene.url("/"));
    request.receive(Pausing(Rc::clone(&paused), Rc::clone(&end))).expect("to begin");
    let mut peer = scene.accept();
    scene.head(&mut peer);
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    let id = scene.until("the first piece", |_| paused.take());
    // Several times the deadline.
    let over = Rc::new(Cell::new(false));
    let tell = Rc::clone(&over);
    scene.manager.once(Duration::from_millis(150), move |_| tell.set(true)).expect("a timer").detach();
    scene.until("the pause to end", |_| over.get().then_some(()));
    assert!(end.borrow().is_none(), "{:?}", end.borrow());
    peer.send("world");
    scene.manager.connection(id).expect("open").resume();
    assert_eq!(scene.until("the end", |_| end.take()), Ok(()));
}
