//! HTTPS requests.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::thread;

use mongoose::http::{self, Client, Reply, Request, RequestBuilder, Response, ResponseBuf};
use mongoose::{Error, Manager, tls};
use mongoose_tests::{Random, Server, in_own_process, poll_until, scaled};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::{certificates, echo, https};

fn url(address: SocketAddr, path: &str) -> String {
    format!("https://localhost:{}{path}", address.port())
}

/// What becomes of a request.
fn outcome(manager: &mut Manager, request: RequestBuilder<Client>) -> Result<ResponseBuf, Error> {
    let answer = Rc::new(RefCell::new(None));
    let slot = Rc::clone(&answer);
    request
        .send(move |result: Result<Response<'_>, Error>| {
            *slot.borrow_mut() = Some(result.map(|response| response.to_buf()));
        })
        .expect("to begin");
    poll_until(manager, "an answer", |_| answer.borrow().is_some());
    answer.take().expect("it")
}

fn loop_and_client() -> (Manager, Client) {
    let manager = Manager::new().expect("a manager");
    let client = Client::new(&manager).with_tls(certificates::client());
    (manager, client)
}

#[test]
fn a_client_asks_over_tls_and_keeps_its_connection() {
    let server = https(|| echo);
    let (mut manager, client) = loop_and_client();
    let body = Random::new(19).bytes(scaled(1_000_000));
    for _ in 0..3 {
        let request = client.post(&url(server.address, "/")).body(body.clone());
        let response = outcome(&mut manager, request).expect("a response");
        assert!(response.status() == 200 && response.body() == body);
    }
    assert_eq!(server.ask(|registry| registry.stats().accepted), 1);
    assert_eq!(client.idle_connections(), 1);
    // What another configuration made is not used, nor by another.
    let other = tls::ClientConfig::roots_file(certificates::path("ca.pem")).build().expect("a root");
    for _ in 0..2 {
        let request = client.get(&url(server.address, "/")).tls(other.clone());
        outcome(&mut manager, request).expect("a response");
    }
    assert_eq!(server.ask(|registry| registry.stats().accepted), 2);
    let stranger = tls::ClientConfig::roots_file(certificates::path("other-ca.pem")).build().expect("a root");
    let error = outcome(&mut manager, client.get(&url(server.address, "/")).tls(stranger))
        .expect_err("nobody trusted");
    assert_eq!(error.to_string(), "TLS failed in the handshake: invalid peer certificate: UnknownIssuer");
}

#[test]
fn hazard_5_https_and_a_configuration_come_together_or_not_at_all() {
    let manager = Manager::new().expect("a manager");
    let (plain, config) = (Client::new(&manager), certificates::client());
    let nothing = |_: Result<Response<'_>, Error>| panic!("it was not begun");
    let errors = [
        plain.get("https://localhost:1/").send(nothing).err(),
        plain.get("http://localhost:1/").tls(config.clone()).send(nothing).err(),
        plain.get("https://a..b:1/").tls(config.clone()).send(nothing).err(),
        http::request("GET", "http://localhost:1/").tls(config).send().err(),
    ];
    for error in errors {
        assert!(matches!(error, Some(Error::Url { .. })), "{error:?}");
    }
    assert_eq!(manager.connections().len(), 0);
}

#[test]
fn a_blocking_request_asks_over_tls() {
    let server = https(|| echo);
    let response =
        http::request("PUT", &url(server.address, "/")).tls(certificates::client()).body("hello").send();
    assert_eq!(response.expect("a response").body(), b"hello");
    // The system does not know our authority.
    let error = http::get(&url(server.address, "/")).expect_err("not trusted");
    assert!(matches!(error, Error::Tls { phase: "handshake", .. }), "{error:?}");
}

#[test]
fn a_blocking_request_believes_whom_the_system_trusts() {
    in_own_process(
        "requests::a_blocking_request_believes_whom_the_system_trusts",
        |command| {
            command.env("SSL_CERT_FILE", certificates::path("ca.pem"));
        },
        || {
            let server = https(|| |_: Request<'_>, reply: Reply<'_>| reply.text("hello"));
            let ca = std::env::var("SSL_CERT_FILE").expect("set by the parent");
            assert!(std::path::Path::new(&ca).exists());
            // That process has an authority of its own: another than ours.
            let error = http::get(&url(server.address, "/")).expect_err("another authority");
            assert!(matches!(error, Error::Tls { .. }), "{error:?}");
            let chain = std::path::Path::new(&ca).with_file_name("p256.pem");
            let config =
                tls::ServerConfig::from_files(&chain, chain.with_extension("key")).expect("its certificate");
            let server = Server::start(move |manager| {
                manager
                    .listener("https://127.0.0.1:0")
                    .tls(config)
                    .http(|_: Request<'_>, reply: Reply<'_>| reply.text("hello"))
            });
            assert_eq!(http::get(&url(server.address, "/")).expect("a response").body(), b"hello");
        },
    );
}

