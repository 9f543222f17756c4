//! Connections that we make.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use mongoose::{Connection, Error, Event, Limits, Manager, State, tls};
use mongoose_tests::{PATIENCE, Random, Server, poll_until, scaled};

use crate::wire::{record_types, tap};
use crate::{certificates, raw};

/// Connects, sends what is given, and answers what the handler was told until the end: received bytes as text.
pub fn told(url: &str, config: &tls::ClientConfig, sent: &[u8]) -> Vec<String> {
    told_within(Limits::default(), url, config, sent)
}

pub fn told_within(limits: Limits, url: &str, config: &tls::ClientConfig, sent: &[u8]) -> Vec<String> {
    let mut manager = Manager::new().expect("a manager");
    let log = Rc::new(RefCell::new(Vec::new()));
    let (inner, sent) = (Rc::clone(&log), sent.to_vec());
    let handler = move |connection: &Connection<'_>, event: Event<'_>| {
        let line = match event {
            Event::Error(error) => error.to_string(),
            Event::Read => {
                let text = String::from_utf8_lossy(connection.received()).into_owned();
                connection.consume(usize::MAX);
                text
            }
            Event::Connect => {
                connection.send(sent.as_slice())?;
                "Connect".to_owned()
            }
            other => format!("{other:?}"),
        };
        inner.borrow_mut().push(line);
        Ok(())
    };
    manager.connector(url).limits(limits).tls(config.clone()).tcp(handler).expect("to begin");
    poll_until(&mut manager, "the end", |_| log.borrow().last().is_some_and(|last| last == "Close"));
    log.take()
}

/// Echoes once, and closes.
fn echo_once(connection: &Connection<'_>, event: Event<'_>) -> Result<(), Error> {
    if let Event::Read = event {
        connection.send(connection.received())?;
        connection.drain();
    }
    Ok(())
}

/// A server that shows a certificate of the folder's.
fn showing(name: &str) -> Server {
    let config = certificates::server(name);
    Server::start(move |manager| manager.listener("tls://127.0.0.1:0").tls(config).tcp(echo_once))
}

fn at(host: &str, address: SocketAddr) -> String {
    format!("tls://{host}:{}", address.port())
}

#[test]
fn a_client_speaks_to_the_host_that_its_url_names() {
    for name in certificates::KINDS {
        let server = showing(name);
        for host in ["localhost", "127.0.0.1"] {
            let told = told(&at(host, server.address), &certificates::client(), b"hello");
            assert_eq!(told, ["Connect", "hello", "End", "Close"], "{name} {host}");
        }
    }
}

#[test]
fn an_ipv6_address_is_a_name_too() {
    let config = certificates::server("p256");
    let server = Server::start(move |manager| manager.listener("tls://[::1]:0").tls(config).tcp(echo_once));
    let told = told(&at("[::1]", server.address), &certificates::client(), b"hello");
    assert_eq!(told, ["Connect", "hello", "End", "Close"]);
}

#[test]
fn a_client_may_expect_another_name() {
    let server = showing("elsewhere");
    let builder = || tls::ClientConfig::roots_file(certificates::path("ca.pem"));
    let config = builder().server_name("elsewhere.test").build().expect("a name");
    assert_eq!(told(&at("127.0.0.1", server.address), &config, b"x"), ["Connect", "x", "End", "Close"]);
    let error = builder().server_name("not a name").build().expect_err("no name");
    assert!(
        error.to_string().starts_with("cannot configure TLS with the server's name \"not a name\": "),
        "{error}"
    );
}

/// C reads on behind it for a NUL.
#[test]
fn hazard_15_a_name_ends_where_it_ends() {
    let server = showing("elsewhere");
    let longer = "elsewhere.test.and.more";
    let name = &longer[..longer.len() - ".and.more".len()];
    let builder = || tls::ClientConfig::roots_file(certificates::path("ca.pem"));
    let config = builder().server_name(name).build().expect("a name");
    assert_eq!(told(&at("127.0.0.1", server.address), &config, b"x"), ["Connect", "x", "End", "Close"]);
    assert!(builder().server_name("elsewhere.test\0").build().is_err(), "a NUL is nothing a name has");
}

