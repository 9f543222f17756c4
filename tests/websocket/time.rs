//! Deadlines: of a silent peer, and of the closing handshake.

use std::time::Duration;

use mongoose::{http, ws};
use mongoose_tests::Server;

use crate::echo::{Log, serve_within, words};
use crate::peer::{FIN, PING, PONG, Peer, TEXT};

const SHORT: Duration = Duration::from_millis(30);

#[test]
fn a_peer_that_is_silent_is_asked_and_one_that_answers_stays() {
    let mut limits = ws::Limits::default();
    limits.ping_time = SHORT;
    let (server, log) = serve_within(limits);
    let mut peer = Peer::connect(server.address);
    for _ in 0..3 {
        peer.expect(FIN | PING, "");
        peer.send(FIN | PONG, "");
    }
    peer.send(FIN | TEXT, "still here");
    loop {
        match peer.frame() {
            (first, _) if first == FIN | PING => {}
            frame => {
                assert_eq!(frame, (FIN | TEXT, b"still here".to_vec()));
                break;
            }
        }
    }
    assert_eq!(log.next(), "open");
    assert_eq!(log.next(), "pong []");
}

#[test]
fn a_peer_that_answers_no_ping_is_closed() {
    let mut limits = ws::Limits::default();
    limits.ping_time = SHORT;
    limits.pong_time = SHORT;
    let (server, log) = serve_within(limits);
    let mut peer = Peer::connect(server.address);
    peer.expect(FIN | PING, "");
    assert_eq!(peer.expect_close(), 1011);
    peer.client.end();
    peer.expect_end();
    assert_eq!(log.to_close(), ["open", "error the deadline passed: pong", "close 1006 "]);
}

#[test]
fn a_peer_that_does_not_answer_a_close_is_closed() {
    let (tell, log) = Log::new();
    let server = Server::http(move || {
        move |request: http::Request<'_>, reply: http::Reply<'_>| {
            let tell = tell.clone();
            let mut limits = ws::Limits::default();
            limits.close_time = SHORT;
            ws::upgrade(request, reply).limits(limits).accept(
                move |peer: &ws::Connection<'_>, event: ws::Event<'_>| {
                    tell.send(words(&event)).expect("the test to listen");
                    match event {
                        ws::Event::Open => peer.close(ws::CloseCode::NORMAL, ""),
                        _ => Ok(()),
                    }
                },
            )
        }
    });
    let mut peer = Peer::connect(server.address);
    assert_eq!(peer.expect_close(), 1000);
    peer.send(FIN | TEXT, "this is no answer");
    let told = ["open", "text this is no answer", "error the deadline passed: close", "close 1006 "];
    assert_eq!(log.to_close(), told);
    peer.expect_end();
}

#[test]
fn a_peer_that_is_not_heard_because_we_paused_is_not_closed() {
    let (tell, told) = std::sync::mpsc::channel();
    let server = Server::http(move || {
        move |request: http::Request<'_>, reply: http::Reply<'_>| {
            let tell = tell.clone();
            let mut limits = ws::Limits::default();
            limits.ping_time = Duration::from_millis(1);
            limits.pong_time = Duration::from_millis(1);
            ws::upgrade(request, reply).limits(limits).accept(
                move |peer: &ws::Connection<'_>, event: ws::Event<'_>| {
                    if let ws::Event::Open = event {
                        peer.pause();
                        let (id, tell) = (peer.id(), tell.clone());
                        let mut ticks = 0;
                        let tick = move |registry: &mongoose::Registry| {
                            ticks += 1;
                            if ticks == 20 {
                                tell.send(registry.websocket(id).is_ok()).expect("the test to listen");
                            }
                        };
                        peer.registry().every(Duration::from_millis(2), tick)?.detach();
                    }
                    Ok(())
                },
            )
        }
    });
    let mut peer = Peer::connect(server.address);
    peer.send(FIN | TEXT, "waits");
    assert_eq!(told.recv_timeout(mongoose_tests::PATIENCE), Ok(true));
}