#[test]
fn a_redirect_to_another_host_is_followed_without_the_clients_certificate() {
    let server = |to: Option<String>| {
        let config = tls::ServerConfig::builder();
        let [chain, key] = certificates::pair("p256");
        let config = config
            .certificate_files(chain, key)
            .client_roots_file(certificates::path("ca.pem"))
            .client_certificate_optional()
            .build()
            .expect("a configuration");
        Server::start(move |manager| {
            manager.listener("https://127.0.0.1:0").tls(config).http(
                move |request: Request<'_>, reply: Reply<'_>| {
                    let shown = request.connection().tls().map_or(0, |tls| tls.peer_certificates.len());
                    match (&to, request.path()) {
                        (Some(to), "/") => reply.header("X-Shown", shown.to_string()).redirect(to),
                        _ => reply.text(shown.to_string()),
                    }
                },
            )
        })
    };
    let elsewhere = server(None);
    let first = server(Some(url(elsewhere.address, "/")));
    let [chain, key] = certificates::pair("for-clients");
    let config = tls::ClientConfig::roots_file(certificates::path("ca.pem")).certificate_files(chain, key);
    let manager = &mut Manager::new().expect("a manager");
    let client = Client::new(manager).with_tls(config.build().expect("a certificate"));
    let shown = |manager: &mut Manager, url: &str| {
        let response = outcome(manager, client.get(url)).expect("a response");
        String::from_utf8_lossy(response.body()).into_owned()
    };
    assert_ne!(shown(manager, &url(first.address, "/shown")), "0");
    assert_eq!(shown(manager, &url(first.address, "/")), "0", "who redirects is not believed");
    assert_ne!(shown(manager, &url(elsewhere.address, "/")), "0", "and who asks is");
}

#[test]
fn a_certificate_that_comes_meanwhile_is_not_for_whom_a_redirect_leads_to() {
    let showing = || {
        let [chain, key] = certificates::pair("client");
        let config =
            tls::ClientConfig::roots_file(certificates::path("ca.pem")).certificate_files(chain, key);
        config.build().expect("a certificate")
    };
    let ours = certificates::client();
    let config = tls::ServerConfig::builder();
    let [chain, key] = certificates::pair("p256");
    let config = config.certificate_files(chain, key).client_roots_file(certificates::path("ca.pem"));
    let config = config.client_certificate_optional().build().expect("a configuration");
    let theirs = ours.clone();
    let last = Server::start(move |manager| {
        manager.listener("https://127.0.0.1:0").tls(config).http(
            move |request: Request<'_>, reply: Reply<'_>| {
                let shown = request.connection().tls().map_or(0, |tls| tls.peer_certificates.len());
                match request.path() {
                    "/then" => {
                        theirs.replace(&showing());
                        reply.close().redirect("/shown")
                    }
                    _ => reply.text(shown.to_string()),
                }
            },
        )
    });
    let to = url(last.address, "/then");
    let first = https(move || move |_: Request<'_>, reply: Reply<'_>| reply.redirect(&to));
    let mut manager = Manager::new().expect("a manager");
    let client = Client::new(&manager).with_tls(ours);
    let response = outcome(&mut manager, client.get(&url(first.address, "/"))).expect("a response");
    assert_eq!(response.body(), b"0");
    let response = outcome(&mut manager, client.get(&url(last.address, "/shown"))).expect("a response");
    assert_eq!(response.body(), b"1", "who is asked sees it");
}