/// Each fails before a byte of the user's is sent, and says why.
fn refused(name: &str, host: &str, config: &tls::ClientConfig) -> String {
    let server = showing(name);
    let (address, tapped) = tap(server.address);
    let mut told = told(&at(host, address), config, b"a secret").into_iter();
    let reason = told.next().expect("an error");
    assert_eq!(told.collect::<Vec<_>>(), ["Close"], "{name}: {reason}");
    let [up, _] = tapped.join().expect("no panic");
    // A hello and an alert, which may be encrypted. What the handler sends comes behind a Connect that never was.
    assert!(record_types(&up).len() <= 3, "{name}: {:?}", record_types(&up));
    reason
        .strip_prefix("TLS failed in the handshake: ")
        .unwrap_or_else(|| panic!("{name}: {reason}"))
        .to_owned()
}

#[test]
fn hazard_1_a_certificate_for_another_host_is_refused() {
    let client = certificates::client();
    for (name, host) in [
        ("elsewhere", "localhost"),
        ("elsewhere", "127.0.0.1"),
        ("alpha", "localhost"),
        // The address that we are connected to is no name.
        ("address-only", "localhost"),
        ("mail-only", "localhost"),
    ] {
        let reason = refused(name, host, &client);
        assert!(
            reason
                .starts_with(&format!("invalid peer certificate: certificate not valid for name \"{host}\"")),
            "{reason}"
        );
    }
}

#[test]
fn a_certificate_that_is_wrong_is_refused_with_its_reason() {
    let client = certificates::client();
    for (name, expected) in [
        ("for-clients", "certificate does not allow extended key usage for server authentication"),
        ("expired", "certificate expired"),
        ("early", "certificate not valid yet"),
        ("self-signed", "UnknownIssuer"),
        ("stranger", "UnknownIssuer"),
        ("below-middle", "UnknownIssuer"),
    ] {
        let reason = refused(name, "localhost", &client);
        assert!(reason.starts_with(&format!("invalid peer certificate: {expected}")), "{name}: {reason}");
    }
}

#[test]
fn an_intermediate_certificate_leads_to_the_authority() {
    let [chain, key] = [certificates::path("below-middle-whole.pem"), certificates::path("below-middle.key")];
    let config = tls::ServerConfig::from_files(chain, key).expect("a chain");
    let server =
        Server::start(move |manager| manager.listener("tls://127.0.0.1:0").tls(config).tcp(echo_once));
    let told = told(&at("localhost", server.address), &certificates::client(), b"x");
    assert_eq!(told, ["Connect", "x", "End", "Close"]);
}

#[test]
fn a_certificate_may_be_its_own_authority() {
    let server = showing("self-signed");
    let config =
        tls::ClientConfig::roots_file(certificates::path("self-signed.pem")).build().expect("a root");
    assert_eq!(told(&at("localhost", server.address), &config, b"x"), ["Connect", "x", "End", "Close"]);
}

#[test]
fn the_systems_authorities_do_not_know_ours() {
    let config = tls::ClientConfig::system_roots().build().expect("some authorities");
    assert_eq!(refused("p256", "localhost", &config), "invalid peer certificate: UnknownIssuer");
}

#[test]
fn the_dangerous_way_round_takes_any_certificate() {
    let config = tls::ClientConfig::dangerous().accept_any_certificate().build().expect("a configuration");
    for name in ["expired", "stranger", "elsewhere", "p256"] {
        let server = showing(name);
        assert_eq!(
            told(&at("localhost", server.address), &config, b"x"),
            ["Connect", "x", "End", "Close"],
            "{name}"
        );
    }
}

