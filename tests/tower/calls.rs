//! Requests, and the service that is called with them.

use std::convert::Infallible;
use std::future::{Pending, Ready, pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Frame;
use mongoose::tower::{Body, Peer, Serve};
use mongoose::{Error, Limits, Manager, Workers};
use mongoose_tests::{Client, Server};
use tower_service::Service;

use crate::service::{Answers, Gate, Made, serve, serve_within, text};

#[test]
fn a_request_is_what_was_sent_and_a_response_what_was_answered() {
    let server = serve(|request: Request<Body>| async move {
        let peer = *request.extensions().get::<Peer>().expect("who sent it");
        let mut response = Response::new(Body::from(format!(
            "{} {} {:?} {} {}",
            request.method(),
            request.uri(),
            request.version(),
            request.headers()["x-one"].to_str().expect("text"),
            peer.remote_addr().is_some_and(|address| address.ip().is_loopback()),
        )));
        *response.status_mut() = StatusCode::IM_A_TEAPOT;
        response.headers_mut().append("set-cookie", "a=1".parse().expect("a value"));
        response.headers_mut().append("set-cookie", "b=2".parse().expect("a value"));
        Ok(response)
    });
    let mut client = Client::connect(server.address);
    for _ in 0..2 {
        client.send("GET /a%20b?c=d HTTP/1.1\r\nHost: test\r\nX-One: 1\r\n\r\n");
        let response = client.response();
        assert_eq!((response.status, response.text()), (418, "GET /a%20b?c=d HTTP/1.1 1 true"));
        assert_eq!(response.head.matches("set-cookie").count(), 2, "{}", response.head);
        assert_eq!(response.header("Transfer-Encoding"), None);
    }
}

#[test]
fn pipelined_requests_are_answered_in_order_though_the_first_waits() {
    let gate = Gate::default();
    let opened = gate.clone();
    let server = serve(move |request: Request<Body>| {
        let gate = gate.clone();
        async move {
            if request.uri().path() == "/slow" {
                gate.opened().await;
            }
            text(request.uri().path())
        }
    });
    let mut client = Client::connect(server.address);
    client.send("GET /slow HTTP/1.1\r\nHost: test\r\n\r\nGET /next HTTP/1.1\r\nHost: test\r\n\r\n");
    let mut other = Client::connect(server.address);
    assert_eq!(other.get("/other").text(), "/other");
    opened.open();
    assert_eq!(client.response().text(), "/slow");
    assert_eq!(client.response().text(), "/next");
}

#[test]
fn head_is_answered_without_a_body_and_without_a_length_that_is_not_known() {
    let server = serve(|request: Request<Body>| async move {
        if request.uri().path() == "/known" {
            return Ok(Response::new(Body::from("hello")));
        }
        Ok(Response::new(Body::empty()))
    });
    let mut client = Client::connect(server.address);
    for (path, length) in [("/known", Some("5")), ("/unknown", None), ("/known", Some("5"))] {
        client.send(format!("HEAD {path} HTTP/1.1\r\nHost: test\r\n\r\n"));
        let response = client.response_to_head();
        assert_eq!((response.status, response.header("Content-Length")), (200, length));
    }
}

#[test]
fn responses_without_a_body_by_their_status_have_none() {
    let server = serve(|request: Request<Body>| async move {
        let status = request.uri().path()[1..].parse::<u16>().expect("a status");
        let mut response = Response::new(Body::from("dropped"));
        *response.status_mut() = StatusCode::from_u16(status).expect("a status");
        Ok(response)
    });
    let mut client = Client::connect(server.address);
    for status in [204, 304, 200] {
        assert_eq!(client.get(&format!("/{status}")).status, status);
    }
}

#[test]
fn an_error_of_the_service_is_answered_500() {
    let server = serve(|_: Request<Body>| async { Err::<Response<Body>, _>(Error::handler("no")) });
    let mut client = Client::connect(server.address);
    assert_eq!(client.get("/").status, 500);
    assert_eq!(client.get("/").status, 500);
}

#[test]
fn what_cannot_be_sent_is_answered_500() {
    let server = serve(|request: Request<Body>| async move {
        let mut response = Response::new(Body::from("hello"));
        match request.uri().path() {
            "/length" => {
                response.headers_mut().insert("content-length", 4.into());
            }
            _ => *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS,
        }
        Ok(response)
    });
    let mut client = Client::connect(server.address);
    assert_eq!(client.get("/length").status, 500);
    assert_eq!(client.get("/101").status, 500);
}

#[test]
fn trailers_are_dropped() {
    let server = serve(|_: Request<Body>| async {
        let mut frames = vec![Frame::trailers(HeaderMap::new()), Frame::data(Bytes::from_static(b"data"))];
        Ok(Response::new(Made(move |_: &mut Context<'_>| Poll::Ready(frames.pop().map(Ok)))))
    });
    let mut client = Client::connect(server.address);
    for _ in 0..2 {
        assert_eq!(client.get("/").text(), "data");
    }
}

/// Ready once a gate is open.
#[derive(Clone)]
struct Later(Gate);

impl Service<Request<Body>> for Later {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll(context).map(Ok)
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        assert!(self.0.poll(&Context::from_waker(std::task::Waker::noop())).is_ready(), "it was not ready");
        ready(Ok(Response::new("ready".into())))
    }
}

#[test]
fn a_service_is_called_once_it_is_ready() {
    let gate = Gate::default();
    let service = Later(gate.clone());
    let server = Server::http(move || Serve::new(service));
    let mut clients: Vec<_> = (0..10).map(|_| Client::connect(server.address)).collect();
    for client in &mut clients {
        client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    }
    let waiting = gate.clone();
    let end = std::time::Instant::now() + mongoose_tests::PATIENCE;
    while waiting.wakers().len() < 10 {
        assert!(std::time::Instant::now() < end, "not all were asked for");
        server.ask(|_| ());
    }
    gate.open();
    for client in &mut clients {
        assert_eq!(client.response().text(), "ready");
    }
}

#[test]
fn a_service_that_is_never_ready_costs_its_own_peer_alone() {
    let mut limits = Limits::default();
    limits.reply_time = Duration::from_millis(200);
    let service = Later(Gate::default());
    let server = Server::http_within(limits, move || Serve::new(service));
    let mut client = Client::connect(server.address);
    assert_eq!(client.get("/").status, 504);
    assert_eq!(client.get("/").status, 504, "on the same connection");
}

#[test]
fn a_future_that_takes_too_long_is_answered_504() {
    let mut limits = Limits::default();
    limits.reply_time = Duration::from_millis(200);
    let server = serve_within(limits, |request: Request<Body>| async move {
        if request.uri().path() == "/never" {
            let never: Pending<()> = pending();
            never.await;
        }
        text("here")
    });
    let mut client = Client::connect(server.address);
    assert_eq!(client.get("/never").status, 504);
    assert_eq!(client.get("/").text(), "here");
}

#[test]
fn a_panic_of_a_service_closes_its_connection_and_goes_on_from_poll() {
    for when in ["/in-call", "/in-first-poll", "/in-later-poll", "/in-body"] {
        let gate = Gate::default();
        let opened = gate.clone();
        let mut manager = Manager::new().expect("a manager");
        let service = Answers(move |request: Request<Body>| {
            let path = request.uri().path().to_owned();
            assert!(path != "/in-call", "on purpose");
            let gate = gate.clone();
            async move {
                assert!(path != "/in-first-poll", "on purpose");
                if path == "/in-later-poll" {
                    gate.opened().await;
                    panic!("on purpose");
                }
                let mut left = 2;
                Ok::<_, Infallible>(Response::new(Made(move |_: &mut Context<'_>| {
                    left -= 1;
                    assert!(path != "/in-body" || left > 0, "on purpose");
                    Poll::Ready((left > 0).then(|| Ok(Frame::data(Bytes::from_static(b"ok")))))
                })))
            }
        });
        let listener = manager.http("http://127.0.0.1:0", Serve::new(service)).expect("to listen");
        let address = listener.local_addr();
        let mut client = Client::connect(address);
        client.send(format!("GET {when} HTTP/1.1\r\nHost: test\r\n\r\n"));
        opened.open();
        let panicked = (0..1000).any(|_| {
            catch_unwind(AssertUnwindSafe(|| manager.poll(Duration::from_millis(10)).expect("to poll")))
                .is_err()
        });
        assert!(panicked, "{when}: it goes on from poll");
        mongoose_tests::poll_until(&mut manager, "the connection to close", |manager| {
            manager.stats().connections == 1
        });
        let got = client.to_end();
        assert!(!got.ends_with(b"0\r\n\r\n"), "{when}: not a whole body");
        // The manager is usable.
        let thread = std::thread::spawn(move || Client::connect(address).get("/").body);
        mongoose_tests::poll_until(&mut manager, "an answer", |_| thread.is_finished());
        assert_eq!(thread.join().expect("an answer"), b"ok");
    }
}

#[test]
fn what_is_in_flight_is_answered_on_shutdown() {
    let gate = Gate::default();
    let opened = gate.clone();
    let mut manager = Manager::new().expect("a manager");
    let service = Answers(move |_: Request<Body>| {
        let gate = gate.clone();
        async move {
            gate.opened().await;
            text("done")
        }
    });
    let listener = manager.http("http://127.0.0.1:0", Serve::new(service)).expect("to listen");
    let mut client = Client::connect(listener.local_addr());
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    mongoose_tests::poll_until(&mut manager, "the request to be there", |_| !opened.wakers().is_empty());
    let thread = std::thread::spawn(move || opened.open());
    manager.shutdown(mongoose_tests::PATIENCE).expect("to shut down");
    thread.join().expect("no panic");
    let response = client.response();
    assert_eq!((response.text(), response.header("Connection")), ("done", Some("close")));
    assert_eq!(client.to_end(), b"");
}

#[test]
fn each_worker_serves_a_service_of_its_own() {
    let made = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&made);
    let (told, address) = std::sync::mpsc::channel();
    let workers = Workers::builder(2)
        .start(move |worker, registry| {
            counter.fetch_add(1, Ordering::Relaxed);
            let service = Answers(move |_: Request<Body>| ready(text(format!("worker {worker}"))));
            let listener = registry.http("http://127.0.0.1:0", Serve::new(service))?;
            let _ = told.send(listener.local_addr());
            Ok(())
        })
        .expect("workers");
    let address = address.recv().expect("an address");
    for _ in 0..20 {
        assert!(Client::connect(address).get("/").text().starts_with("worker "));
    }
    assert_eq!(made.load(Ordering::Relaxed), 2);
    workers.stop();
    workers.join().expect("no worker to fail");
}