#[test]
fn redirects_lead_into_tls_and_not_out_of_it() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let secure = https(move || {
        move |request: Request<'_>, reply: Reply<'_>| {
            let secret = request.header("Authorization").is_some();
            log.lock().expect("no panic").push((request.path().to_owned(), secret));
            let to = request.query_value("to").ok().flatten().map(|to| to.into_owned());
            match to {
                Some(to) => reply.redirect(&to),
                None => reply.text("arrived"),
            }
        }
    });
    let target = url(secure.address, "/secure");
    let plain = Server::http(move || move |_: Request<'_>, reply: Reply<'_>| reply.redirect(&target));
    let plain_url = format!("http://localhost:{}/", plain.address.port());
    let (mut manager, client) = loop_and_client();
    let request = client.get(&plain_url).header("Authorization", "secret");
    let response = outcome(&mut manager, request).expect("a response");
    assert_eq!((response.body(), response.url()), (&b"arrived"[..], &*url(secure.address, "/secure")));
    // Not even the same host gets what was meant for plaintext.
    assert_eq!(*seen.lock().expect("no panic"), [("/secure".to_owned(), false)]);

    let without = Client::new(&manager);
    let error = outcome(&mut manager, without.get(&plain_url)).expect_err("no configuration");
    assert!(matches!(&error, Error::Redirect { reason: "TLS needs a configuration", .. }), "{error:?}");

    let out = url(secure.address, &format!("/?to={plain_url}"));
    let before = plain.ask(|registry| registry.stats().accepted);
    let error = outcome(&mut manager, client.get(&out)).expect_err("out of TLS");
    assert!(matches!(&error, Error::Redirect { reason: "it leads from https to http", .. }), "{error:?}");
    assert_eq!(plain.ask(|registry| registry.stats().accepted), before);
}

/// A server that answers one request with bytes, and ends with a close_notify or without.
fn answers(bytes: &'static [u8], notified: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let read = |name: &str| certificates::read(name).into_bytes();
    let chain = CertificateDer::from_pem_slice(&read("p256.pem")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(&read("p256.key")).expect("a key");
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls_graviola::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![chain], key)
        .expect("a pair");
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().expect("a client");
        let mut tls = rustls::ServerConnection::new(Arc::new(config)).expect("a server");
        let mut stream = rustls::Stream::new(&mut tls, &mut socket);
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).expect("a request");
        stream.write_all(bytes).expect("to answer");
        stream.flush().expect("to send");
        if notified {
            tls.send_close_notify();
            tls.write_tls(&mut socket).expect("to send");
        }
        socket.shutdown(std::net::Shutdown::Write).expect("to end");
        // The client may be gone.
        let _ = socket.read_to_end(&mut Vec::new());
    });
    address
}

#[test]
fn a_body_that_is_cut_off_is_no_body() {
    const CLOSE: &[u8] = b"HTTP/1.1 200 OK\r\n\r\nhalf of i";
    const SIZED: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
    const WHOLE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole";
    const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";
    for (bytes, notified, body) in [
        (CLOSE, true, Some("half of i")),
        (CLOSE, false, None),
        (SIZED, true, None),
        (SIZED, false, None),
        (CHUNKED, true, None),
        (CHUNKED, false, None),
        // All of it has come: how the connection ends is of no matter.
        (WHOLE, true, Some("whole")),
        (WHOLE, false, Some("whole")),
    ] {
        let (mut manager, client) = loop_and_client();
        let answer = outcome(&mut manager, client.get(&url(answers(bytes, notified), "/")));
        let what = String::from_utf8_lossy(bytes);
        match (answer, body) {
            (Ok(response), Some(body)) => assert_eq!(response.body(), body.as_bytes(), "{what}"),
            (Err(Error::Truncated), None) => {}
            (answer, _) => panic!("{what} {notified}: {answer:?}"),
        }
    }
}

#[test]
fn an_idle_connection_that_is_cut_off_is_forgotten() {
    let (mut manager, client) = loop_and_client();
    let address = answers(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false);
    outcome(&mut manager, client.get(&url(address, "/"))).expect("a response");
    poll_until(&mut manager, "the end", |manager| manager.connections().is_empty());
    assert_eq!(client.idle_connections(), 0);
}

/// Runs the example.
fn http_client(arguments: &[&str]) -> std::process::Output {
    std::process::Command::new(mongoose_tests::example("http_client", ""))
        .args(arguments)
        .output()
        .expect("to start")
}

#[test]
fn the_example_asks_over_tls() {
    let server = https(|| |_: Request<'_>, reply: Reply<'_>| reply.text("hello"));
    let ca = certificates::path("ca.pem");
    let by_name = url(server.address, "/");
    for arguments in [
        &["--ca", &ca, &by_name][..],
        &["--ca", &ca, "--name", "localhost", &by_name],
        &["-L", "--ca", &ca, &by_name],
    ] {
        let output = http_client(arguments);
        assert_eq!(output.stdout, b"hello", "{}", String::from_utf8_lossy(&output.stderr));
    }
    for (arguments, expected) in [
        (&[&*by_name][..], "invalid peer certificate: UnknownIssuer"),
        (&["--ca", &ca, "--name", "other.test", &by_name], "certificate not valid for name \"other.test\""),
        (&["--ca", "no.pem", &by_name], "cannot read no.pem"),
    ] {
        let output = http_client(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && output.stdout.is_empty());
        assert!(said.contains(expected) && said.lines().count() == 1, "{arguments:?}: {said}");
    }
}
