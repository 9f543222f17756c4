//! What both sides agree on: certificates of clients, names, protocols, sessions, and configurations that change.

use std::cell::RefCell;
use std::rc::Rc;

use mongoose::http::{Client, Reply, Request, Response};
use mongoose::tls::{
    ClientConfig, ClientConfigBuilder, Negotiated, ServerConfig, ServerConfigBuilder, Version,
};
use mongoose::{Connection, Error, Event, Manager};
use mongoose_tests::{Server, in_own_process, poll_until};

use crate::certificates;
use crate::clients::told;
use crate::hostile::{Log, logging_by};

/// A server that shows a certificate of the folder's.
fn serving(name: &str) -> ServerConfigBuilder {
    let [chain, key] = certificates::pair(name);
    ServerConfig::builder().certificate_files(chain, key)
}

/// One that asks clients for certificates.
fn asking() -> ServerConfigBuilder {
    serving("p256").client_roots_file(certificates::path("ca.pem"))
}

fn believing() -> ClientConfigBuilder {
    ClientConfig::roots_file(certificates::path("ca.pem"))
}

fn showing(name: &str) -> ClientConfig {
    let [chain, key] = certificates::pair(name);
    believing().certificate_files(chain, key).build().expect("a certificate and its key")
}

fn build(builder: ServerConfigBuilder) -> ServerConfig {
    builder.build().expect("a configuration")
}

/// What the two sides agree on, as the server and the client see it.
fn agreed(server: &ServerConfig, client: &ClientConfig, host: &str) -> [Negotiated; 2] {
    let (tell, told) = std::sync::mpsc::channel();
    let config = server.clone();
    let server = Server::start(move |manager| {
        manager.listener("tls://127.0.0.1:0").tls(config).tcp(
            move |connection: &Connection<'_>, event: Event<'_>| {
                if let Event::Accept = event {
                    tell.send(connection.tls().expect("it is secure")).map_err(Error::handler)?;
                    // The session's tickets come before.
                    connection.send("x")?;
                    connection.drain();
                }
                Ok(())
            },
        )
    });
    let mut manager = Manager::new().expect("a manager");
    let seen = Rc::new(RefCell::new(None));
    let inner = Rc::clone(&seen);
    let handler = move |connection: &Connection<'_>, event: Event<'_>| {
        match event {
            Event::Connect => *inner.borrow_mut() = connection.tls(),
            Event::Error(error) => panic!("{error}"),
            _ => {}
        }
        Ok(())
    };
    let url = format!("tls://{host}:{}", server.address.port());
    let id = manager.connector(&url).tls(client.clone()).tcp(handler).expect("to begin");
    poll_until(&mut manager, "the end", |manager| manager.connection(id).is_err());
    [told.recv().expect("the server to see it"), seen.take().expect("the client to see it")]
}

#[test]
fn what_was_agreed_on_is_told() {
    let [server, client] = agreed(&build(serving("p256")), &certificates::client(), "localhost");
    assert_eq!((server.version, client.version), (Version::Tls13, Version::Tls13));
    assert_eq!(server.version.to_string(), "TLS 1.3");
    assert_eq!(server.cipher_suite, client.cipher_suite);
    assert!(server.cipher_suite.starts_with("TLS13_"), "{}", server.cipher_suite);
    assert_eq!((server.server_name.as_deref(), client.server_name), (Some("localhost"), None));
    assert_eq!((&server.alpn, &client.alpn), (&None, &None));
    assert!(!server.resumed && !client.resumed);
    assert!(server.peer_certificates.is_empty(), "the client showed none");
    assert_eq!(client.peer_certificates.len(), 1);
    let [server, _] = agreed(&build(serving("p256")), &certificates::client(), "127.0.0.1");
    assert_eq!(server.server_name, None, "an address is no name");
}

