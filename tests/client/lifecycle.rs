//! Cancelling, closing, panicking, and the end of the manager: each handler is told once, or never again.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use mongoose::http::{Client, Download, Reply, Request, Response};
use mongoose::{Connection, Error, Manager};
use mongoose_tests::{Server, poll_until, scaled};

use crate::scene::{Answer, Scene, ok};

/// Says when it is dropped.
struct Dropped(Rc<Cell<bool>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.set(true);
    }
}

#[test]
fn a_cancelled_request_is_not_told_and_its_connection_closed() {
    for text in ["", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"] {
        let mut scene = Scene::new();
        let dropped = Rc::new(Cell::new(false));
        let guard = Dropped(Rc::clone(&dropped));
        let handler = move |_: Result<Response<'_>, Error>| {
            let _ = &guard;
            panic!("told");
        };
        let pending = scene.client.get(&scene.url("/")).send(handler).expect("to begin");
        let mut peer = scene.accept();
        scene.head(&mut peer);
        peer.send(text);
        scene.until("the client to read it", |manager| {
            (manager.stats().received >= text.len() as u64).then_some(())
        });
        assert!(pending.is_active() && pending.connection_id().is_some());
        pending.cancel();
        assert!(!pending.is_active());
        scene.closed(&mut peer);
        scene.until("the handler to go", |_| dropped.get().then_some(()));
        assert_eq!(scene.manager.stats().connections, 0);
        pending.cancel();
    }
}

#[test]
fn a_request_may_be_cancelled_before_it_is_sent() {
    let mut scene = Scene::new();
    let handler = |_: Result<Response<'_>, Error>| panic!("told");
    let pending = scene.client.get(&scene.url("/")).send(handler).expect("to begin");
    pending.cancel();
    assert!(!scene.is_connecting());
    scene.until("the connection to go", |manager| (manager.stats().connections == 0).then_some(()));

    // On a connection that was kept.
    let (mut peer, outcome) = scene.exchange("/", &ok("hi"));
    assert!(outcome.is_ok());
    let pending = scene.client.get(&scene.url("/")).send(handler).expect("to begin");
    pending.cancel();
    scene.closed(&mut peer);
    assert!(peer.received.is_empty(), "nothing was sent");
}

#[test]
fn cancelling_what_is_over_does_nothing() {
    let mut scene = Scene::new();
    let answer = Answer::default();
    let pending = scene.client.get(&scene.url("/")).send(answer.handler()).expect("to begin");
    let mut peer = scene.accept();
    scene.head(&mut peer);
    peer.send(ok("hi"));
    assert!(scene.outcome(&answer).is_ok());
    assert!(!pending.is_active());
    pending.cancel();
    assert_eq!(scene.client.idle_connections(), 1);
    let answer = scene.get("/");
    scene.head(&mut peer);
    peer.send(ok("hi"));
    assert!(scene.outcome(&answer).is_ok());
}

#[test]
fn a_download_may_cancel_itself() {
    struct Enough(Rc<RefCell<Option<mongoose::http::Pending>>>, Rc<Cell<bool>>);
    impl Download for Enough {
        fn data(&mut self, _: &Connection<'_>, _: &[u8]) -> Result<(), Error> {
            self.0.borrow().as_ref().expect("set").cancel();
            Ok(())
        }
        fn end(&mut self, _: &Connection<'_>) {
            panic!("told of the end");
        }
        fn failed(&mut self, error: &Error) {
            panic!("told {error}");
        }
    }
    impl Drop for Enough {
        fn drop(&mut self) {
            self.1.set(true);
        }
    }
    for body in ["hello", "hello world"] {
        let mut scene = Scene::new();
        let (slot, dropped) = (Rc::new(RefCell::new(None)), Rc::new(Cell::new(false)));
        let download = Enough(Rc::clone(&slot), Rc::clone(&dropped));
        let pending = scene.client.get(&scene.url("/")).receive(download).expect("to begin");
        *slot.borrow_mut() = Some(pending);
        let mut peer = scene.accept();
        scene.head(&mut peer);
        peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{body}"));
        scene.closed(&mut peer);
        assert!(dropped.get());
    }
}