#[test]
fn the_dangerous_way_round_is_loud() {
    let line = "mongoose: a TLS configuration takes any certificate";
    let name = "clients::the_dangerous_way_round_takes_any_certificate";
    let program = std::env::current_exe().expect("the test binary's path");
    let output = std::process::Command::new(program)
        .args([name, "--exact", "--nocapture"])
        .output()
        .expect("to start");
    assert!(String::from_utf8_lossy(&output.stderr).contains(line), "{output:?}");
}

#[test]
fn hazard_2_what_a_client_cannot_trust_with_is_named() {
    let broken = certificates::read("ca.pem").replacen("MII", "M!I", 1);
    let folder = certificates::path("broken-ca.pem");
    std::fs::write(&folder, &broken).expect("to write");
    let config = || tls::ClientConfig::roots_file(certificates::path("ca.pem"));
    let [chain, key] = certificates::pair("client");
    let other = certificates::path("client-rsa.key");
    for (builder, expected) in [
        (
            tls::ClientConfig::roots_pem(""),
            "cannot configure TLS with the authorities: no certificate in it".to_owned(),
        ),
        (
            tls::ClientConfig::roots_pem(&key),
            "cannot configure TLS with the authorities: no certificate in it".to_owned(),
        ),
        // Hazard 2: the handshake goes on unverified in C.
        (
            tls::ClientConfig::roots_file(&folder),
            format!("cannot configure TLS with {folder}: certificate 1: it is not base64"),
        ),
        (
            config().certificate_files(&chain, &other),
            format!(
                "cannot configure TLS with {other}: its private key is not that of the first certificate"
            ),
        ),
        (
            config().certificate_pem("", ""),
            "cannot configure TLS with the certificate chain: no certificate in it".to_owned(),
        ),
        (
            config().alpn([""]),
            "cannot configure TLS with the protocol \"\": a protocol's name has from 1 to 255 bytes"
                .to_owned(),
        ),
    ] {
        assert_eq!(builder.build().expect_err("something is wrong").to_string(), expected);
    }
    for builder in [tls::ClientConfig::roots_file("no.pem"), config().certificate_files("no.pem", &key)] {
        let error = builder.build().expect_err("no such file");
        assert!(matches!(&error, Error::File { path, .. } if path.ends_with("no.pem")), "{error}");
    }
}

#[test]
fn hazard_5_a_clients_url_and_its_configuration_come_together_or_not_at_all() {
    let manager = Manager::new().expect("a manager");
    let nothing = |_: &Connection<'_>, _: Event<'_>| Ok(());
    let config = certificates::client();
    let errors = [
        manager.connect("tls://localhost:1", nothing).err(),
        manager.connector("tls://localhost:1").tcp(nothing).err(),
        manager.connector("tcp://localhost:1").tls(config.clone()).tcp(nothing).err(),
        manager.connector("https://localhost:1").tls(config.clone()).tcp(nothing).err(),
        // No certificate has such a name.
        manager.connector("tls://a..b:1").tls(config).tcp(nothing).err(),
    ];
    for error in errors {
        assert!(matches!(error, Some(Error::Url { .. })), "{error:?}");
    }
    assert_eq!(manager.connections().len(), 0);
}

#[test]
fn a_server_that_speaks_no_tls_is_an_error() {
    for (answer, expected) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "received corrupt message"),
        (b"", "the peer closed before the handshake was done"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "received fatal alert: HandshakeFailure"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            stream.set_read_timeout(Some(PATIENCE)).expect("an option");
            let mut hello = [0; 5];
            stream.read_exact(&mut hello).expect("a hello");
            stream.write_all(answer).expect("to send");
            stream.shutdown(std::net::Shutdown::Write).expect("to end");
            let mut rest = Vec::new();
            // It may be reset.
            let _ = stream.read_to_end(&mut rest);
            [&hello[..], &rest].concat()
        });
        let told = told(&at("localhost", address), &certificates::client(), b"a secret");
        assert!(told[0].starts_with(&format!("TLS failed in the handshake: {expected}")), "{told:?}");
        assert_eq!(told[1..], ["Close"]);
        let sent = server.join().expect("no panic");
        assert!(!sent.windows(6).any(|window| window == b"secret"), "sent in plaintext");
        assert!(record_types(&sent).iter().all(|kind| [20, 21, 22].contains(kind)));
    }
}