#[test]
fn both_sides_see_the_others_certificate() {
    let der = |name: &str| {
        use rustls::pki_types::pem::PemObject;
        let pem = certificates::read(&format!("{name}.pem"));
        rustls::pki_types::CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate").to_vec()
    };
    for name in ["client", "client-rsa"] {
        let [server, client] = agreed(&build(asking()), &showing(name), "localhost");
        assert_eq!(server.peer_certificates[0].as_der(), der(name));
        assert_eq!(client.peer_certificates[0].as_der(), der("p256"));
    }
    let optional = build(asking().client_certificate_optional());
    assert_eq!(agreed(&optional, &showing("client"), "localhost")[0].peer_certificates.len(), 1);
    assert!(agreed(&optional, &certificates::client(), "localhost")[0].peer_certificates.is_empty());
}

/// What server and client are told where the client is to be refused.
fn refused(config: ServerConfig, client: &ClientConfig) -> [Vec<String>; 2] {
    let log = Log::default();
    let server = logging_by(config, &log);
    let told = told(&format!("tls://localhost:{}", server.address.port()), client, b"");
    server.wait_until("the server to close", |registry| registry.connections().len() == 1);
    [std::mem::take(&mut *log.lock().expect("no panic")), told]
}

#[test]
fn clients_without_a_right_certificate_are_refused_with_the_reason() {
    for (client, reason, alert) in [
        (certificates::client(), "peer sent no certificates", "CertificateRequired"),
        (showing("client-stranger"), "invalid peer certificate: UnknownIssuer", "UnknownCA"),
        (
            showing("for-servers"),
            "invalid peer certificate: certificate does not allow extended key usage for client authentication",
            "",
        ),
        (showing("expired"), "invalid peer certificate: certificate expired", "CertificateExpired"),
    ] {
        let [server, client] = refused(build(asking()), &client);
        assert!(server[0].starts_with(&format!("TLS failed in the handshake: {reason}")), "{server:?}");
        assert_eq!(server[1..], ["Close"]);
        // A client of TLS 1.3 is done before the server has looked.
        assert_eq!(client[0], "Connect");
        assert!(client[1].starts_with("TLS failed in the traffic: received fatal alert: "), "{client:?}");
        assert!(client[1].contains(alert), "{client:?}");
        assert_eq!(client[2..], ["Close"], "one error");
    }
    // Who need not show one is refused with a wrong one nevertheless.
    let [server, _] = refused(build(asking().client_certificate_optional()), &showing("client-stranger"));
    assert!(server[0].contains("UnknownIssuer"), "{server:?}");
}

#[test]
fn a_client_that_is_refused_while_it_sends_hears_why() {
    let config = build(asking());
    let server = logging_by(config, &Log::default());
    let url = format!("tls://localhost:{}", server.address.port());
    let mut told = told(&url, &certificates::client(), &vec![b'x'; 5_000_000]);
    // The server takes what comes meanwhile: all of it may have left by then.
    told.retain(|event| event != "Write");
    assert_eq!(
        told,
        ["Connect", "TLS failed in the traffic: received fatal alert: CertificateRequired", "Close"]
    );
}

#[test]
fn handlers_of_http_see_the_clients_certificate() {
    let config = build(asking());
    let server = Server::start(move |manager| {
        manager.listener("https://127.0.0.1:0").tls(config).http(|request: Request<'_>, reply: Reply<'_>| {
            let tls = request.connection().tls().ok_or(Error::Closed)?;
            reply.text(tls.peer_certificates[0].as_der().len().to_string())
        })
    });
    let mut manager = Manager::new().expect("a manager");
    let url = format!("https://localhost:{}/", server.address.port());
    for (config, ok) in [(showing("client"), true), (certificates::client(), false)] {
        let client = Client::new(&manager).with_tls(config);
        let answer = Rc::new(RefCell::new(None));
        let slot = Rc::clone(&answer);
        let handler = move |result: Result<Response<'_>, Error>| {
            *slot.borrow_mut() = Some(result.map(|response| {
                let theirs = response.connection().tls().expect("it is secure").peer_certificates;
                (response.body().to_vec(), theirs.len())
            }));
        };
        client.get(&url).send(handler).expect("to begin");
        poll_until(&mut manager, "an answer", |_| answer.borrow().is_some());
        match answer.take().expect("it") {
            Ok((body, theirs)) => {
                assert!(ok);
                assert!(String::from_utf8(body).expect("text").parse::<usize>().expect("a number") > 100);
                assert_eq!(theirs, 1);
            }
            Err(error) => assert!(!ok && error.to_string().contains("CertificateRequired"), "{error}"),
        }
    }
}

