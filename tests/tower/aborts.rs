//! Requests whose peers go away.

use std::sync::mpsc::channel;

use http::{Request, Response};
use mongoose::Error;
use mongoose::tower::{Body, Serve};
use mongoose_tests::{Client, PATIENCE, Server};

use crate::service::{Answers, Dropped, Gate, piece, serve, text};

#[test]
fn the_future_of_an_aborted_request_is_dropped() {
    let (told, dropped) = channel();
    let gate = Gate::default();
    let waiting = gate.clone();
    let server = serve(move |_: Request<Body>| {
        let (dropped, gate) = (Dropped(told.clone()), gate.clone());
        async move {
            let _dropped = dropped;
            gate.opened().await;
            text("nobody hears it")
        }
    });
    let until_it_waits = |count: usize| {
        let end = std::time::Instant::now() + PATIENCE;
        while waiting.wakers().len() < count {
            assert!(std::time::Instant::now() < end, "the request did not come");
            server.ask(|_| ());
        }
    };
    type Leave = fn(Client);
    let leaves: [Leave; 3] = [Client::reset, drop, |mut client| {
        client.end();
        assert_eq!(client.to_end(), b"");
    }];
    for (count, leave) in leaves.into_iter().enumerate() {
        let mut client = Client::connect(server.address);
        client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
        until_it_waits(count + 1);
        leave(client);
        assert_eq!(dropped.recv_timeout(PATIENCE), Ok("dropped"));
        server.wait_until("the connection to go", |registry| registry.stats().connections == 1);
    }
    // Those who are gone are woken for nothing.
    waiting.open();
    assert_eq!(Client::connect(server.address).get("/").text(), "nobody hears it");
}

#[test]
fn hazard_32_a_peer_that_has_ended_its_direction_is_answered_where_that_is_asked_for() {
    let gate = Gate::default();
    let waiting = gate.clone();
    let server = Server::http(move || {
        let service = Answers(move |_: Request<Body>| {
            let gate = gate.clone();
            async move {
                gate.opened().await;
                text("late")
            }
        });
        Serve::new(service).half_close(true)
    });
    let mut client = Client::connect(server.address);
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").end();
    let end = std::time::Instant::now() + PATIENCE;
    while waiting.wakers().is_empty() {
        assert!(std::time::Instant::now() < end, "the request did not come");
        server.ask(|_| ());
    }
    waiting.open();
    assert_eq!(client.response().text(), "late");
    assert_eq!(client.to_end(), b"");
}

#[test]
fn an_upload_that_is_aborted_is_told_to_who_reads_it() {
    let (told, heard) = channel();
    let server = serve(move |request: Request<Body>| {
        let told = told.clone();
        let mut body = request.into_body();
        // The response goes on reading: it is there when the peer leaves.
        let mut begun = false;
        async move {
            Ok(Response::new(crate::service::Made(move |context: &mut std::task::Context<'_>| {
                if !begun {
                    begun = true;
                    return std::task::Poll::Ready(Some(Ok(http_body::Frame::data("begun".into()))));
                }
                let mut next = std::pin::pin!(piece(&mut body));
                next.as_mut().poll(context).map(|piece| {
                    let piece = piece?;
                    told.send(format!("{piece:?}")).expect("the test to listen");
                    Some(piece.map(http_body::Frame::data))
                })
            })))
        }
    });
    let mut client = Client::connect(server.address);
    client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhello");
    assert_eq!(heard.recv_timeout(PATIENCE).expect("a piece"), "Ok(b\"hello\")");
    client.end();
    let error = format!("{:?}", Err::<(), _>(Error::Truncated));
    assert_eq!(heard.recv_timeout(PATIENCE).expect("an error"), error);
    assert!(!client.to_end().ends_with(b"0\r\n\r\n"));
}
