//! Clients that ask for nothing: the only ones that the built-in TLS has.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::thread;

use mongoose::http::{Client, Reply, Request, Response};
use mongoose::{Connection, Error, Event, Manager, tls};
use mongoose_tests::{Server, poll_until, scaled};

use crate::certificates::{self, KINDS};

fn anybody() -> tls::ClientConfig {
    tls::ClientConfig::dangerous().accept_any_certificate().build().expect("a configuration")
}

/// Connects, sends what is given, and answers what the handler was told until the end: received bytes as text. Whoever
/// gets a whole line closes.
fn told(address: SocketAddr, sent: &[u8]) -> Vec<String> {
    let mut manager = Manager::new().expect("a manager");
    let log = Rc::new(RefCell::new(Vec::new()));
    let (inner, sent) = (Rc::clone(&log), sent.to_vec());
    let handler = move |connection: &Connection<'_>, event: Event<'_>| {
        let line = match event {
            Event::Error(error) => error.to_string(),
            Event::Read if !connection.received().ends_with(b"\n") => return Ok(()),
            Event::Read => {
                let text = String::from_utf8_lossy(connection.received()).into_owned();
                connection.consume(usize::MAX);
                connection.drain();
                text
            }
            Event::Connect => {
                connection.send(sent.as_slice())?;
                connection.tls().expect("TLS").cipher_suite
            }
            other => format!("{other:?}"),
        };
        inner.borrow_mut().push(line);
        Ok(())
    };
    let url = format!("tls://localhost:{}", address.port());
    manager.connector(&url).tls(anybody()).tcp(handler).expect("to begin");
    poll_until(&mut manager, "the end", |_| log.borrow().last().is_some_and(|last| last == "Close"));
    log.take()
}

/// openssl's server, which sends each line back to front.
struct Openssl {
    child: Child,
    address: SocketAddr,
}

impl Openssl {
    fn start(kind: &str, options: &[&str]) -> Self {
        let (chain, key) =
            (certificates::path(&format!("{kind}.pem")), certificates::path(&format!("{kind}.key")));
        let mut child = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-rev", "-cert", &chain, "-key", &key])
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl, which these tests need");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let address = lines
            .find_map(|line| line.expect("text").strip_prefix("ACCEPT ").map(str::to_owned))
            .and_then(|address| address.parse().ok())
            .expect("openssl to say where it listens");
        // It may say more, and is not to wait for somebody to read it.
        thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }
}

impl Drop for Openssl {
    fn drop(&mut self) {
        self.child.kill().expect("to end it");
        self.child.wait().expect("it to end");
    }
}

#[test]
fn openssl_is_spoken_to_whatever_its_key() {
    for kind in KINDS {
        let server = Openssl::start(kind, &["-tls1_3"]);
        let told = told(server.address, b"hello\n");
        assert!(told[0].starts_with("TLS13_"), "{told:?}");
        assert_eq!(told[1..], ["olleh\n", "Close"], "{kind}");
    }
}

#[test]
fn each_cipher_of_openssl_is_spoken() {
    for suite in ["TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"] {
        let server = Openssl::start("p256", &["-ciphersuites", suite]);
        let told = told(server.address, b"hello\n");
        assert_eq!(told, [&*suite.replace("TLS_", "TLS13_"), "olleh\n", "Close"]);
    }
}

#[test]
fn a_server_that_wants_a_certificate_gets_none() {
    let optional = Openssl::start("p256", &["-tls1_3", "-verify", "1"]);
    assert_eq!(told(optional.address, b"hello\n")[1..], ["olleh\n", "Close"]);
    let required = Openssl::start("p256", &["-tls1_3", "-Verify", "1"]);
    let told = told(required.address, b"hello\n");
    // The server says so once the handshake is done for us.
    assert!(told.iter().any(|line| line.contains("received fatal alert")), "{told:?}");
}

#[test]
fn our_own_server_is_spoken_to() {
    let server = crate::raw(mongoose::Limits::default(), || {
        |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Read = event {
                let name = connection.tls().and_then(|tls| tls.server_name).unwrap_or_default();
                connection.send(format!("{name} {}", String::from_utf8_lossy(connection.received())))?;
                connection.consume(usize::MAX);
            }
            Ok::<(), Error>(())
        }
    });
    for _ in 0..scaled(100) {
        assert_eq!(told(server.address, b"hello\n")[1..], ["localhost hello\n", "Close"]);
    }
}

