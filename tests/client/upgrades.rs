//! Connections that become something else.

use std::cell::RefCell;
use std::rc::Rc;

use mongoose::http::{Client, Reply, Request, Response};
use mongoose::{Connection, Error, Event, Manager};
use mongoose_tests::{Server, poll_until};

use crate::scene::Scene;

#[test]
fn an_upgrade_gives_the_connection_to_raw_bytes() {
    let server = Server::http(|| {
        |_: Request<'_>, reply: Reply<'_>| {
            reply.upgrade("shout", |connection: &Connection<'_>, event: Event<'_>| {
                if let Event::Read = event {
                    connection.send(connection.received().to_ascii_uppercase())?;
                    connection.consume(usize::MAX);
                }
                Ok(())
            })
        }
    });
    let mut manager = Manager::new().expect("a manager");
    let client = Client::new(&manager);
    let heard = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&heard);
    client
        .get(&format!("http://{}/", server.address))
        .upgrade("shout")
        .send(move |result: Result<Response<'_>, Error>| {
            let response = result.expect("an answer");
            assert_eq!(
                (response.status(), response.header("Upgrade").expect("there").as_bytes()),
                (101, &b"shout"[..])
            );
            response.connection().send("hello").expect("open");
            let listen = move |connection: &Connection<'_>, event: Event<'_>| {
                if let Event::Read = event {
                    log.borrow_mut().extend_from_slice(connection.received());
                    connection.consume(usize::MAX);
                }
                Ok(())
            };
            response.connection().set_handler(listen).expect("open");
        })
        .expect("to begin");
    poll_until(&mut manager, "the echo", |_| *heard.borrow() == b"HELLO");
    assert_eq!(client.idle_connections(), 0);
}

#[test]
fn bytes_behind_the_101_go_to_the_new_handler() {
    let mut scene = Scene::new();
    let heard = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&heard);
    let request = scene.client.get(&scene.url("/")).upgrade("raw");
    request
        .send(move |result: Result<Response<'_>, Error>| {
            let listen = move |connection: &Connection<'_>, event: Event<'_>| {
                if let Event::Read = event {
                    log.borrow_mut().extend_from_slice(connection.received());
                    connection.consume(usize::MAX);
                }
                Ok(())
            };
            result.expect("an answer").connection().set_handler(listen).expect("open");
        })
        .expect("to begin");
    let mut peer = scene.accept();
    let head = scene.head(&mut peer);
    assert!(head.contains("\r\nUpgrade: raw\r\n") && head.contains("\r\nConnection: Upgrade\r\n"), "{head}");
    peer.send("HTTP/1.1 101 Go\r\nUpgrade: raw\r\nConnection: Upgrade\r\n\r\nbehind");
    scene.until("what came behind", |_| (*heard.borrow() == b"behind").then_some(()));
}

#[test]
fn one_that_nobody_takes_over_is_closed() {
    let mut scene = Scene::new();
    let answer = scene.send(scene.client.get(&scene.url("/")).upgrade("raw"));
    let mut peer = scene.accept();
    scene.head(&mut peer);
    peer.send("HTTP/1.1 101 Go\r\nUpgrade: raw\r\nConnection: Upgrade\r\n\r\n");
    assert_eq!(scene.outcome(&answer).expect("an answer").status(), 101);
    scene.closed(&mut peer);
}

#[test]
fn a_server_that_does_not_upgrade_answers_as_ever() {
    let mut scene = Scene::new();
    let answer = scene.send(scene.client.get(&scene.url("/")).upgrade("raw"));
    let mut peer = scene.accept();
    scene.head(&mut peer);
    peer.send(crate::scene::ok("no"));
    assert_eq!(scene.outcome(&answer).expect("an answer").body(), b"no");
    assert_eq!(scene.client.idle_connections(), 1);
}
