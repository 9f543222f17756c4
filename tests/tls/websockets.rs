//! WebSocket over TLS, both sides.

use std::io::Write;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};

use mongoose::http::{self, Reply, Request};
use mongoose::{Error, mqtt, tls, ws};
use mongoose_tests::{PATIENCE, Random, Server, find_program, scaled};

use crate::hostile::tampered;
use crate::peer::Peer;
use crate::{certificates, https};

/// Believes our servers; the built-in TLS believes anybody.
fn client() -> tls::ClientConfig {
    #[cfg(feature = "tls-rustls")]
    return certificates::client();
    #[cfg(not(feature = "tls-rustls"))]
    tls::ClientConfig::dangerous().accept_any_certificate().build().expect("a configuration")
}

/// An echo beside a page.
fn serve() -> Server {
    https(|| {
        |request: Request<'_>, reply: Reply<'_>| match request.path() {
            "/ws" => ws::upgrade(request, reply).accept(|peer: &ws::Connection<'_>, event: ws::Event<'_>| {
                if let ws::Event::Message(message) = event { peer.send(message) } else { Ok(()) }
            }),
            _ => reply.text("hello"),
        }
    })
}

/// Connects on a server's own loop, sends a message, and closes when it is back. Says what it was told.
fn talk(server: &Server, config: Option<tls::ClientConfig>, message: Vec<u8>) -> Receiver<String> {
    let (tell, told) = channel();
    let url = format!("wss://localhost:{}/ws", server.address.port());
    server
        .ask(move |registry| {
            let mut connect = ws::connect(registry, &url);
            if let Some(config) = config {
                connect = connect.tls(config);
            }
            connect.open(move |peer: &ws::Connection<'_>, event: ws::Event<'_>| {
                let (line, result) = match event {
                    ws::Event::Open => ("open".to_owned(), peer.send_binary(message.as_slice())),
                    ws::Event::Message(echo) => (
                        format!("echo {}", echo.as_bytes() == message),
                        peer.close(ws::CloseCode::NORMAL, ""),
                    ),
                    ws::Event::Error(error) => (format!("error {error}"), Ok(())),
                    ws::Event::Close(close) => (format!("close {}", close.code), Ok(())),
                    _ => return Ok(()),
                };
                tell.send(line).expect("the test to listen");
                result
            })
        })
        .expect("to begin");
    told
}

#[test]
fn a_client_and_a_server_talk_and_close() {
    let server = serve();
    for size in [0, 1000, scaled(3_000_000)] {
        let told = talk(&server, Some(client()), Random::new(3).bytes(size));
        for line in ["open", "echo true", "close 1000"] {
            assert_eq!(told.recv_timeout(PATIENCE).as_deref(), Ok(line));
        }
    }
}

#[test]
fn who_speaks_inside_a_websocket_is_told_once_of_a_bad_record() {
    let (tell, told) = channel();
    let config = certificates::server("p256");
    let server = Server::start(move |manager| {
        manager.listener("wss://127.0.0.1:0").tls(config).mqtt(
            move |_: &mqtt::Peer<'_>, event: mqtt::ServerEvent<'_>| {
                tell.send(event.name()).expect("the test to listen");
                Ok(())
            },
        )
    });
    let mut peer = Peer::connect(server.address);
    let response = peer
        .send(
            "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Protocol: mqtt\r\n\r\n",
        )
        .response();
    assert_eq!(response.status, 101, "{response:?}");
    let record = tampered(&mut peer);
    peer.socket.write_all(&record).expect("to send");
    for event in ["Accept", "Error", "Close"] {
        assert_eq!(told.recv_timeout(PATIENCE), Ok(event));
    }
}

#[test]
fn many_talk_at_once() {
    let server = serve();
    let told: Vec<_> = (0..20).map(|n| talk(&server, Some(client()), vec![n; 70_000])).collect();
    for told in told {
        for line in ["open", "echo true", "close 1000"] {
            assert_eq!(told.recv_timeout(PATIENCE).as_deref(), Ok(line));
        }
    }
    server.wait_until("all of them to be gone", |registry| registry.stats().connections == 1);
}

#[cfg(not(feature = "tls-rustls"))]
#[test]
fn whom_to_believe_has_to_be_said() {
    let server = serve();
    let refused = server.ask(|registry| {
        let ignore = |_: &ws::Connection<'_>, _: ws::Event<'_>| Ok(());
        ws::connect(registry, "wss://localhost:1/").open(ignore)
    });
    assert!(matches!(refused, Err(Error::Url { .. })), "{refused:?}");
}

#[cfg(feature = "tls-rustls")]
#[test]
fn a_server_that_is_not_believed_is_sent_nothing() {
    let server = serve();
    let stranger = tls::ClientConfig::roots_file(certificates::path("other-ca.pem")).build().expect("a root");
    // The system does not know our authority either.
    for config in [Some(stranger), None] {
        let told = talk(&server, config, Vec::new());
        assert!(told.recv_timeout(PATIENCE).expect("an error").starts_with("error"));
        assert_eq!(told.recv_timeout(PATIENCE).as_deref(), Ok("close 1006"));
    }
}

#[test]
fn a_configuration_and_a_plain_url_do_not_go_together() {
    let server = Server::http(|| |_: http::Request<'_>, reply: http::Reply<'_>| reply.empty());
    let config = client();
    let refused = server.ask(move |registry| {
        let ignore = |_: &ws::Connection<'_>, _: ws::Event<'_>| Ok(());
        ws::connect(registry, "ws://localhost:1/").tls(config).open(ignore)
    });
    assert!(matches!(refused, Err(Error::Url { .. })), "{refused:?}");
}

#[test]
fn pythons_websockets_talks_to_the_server() {
    let Some(python) = find_program("python3", "websockets over TLS") else { return };
    let known = Command::new(&python).args(["-c", "import websockets"]).output().expect("to start");
    if !known.status.success() {
        assert!(std::env::var_os("CI").is_none(), "websockets is missing");
        return;
    }
    let server = serve();
    let script = format!("{}/programs/websocket/client_websockets.py", env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(python);
    command.args(["-B", &script, &server.address.port().to_string(), &certificates::path("ca.pem")]);
    let output = command.output().expect("to start");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).ends_with(" checks\n"));
}

#[cfg(feature = "tls-rustls")]
#[test]
fn the_client_program_believes_whom_it_is_told_to() {
    let server = serve();
    let url = format!("wss://localhost:{}/ws", server.address.port());
    let program = mongoose_tests::example("ws_client", "tls-rustls");
    for (ca, works) in [("ca.pem", true), ("other-ca.pem", false)] {
        let mut command = Command::new(&program);
        command
            .args(["--ca", &certificates::path(ca), "--interactive", &url])
            .stdin(std::process::Stdio::null());
        let output = command.output().expect("to start");
        assert_eq!(output.status.success(), works, "{}", String::from_utf8_lossy(&output.stderr));
    }
}
