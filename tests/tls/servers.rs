//! Servers that others wrote: openssl's, Python's and nginx, with our clients.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::thread;
use std::time::Instant;

use mongoose::tls::{ClientConfig, Negotiated, Version};
use mongoose::{Connection, Error, Event, Manager, http};
use mongoose_tests::{PATIENCE, Random, poll_until, scaled};

use crate::certificates::{self, KINDS};
use crate::peers::find;

/// A program that listens, killed when it is dropped.
struct Program {
    child: Child,
    port: u16,
    /// What it said before.
    output: Option<BufReader<std::process::ChildStdout>>,
}

impl Program {
    /// Starts a command that says where it listens: its first line with `mark` ends with the port.
    fn start(mut command: Command, mark: &str) -> Self {
        let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = piped.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut output = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        while !line.starts_with(mark) {
            line.clear();
            let count = output.read_line(&mut line).expect("text");
            assert!(count > 0, "{command:?} has ended");
        }
        let port = line.trim().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        Self { child, port, output: Some(output) }
    }

    /// openssl's server. By `-rev` it sends lines back reversed, until one says `CLOSE`.
    fn s_server(name: &str, options: &[&str]) -> Self {
        let [chain, key] = certificates::pair(name);
        let mut command = Command::new("openssl");
        command.args(["s_server", "-accept", "127.0.0.1:0", "-cert", &chain, "-key", &key]).args(options);
        Self::start(command, "ACCEPT")
    }

