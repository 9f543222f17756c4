//! Section 7: how a WebSocket ends, and what the handler is told.

use std::net::TcpListener;

use mongoose::{Error, http, ws};
use mongoose_tests::{Server, poll_until};

use crate::echo::{Log, echo, serve, words};
use crate::peer::{CLOSE, FIN, PING, Peer, TEXT, close_payload};

/// Closes when it is told to.
fn serve_closing() -> (Server, Log) {
    let (tell, log) = Log::new();
    let server = Server::http(move || {
        move |request: http::Request<'_>, reply: http::Reply<'_>| {
            let tell = tell.clone();
            ws::upgrade(request, reply).accept(move |peer: &ws::Connection<'_>, event: ws::Event<'_>| {
                tell.send(words(&event)).expect("the test to listen");
                match event {
                    ws::Event::Message(ws::Message::Text("close")) => {
                        peer.send_text("before")?;
                        peer.close(ws::CloseCode(4001), "enough")?;
                        for refused in [
                            peer.send_text("behind"),
                            peer.ping("x"),
                            peer.send_piece("x".into(), true),
                            peer.close(ws::CloseCode::NORMAL, ""),
                        ] {
                            assert!(matches!(refused, Err(Error::Closed)), "{refused:?}");
                        }
                        Ok(())
                    }
                    ws::Event::Message(ws::Message::Text("fail")) => Err(Error::handler("a fault of ours")),
                    ws::Event::Message(message) => peer.send(message),
                    _ => Ok(()),
                }
            })
        }
    });
    (server, log)
}

#[test]
fn section_7_1_the_peer_closes_and_the_handler_learns_why() {
    for (payload, told) in [
        (close_payload(1000, "bye"), "close 1000 bye"),
        (close_payload(4999, "h\u{e9}"), "close 4999 h\u{e9}"),
        (Vec::new(), "close 1005 "),
    ] {
        let (server, log) = serve();
        let mut peer = Peer::connect(server.address);
        peer.send(FIN | CLOSE, &payload).expect(FIN | CLOSE, &payload[..payload.len().min(2)]);
        peer.client.end();
        peer.expect_end();
        assert_eq!(log.to_close(), ["open", told]);
    }
}

#[test]
fn section_5_5_1_we_close_and_send_nothing_behind_it_but_hear_what_was_on_its_way() {
    let (server, log) = serve_closing();
    let mut peer = Peer::connect(server.address);
    peer.send(FIN | TEXT, "close").send(FIN | TEXT, "behind").send(FIN | PING, "");
    peer.expect(FIN | TEXT, "before").expect(FIN | CLOSE, close_payload(4001, "enough"));
    peer.send(FIN | TEXT, "later").send_close(4001, "agreed").send(FIN | TEXT, "dropped");
    peer.client.end();
    peer.expect_end();
    let told = ["open", "text close", "text behind", "ping []", "text later", "close 4001 agreed"];
    assert_eq!(log.to_close(), told);
}

#[test]
fn section_7_1_7_a_fault_of_the_peers_is_told_to_both() {
    let (server, log) = serve();
    let mut peer = Peer::connect(server.address);
    peer.send(FIN | TEXT, b"\xff");
    let (_, payload) = peer.frame();
    assert_eq!(payload, close_payload(1007, "a text is not UTF-8"));
    peer.client.end();
    peer.expect_end();
    let error = "error the WebSocket is closed with 1007: a text is not UTF-8";
    assert_eq!(log.to_close(), ["open", error, "close 1006 "]);
}

#[test]
fn an_error_of_the_handlers_closes_with_1011() {
    let (server, log) = serve_closing();
    let mut peer = Peer::connect(server.address);
    peer.send(FIN | TEXT, "fail").send(FIN | TEXT, "dropped");
    assert_eq!(peer.expect_close(), 1011);
    peer.client.end();
    peer.expect_end();
    assert_eq!(log.to_close(), ["open", "text fail", "error a fault of ours", "close 1006 "]);
}

#[test]
fn a_connection_that_ends_without_a_close_frame_is_abnormal() {
    let (server, log) = serve();
    let mut peer = Peer::connect(server.address);
    peer.client.end();
    peer.expect_end();
    assert_eq!(log.to_close(), ["open", "close 1006 "]);
    // Inside a message something is missing, too.
    let mut peer = Peer::connect(server.address);
    peer.send(TEXT, "half");
    peer.client.end();
    peer.expect_end();
    let told = log.to_close();
    assert_eq!(told, ["open", "error the peer closed in the middle of a message", "close 1006 "]);
    let peer = Peer::connect(server.address);
    assert_eq!(log.next(), "open");
    peer.client.reset();
    let told = log.to_close();
    assert_eq!(told.last().map(String::as_str), Some("close 1006 "), "{told:?}");
}

#[test]
fn section_7_1_1_a_client_waits_for_the_server_to_end_the_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("ws://{}/", listener.local_addr().expect("bound"));
    let (tell, log) = Log::new();
    let server = Server::http(|| |_: http::Request<'_>, reply: http::Reply<'_>| reply.empty());
    server.ask(move |registry| ws::connect(registry, &url).open(echo(tell))).expect("a URL");
    let mut peer = Peer::accept(&listener, b"");
    assert_eq!(log.next(), "open");
    peer.send_close(1001, "down");
    assert_eq!(peer.expect_close(), 1001);
    server.wait_until("nothing", |registry| registry.stats().connections == 2);
    peer.client.end();
    peer.expect_end();
    assert_eq!(log.to_close(), ["close 1001 down"]);
}