#[test]
fn a_server_shows_the_certificate_for_the_name_it_is_asked_for() {
    let mut all = ServerConfig::builder();
    for name in ["p256", "alpha", "beta", "rsa"] {
        let [chain, key] = certificates::pair(name);
        all = all.certificate_files(chain, key);
    }
    let config = build(all);
    let client = |name: &str| believing().server_name(name).build().expect("a name");
    for name in ["localhost", "alpha.test", "x.beta.test", "127.0.0.1"] {
        // Verified by the client: no other would do.
        agreed(&config, &client(name), "127.0.0.1");
    }
    // For other names it is the first, which a client who wants another refuses.
    for name in ["gamma.test", "beta.test", "x.y.beta.test"] {
        let [_, told] = refused(config.clone(), &client(name));
        let expected = format!(
            "certificate not valid for name \"{name}\"; certificate is only valid for DnsName(\"localhost\")"
        );
        assert!(told[0].contains(&expected), "{told:?}");
    }
}

#[test]
fn protocols_are_agreed_on_or_refused() {
    let offering = |protocols: &[&str]| believing().alpn(protocols).build().expect("protocols");
    let taking = |protocols: &[&str]| build(serving("p256").alpn(protocols));
    for (server, client, expected) in [
        (&["http/1.1"][..], &["h2", "http/1.1"][..], Some("http/1.1")),
        (&["mqtt", "http/1.1"], &["http/1.1", "mqtt"], Some("mqtt")),
        (&[], &["h2"], None),
        (&["h2"], &[], None),
    ] {
        for side in agreed(&taking(server), &offering(client), "localhost") {
            assert_eq!(side.alpn.as_deref(), expected.map(str::as_bytes), "{server:?} {client:?}");
        }
    }
    let [server, client] = refused(taking(&["mqtt"]), &offering(&["h2"]));
    assert_eq!(server, ["TLS failed in the handshake: peer doesn't support any known protocol", "Close"]);
    assert_eq!(client, ["TLS failed in the handshake: received fatal alert: NoApplicationProtocol", "Close"]);
}

#[test]
fn sessions_are_resumed_with_what_was_verified() {
    let (server, client) = (build(asking()), showing("client"));
    let resumed = |client: &ClientConfig| {
        let sides = agreed(&server, client, "localhost");
        assert_eq!(sides[0].peer_certificates.len(), 1);
        assert_eq!(sides[1].peer_certificates.len(), 1);
        assert_eq!(sides[0].resumed, sides[1].resumed);
        assert_eq!(sides[0].server_name.as_deref(), Some("localhost"), "it is asked for again");
        sides[0].resumed
    };
    assert!(!resumed(&client));
    assert!(resumed(&client) && resumed(&client.clone()));
    assert!(!resumed(&showing("client")), "another configuration has seen nobody");
    // The new configuration knows nothing of sessions that were begun with the old one.
    server.replace(&build(asking()));
    assert!(!resumed(&client) && resumed(&client));
}

#[test]
fn a_configuration_is_replaced_and_connections_live_on() {
    let config = build(serving("p256"));
    let shared = config.clone();
    let server = Server::start(move |manager| {
        manager.listener("tls://127.0.0.1:0").tls(shared).tcp(
            |connection: &Connection<'_>, event: Event<'_>| {
                if let Event::Read = event {
                    connection.send(connection.received())?;
                    connection.consume(usize::MAX);
                }
                Ok(())
            },
        )
    });
    let mut before = crate::peer::Peer::connect(server.address);
    config.replace(&build(serving("stranger")));
    // Those that come see the new one, whom they do not believe.
    let url = format!("tls://localhost:{}", server.address.port());
    let client = certificates::client();
    assert!(told(&url, &client, b"")[0].contains("UnknownIssuer"));
    client.replace(&ClientConfig::roots_file(certificates::path("other-ca.pem")).build().expect("a root"));
    assert_eq!(agreed(&config, &client, "localhost")[1].peer_certificates.len(), 1);
    // That what was wrong with files changes nothing is the builder's part: there is no configuration then.
    assert!(ServerConfig::from_files("no.pem", "no.key").is_err());
    before.send("still there");
    assert_eq!(before.exactly(11), b"still there");
}

