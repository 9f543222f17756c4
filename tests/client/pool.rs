//! Connections between requests: kept, used again, given up.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use mongoose::http::{Client, Reply, Request, Response};
use mongoose::{Error, Limits, Manager, http};
use mongoose_tests::{Server, poll_until, scaled};

use crate::scene::{Answer, Scene, ok};

fn echo_server() -> Server {
    Server::http(|| |request: Request<'_>, reply: Reply<'_>| reply.text(request.target()))
}

#[test]
fn a_thousand_requests_take_one_connection() {
    let count = scaled(1000);
    let server = echo_server();
    let mut manager = Manager::new().expect("a manager");
    let client = Client::new(&manager);
    let done = Rc::new(Cell::new(0));

    /// The next request from within the handler of the one before.
    fn go_on(client: Client, base: String, done: Rc<Cell<usize>>, left: usize) {
        let url = format!("{base}/{left}");
        let again = client.clone();
        client
            .get(&url)
            .send(move |result: Result<Response<'_>, Error>| {
                assert_eq!(result.expect("an answer").body(), format!("/{left}").as_bytes());
                done.set(done.get() + 1);
                if left > 1 {
                    go_on(again, base, done, left - 1);
                }
            })
            .expect("to begin");
    }

    go_on(client.clone(), format!("http://{}", server.address), Rc::clone(&done), count);
    poll_until(&mut manager, "all requests", |_| done.get() == count);
    assert_eq!(server.ask(|registry| registry.stats().accepted), 1);
    assert_eq!((client.idle_connections(), manager.stats().connections), (1, 1));
}

#[test]
fn a_hundred_at_once_have_a_connection_each_and_the_pool_keeps_what_it_may() {
    let server = echo_server();
    let mut manager = Manager::new().expect("a manager");
    let client = Client::new(&manager).with_pool(7, 100);
    let url = format!("http://{}/x", server.address);
    for _ in 0..2 {
        let answers: Vec<Answer> = (0..100)
            .map(|_| {
                let answer = Answer::default();
                client.get(&url).send(answer.handler()).expect("to begin");
                answer
            })
            .collect();
        poll_until(&mut manager, "all answers", |_| answers.iter().all(Answer::is_there));
        for answer in answers {
            assert_eq!(answer.take().expect("there").expect("an answer").body(), b"/x");
        }
        assert_eq!(client.idle_connections(), 7);
        poll_until(&mut manager, "the others to close", |manager| manager.stats().connections == 7);
    }
    assert_eq!(server.ask(|registry| registry.stats().accepted), 193, "seven were used again");
}

#[test]
fn a_pool_of_none_keeps_none() {
    let mut scene = Scene::new();
    scene.client = scene.client.clone().with_pool(0, 0);
    for _ in 0..2 {
        let (mut peer, outcome) = scene.exchange("/", &ok("hi"));
        assert!(outcome.is_ok());
        scene.closed(&mut peer);
    }
}

#[test]
fn requests_are_never_pipelined() {
    let mut scene = Scene::new();
    let (first, second) = (scene.get("/1"), scene.get("/2"));
    let (mut one, mut other) = (scene.accept(), scene.accept());
    let heads = [scene.head(&mut one), scene.head(&mut other)];
    assert_ne!(heads[0], heads[1]);
    assert!(one.received.is_empty() && other.received.is_empty(), "one request each");
    one.send(ok("hi"));
    other.send(ok("hi"));
    assert!(scene.outcome(&first).is_ok() && scene.outcome(&second).is_ok());
    assert_eq!(scene.client.idle_connections(), 2);
}

#[test]
fn an_idle_connection_is_closed_in_time() {
    let mut limits = Limits::default();
    limits.idle_time = Duration::from_millis(20);
    let mut scene = Scene::within(limits);
    let (mut peer, outcome) = scene.exchange("/", &ok("hi"));
    assert!(outcome.is_ok());
    scene.closed(&mut peer);
    assert_eq!((scene.client.idle_connections(), scene.manager.stats().connections), (0, 0));
}

