//! The examples as processes.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use mongoose_tests::{Random, example, scaled};

use crate::certificates::{pair, path};
use crate::programs::run;

/// An example that listens, killed when it is dropped.
struct Program {
    child: Child,
    log: BufReader<ChildStderr>,
    address: SocketAddr,
}

impl Program {
    /// Starts it, and waits for the line that says where it speaks TLS.
    fn start(name: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(example(name, ""));
        let mut child = command.args(arguments).stderr(Stdio::piped()).spawn().expect("to start");
        let mut log = BufReader::new(child.stderr.take().expect("piped"));
        let mut line = String::new();
        while !line.contains("tls://") && !line.contains("https://") {
            line.clear();
            assert!(log.read_line(&mut line).expect("text") > 0, "{name} has ended");
        }
        let (_, address) = line.trim().split_once("://").expect("just seen");
        Self { child, log, address: address.parse().expect("an address") }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.log.read_line(&mut line).expect("text");
        line
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn tls_client(arguments: &[&str], input: &[u8]) -> Output {
    run(Command::new(example("tls_client", "")).args(arguments), input)
}

#[test]
fn tls_client_speaks_to_tls_server() {
    let ([chain, key], ca) = (pair("p256"), path("ca.pem"));
    let [client_chain, client_key] = pair("client");
    let arguments =
        ["--cert", &chain, "--key", &key, "--client-ca", &ca, "--alpn", "echo,x", "tls://127.0.0.1:0"];
    let mut server = Program::start("tls_server", &arguments);
    let url = format!("tls://localhost:{}", server.address.port());
    let bytes = Random::new(31).bytes(scaled(30_000_000));
    let known = ["--ca", &ca, "--cert", &client_chain, "--key", &client_key];
    let output = tls_client(&[&known[..], &["--alpn", "x,echo", &url]].concat(), &bytes);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout == bytes, "{} of {} bytes", output.stdout.len(), bytes.len());
    let line = server.line();
    for part in ["TLS 1.3 TLS13_", " for localhost", " to speak echo", " with a certificate of "] {
        assert!(line.contains(part), "{line}");
    }

    for (arguments, expected) in [
        (&["--ca", &ca, &*url][..], "received fatal alert: CertificateRequired"),
        (&[&*url], "UnknownIssuer"),
        (&["--ca", &ca, "--name", "other.test", &url], "certificate not valid for name \"other.test\""),
        (&["--ca", "no.pem", &url], "cannot read no.pem"),
        (&["--ca", &ca, "tcp://localhost:1"], "a TLS configuration is for https:// and tls:// URLs"),
        (&["--ca", &ca, "--cert", &chain, &url], "--cert and --key need each other"),
        (&[], "a URL is needed"),
    ] {
        let output = tls_client(arguments, b"");
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().last().unwrap_or_default();
        assert!(!output.status.success(), "{arguments:?}");
        assert!(last.starts_with("tls_client: ") && last.contains(expected), "{arguments:?}: {said}");
    }
    let output = tls_client(&[&["--insecure"], &known[2..], &[&*url]].concat(), b"x");
    assert_eq!(output.stdout, b"x", "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn openssl_speaks_to_tls_server_by_each_name() {
    let ([first, first_key], [alpha, alpha_key], ca) = (pair("p256"), pair("alpha"), path("ca.pem"));
    let arguments = ["--cert", &first, "--key", &first_key, "--cert", &alpha, "--key", &alpha_key];
    let server = Program::start("tls_server", &[&arguments[..], &["tls://127.0.0.1:0"]].concat());
    for (name, version) in [
        ("localhost", "-tls1_2"),
        ("alpha.test", "-tls1_2"),
        ("localhost", "-tls1_3"),
        ("alpha.test", "-tls1_3"),
    ] {
        let mut command = Command::new("openssl");
        command.args([
            "s_client",
            "-quiet",
            "-connect",
            &server.address.to_string(),
            "-CAfile",
            &ca,
            version,
        ]);
        command.args(["-servername", name, "-verify_hostname", name, "-verify_return_error"]);
        // It stays until its server ends, which this one does not: its own end of input ends it.
        let output = run(command.arg("-no_ign_eof"), b"hello\n");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name} {version}: {said}");
    }
}

#[test]
fn tls_server_says_what_it_cannot_serve_with() {
    let [chain, key] = pair("p256");
    for (arguments, expected) in [
        (&[][..], "no certificate was given"),
        (&["--cert", &*chain], "--cert needs its --key"),
        (&["--key", &*key], "--key follows its --cert"),
        (&["--cert", "no.pem", "--key", &*key], "cannot read no.pem"),
        (&["--cert", &*chain, "--key", &*chain], "no private key in it"),
        (&["--cert", &*chain, "--key", &*key, "tcp://127.0.0.1:0"], "a TLS configuration is for"),
        (&["--what"], "\"--what\" is not an option"),
    ] {
        let output = run(Command::new(example("tls_server", "")).args(arguments), b"");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(said.starts_with("tls_server: ") && said.contains(expected), "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn http_server_lets_nobody_in_without_a_certificate() {
    let ([chain, key], [client, client_key], ca) = (pair("p256"), pair("client"), path("ca.pem"));
    let listen =
        ["--listen", "https://127.0.0.1:0", "--tls-cert", &chain, "--tls-key", &key, "--client-ca", &ca];
    let server = Program::start("http_server", &listen);
    let url = format!("https://localhost:{}/", server.address.port());
    let ask = |more: &[&str]| {
        let mut command = Command::new(example("http_client", ""));
        run(command.args(["--ca", &ca]).args(more).arg(&url), b"")
    };
    let output = ask(&["--cert", &client, "--key", &client_key]);
    assert!(output.stdout.starts_with(b"<!"), "{}", String::from_utf8_lossy(&output.stderr));
    let output = ask(&[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("received fatal alert: CertificateRequired"), "{said}");
    let curl = |more: &[&str]| {
        let mut command = Command::new("curl");
        command.args([
            "--silent",
            "--show-error",
            "--fail",
            "--max-time",
            "60",
            "--noproxy",
            "*",
            "--cacert",
            &ca,
        ]);
        run(command.args(more).arg(&url), b"")
    };
    for version in ["1.2", "1.3"] {
        let least = format!("--tlsv{version}");
        let versions = [&*least, "--tls-max", version];
        let output = curl(&[&versions[..], &["--cert", &client, "--key", &client_key]].concat());
        assert!(output.stdout.starts_with(b"<!"), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(!curl(&versions).status.success(), "{version}: without a certificate");
    }
}