#[test]
fn a_handshake_has_a_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (mut handshake, mut connect) = (Limits::default(), Limits::default());
    handshake.handshake_time = Duration::from_millis(50);
    // That of the whole holds for the handshake too.
    connect.connect_time = Duration::from_millis(50);
    for limits in [handshake, connect] {
        let told = told_within(limits, &at("127.0.0.1", address), &certificates::client(), b"");
        assert_eq!(told, ["the deadline passed: handshake", "Close"]);
    }
}

#[test]
fn a_server_that_cuts_off_is_told_from_one_that_ends() {
    let server = raw(Limits::default(), || {
        |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Read = event {
                connection.close();
            }
            Ok(())
        }
    });
    let told = told(&at("localhost", server.address), &certificates::client(), b"x");
    assert_eq!(told, ["Connect", "the peer closed in the middle of a message", "Close"]);
}

#[test]
fn what_is_sent_before_the_connection_is_there_leaves_behind_the_handshake() {
    const MARK: &[u8] = b"a text that nobody on the way may see";
    let server = showing("p256");
    let (address, tapped) = tap(server.address);
    let mut manager = Manager::new().expect("a manager");
    let received = Rc::new(RefCell::new(Vec::new()));
    let inner = Rc::clone(&received);
    let handler = move |connection: &Connection<'_>, event: Event<'_>| {
        match event {
            Event::Connect => assert!(connection.state().contains(State::TLS | State::CLIENT)),
            Event::Read => {
                inner.borrow_mut().extend_from_slice(connection.received());
                connection.consume(usize::MAX);
            }
            Event::Error(error) => panic!("{error}"),
            _ => {}
        }
        Ok(())
    };
    let url = at("localhost", address);
    let id = manager.connector(&url).tls(certificates::client()).tcp(handler).expect("to begin");
    manager.connection(id).expect("it").send(MARK).expect("room");
    poll_until(&mut manager, "the end", |manager| manager.connection(id).is_err());
    assert_eq!(*received.borrow(), MARK);
    drop(manager);
    for bytes in tapped.join().expect("no panic") {
        record_types(&bytes);
        assert!(!bytes.windows(MARK.len()).any(|window| window == MARK), "seen on the way");
    }
}

#[test]
fn much_goes_both_ways() {
    let bytes = Random::new(17).bytes(scaled(5_000_000));
    let server = raw(Limits::default(), || {
        |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Read | Event::Write = event
                && connection.send(connection.received()).is_ok()
            {
                connection.consume(usize::MAX);
            }
            Ok(())
        }
    });
    let mut manager = Manager::new().expect("a manager");
    let (received, sent) = (Rc::new(RefCell::new(Vec::new())), bytes.clone());
    let inner = Rc::clone(&received);
    let handler = move |connection: &Connection<'_>, event: Event<'_>| {
        match event {
            Event::Connect => connection.send(sent.clone())?,
            Event::Read => {
                inner.borrow_mut().extend_from_slice(connection.received());
                connection.consume(usize::MAX);
                if inner.borrow().len() == sent.len() {
                    connection.drain();
                }
            }
            Event::Error(error) => panic!("{error}"),
            _ => {}
        }
        Ok(())
    };
    let url = at("localhost", server.address);
    let id = manager.connector(&url).tls(certificates::client()).tcp(handler).expect("to begin");
    poll_until(&mut manager, "the end", |manager| manager.connection(id).is_err());
    assert!(*received.borrow() == bytes, "{} of {} bytes", received.borrow().len(), bytes.len());
}

#[test]
fn a_configuration_of_a_client_is_for_every_thread() {
    static_assertions::assert_impl_all!(tls::ClientConfig: Clone, Send, Sync);
}