    /// What it said besides, once it has ended.
    fn said(mut self) -> String {
        let mut said = String::new();
        self.output.take().expect("not taken yet").read_to_string(&mut said).expect("text");
        said
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Has lines reversed. What was agreed on, or what went wrong.
fn reversed(port: u16, config: &ClientConfig, host: &str) -> Result<Negotiated, String> {
    let mut manager = Manager::new().expect("a manager");
    let outcome = Rc::new(RefCell::new(None));
    let slot = Rc::clone(&outcome);
    let handler = move |connection: &Connection<'_>, event: Event<'_>| {
        match event {
            Event::Connect => connection.send("hello\n")?,
            Event::Read if connection.received().ends_with(b"\n") => {
                assert_eq!(connection.received(), b"olleh\n");
                connection.consume(usize::MAX);
                *slot.borrow_mut() = Some(Ok(connection.tls().expect("it is secure")));
                connection.send("CLOSE\n")?;
                connection.drain();
            }
            Event::Error(error) => *slot.borrow_mut() = Some(Err(error.to_string())),
            _ => {}
        }
        Ok(())
    };
    let url = format!("tls://{host}:{port}");
    let id = manager.connector(&url).tls(config.clone()).tcp(handler).expect("to begin");
    poll_until(&mut manager, "the end", |manager| manager.connection(id).is_err());
    outcome.take().expect("an outcome")
}

#[test]
fn openssl_is_understood_in_both_versions_with_each_kind_of_key() {
    for kind in KINDS {
        for (option, version) in [("-tls1_2", Version::Tls12), ("-tls1_3", Version::Tls13)] {
            // The cryptography has Ed25519 in TLS 1.3 alone.
            if kind == "ed25519" && version == Version::Tls12 {
                continue;
            }
            let server = Program::s_server(kind, &["-rev", option]);
            for host in ["localhost", "127.0.0.1"] {
                let agreed = reversed(server.port, &certificates::client(), host).expect("to be understood");
                assert_eq!(agreed.version, version, "{kind} {host}");
            }
        }
    }
}

#[test]
fn openssl_is_shown_a_certificate_and_asked_for_a_name() {
    let ca = certificates::path("ca.pem");
    let [chain, key] = certificates::pair("alpha");
    let options = ["-rev", "-Verify", "2", "-verify_return_error", "-CAfile", &ca];
    let by_name = ["-servername", "alpha.test", "-cert2", &chain, "-key2", &key];
    for version in ["-tls1_2", "-tls1_3"] {
        let server = Program::s_server("p256", &[&options[..], &by_name, &[version]].concat());
        let [chain, key] = certificates::pair("client");
        let builder = || ClientConfig::roots_file(&ca).server_name("alpha.test");
        let config = builder().certificate_files(&chain, &key).build().expect("a configuration");
        reversed(server.port, &config, "127.0.0.1").expect("to be let in");
        // Without a certificate, or with a stranger's, there is no way in.
        let none = builder().build().expect("a configuration");
        let refused = reversed(server.port, &none, "127.0.0.1").expect_err("to be refused");
        assert!(refused.contains("received fatal alert"), "{refused}");
        let [chain, key] = certificates::pair("client-stranger");
        let stranger = builder().certificate_files(chain, key).build().expect("a configuration");
        let refused = reversed(server.port, &stranger, "127.0.0.1").expect_err("to be refused");
        assert!(refused.contains("received fatal alert: UnknownCA"), "{refused}");
    }
}

#[test]
fn openssl_takes_a_protocol_that_it_is_offered() {
    for (offered, taken) in [(&["http/1.1", "mqtt"][..], Some(&b"mqtt"[..])), (&[], None)] {
        let server = Program::s_server("p256", &["-rev", "-alpn", "mqtt,http/1.1"]);
        let builder = ClientConfig::roots_file(certificates::path("ca.pem")).alpn(offered);
        let config = builder.build().expect("a configuration");
        let agreed = reversed(server.port, &config, "localhost").expect("to be understood");
        assert_eq!(agreed.alpn.as_deref(), taken);
    }
}

#[test]
fn openssl_resumes_our_sessions() {
    for version in ["-tls1_2", "-tls1_3"] {
        let server = Program::s_server("p256", &["-rev", version]);
        let config = certificates::client();
        let resumed: Vec<_> = (0..3)
            .map(|_| reversed(server.port, &config, "localhost").expect("to be understood").resumed)
            .collect();
        assert_eq!(resumed, [false, true, true], "{version}");
    }
}

#[test]
fn hazard_1_openssl_with_a_wrong_certificate_is_refused() {
    for (name, expected) in [
        ("elsewhere", "certificate not valid for name \"localhost\""),
        ("address-only", "certificate not valid for name \"localhost\""),
        ("mail-only", "certificate not valid for name \"localhost\""),
        ("for-clients", "certificate does not allow extended key usage"),
        ("expired", "certificate expired"),
        ("early", "certificate not valid yet"),
        ("self-signed", "UnknownIssuer"),
        ("stranger", "UnknownIssuer"),
        ("below-middle", "UnknownIssuer"),
    ] {
        for version in ["-tls1_2", "-tls1_3"] {
            let server = Program::s_server(name, &["-rev", version, "-naccept", "1"]);
            let refused = reversed(server.port, &certificates::client(), "localhost").expect_err("wrong");
            assert!(
                refused.starts_with("TLS failed in the handshake: invalid peer certificate: "),
                "{refused}"
            );
            assert!(refused.contains(expected), "{name} {version}: {refused}");
            assert!(!server.said().contains("hello"));
        }
    }
}

#[test]
fn openssl_of_an_old_version_is_refused() {
    let server = Program::s_server("p256", &["-rev", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]);
    let refused = reversed(server.port, &certificates::client(), "localhost").expect_err("too old");
    assert!(refused.starts_with("TLS failed in the handshake: "), "{refused}");
}

#[test]
fn openssl_answers_https() {
    let server = Program::s_server("rsa", &["-www"]);
    let url = format!("https://localhost:{}/", server.port);
    let response = http::request("GET", &url).tls(certificates::client()).send().expect("a page");
    let page = String::from_utf8_lossy(response.body());
    assert!(response.is_success() && page.contains("s_server"), "{page}");
}

/// A server of Python's that echoes until the client ends, and says in the end who came.
const PYTHON_ECHO: &str = "
import socket, ssl, sys
chain, key, ca = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(chain, key)
context.load_verify_locations(ca)
context.verify_mode = ssl.CERT_REQUIRED
context.set_alpn_protocols(['echo'])
with socket.create_server(('127.0.0.1', 0)) as listener:
    print('at :%d' % listener.getsockname()[1], flush=True)
    client, _ = listener.accept()
    with context.wrap_socket(client, server_side=True) as tls:
        while piece := tls.recv(65536):
            tls.sendall(piece)
        names = [value for kind, value in tls.getpeercert()['subjectAltName']]
        print(tls.version(), tls.selected_alpn_protocol(), *names, flush=True)
        # A close_notify, which the client waits for.
        tls.unwrap()
";

#[test]
fn python_echoes_and_knows_who_came() {
    let [chain, key] = certificates::pair("p384");
    let mut command = Command::new("python3");
    command.args(["-c", PYTHON_ECHO, &chain, &key, &certificates::path("ca.pem")]);
    let server = Program::start(command, "at ");
    let [chain, key] = certificates::pair("client");
    let config = ClientConfig::roots_file(certificates::path("ca.pem"))
        .certificate_files(chain, key)
        .alpn(["echo"])
        .build()
        .expect("a configuration");
    let bytes = Random::new(23).bytes(scaled(2_000_000));
    let (received, sent) = (Rc::new(RefCell::new(Vec::new())), bytes.clone());
    let inner = Rc::clone(&received);
    let handler = move |connection: &Connection<'_>, event: Event<'_>| {
        match event {
            Event::Connect => connection.send(sent.clone())?,
            Event::Read => {
                inner.borrow_mut().extend_from_slice(connection.received());
                connection.consume(usize::MAX);
                if inner.borrow().len() == sent.len() {
                    connection.end();
                }
            }
            Event::Error(error) => return Err(Error::handler(error.to_string())),
            _ => {}
        }
        Ok(())
    };
    let mut manager = Manager::new().expect("a manager");
    let url = format!("tls://localhost:{}", server.port);
    let id = manager.connector(&url).tls(config).tcp(handler).expect("to begin");
    poll_until(&mut manager, "the end", |manager| manager.connection(id).is_err());
    assert!(*received.borrow() == bytes, "{} of {} bytes", received.borrow().len(), bytes.len());
    assert_eq!(server.said(), "TLSv1.3 echo client.test\n");
}

/// nginx, which serves a file over TLS to clients with a certificate, and passes on what is asked below `/ours/` to us.
fn nginx(program: &std::path::Path, ours: SocketAddr) -> (Child, u16, String) {
    let folder = certificates::path("nginx");
    std::fs::create_dir_all(&folder).expect("to make a folder");
    let at = |name: &str| certificates::path(name);
    // It cannot be told to choose a port, so another process may be faster: then another one is tried.
    for _ in 0..10 {
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let configuration = format!(
            "daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\n\
             events {{ worker_connections 64; }}\n\
             http {{\n\
               access_log off; client_body_temp_path {folder}/1; proxy_temp_path {folder}/2;\n\
               fastcgi_temp_path {folder}/3; uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;\n\
               client_max_body_size 0;\n\
               server {{\n\
                 listen 127.0.0.1:{port} ssl; server_name localhost;\n\
                 ssl_protocols TLSv1.2 TLSv1.3;\n\
                 ssl_certificate {chain}; ssl_certificate_key {key};\n\
                 ssl_client_certificate {ca}; ssl_verify_client on;\n\
                 location = / {{ return 200 \"$ssl_protocol $ssl_client_s_dn\"; }}\n\
                 location /ours/ {{\n\
                   proxy_pass https://{ours}/; proxy_http_version 1.1;\n\
                   proxy_ssl_trusted_certificate {ca}; proxy_ssl_verify on; proxy_ssl_name localhost;\n\
                   proxy_ssl_server_name on; proxy_ssl_protocols TLSv1.2 TLSv1.3;\n\
                   proxy_ssl_certificate {client}; proxy_ssl_certificate_key {client_key};\n\
                 }}\n\
               }}\n\
             }}\n",
            chain = at("rsa.pem"),
            key = at("rsa.key"),
            ca = at("ca.pem"),
            client = at("client.pem"),
            client_key = at("client.key"),
        );
        let file = format!("{folder}/nginx.conf");
        std::fs::write(&file, configuration).expect("to write");
        let mut command = Command::new(program);
        command.args(["-p", &folder, "-e", &format!("{folder}/error.log"), "-c", &file]);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("nginx");
        let end = Instant::now() + PATIENCE;
        while child.try_wait().expect("a child").is_none() {
            assert!(Instant::now() < end, "nginx does not listen");
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return (child, port, folder);
            }
            thread::yield_now();
        }
        let mut why = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut why).expect("text");
        assert!(why.contains("Address already in use"), "{why}");
    }
    panic!("no port is free");
}

