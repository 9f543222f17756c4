//! WebSocket over connections that break at each of their bytes, from either end.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};

use mongoose::{Error, Manager, http, ws};
use mongoose_tests::{Client, Server, in_own_process, poll_until};

use crate::broken::{assert_cut, at_every_byte, converse, undated, wait_until_over};
use crate::descriptors;
use crate::proxy::{How, Proxy, Way};

/// A handshake, two messages, one of them in two frames with a ping between, and the end.
fn conversation() -> Vec<u8> {
    let mut bytes = b"GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        .to_vec();
    for (head, payload) in
        [(0x81, &b"hello"[..]), (0x02, b"\0\x01\x02"), (0x89, b"?"), (0x80, b"\x03\x04"), (0x88, b"\x03\xe8")]
    {
        // Masked with zeroes: who cuts the connection need not know of masks.
        bytes.extend([head, 0x80 | payload.len() as u8, 0, 0, 0, 0]);
        bytes.extend(payload);
    }
    bytes
}

/// What a handler was told, in words.
fn words(event: &ws::Event<'_>) -> String {
    match event {
        ws::Event::Message(message) => format!("message {:?}", message.as_bytes()),
        ws::Event::Close(close) => format!("close {}", close.code),
        ws::Event::Error(error) => format!("error {error}"),
        other => other.name().to_owned(),
    }
}

/// Sends back what comes, and says what it was told.
fn echo(tell: Sender<String>) -> impl FnMut(&ws::Connection<'_>, ws::Event<'_>) -> Result<(), Error> {
    move |peer: &ws::Connection<'_>, event: ws::Event<'_>| {
        let _ = tell.send(words(&event));
        match event {
            ws::Event::Message(message) => peer.send(message),
            _ => Ok(()),
        }
    }
}

fn server() -> (Server, Receiver<String>) {
    let (tell, told) = channel();
    let server = Server::http(move || {
        move |request: http::Request<'_>, reply: http::Reply<'_>| match request.path() {
            "/next" => reply.text("next"),
            _ => ws::upgrade(request, reply).accept(echo(tell.clone())),
        }
    });
    (server, told)
}

fn assert_serves_the_next(server: &Server) {
    assert_eq!(Client::connect(server.address).get("/next").text(), "next");
}

/// What one connection was told is right as far as it goes, and ends once.
fn assert_told(told: &[String], whole: &[String], about: &str) {
    let count = |text: &str| told.iter().filter(|line| line.starts_with(text)).count();
    assert_eq!(count("Open"), count("close"), "{about}: {told:?}");
    assert!(count("close") <= 1 && count("error") <= 1, "{about}: {told:?}");
    let kept = |lines: &[String]| -> Vec<String> {
        lines.iter().filter(|line| line.starts_with("message") || *line == "Ping").cloned().collect()
    };
    assert!(kept(whole).starts_with(&kept(told)), "{about}: {told:?}");
    assert!(
        told.is_empty() || told.last().is_some_and(|last| last.starts_with("close")),
        "{about}: {told:?}"
    );
}

#[test]
fn a_server_whose_client_is_cut_off() {
    in_own_process(
        "websocket::a_server_whose_client_is_cut_off",
        |_| {},
        || {
            let (server, told) = server();
            let proxy = Proxy::start(server.address);
            assert_serves_the_next(&server);
            wait_until_over(&proxy, &server);
            let before = descriptors::open();
            let request = conversation();
            let (mut whole, mut whole_told) = (Vec::new(), Vec::new());
            at_every_byte(&proxy, |fault| {
                let got = undated(converse(proxy.address, &request, None));
                wait_until_over(&proxy, &server);
                let lines: Vec<_> = told.try_iter().collect();
                let Some(fault) = fault else {
                    assert_eq!(lines.last().map(String::as_str), Some("close 1000"), "{lines:?}");
                    (whole, whole_told) = (got, lines);
                    return;
                };
                assert_told(&lines, &whole_told, &format!("{fault:?}"));
                if fault.way == Way::ToClient {
                    assert_cut(&got, &whole, fault);
                } else if fault.how == How::End {
                    // What came before the end was whole: all of it is answered.
                    let frames = lines.iter().filter(|line| line.starts_with("message")).count();
                    assert!(got.len() >= frames, "{fault:?}");
                    assert!(fault.after < request.len() || got == whole, "{fault:?}");
                }
                assert_serves_the_next(&server);
            });
            descriptors::wait_until_back(before);
        },
    );
}

#[test]
fn a_client_that_is_cut_off() {
    in_own_process(
        "websocket::a_client_that_is_cut_off",
        |_| {},
        || {
            let (server, server_told) = server();
            let proxy = Proxy::start(server.address);
            let mut manager = Manager::new().expect("a manager");
            assert_serves_the_next(&server);
            wait_until_over(&proxy, &server);
            let before = descriptors::open();
            let mut whole_told = Vec::new();
            let url = format!("ws://{}/", proxy.address);
            at_every_byte(&proxy, |fault| {
                let told = Rc::new(RefCell::new(Vec::new()));
                let note = Rc::clone(&told);
                let handler = move |peer: &ws::Connection<'_>, event: ws::Event<'_>| {
                    note.borrow_mut().push(words(&event));
                    match event {
                        ws::Event::Open => peer.send_text("hello"),
                        ws::Event::Message(ws::Message::Text(_)) => peer.send_binary(vec![1, 2, 3]),
                        ws::Event::Message(_) => peer.close(ws::CloseCode::NORMAL, ""),
                        _ => Ok(()),
                    }
                };
                ws::connect(&manager, &url).open(handler).expect("to begin");
                poll_until(&mut manager, "the end of the connection", |manager| {
                    manager.stats().connections == 0
                });
                wait_until_over(&proxy, &server);
                server_told.try_iter().for_each(drop);
                let lines = told.take();
                match fault {
                    None => whole_told = lines,
                    Some(fault) => {
                        let opened = lines.iter().any(|line| line == "Open");
                        let errors = lines.iter().filter(|line| line.starts_with("error")).count();
                        assert!(opened || errors == 1, "{fault:?}: {lines:?}");
                        let messages = |lines: &[String]| -> Vec<String> {
                            lines.iter().filter(|line| line.starts_with("message")).cloned().collect()
                        };
                        assert!(messages(&whole_told).starts_with(&messages(&lines)), "{fault:?}: {lines:?}");
                        assert!(
                            lines.last().is_some_and(|last| last.starts_with("close")),
                            "{fault:?}: {lines:?}"
                        );
                        assert_serves_the_next(&server);
                    }
                }
            });
            poll_until(&mut manager, "nothing to be left", |manager| manager.stats().connections == 0);
            descriptors::wait_until_back(before);
        },
    );
}
