//! Each direction of a raw connection ends by itself.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use mongoose::{Connection, ConnectionId, Error, Event, Handler};
use mongoose_tests::{Client, PATIENCE, Random, Server, scaled};

/// What a handler was told, in order.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Opened(ConnectionId),
    Read(Vec<u8>),
    Write,
    End,
    Error(String),
    Close,
}

/// Tells the test everything, and does something of the test's own besides.
struct Teller<F> {
    told: Sender<Told>,
    then: F,
}

impl<F> Handler for Teller<F>
where
    F: FnMut(&Connection<'_>, Event<'_>) -> Result<(), Error> + 'static,
{
    fn event(&mut self, connection: &Connection<'_>, event: Event<'_>) -> Result<(), Error> {
        let told = match event {
            Event::Accept | Event::Connect => Told::Opened(connection.id()),
            Event::Read => {
                let bytes = connection.received().to_vec();
                connection.consume(bytes.len());
                Told::Read(bytes)
            }
            Event::Write => Told::Write,
            Event::End => Told::End,
            Event::Error(error) => Told::Error(error.to_string()),
            Event::Close => Told::Close,
            other => panic!("{other:?}"),
        };
        // The test may be over.
        let _ = self.told.send(told);
        (self.then)(connection, event)
    }
}

fn start<F>(then: F) -> (Server, Receiver<Told>)
where
    F: FnMut(&Connection<'_>, Event<'_>) -> Result<(), Error> + Send + 'static,
{
    let (told, events) = mpsc::channel();
    (Server::start(move |manager| manager.tcp("tcp://127.0.0.1:0", Teller { told, then })), events)
}

fn next(events: &Receiver<Told>) -> Told {
    events.recv_timeout(PATIENCE).expect("another event")
}

fn opened(events: &Receiver<Told>) -> ConnectionId {
    match next(events) {
        Told::Opened(id) => id,
        other => panic!("{other:?}"),
    }
}

/// What comes before another event, as one.
fn read_until(events: &Receiver<Told>, last: &Told) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        match next(events) {
            Told::Read(bytes) => all.extend(bytes),
            Told::Write => {}
            other => {
                assert_eq!(&other, last);
                return all;
            }
        }
    }
}

#[test]
fn an_echo_returns_everything_at_any_chunking_and_ends_after_it() {
    let server = Server::start(|manager| {
        manager.tcp("tcp://127.0.0.1:0", |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Read = event {
                connection.send(connection.received())?;
                connection.consume(usize::MAX);
            }
            Ok(())
        })
    });
    for (seed, mean) in [(1, 3), (2, 1000), (3, 100_000)] {
        let mut random = Random::new(seed);
        let bytes = random.bytes(scaled(mean * 300));
        let mut client = Client::connect(server.address);
        let mut writer = client.stream().try_clone().expect("another descriptor");
        let sent = bytes.clone();
        let thread = thread::spawn(move || {
            for piece in random.split(&sent, mean) {
                writer.write_all(piece).expect("to send");
            }
            writer.shutdown(std::net::Shutdown::Write).expect("to shut down");
        });
        assert!(client.to_end() == bytes, "pieces of {mean}");
        thread.join().expect("to write");
    }
}

#[test]
fn bytes_that_are_left_are_shown_again_with_the_next() {
    let (told, shown) = mpsc::channel();
    let server = Server::start(move |manager| {
        manager.tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Read | Event::End = event {
                let _ = told.send(connection.received().to_vec());
                // Looks at all, takes lines.
                let line = connection.received().iter().position(|byte| *byte == b'\n');
                connection.consume(line.map_or(0, |at| at + 1));
            }
            Ok(())
        })
    });
    let mut client = Client::connect(server.address);
    server.feed(&mut client, [&b"on"[..], b"e\ntw", b"o"]);
    client.end();
    for expected in [&b"on"[..], b"one\ntw", b"two", b"two"] {
        assert_eq!(shown.recv_timeout(PATIENCE).expect("to be shown"), expected);
    }
}

#[test]
fn what_a_handler_sends_at_the_peers_end_leaves_before_the_close() {
    let (server, events) = start(|connection, event| match event {
        Event::End => connection.send(vec![b'x'; 3_000_000]),
        _ => Ok(()),
    });
    let mut client = Client::connect(server.address);
    opened(&events);
    client.send("question").end();
    assert_eq!(client.to_end().len(), 3_000_000);
    assert_eq!(read_until(&events, &Told::End), b"question");
    assert_eq!(next(&events), Told::Close);
}

#[test]
fn a_connection_that_is_kept_open_answers_long_after_the_peers_end() {
    let (server, events) = start(|connection, event| {
        if let Event::End = event {
            connection.keep_open();
        }
        Ok(())
    });
    let mut client = Client::connect(server.address);
    let id = opened(&events);
    client.send("question").end();
    assert_eq!(read_until(&events, &Told::End), b"question");
    // Turns of the loop that have nothing to do with it.
    let polls = server.ask(|registry| registry.stats().polls);
    server.wait_until("some turns", move |registry| registry.stats().polls > polls + 10);
    server.ask(move |registry| registry.connection(id)?.send("one ")).expect("to send");
    server
        .ask(move |registry| {
            let connection = registry.connection(id)?;
            connection.send("two")?;
            connection.end();
            assert!(matches!(connection.send("three"), Err(Error::Closed)));
            Ok::<(), Error>(())
        })
        .expect("to send");
    assert_eq!(client.to_end(), b"one two");
    assert_eq!(next(&events), Told::Close);
}