#[test]
fn nginx_lets_us_in_and_is_let_in() {
    let Some(program) = find("nginx", "nginx over TLS") else { return };
    let [chain, key] = certificates::pair("p256");
    let config = mongoose::tls::ServerConfig::builder()
        .certificate_files(chain, key)
        .client_roots_file(certificates::path("ca.pem"))
        .build()
        .expect("a configuration");
    let ours = mongoose_tests::Server::start(move |manager| {
        manager.listener("https://127.0.0.1:0").tls(config).http(crate::echo)
    });
    let (child, port, folder) = nginx(&program, ours.address);
    let _nginx = Program { child, port, output: None };
    let [chain, key] = certificates::pair("client");
    let builder = || ClientConfig::roots_file(certificates::path("ca.pem"));
    let config = builder().certificate_files(chain, key).build().expect("a configuration");
    let ask = |method: &str, path: &str| {
        http::request(method, &format!("https://localhost:{port}{path}")).tls(config.clone())
    };
    let response = ask("GET", "/").send().expect("a response");
    assert_eq!(response.body_str(), Ok("TLSv1.3 CN=client"));
    let body = Random::new(29).bytes(scaled(2_000_000));
    for _ in 0..3 {
        let response = ask("POST", "/ours/").body(body.clone()).send().expect("a response");
        let log = || std::fs::read_to_string(format!("{folder}/error.log")).unwrap_or_default();
        assert!(response.is_success() && response.body() == body, "{}: {}", response.status(), log());
    }
    let without = http::request("GET", &format!("https://localhost:{port}/")).tls(certificates::client());
    assert_eq!(without.send().expect("a response").status(), 400, "nginx asks for a certificate");
}