#[test]
fn a_code_or_reason_that_is_not_to_be_sent_is_an_error() {
    let (server, _log) = {
        let (tell, log) = Log::new();
        let server = Server::http(move || {
            move |request: http::Request<'_>, reply: http::Reply<'_>| {
                let tell = tell.clone();
                ws::upgrade(request, reply).accept(move |peer: &ws::Connection<'_>, event: ws::Event<'_>| {
                    if let ws::Event::Open = event {
                        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000] {
                            let refused = peer.close(ws::CloseCode(code), "");
                            assert!(matches!(refused, Err(Error::Frame(_))), "{code}");
                        }
                        let long = "x".repeat(124);
                        assert!(matches!(peer.close(ws::CloseCode::NORMAL, &long), Err(Error::Frame(_))));
                        assert!(matches!(peer.ping([0; 126]), Err(Error::Frame(_))));
                        assert!(matches!(peer.pong([0; 126]), Err(Error::Frame(_))));
                        peer.close(ws::CloseCode::NORMAL, &long[1..])?;
                    }
                    let _ = tell.send(words(&event));
                    Ok(())
                })
            }
        });
        (server, log)
    };
    let mut peer = Peer::connect(server.address);
    peer.expect(FIN | CLOSE, close_payload(1000, &"x".repeat(123)));
}

#[test]
fn a_manager_that_shuts_down_says_that_it_goes_away() {
    let mut manager = mongoose::Manager::new().expect("a manager");
    let listener = manager
        .http("http://127.0.0.1:0", |request: http::Request<'_>, reply: http::Reply<'_>| {
            ws::upgrade(request, reply).accept(|_: &ws::Connection<'_>, _: ws::Event<'_>| Ok(()))
        })
        .expect("a free port");
    let address = listener.local_addr();
    let (opened, is_open) = std::sync::mpsc::channel();
    let client = std::thread::spawn(move || {
        let mut peer = Peer::connect(address);
        opened.send(()).expect("the test to listen");
        assert_eq!(peer.expect_close(), 1001);
        peer.send_close(1001, "");
        peer.client.end();
        peer.expect_end();
    });
    poll_until(&mut manager, "the WebSocket", |_| is_open.try_recv().is_ok());
    manager.shutdown(mongoose_tests::PATIENCE).expect("to shut down");
    client.join().expect("the client");
}

#[test]
fn a_handler_that_is_replaced_leaves_nothing_that_speaks_websocket() {
    let (said, told) = std::sync::mpsc::channel();
    let server = Server::http(move || {
        move |request: http::Request<'_>, reply: http::Reply<'_>| {
            let said = said.clone();
            ws::upgrade(request, reply).accept(move |peer: &ws::Connection<'_>, event: ws::Event<'_>| {
                if let ws::Event::Message(_) = event {
                    peer.connection().set_handler(
                        |connection: &mongoose::Connection<'_>, event: mongoose::Event<'_>| {
                            if let mongoose::Event::Read = event {
                                connection.send(connection.received())?;
                                connection.consume(usize::MAX);
                            }
                            Ok(())
                        },
                    )?;
                    said.send(peer.id()).expect("the test to listen");
                }
                Ok(())
            })
        }
    });
    let mut peer = Peer::connect(server.address);
    peer.send(FIN | TEXT, "over");
    let id = told.recv_timeout(mongoose_tests::PATIENCE).expect("to be told");
    peer.client.send("raw bytes");
    assert_eq!(peer.client.exactly(9), b"raw bytes");
    let found = server.ask(move |registry| registry.websocket(id).map(|peer| peer.id()));
    assert!(matches!(found, Err(Error::Closed)), "{found:?}");
}

#[test]
fn a_handler_that_panics_loses_its_connection_alone() {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    let mut manager = mongoose::Manager::new().expect("a manager");
    let listener = manager
        .http("http://127.0.0.1:0", |request: http::Request<'_>, reply: http::Reply<'_>| {
            ws::upgrade(request, reply).accept(
                |peer: &ws::Connection<'_>, event: ws::Event<'_>| match event {
                    ws::Event::Message(ws::Message::Text("panic")) => panic!("the handler's"),
                    ws::Event::Message(message) => peer.send(message),
                    _ => Ok(()),
                },
            )
        })
        .expect("a free port");
    let address = listener.local_addr();
    let client = std::thread::spawn(move || {
        let mut other = Peer::connect(address);
        let mut peer = Peer::connect(address);
        peer.send(FIN | TEXT, "before").expect(FIN | TEXT, "before").send(FIN | TEXT, "panic");
        assert_eq!(peer.client.to_end(), b"");
        other.send(FIN | TEXT, "after").expect(FIN | TEXT, "after");
    });
    let mut panics = 0;
    let end = std::time::Instant::now() + mongoose_tests::PATIENCE;
    while !client.is_finished() && std::time::Instant::now() < end {
        let polled = catch_unwind(AssertUnwindSafe(|| manager.poll(std::time::Duration::from_millis(20))));
        if let Err(payload) = polled {
            assert_eq!(payload.downcast_ref(), Some(&"the handler's"));
            panics += 1;
        }
    }
    client.join().expect("the client");
    assert_eq!(panics, 1);
}