#[test]
fn a_peer_that_is_gone_ends_a_connection_that_was_kept_open() {
    let (server, events) = start(|connection, event| {
        if let Event::Accept = event {
            connection.keep_open();
        }
        Ok(())
    });
    let mut client = Client::connect(server.address);
    let id = opened(&events);
    client.end();
    assert_eq!(next(&events), Told::End);
    drop(client);
    // The system answers what is sent with a reset.
    server.ask(move |registry| registry.connection(id)?.send("anybody?")).expect("to send");
    assert!(matches!(next(&events), Told::Error(_)));
    assert_eq!(next(&events), Told::Close);
}

#[test]
fn we_end_our_direction_and_go_on_receiving() {
    let (server, events) = start(|connection, event| {
        if let Event::Accept = event {
            connection.send("hello")?;
            connection.end();
            assert!(matches!(connection.send("more"), Err(Error::Closed)));
        }
        Ok(())
    });
    let mut client = Client::connect(server.address);
    opened(&events);
    assert_eq!(client.to_end(), b"hello", "our end is seen though the connection stays");
    let bytes = Random::new(4).bytes(scaled(1_000_000));
    client.send(&bytes).end();
    assert!(read_until(&events, &Told::End) == bytes);
    assert_eq!(next(&events), Told::Close);
}

#[test]
fn our_end_comes_after_all_that_waits() {
    let size = 8_000_000;
    let (server, events) = start(move |connection, event| {
        if let Event::Accept = event {
            // More than the system's buffers take.
            connection.send(vec![b'x'; size])?;
            connection.end();
        }
        Ok(())
    });
    let mut client = Client::connect(server.address);
    let id = opened(&events);
    client.send("meanwhile");
    server.wait_until("the bytes to be read", |registry| registry.stats().received == 9);
    assert!(server.ask(move |registry| registry.connection(id).expect("it is there").queued()) > 0);
    assert_eq!(client.to_end().len(), size);
    client.send("afterwards").end();
    assert_eq!(read_until(&events, &Told::End), b"meanwhileafterwards");
    assert_eq!(next(&events), Told::Close);
}

#[test]
fn nothing_is_lost_and_nothing_spins_while_paused_after_both_ends() {
    let (server, events) = start(|connection, event| {
        if let Event::Accept = event {
            connection.pause();
            connection.end();
        }
        Ok(())
    });
    let mut client = Client::connect(server.address);
    let id = opened(&events);
    assert!(client.to_end().is_empty());
    client.send("last words").end();
    // Both directions are over now, which a selector reports for as long as it watches the socket.
    let before = server.ask(|registry| registry.stats().polls);
    let mut turns = 0;
    for _ in 0..100 {
        turns = server.ask(|registry| registry.stats().polls) - before;
    }
    assert!(turns < 500, "{turns} turns for 100 questions");
    server.ask(move |registry| registry.connection(id).expect("it is there").resume());
    assert_eq!(read_until(&events, &Told::End), b"last words");
    assert_eq!(next(&events), Told::Close);
}

#[test]
fn the_end_waits_for_what_is_paused() {
    let (server, events) = start(|connection, event| {
        if let Event::Read = event {
            connection.pause();
        }
        Ok(())
    });
    let mut client = Client::connect(server.address);
    let id = opened(&events);
    server.feed(&mut client, [&b"one"[..]]);
    client.send("two").end();
    assert_eq!(next(&events), Told::Read(b"one".to_vec()));
    server.ask(move |registry| registry.connection(id).expect("it is there").resume());
    assert_eq!(next(&events), Told::Read(b"two".to_vec()));
    server.ask(move |registry| registry.connection(id).expect("it is there").resume());
    assert_eq!(next(&events), Told::End);
    assert_eq!(next(&events), Told::Close);
}

#[test]
fn a_client_ends_its_question_and_reads_the_answer() {
    let peer = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("tcp://{}", peer.local_addr().expect("bound"));
    let (told, events) = mpsc::channel();
    let _server = Server::start(move |manager| {
        let then = |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Connect = event {
                connection.send("question")?;
                connection.end();
            }
            Ok(())
        };
        manager.connect(&url, Teller { told, then })?;
        manager.tcp("tcp://127.0.0.1:0", |_: &Connection<'_>, _: Event<'_>| Ok(()))
    });
    let (mut stream, _) = peer.accept().expect("to accept");
    stream.set_read_timeout(Some(PATIENCE)).expect("an option");
    let mut question = Vec::new();
    stream.read_to_end(&mut question).expect("its end");
    assert_eq!(question, b"question");
    stream.write_all(b"answer").expect("to send");
    drop(stream);
    opened(&events);
    assert_eq!(read_until(&events, &Told::End), b"answer");
    assert_eq!(next(&events), Told::Close);
}

#[test]
fn ending_does_nothing_to_http() {
    let server = Server::http(|| {
        |request: mongoose::http::Request<'_>, reply: mongoose::http::Reply<'_>| {
            request.connection().end();
            reply.text("whole")
        }
    });
    let mut client = Client::connect(server.address);
    assert_eq!(client.get("/").text(), "whole");
    assert_eq!(client.get("/").text(), "whole");
}