#[test]
fn dropping_the_manager_tells_every_handler() {
    let mut scene = Scene::new();
    let connecting = scene.get("/");
    let waiting = scene.get("/");
    let (mut one, _other) = (scene.accept(), scene.accept());
    scene.head(&mut one);
    let told = Rc::new(RefCell::new(None));
    let (slot, again, url) = (Rc::clone(&told), scene.client.clone(), scene.url("/"));
    let late = scene.client.get(&scene.url("/"));
    late.send(move |result: Result<Response<'_>, Error>| {
        // Nothing can be begun now.
        let answer = again.get(&url).send(|_: Result<Response<'_>, Error>| panic!("it was not begun"));
        *slot.borrow_mut() = Some((result.map(drop), answer.map(drop)));
    })
    .expect("to begin");
    let Scene { manager, client, .. } = scene;
    drop(manager);
    for answer in [connecting, waiting] {
        assert!(matches!(answer.take().expect("told"), Err(Error::ShuttingDown)));
    }
    assert!(matches!(told.take().expect("told"), (Err(Error::ShuttingDown), Err(Error::ShuttingDown))));
    let gone =
        client.get("http://127.0.0.1:1/").send(|_: Result<Response<'_>, Error>| panic!("it was not begun"));
    assert!(matches!(gone, Err(Error::Gone)));
}

#[test]
fn a_connection_that_somebody_closes_is_an_error() {
    let mut scene = Scene::new();
    let answer = Answer::default();
    let pending = scene.client.get(&scene.url("/")).send(answer.handler()).expect("to begin");
    let mut peer = scene.accept();
    scene.head(&mut peer);
    let id = pending.connection_id().expect("on its way");
    scene.manager.connection(id).expect("open").close();
    assert!(matches!(scene.outcome(&answer), Err(Error::Closed)));

    let answer = Answer::default();
    let pending = scene.client.get(&scene.url("/")).send(answer.handler()).expect("to begin");
    let mut peer = scene.accept();
    scene.head(&mut peer);
    let id = pending.connection_id().expect("on its way");
    scene.manager.connection(id).expect("open").fail("no more");
    match scene.outcome(&answer) {
        Err(Error::Reported(message)) => assert_eq!(message, "no more"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn shutting_down_lets_a_request_finish_and_closes_what_is_idle() {
    let server = Server::http(|| {
        |request: Request<'_>, reply: Reply<'_>| {
            let deferred = reply.defer();
            let text = request.path().to_owned();
            std::thread::spawn(move || deferred.reply().text(text));
            Ok(())
        }
    });
    let mut manager = Manager::new().expect("a manager");
    let client = Client::new(&manager);
    let base = format!("http://{}", server.address);
    let idle = Answer::default();
    client.get(&format!("{base}/idle")).send(idle.handler()).expect("to begin");
    poll_until(&mut manager, "the first answer", |_| idle.is_there());
    let (one, two) = (Answer::default(), Answer::default());
    client.get(&format!("{base}/one")).send(one.handler()).expect("to begin");
    client.get(&format!("{base}/two")).send(two.handler()).expect("to begin");
    poll_until(&mut manager, "both to be sent", |_| server.ask(|registry| registry.stats().accepted) == 2);
    manager.shutdown(Duration::from_secs(60)).expect("to shut down");
    assert_eq!(manager.stats().connections, 0);
    for (answer, body) in [(one, "/one"), (two, "/two")] {
        assert_eq!(answer.take().expect("told").expect("an answer").body(), body.as_bytes());
    }
    assert_eq!(client.idle_connections(), 0);
}

/// Polls until a panic comes out.
fn panic_of(scene: &mut Scene) -> String {
    for _ in 0..10_000 {
        let polled = catch_unwind(AssertUnwindSafe(|| scene.manager.poll(Duration::from_millis(5))));
        if let Err(payload) = polled {
            return payload.downcast_ref::<&str>().expect("a text").to_string();
        }
    }
    panic!("no panic came out");
}

#[test]
fn a_handler_that_panics_harms_nobody_else() {
    let mut scene = Scene::new();
    let handler = |_: Result<Response<'_>, Error>| panic!("mine");
    scene.client.get(&scene.url("/")).send(handler).expect("to begin");
    let mut peer = scene.accept();
    scene.head(&mut peer);
    let other = scene.get("/other");
    let mut other_peer = scene.accept();
    scene.head(&mut other_peer);
    peer.send(ok("hi"));
    assert_eq!(panic_of(&mut scene), "mine");
    scene.closed(&mut peer);
    assert_eq!(scene.client.idle_connections(), 0);
    other_peer.send(ok("fine"));
    assert_eq!(scene.outcome(&other).expect("an answer").body(), b"fine");
    let again = scene.get("/again");
    scene.head(&mut other_peer);
    other_peer.send(ok("fine"));
    assert!(scene.outcome(&again).is_ok());
}

#[test]
fn a_handler_that_panics_on_an_error_does_so_once() {
    let mut scene = Scene::new();
    let handler = |_: Result<Response<'_>, Error>| panic!("mine");
    scene.client.get(&scene.url("/")).send(handler).expect("to begin");
    let mut peer = scene.accept();
    scene.head(&mut peer);
    peer.end();
    assert_eq!(panic_of(&mut scene), "mine");
    for _ in 0..5 {
        scene.manager.poll(Duration::ZERO).expect("no panic");
    }
    assert_eq!(scene.manager.stats().connections, 0);
}

#[test]
fn what_was_begun_on_the_connection_of_a_panic_is_told() {
    let mut scene = Scene::new();
    let answer = Answer::default();
    let (client, url, next) = (scene.client.clone(), scene.url("/next"), answer.handler());
    let first = scene.client.get(&scene.url("/"));
    first
        .send(move |_: Result<Response<'_>, Error>| {
            client.get(&url).send(next).expect("to begin");
            panic!("mine");
        })
        .expect("to begin");
    let mut peer = scene.accept();
    scene.head(&mut peer);
    peer.send(ok("hi"));
    assert_eq!(panic_of(&mut scene), "mine");
    assert!(matches!(scene.outcome(&answer), Err(Error::Closed)));
}

#[test]
fn a_download_that_panics_is_never_entered_again() {
    struct Panics(&'static str);
    impl Download for Panics {
        fn head(&mut self, _: Response<'_>) -> Result<(), Error> {
            assert_ne!(self.0, "head");
            Ok(())
        }
        fn data(&mut self, _: &Connection<'_>, _: &[u8]) -> Result<(), Error> {
            if std::mem::take(&mut self.0) == "data" { panic!("mine") } else { Ok(()) }
        }
        fn end(&mut self, _: &Connection<'_>) {
            panic!("mine");
        }
        fn failed(&mut self, _: &Error) {
            assert_eq!(self.0, "failed", "entered after it panicked");
            panic!("mine");
        }
    }
    for (place, text) in [
        ("data", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"),
        ("end", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
        ("failed", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx"),
    ] {
        let mut scene = Scene::new();
        scene.client.get(&scene.url("/")).receive(Panics(place)).expect("to begin");
        let mut peer = scene.accept();
        scene.head(&mut peer);
        peer.send(text);
        assert_eq!(panic_of(&mut scene), "mine", "{place}");
        scene.closed(&mut peer);
        for _ in 0..5 {
            scene.manager.poll(Duration::ZERO).expect("no panic");
        }
        assert_eq!(scene.manager.stats().connections, 0);
    }
}

#[test]
fn a_server_asks_another_and_answers_later() {
    let origin = Server::http(|| |request: Request<'_>, reply: Reply<'_>| reply.text(request.target()));
    let place = origin.address;
    let proxy = Server::start(move |manager| {
        let client = Client::new(manager);
        manager.http("http://127.0.0.1:0", move |request: Request<'_>, reply: Reply<'_>| {
            let deferred = reply.defer();
            client.get(&format!("http://{place}{}", request.target())).send(
                move |result: Result<Response<'_>, Error>| {
                    let reply = deferred.reply();
                    // The peer may be gone.
                    let _ = match result {
                        Ok(response) => reply.status(response.status()).body(response.body().to_vec()),
                        Err(error) => reply.status(502).text(error.to_string()),
                    };
                },
            )?;
            Ok(())
        })
    });
    let mut manager = Manager::new().expect("a manager");
    let client = Client::new(&manager);
    for _ in 0..scaled(10) {
        let answers: Vec<_> = (0..20)
            .map(|n| {
                let answer = Answer::default();
                client
                    .get(&format!("http://{}/{n}", proxy.address))
                    .send(answer.handler())
                    .expect("to begin");
                answer
            })
            .collect();
        poll_until(&mut manager, "all answers", |_| answers.iter().all(Answer::is_there));
        for (n, answer) in answers.iter().enumerate() {
            let response = answer.take().expect("there").expect("an answer");
            assert_eq!((response.status(), response.body()), (200, format!("/{n}").as_bytes()));
        }
    }
    // Without the origin.
    drop(origin);
    let answer = Answer::default();
    client.get(&format!("http://{}/", proxy.address)).send(answer.handler()).expect("to begin");
    poll_until(&mut manager, "the answer", |_| answer.is_there());
    assert_eq!(answer.take().expect("there").expect("an answer").status(), 502);
}
