//! Hazard 27: output is bounded, in order and given back.

use std::sync::mpsc;

use mongoose::{Connection, Error, Event, Limits};
use mongoose_tests::{Client, PATIENCE, Server, scaled};

const PIECE: usize = 16 << 10;

fn piece(number: usize) -> Vec<u8> {
    (0..PIECE).map(|n| ((n + number) % 251) as u8).collect()
}

#[test]
fn hazard_27_50_mb_queued_in_pieces_of_16_kb_arrive_in_order() {
    let pieces = scaled(50_000_000 / PIECE);
    let server = Server::start(move |manager| {
        let mut limits = Limits::default();
        limits.output = 64_000_000;
        let serve = move |connection: &Connection<'_>, event: Event<'_>| {
            match event {
                Event::Accept => {
                    for number in 0..pieces {
                        connection.send(piece(number))?;
                    }
                    assert!(connection.queued() <= pieces * PIECE, "nothing is held twice");
                }
                Event::Write => assert_eq!(connection.queued(), 0),
                _ => {}
            }
            Ok(())
        };
        manager.listener("tcp://127.0.0.1:0").limits(limits).tcp(serve)
    });
    let mut client = Client::connect(server.address);
    for number in 0..pieces {
        assert!(client.exactly(PIECE) == piece(number), "piece {number}");
    }
    server.wait_until("the output to be gone", |registry| {
        registry
            .connections()
            .into_iter()
            .all(|id| registry.connection(id).is_ok_and(|found| found.queued() == 0))
    });
}

#[test]
fn hazard_27_output_past_the_limit_is_refused_whole_and_the_connection_goes_on() {
    let (tell, told) = mpsc::channel();
    let server = Server::start(move |manager| {
        let serve = move |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Accept = event {
                let mut taken = 0;
                let error = loop {
                    match connection.send(&[b'x'; PIECE]) {
                        Ok(()) => taken += PIECE,
                        Err(error) => break error,
                    }
                };
                let (limit, queued) = (connection.limits().output, connection.queued());
                assert!(matches!(error, Error::OutputFull { limit: named } if named == limit), "{error}");
                assert!(queued <= limit && queued + PIECE > limit, "{queued} of {limit}");
                tell.send(taken).map_err(Error::handler)?;
            }
            if let Event::Write = event {
                connection.send("and on")?;
                connection.drain();
            }
            Ok(())
        };
        let mut limits = Limits::default();
        limits.output = 10_000_000;
        manager.listener("tcp://127.0.0.1:0").limits(limits).tcp(serve)
    });
    let mut client = Client::connect(server.address);
    let taken = told.recv_timeout(PATIENCE).expect("the limit");
    assert!(client.exactly(taken).iter().all(|&byte| byte == b'x'));
    assert_eq!(client.to_end(), b"and on");
}
