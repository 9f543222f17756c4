//! The example `proxy`, between our client and our server.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use mongoose::http::{self, BodyMode, Client, Piece, Reply, Request};
use mongoose::{Connection, Error, Limits, Manager};
use mongoose_tests::{Server, example, poll_until, scaled};

use crate::scene::Answer;

static PROXY: LazyLock<String> = LazyLock::new(|| example("proxy", ""));

/// The program, serving.
struct Proxy {
    child: Child,
    address: SocketAddr,
}

impl Proxy {
    /// In front of an origin. It may have so much memory.
    fn start(origin: SocketAddr) -> Self {
        let script = format!("ulimit -v {}; exec '{}' http://127.0.0.1:0 http://{origin}", 200 << 10, *PROXY);
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).stdin(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("a shell");
        let mut line = String::new();
        BufReader::new(child.stderr.take().expect("piped")).read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("listening on http://").unwrap_or_else(|| panic!("{line}"));
        let address = address.parse().expect("an address");
        Self { child, address }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Both fail when it has ended, and then all is well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const TOTAL: usize = 400 << 20;

/// What the proxy is in front of.
struct Origin;

/// Counts an upload.
struct Counter(u64);

impl http::Upload for Counter {
    fn data(&mut self, _: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
        self.0 += piece.len() as u64;
        Ok(())
    }

    fn end(&mut self, reply: Reply<'_>) -> Result<(), Error> {
        reply.text(self.0.to_string())
    }
}

impl http::Handler for Origin {
    fn body_mode(&mut self, request: &Request<'_>) -> BodyMode {
        if request.path() == "/count" { BodyMode::Streamed } else { BodyMode::Buffered }
    }

    fn request(&mut self, request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        match request.path() {
            "/count" => reply.receive(Counter(0)),
            "/echo" => {
                let seen = request.headers().iter().map(|(name, value)| format!("{name}={value:?};"));
                let seen: String = seen.collect();
                let line = format!("{} {}", request.method(), request.target());
                reply
                    .header("X-Seen", seen)
                    .header("X-Line", line)
                    .header("Connection-Like", "kept")
                    .body(request.body())
            }
            "/chunks" => {
                let mut left = 5;
                reply.stream(move || {
                    left -= 1;
                    Ok(if left > 0 { Piece::Data(format!("{left}\n").into()) } else { Piece::End })
                })
            }
            "/many" => {
                let mut left = scaled(TOTAL);
                reply.length(left as u64).stream(move || {
                    let count = left.min(100_000);
                    left -= count;
                    Ok(if count > 0 { Piece::Data(vec![b'x'; count].into()) } else { Piece::End })
                })
            }
            "/cut" => {
                let mut pieces = vec![Err(Error::handler("enough")), Ok(Piece::Data("some".into()))];
                reply.stream(move || pieces.pop().unwrap_or(Ok(Piece::End)))
            }
            "/moved" => reply.redirect("/echo"),
            "/empty" => reply.status(204).empty(),
            "/close" => {
                request.connection().close();
                Ok(())
            }
            _ => reply.status(404).text("no such page\n"),
        }
    }
}

fn origin() -> Server {
    Server::http(|| Origin)
}

#[test]
fn the_example_is_short() {
    let source = include_str!("../../mongoose/examples/proxy.rs");
    assert!(source.lines().count() < 150);
}

#[test]
fn passes_requests_and_responses_on() {
    let origin = origin();
    let proxy = Proxy::start(origin.address);
    let echo = http::request("POST", &proxy.url("/echo?a=b%20c"))
        .header("X-Mine", "value")
        .header("TE", "trailers")
        .body("text")
        .send()
        .expect("an answer");
    assert_eq!((echo.status(), echo.body()), (200, &b"text"[..]));
    assert_eq!(echo.header("X-Line").expect("there"), "POST /echo?a=b%20c");
    let seen = String::from_utf8_lossy(echo.header("X-Seen").expect("there").as_bytes()).into_owned();
    assert!(seen.contains("X-Mine=\"value\";") && seen.contains("Content-Length=\"4\";"), "{seen}");
    assert!(!seen.contains("TE=") && !seen.contains("Connection="), "{seen}");
    assert!(seen.contains(&format!("Host=\"{}\";", origin.address)), "{seen}");

    for (method, path, status, body) in [
        ("GET", "/echo", 200, ""),
        ("HEAD", "/echo", 200, ""),
        ("GET", "/chunks", 200, "4\n3\n2\n1\n"),
        ("HEAD", "/chunks", 200, ""),
        ("GET", "/empty", 204, ""),
        ("GET", "/moved", 302, ""),
        ("GET", "/nowhere", 404, "no such page\n"),
        ("POST", "/nowhere", 404, "no such page\n"),
        ("GET", "/close", 502, ""),
    ] {
        let response = http::request(method, &proxy.url(path)).redirects(0).send().expect("an answer");
        assert_eq!((response.status(), response.body_str()), (status, Ok(body)), "{method} {path}");
    }
    let streamed =
        http::request("PUT", &proxy.url("/echo")).reader(&b"some text"[..]).send().expect("an answer");
    assert_eq!(streamed.body(), b"some text");
    assert!(matches!(http::get(&proxy.url("/cut")), Err(Error::Truncated)));
    drop(origin);
    assert_eq!(http::get(&proxy.url("/echo")).expect("an answer").status(), 502);
}

#[test]
fn holds_a_connection_to_the_origin() {
    let origin = origin();
    let proxy = Proxy::start(origin.address);
    let mut manager = Manager::new().expect("a manager");
    let client = Client::new(&manager);
    for n in 0..scaled(100) {
        let answer = Answer::default();
        client.post(&proxy.url("/echo")).body(n.to_string()).send(answer.handler()).expect("to begin");
        poll_until(&mut manager, "the answer", |_| answer.is_there());
        assert_eq!(answer.take().expect("there").expect("an answer").body(), n.to_string().as_bytes());
    }
    assert_eq!(manager.stats().connections, 1);
    assert_eq!(origin.ask(|registry| registry.stats().accepted), 1);
}

#[test]
fn bodies_larger_than_its_memory_pass() {
    let origin = origin();
    let proxy = Proxy::start(origin.address);
    let mut limits = Limits::default();
    limits.body = 1 << 30;
    let many = http::request("GET", &proxy.url("/many")).limits(limits).send().expect("an answer");
    assert_eq!(many.body().len(), scaled(TOTAL));
    let mut left = scaled(TOTAL);
    let source = move || {
        let count = left.min(100_000);
        left -= count;
        Ok(if count > 0 { Piece::Data(vec![b'x'; count].into()) } else { Piece::End })
    };
    let counted = http::request("POST", &proxy.url("/count")).stream(source).send().expect("an answer");
    assert_eq!(counted.body(), scaled(TOTAL).to_string().as_bytes());
}

#[test]
fn an_origin_that_wants_no_more_is_heard() {
    let mut limits = Limits::default();
    limits.body = 1000;
    let origin = Server::http_within(limits, || Origin);
    let proxy = Proxy::start(origin.address);
    let source = || Ok(Piece::Data(vec![b'x'; 10_000].into()));
    let refused = http::request("POST", &proxy.url("/echo")).stream(source).send().expect("an answer");
    assert_eq!(refused.status(), 413);
    assert_eq!(http::get(&proxy.url("/echo")).expect("an answer").status(), 200);
}

#[test]
fn many_at_once() {
    let origin = origin();
    let proxy = Proxy::start(origin.address);
    let mut manager = Manager::new().expect("a manager");
    let client = Client::new(&manager);
    for _ in 0..3 {
        let answers: Vec<_> = (0..100)
            .map(|n| {
                let answer = Answer::default();
                client
                    .post(&proxy.url("/echo"))
                    .body(n.to_string())
                    .send(answer.handler())
                    .expect("to begin");
                answer
            })
            .collect();
        poll_until(&mut manager, "all answers", |_| answers.iter().all(Answer::is_there));
        for (n, answer) in answers.iter().enumerate() {
            assert_eq!(answer.take().expect("there").expect("an answer").body(), n.to_string().as_bytes());
        }
    }
}