#[test]
fn an_idle_connection_that_the_server_closes_is_forgotten() {
    let mut scene = Scene::new();
    let (peer, outcome) = scene.exchange("/", &ok("hi"));
    assert!(outcome.is_ok());
    drop(peer);
    let client = scene.client.clone();
    scene.until("the client to forget it", |_| (client.idle_connections() == 0).then_some(()));
}

/// A connection that has carried a request and is idle; the next request on it was read.
fn used_again(scene: &mut Scene, request: http::RequestBuilder<Client>) -> (crate::scene::Peer, Answer) {
    let (mut peer, outcome) = scene.exchange("/first", &ok("hi"));
    assert!(outcome.is_ok());
    let answer = scene.send(request);
    let head = scene.head(&mut peer);
    assert!(head.contains(" /second "), "{head}");
    (peer, answer)
}

#[test]
fn a_stale_connection_has_an_idempotent_request_sent_once_more() {
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"] {
        let mut scene = Scene::new();
        let request = scene.client.request(method, &scene.url("/second")).body("body");
        let (stale, answer) = used_again(&mut scene, request);
        drop(stale);
        let mut fresh = scene.accept();
        let head = scene.head(&mut fresh);
        assert!(head.starts_with(&format!("{method} /second ")), "{head}");
        assert_eq!(scene.bytes(&mut fresh, 4), b"body");
        if method == "PUT" {
            // Not for ever.
            drop(fresh);
            assert!(matches!(scene.outcome(&answer), Err(Error::Truncated | Error::Io { .. })));
            assert!(!scene.is_connecting());
        } else {
            fresh.send(ok(""));
            assert!(scene.outcome(&answer).is_ok(), "{method}");
        }
    }
}

#[test]
fn other_requests_are_not_sent_twice() {
    let mut scene = Scene::new();
    let post = scene.client.post(&scene.url("/second"));
    let (stale, answer) = used_again(&mut scene, post);
    drop(stale);
    assert!(matches!(scene.outcome(&answer), Err(Error::Truncated | Error::Io { .. })));

    let streamed = scene.client.request("PUT", &scene.url("/second")).reader(&b"body"[..]);
    let (stale, answer) = used_again(&mut scene, streamed);
    drop(stale);
    assert!(matches!(scene.outcome(&answer), Err(Error::Truncated | Error::Io { .. })));

    // Something came of the response.
    let get = scene.client.get(&scene.url("/second"));
    let (mut stale, answer) = used_again(&mut scene, get);
    stale.send("H");
    stale.end();
    assert!(matches!(scene.outcome(&answer), Err(Error::Truncated)));

    // The connection was new.
    let answer = scene.get("/");
    let mut peer = scene.accept();
    scene.head(&mut peer);
    peer.end();
    assert!(matches!(scene.outcome(&answer), Err(Error::Truncated)));
    assert!(!scene.is_connecting());
}

#[test]
fn bytes_that_nobody_asked_for_close_an_idle_connection() {
    let mut scene = Scene::new();
    let (mut peer, outcome) = scene.exchange("/", &ok("hi"));
    assert!(outcome.is_ok());
    peer.send(ok("smuggled"));
    scene.closed(&mut peer);
    assert_eq!(scene.client.idle_connections(), 0);
}

#[test]
fn a_response_sent_ahead_is_not_taken_for_that_of_the_next_request() {
    let mut scene = Scene::new();
    let (mut peer, outcome) = scene.exchange("/", &ok("hi"));
    assert!(outcome.is_ok());
    // It lies in the client's socket when the next request is made.
    peer.send(ok("smuggled"));
    let answer = scene.get("/next");
    let mut other = scene.accept();
    assert!(scene.head(&mut other).starts_with("GET /next "));
    other.send(ok("right"));
    assert_eq!(scene.outcome(&answer).expect("an answer").body(), b"right");
}

#[test]
fn what_follows_a_response_costs_the_connection_and_not_the_response() {
    for more in [ok("another").as_slice(), b"\r\n", b"x"] {
        let mut scene = Scene::new();
        let (mut peer, outcome) = scene.exchange("/", &[&ok("hi"), more].concat());
        assert_eq!(outcome.expect("an answer").body(), b"hi");
        scene.closed(&mut peer);
        assert_eq!(scene.client.idle_connections(), 0);
    }
}
