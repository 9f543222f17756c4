//! Bodies that other threads write.

use std::io::Write;
use std::sync::mpsc::{Sender, channel};

use mongoose::http::{BodySender, Reply, Request};
use mongoose::{Error, Handle};
use mongoose_tests::{Client, PATIENCE, Server, scaled};

/// Gives the test the sender of each reply.
fn server(limit: usize, senders: Sender<BodySender>) -> Server {
    Server::http(move || {
        move |request: Request<'_>, reply: Reply<'_>| match request.path() {
            "/later" => {
                let deferred = reply.defer();
                let senders = senders.clone();
                std::thread::spawn(move || {
                    senders.send(deferred.reply().channel(limit)?).map_err(Error::handler)
                });
                Ok(())
            }
            "/whole" => reply.text("whole"),
            _ => senders.send(reply.channel(limit)?).map_err(Error::handler),
        }
    })
}

const GET: &str = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";

#[test]
fn a_thread_writes_a_body_that_waits_for_a_slow_reader() {
    for target in ["/", "/later"] {
        let (senders, sent) = channel();
        let server = server(100_000, senders);
        let mut client = Client::connect(server.address);
        client.send(format!("GET {target} HTTP/1.1\r\nHost: test\r\n\r\n"));
        let mut body = sent.recv_timeout(PATIENCE).expect("a sender");
        let lines = scaled(200_000);
        let writer = std::thread::spawn(move || {
            for line in 0..lines {
                writeln!(body, "{line}").expect("a peer that reads");
                assert!(body.queued() <= 100_000);
            }
            body.finish();
        });
        let response = client.response();
        writer.join().expect("the writer");
        let mut expected = Vec::new();
        (0..lines).for_each(|line| writeln!(expected, "{line}").expect("memory takes all"));
        assert!(response.body == expected, "{} bytes instead of {}", response.body.len(), expected.len());
        assert_eq!(client.get("/whole").text(), "whole");
    }
}

#[test]
fn each_piece_leaves_as_it_is_sent() {
    let (senders, sent) = channel();
    let server = server(10, senders);
    let mut client = Client::connect(server.address);
    client.send(GET);
    let body = sent.recv_timeout(PATIENCE).expect("a sender");
    assert_eq!(client.line(), "HTTP/1.1 200 OK");
    while !client.line().is_empty() {}
    for piece in ["one", "a piece past the limit", "three"] {
        body.send_wait(piece.to_owned()).expect("a peer");
        assert_eq!(client.chunk().expect("a piece"), piece.as_bytes());
    }
    body.finish();
    assert_eq!(client.chunk(), None);
}

#[test]
fn a_full_sender_says_so_and_takes_nothing() {
    let (senders, sent) = channel();
    let server = server(1000, senders);
    let mut client = Client::connect(server.address);
    client.send(GET);
    let body = sent.recv_timeout(PATIENCE).expect("a sender");
    // The sockets and the output take some megabytes.
    let mut taken = 0usize;
    let full = loop {
        match body.send(vec![7; 600]) {
            Ok(()) => taken += 600,
            Err(error) => {
                let before = body.queued();
                server.ask(|registry| registry.stats().polls);
                if body.queued() == before && taken > 1 << 20 {
                    break error;
                }
            }
        }
    };
    assert!(matches!(full, Error::OutputFull { limit: 1000 }), "{full}");
    assert!(body.queued() <= 1000);
    let reader = std::thread::spawn(move || client.response().body.len());
    body.finish();
    assert_eq!(reader.join().expect("the reader"), taken);
}

#[test]
fn a_sender_dropped_unfinished_truncates_the_body() {
    let (senders, sent) = channel();
    let server = server(1000, senders);
    let mut client = Client::connect(server.address);
    client.send(GET);
    let body = sent.recv_timeout(PATIENCE).expect("a sender");
    body.send("begun").expect("room");
    drop(body);
    let text = String::from_utf8(client.to_end()).expect("text");
    assert!(text.ends_with("5\r\nbegun\r\n"), "{text}");
}

#[test]
fn a_sender_sees_that_its_peer_is_gone_also_while_it_waits() {
    let (senders, sent) = channel();
    let server = server(1000, senders);
    let mut client = Client::connect(server.address);
    client.send(GET);
    let body = sent.recv_timeout(PATIENCE).expect("a sender");
    assert_eq!(client.line(), "HTTP/1.1 200 OK");
    let writer = std::thread::spawn(move || {
        loop {
            if let Err(error) = body.send_wait(vec![7; 1000]) {
                return (error, body.is_closed());
            }
        }
    });
    client.reset();
    let (error, closed) = writer.join().expect("the writer");
    assert!(matches!(error, Error::Closed) && closed, "{error}");
}

#[test]
fn a_sender_outlives_its_manager() {
    let (senders, sent) = channel();
    let server = server(1000, senders);
    let mut client = Client::connect(server.address);
    client.send(GET);
    let body = sent.recv_timeout(PATIENCE).expect("a sender");
    drop(server);
    assert!(matches!(body.send("x"), Err(Error::Closed)));
    body.finish();
    client.to_end();
}

#[test]
fn on_the_loops_own_thread_a_sender_never_waits() {
    let server = Server::http(|| {
        |_: Request<'_>, reply: Reply<'_>| {
            let body = reply.channel(10)?;
            body.send_wait("0123456789")?;
            assert!(matches!(body.send_wait("x"), Err(Error::OutputFull { limit: 10 })));
            body.finish();
            Ok(())
        }
    });
    assert_eq!(Client::connect(server.address).get("/").text(), "0123456789");
}

#[test]
fn nudging_what_has_no_source_does_nothing() {
    let server = Server::http(|| |_: Request<'_>, reply: Reply<'_>| reply.text("whole"));
    let mut client = Client::connect(server.address);
    assert_eq!(client.get("/").text(), "whole");
    let handle: Handle = server.handle.clone();
    for id in server.ask(|registry| registry.connections()) {
        handle.nudge(id).expect("a manager");
    }
    assert_eq!(client.get("/").text(), "whole");
    drop(server);
    assert!(matches!(handle.post(|_| {}), Err(Error::Gone)));
}