#[test]
fn what_is_no_tls_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = thread::spawn(move || {
        let (mut socket, _) = listener.accept().expect("a connection");
        socket.write_all(b"220 mail.test ready\r\n").expect("to send");
        let _ = socket.read_to_end(&mut Vec::new());
    });
    let told = told(address, b"hello\n");
    assert!(told[0].starts_with("TLS failed in the handshake: "), "{told:?}");
    assert_eq!(told[1..], ["Close"]);
    server.join().expect("no panic");
}

#[cfg(not(feature = "tls-rustls"))]
#[test]
fn a_server_without_tls_1_3_is_refused() {
    let server = Openssl::start("p256", &["-tls1_2"]);
    let told = told(server.address, b"hello\n");
    assert_eq!(told, ["TLS failed in the handshake: received fatal alert: protocol_version (70)", "Close"]);
}

#[test]
fn a_name_that_no_server_has_is_an_error_at_once() {
    let dangerous = || tls::ClientConfig::dangerous().accept_any_certificate();
    let error = dangerous().server_name("not a name").build().expect_err("no name").to_string();
    assert!(error.starts_with("cannot configure TLS with the server's name \"not a name\": "), "{error}");
    let manager = Manager::new().expect("a manager");
    let nothing = |_: &Connection<'_>, _: Event<'_>| Ok(());
    let error = manager.connector("tcp://127.0.0.1:1").tls(anybody()).tcp(nothing).expect_err("a plain URL");
    assert!(matches!(error, Error::Url { .. }), "{error}");
    let error = manager.connect("tls://127.0.0.1:1", nothing).expect_err("no configuration");
    assert!(matches!(error, Error::Url { .. }), "{error}");
}

#[test]
fn hazard_5_datagrams_that_are_to_be_secret_are_not_sent() {
    let manager = Manager::new().expect("a manager");
    let ignore = |_: &mongoose::udp::Socket<'_>, _: mongoose::udp::Event<'_>| Ok(());
    let error = manager.connector("udp://127.0.0.1:9").tls(anybody()).udp(ignore).expect_err("no DTLS");
    assert!(error.to_string().ends_with("datagrams have no TLS"), "{error}");
    let config = certificates::server("p256");
    let error = manager.listener("udp://127.0.0.1:0").tls(config).udp(ignore).expect_err("no such thing");
    assert!(matches!(error, Error::Url { .. }), "{error}");
    assert_eq!(manager.connections().len(), 0);
}

#[test]
fn a_redirect_leads_to_a_server_by_its_own_name() {
    let server = |to: Option<String>| {
        crate::https(move || {
            move |request: Request<'_>, reply: Reply<'_>| match &to {
                Some(to) => reply.redirect(to),
                None => {
                    let tls = request.connection().tls().ok_or(Error::Closed)?;
                    reply.text(tls.server_name.unwrap_or_default())
                }
            }
        })
    };
    let url = |server: &Server| format!("https://localhost:{}/", server.address.port());
    let last = server(None);
    let first = server(Some(url(&last)));
    let mut manager = Manager::new().expect("a manager");
    let config = tls::ClientConfig::dangerous().accept_any_certificate().server_name("first.test");
    let client = Client::new(&manager).with_tls(config.build().expect("a configuration"));
    // Asked by name, it is called by the name of choice; led to, by that in its URL.
    for (url, name) in [(url(&last), "first.test"), (url(&first), "localhost"), (url(&last), "first.test")] {
        let asked = Rc::new(RefCell::new(None));
        let slot = Rc::clone(&asked);
        let handler = move |result: Result<Response<'_>, Error>| {
            *slot.borrow_mut() = Some(result.expect("a response").body().to_vec());
        };
        client.get(&url).send(handler).expect("to begin");
        poll_until(&mut manager, "an answer", |_| asked.borrow().is_some());
        assert_eq!(asked.take().expect("it"), name.as_bytes());
    }
}
