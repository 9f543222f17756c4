//! Programs that speak TLS: openssl and curl.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};
use std::thread;

use mongoose::http::{Reply, Request};
use mongoose_tests::{Server, scaled};

use crate::certificates::{self, SERVED};
use crate::{echo, https};

/// Runs a program with something on its standard input.
pub fn run(command: &mut Command, input: &[u8]) -> Output {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_vec();
    let writer = thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("it to end");
    // It need not read what it was not asked to.
    let _ = writer.join().expect("no panic");
    output
}

/// openssl's client, which has to find the certificate right.
fn s_client(address: SocketAddr, options: &[&str], input: &str) -> Output {
    let output = run(
        Command::new("openssl")
            .args(["s_client", "-connect", &address.to_string(), "-CAfile", &certificates::path("ca.pem")])
            .args(["-servername", "localhost", "-verify_hostname", "localhost", "-verify_return_error"])
            .args(["-ign_eof"])
            .args(options),
        input.as_bytes(),
    );
    assert!(output.status.success(), "{options:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// curl, which has to find the certificate right.
fn curl(address: SocketAddr, options: &[&str], input: &[u8]) -> Vec<u8> {
    let output = run(
        Command::new("curl")
            .args(["--silent", "--show-error", "--fail", "--max-time", "120", "--noproxy", "*"])
            .args(["--cacert", &certificates::path("ca.pem")])
            .args(["--resolve", &format!("localhost:{}:127.0.0.1", address.port())])
            .args(options)
            .arg(format!("https://localhost:{}/", address.port())),
        input,
    );
    assert!(output.status.success(), "{options:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Those that are spoken.
const VERSIONS: &[&str] = if cfg!(feature = "tls-rustls") { &["-tls1_2", "-tls1_3"] } else { &["-tls1_3"] };

const ASK: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

#[test]
fn openssl_speaks_each_version_with_each_kind_of_key() {
    for &kind in SERVED {
        let config = certificates::server(kind);
        let server = Server::start(move |manager| {
            manager
                .listener("https://127.0.0.1:0")
                .tls(config)
                .http(|_: Request<'_>, reply: Reply<'_>| reply.text("hello over TLS"))
        });
        // rustls's cryptography has Ed25519 in TLS 1.3 alone.
        let versions = if kind == "ed25519" { &["-tls1_3"] } else { VERSIONS };
        for version in versions {
            let output = s_client(server.address, &["-quiet", version], ASK);
            let reply = String::from_utf8_lossy(&output.stdout);
            assert!(reply.starts_with("HTTP/1.1 200"), "{kind} {version}: {reply}");
            assert!(reply.ends_with("hello over TLS"), "{kind} {version}: {reply}");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(!said.contains("unexpected eof"), "{kind} {version} was cut off: {said}");
        }
    }
}

#[test]
fn hazard_50_many_handshakes_all_succeed() {
    let server = https(|| echo);
    for _ in 0..scaled(300) {
        assert_eq!(crate::peer::Peer::connect(server.address).get("/").status, 200);
    }
}

#[cfg(feature = "tls-rustls")]
#[test]
fn openssl_resumes_a_session() {
    let server = https(|| echo);
    for version in ["-tls1_2", "-tls1_3"] {
        let session = certificates::path(&format!("session{version}"));
        let first = s_client(server.address, &[version, "-sess_out", &session], ASK);
        assert!(String::from_utf8_lossy(&first.stdout).contains("New, TLS"));
        let second = s_client(server.address, &[version, "-sess_in", &session], ASK);
        let said = String::from_utf8_lossy(&second.stdout);
        assert!(said.contains("Reused, TLS"), "{version}: {said}");
    }
}

#[test]
fn openssl_is_refused_an_old_version() {
    let server = https(|| echo);
    let old = ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"];
    let address = server.address.to_string();
    let output = run(Command::new("openssl").args(["s_client", "-connect", &address]).args(old), b"");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("alert"), "{said}");
}

#[test]
fn curl_fetches_and_sends_large_bodies() {
    let server = https(|| echo);
    let body: Vec<u8> = (0..scaled(3_000_000)).map(|at| (at * 31 / 7 % 251) as u8).collect();
    for version in VERSIONS {
        let version = version.replace("-tls1_", "1.");
        let least = format!("--tlsv{version}");
        let options = [&least, "--tls-max", &version, "--data-binary", "@-"];
        assert!(curl(server.address, &options, &body) == body, "{version}: another body came back");
    }
}

#[test]
fn curl_keeps_its_connection() {
    let server = https(|| |_: Request<'_>, reply: Reply<'_>| reply.text("x"));
    let again = format!("https://localhost:{}/again", server.address.port());
    let options = ["--write-out", "%{num_connects}", &again];
    assert_eq!(curl(server.address, &options, b""), b"x1x0");
}

#[test]
fn the_example_serves_https_beside_http() {
    let (chain, key) = (certificates::path("p256.pem"), certificates::path("p256.key"));
    for workers in ["1", "2"] {
        let mut server = Command::new(mongoose_tests::example("http_server", crate::FEATURE))
            .args(["--listen", "http://127.0.0.1:0", "--workers", workers])
            .args(["--tls-cert", &chain, "--tls-key", &key])
            .stderr(Stdio::piped())
            .spawn()
            .expect("to start");
        let lines = BufReader::new(server.stderr.take().expect("piped")).lines();
        let mut places = lines.map(|line| line.expect("text").replace("listening on ", ""));
        let plain = places.next().expect("a first line");
        assert!(plain.starts_with("http://127.0.0.1:"), "{plain}");
        let secure = places.next().expect("a second line");
        let address = secure.strip_prefix("https://").expect("HTTPS").parse().expect("an address");
        let page = curl(address, &[], b"");
        assert!(page.starts_with(b"<!"), "{}", String::from_utf8_lossy(&page));
        server.kill().expect("to end it");
        server.wait().expect("it to end");
    }
}