#[test]
fn keys_are_logged_where_that_is_asked_for_and_nowhere_else() {
    let file = certificates::path("keys.log");
    in_own_process(
        "agreements::keys_are_logged_where_that_is_asked_for_and_nowhere_else",
        |command| {
            command.env("SSLKEYLOGFILE", &file);
        },
        || {
            let file = std::env::var("SSLKEYLOGFILE").expect("set by the parent");
            agreed(&build(serving("p256")), &certificates::client(), "localhost");
            assert!(!std::path::Path::new(&file).exists(), "nobody asked");
            agreed(&build(serving("p256").key_log()), &certificates::client(), "localhost");
            let server = std::fs::read_to_string(&file).expect("a log");
            assert!(server.contains("SERVER_TRAFFIC_SECRET_0 "), "{server}");
            let client = believing().key_log().build().expect("a configuration");
            agreed(&build(serving("p256")), &client, "localhost");
            let both = std::fs::read_to_string(&file).expect("a log");
            assert_eq!(both.lines().count(), 2 * server.lines().count());
        },
    );
}

#[test]
fn what_a_server_cannot_be_built_with_is_named() {
    let ca = certificates::path("ca.pem");
    let broken = certificates::read("ca.pem").replacen("MII", "M!I", 1);
    let [chain, key] = ["p256.pem", "p256.key"].map(certificates::read);
    for (builder, expected) in [
        (ServerConfig::builder(), "what a server needs: no certificate was given".to_owned()),
        (
            ServerConfig::builder().client_roots_file(&ca),
            "what a server needs: no certificate was given".to_owned(),
        ),
        (
            serving("p256").client_roots_pem(&broken),
            "the clients' authorities: certificate 1: it is not base64".to_owned(),
        ),
        (serving("p256").client_roots_pem(""), "the clients' authorities: no certificate in it".to_owned()),
        (
            serving("p256").alpn(["x".repeat(256)]),
            format!("the protocol \"{}\": a protocol's name has from 1 to 255 bytes", "x".repeat(256)),
        ),
        (
            ServerConfig::builder().certificate_pem(&chain, &key).certificate_pem("", &key),
            "the certificate chain 2: no certificate in it".to_owned(),
        ),
        (
            ServerConfig::builder().certificate_pem(&chain, &key).certificate_pem(&chain, ""),
            "the private key 2: no private key in it".to_owned(),
        ),
    ] {
        let error = builder.build().expect_err("something is wrong");
        assert_eq!(error.to_string(), format!("cannot configure TLS with {expected}"));
    }
    let error = serving("p256").client_roots_file("no.pem").build().expect_err("no such file");
    assert!(matches!(&error, Error::File { path, .. } if path.ends_with("no.pem")), "{error}");
}

#[test]
fn nothing_secret_is_shown_by_debugging() {
    let [chain, key] = ["p256.pem", "p256.key"].map(certificates::read);
    let shown = format!(
        "{:?} {:?}",
        ServerConfig::builder().certificate_pem(&chain, &key),
        believing().certificate_pem(&chain, &key)
    );
    assert!(!shown.contains("BEGIN") && shown.len() < 200, "{shown}");
}

#[test]
fn a_provider_that_the_program_installed_is_used() {
    in_own_process(
        "agreements::a_provider_that_the_program_installed_is_used",
        |_| {},
        || {
            let mut provider = rustls_graviola::default_provider();
            provider
                .cipher_suites
                .retain(|suite| format!("{:?}", suite.suite()) == "TLS13_CHACHA20_POLY1305_SHA256");
            assert_eq!(provider.cipher_suites.len(), 1);
            provider.install_default().expect("none was installed before");
            let [server, _] = agreed(&build(serving("p256")), &certificates::client(), "localhost");
            assert_eq!(server.cipher_suite, "TLS13_CHACHA20_POLY1305_SHA256");
        },
    );
}
