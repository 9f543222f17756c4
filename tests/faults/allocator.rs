//! C out of memory: the examples once more, with a C library whose nth allocation fails, for each n until all of an
//! exchange passes without having come to it.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use mongoose::http::{Reply, Request};
use mongoose::ws;
use mongoose_tests::{Random, Server, find_program};

use crate::broken::{converse, undated};
use crate::certificate;
use crate::curl::is_there;
use crate::mosquitto::{Mosquitto, run_tool};
use crate::program::Program;

/// What takes the place of C's own: `MONGOOSE_FAIL_AT` says which allocation fails, and at the end it tells how many there
/// were, and how many of them were given back.
const ALLOCATOR: &str = r#"
static long s_allocated, s_freed, s_fail_at;

__attribute__((constructor)) static void mg_read_setting(void) {
  const char *value = getenv("MONGOOSE_FAIL_AT");
  s_fail_at = value == NULL ? 0 : atol(value);
}

__attribute__((destructor)) static void mg_tell_counts(void) {
  fprintf(stderr, "C allocated %ld and freed %ld\n", s_allocated, s_freed);
}

void *mg_calloc(size_t count, size_t size) {
  if (__atomic_add_fetch(&s_allocated, 1, __ATOMIC_RELAXED) != s_fail_at) return calloc(count, size);
  __atomic_add_fetch(&s_freed, 1, __ATOMIC_RELAXED);
  return NULL;
}

void mg_free(void *block) {
  if (block != NULL) __atomic_add_fetch(&s_freed, 1, __ATOMIC_RELAXED);
  free(block);
}
"#;

/// The examples with that C library and its TLS, built once a run in a folder that later runs find again.
static EXAMPLES: LazyLock<PathBuf> = LazyLock::new(|| {
    let ours = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults-allocator");
    let source = ours.join("source");
    fs::create_dir_all(&source).expect("to make a folder");
    let place = |name: &str| {
        let folder = std::env::var_os("MONGOOSE_SYS_SOURCE_DIR").filter(|folder| !folder.is_empty());
        let vendored = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../mongoose-sys/vendor").into();
        Path::new(&folder.unwrap_or_else(vendored)).join(name)
    };
    let read = |name: &str| fs::read_to_string(place(name)).expect("the C source that was compiled just now");
    write_once(&source.join("mongoose.h"), &read("mongoose.h"));
    let with_allocator = format!("#define MG_ENABLE_CUSTOM_CALLOC 1\n{}{ALLOCATOR}", read("mongoose.c"));
    write_once(&source.join("mongoose.c"), &with_allocator);
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--package", "mongoose", "--no-default-features"]);
    build.args(["--features", "tls-builtin", "--target-dir"]).arg(&ours);
    for example in ["http_server", "http_client", "mqtt_broker", "mqtt_client", "udp_echo", "ws_client"] {
        build.args(["--example", example]);
    }
    build.env("MONGOOSE_SYS_SOURCE_DIR", &source).env("CARGO_PROFILE_DEV_DEBUG", "0");
    let built = build.output().expect("to start cargo");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    ours.join("debug/examples")
});

/// Writes a file unless it is there already: cargo goes by its time.
fn write_once(path: &Path, text: &str) {
    if fs::read_to_string(path).is_ok_and(|there| there == text) {
        return;
    }
    fs::write(path, text).expect("to write");
}

/// An example whose nth C allocation fails.
fn example(name: &str, fail_at: usize) -> Command {
    let mut command = Command::new(EXAMPLES.join(name));
    command.env("MONGOOSE_FAIL_AT", fail_at.to_string());
    command
}

/// Of what a program said: how many allocations there were. All were given back.
fn allocations(said: &str) -> usize {
    let line =
        said.lines().find_map(|line| line.strip_prefix("C allocated ")).unwrap_or_else(|| panic!("{said}"));
    let (allocated, freed) = line.split_once(" and freed ").expect("both");
    assert_eq!(allocated, freed, "{said}");
    allocated.parse().expect("a number")
}

/// More than any of these exchanges needs.
const MOST: usize = 300;

/// Whether a program said that it was short of memory, be it in our words or as programs without any of their own do.
fn says_so(said: &str) -> bool {
    said.contains("out of memory") || said.contains("OutOfMemory")
}

/// Runs a server with each of its allocations failing once, as long as there is one to fail. Without memory to begin with
/// it says so and ends. Else an exchange is held with it twice, which answers whether it was a whole one: behind one that was
/// broken off comes one that is not.
fn each_allocation(
    start: impl Fn(usize) -> Command,
    places: usize,
    exchange: impl Fn(&Program) -> bool,
) -> usize {
    for fail_at in 1..MOST {
        let Some(server) = Program::try_start(start(fail_at), places) else {
            let output = start(fail_at).output().expect("to start");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.code().is_some_and(|code| code > 0), "{fail_at}: {said}");
            assert!(says_so(&said) && allocations(&said) >= fail_at, "{fail_at}: {said}");
            continue;
        };
        if !exchange(&server) || !exchange(&server) {
            assert!(exchange(&server), "{fail_at}: the next is served");
        }
        let (status, said) = server.end_with_log();
        assert!(status.success(), "{fail_at}: {said}");
        if allocations(&said) < fail_at {
            return fail_at - 1;
        }
    }
    panic!("{MOST} allocations are more than there should be");
}

fn requests() -> Vec<Vec<u8>> {
    let body = Random::new(3).bytes(150_000);
    let head =
        |line: &str, more: &str| format!("{line} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{more}\r\n");
    let whole = head("POST /echo", &format!("Content-Length: {}\r\n", body.len()));
    let upgrade = "GET /ws HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let frames =
        [&b"\x81\x85\0\0\0\0hello\x82\xfe\x03\xe8\0\0\0\0"[..], &[7; 1000], b"\x88\x82\0\0\0\0\x03\xe8"];
    let chunk = b"186A0\r\n".iter().chain(&body[..100_000]).chain(b"\r\n0\r\n\r\n").copied().collect();
    vec![
        [b"GET /hello HTTP/1.1\r\nHost: test\r\n\r\n", head("GET /chunked", "").as_bytes()].concat(),
        [whole.as_bytes(), &body].concat(),
        [head("PUT /upload", "Transfer-Encoding: chunked\r\n").into_bytes(), chunk].concat(),
        [upgrade.as_bytes(), &frames.concat()].concat(),
        // Half of a request, which waits in a buffer of its own.
        head("GET /hello", "").as_bytes()[..30].to_vec(),
    ]
}

#[test]
fn a_server_of_http_and_websocket() {
    let test = "a_server_of_http_and_websocket";
    if !is_there(test) {
        return;
    }
    let certificate = certificate::make();
    let (chain, key) = (certificate.chain(), certificate.key());
    let start = |fail_at| {
        let mut command = example("http_server", fail_at);
        command.args(["--listen", "http://127.0.0.1:0", "--tls-cert", &chain, "--tls-key", &key]);
        command
    };
    let ask = |address: SocketAddr| {
        requests()
            .iter()
            .map(|request| {
                let half = request.len() < 50;
                undated(converse(address, request, half.then_some(&b""[..])))
            })
            .collect::<Vec<_>>()
    };
    let over_tls = |server: &Program| {
        let url = format!("https://{}/hello", server.addresses[1]);
        let arguments = ["--silent", "--max-time", "60", "--noproxy", "*", "--cacert", &*chain, &url];
        Command::new("curl").args(arguments).output().expect("to start curl").stdout
    };
    let server = Program::start(start(0), 2);
    let whole = ask(server.addresses[0]);
    assert!(whole[1].len() > 150_000 && whole[2].ends_with(b"\"}\n"), "the exchange is the right one");
    drop(server);
    let count = each_allocation(start, 2, |server| {
        let got = ask(server.addresses[0]);
        for (got, whole) in got.iter().zip(&whole) {
            assert!(whole.starts_with(got), "{:?}", String::from_utf8_lossy(got));
        }
        let secret = over_tls(server);
        assert!(b"hello\n".starts_with(&secret[..]), "{secret:?}");
        got == whole && !secret.is_empty()
    });
    assert!(count > 10, "{count} allocations");
}

#[test]
fn a_broker() {
    if find_program("mosquitto_pub", "a_broker").is_none()
        || find_program("mosquitto_sub", "a_broker").is_none()
    {
        return;
    }
    let start = |fail_at| {
        let mut command = example("mqtt_broker", fail_at);
        command.args(["--listen", "mqtt://127.0.0.1:0"]);
        command
    };
    let payload = "a payload ".repeat(1000);
    let publish = |server: &Program| {
        let publish = ["-q", "2", "-r", "-t", "kept", "-m", &*payload];
        run_tool("mosquitto_pub", server.addresses[0].port(), &publish).status.success()
    };
    let subscribe = |server: &Program| {
        let subscribe = ["-q", "2", "-t", "kept", "-C", "1", "-W", "60", "-N"];
        run_tool("mosquitto_sub", server.addresses[0].port(), &subscribe).stdout
    };
    let count =
        each_allocation(start, 1, |server| publish(server) && subscribe(server) == payload.as_bytes());
    assert!(count > 2, "{count} allocations");
}

#[test]
fn a_server_of_datagrams() {
    let start = |fail_at| {
        let mut command = example("udp_echo", fail_at);
        command.arg("udp://127.0.0.1:0");
        command
    };
    let echo = |server: &Program| {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
        socket.set_read_timeout(Some(mongoose_tests::PATIENCE)).expect("an option");
        socket.send_to(b"hello", server.addresses[0]).expect("to send");
        let mut buffer = [0; 100];
        let count = mongoose_tests::steadily(|| socket.recv(&mut buffer)).expect("an answer");
        buffer[..count] == *b"hello"
    };
    assert!(each_allocation(start, 1, echo) >= 1);
}

/// Runs a client with each of its allocations failing once: it does what it is for, or says why not.
fn each_allocation_of_a_client(start: impl Fn(usize) -> Command, expected: &[u8]) {
    for fail_at in 1..MOST {
        let output = start(fail_at).output().expect("to start");
        let said = String::from_utf8_lossy(&output.stderr);
        let allocated = allocations(&said);
        if output.status.success() {
            assert!(output.stdout == expected, "{fail_at}: {}", String::from_utf8_lossy(&output.stdout));
        } else {
            assert!(output.status.code().is_some(), "{fail_at}: {}: {said}", output.status);
            assert!(says_so(&said), "{fail_at}: {said}");
        }
        if allocated < fail_at {
            assert!(output.status.success() && fail_at > 1);
            return;
        }
    }
    panic!("{MOST} allocations are more than there should be");
}

#[test]
fn a_client_of_http() {
    let body = Random::new(19).bytes(300_000);
    let expected = body.clone();
    let server = Server::http(move || move |_: Request<'_>, reply: Reply<'_>| reply.body(body.clone()));
    let url = format!("http://{}/", server.address);
    let start = |fail_at| {
        let mut command = example("http_client", fail_at);
        command.arg(&url);
        command
    };
    each_allocation_of_a_client(start, &expected);
}

#[test]
fn a_client_of_websocket() {
    let server = Server::http(|| {
        |request: Request<'_>, reply: Reply<'_>| {
            ws::upgrade(request, reply).accept(
                |peer: &ws::Connection<'_>, event: ws::Event<'_>| match event {
                    ws::Event::Open => peer.send_binary(vec![7; 100_000]),
                    ws::Event::Message(_) => peer.close(ws::CloseCode::NORMAL, ""),
                    _ => Ok(()),
                },
            )
        }
    });
    let url = format!("ws://{}/", server.address);
    let start = |fail_at| {
        let mut command = example("ws_client", fail_at);
        command.arg(&url);
        command
    };
    each_allocation_of_a_client(start, b"");
}

#[test]
fn a_client_of_mqtt() {
    let server = Mosquitto::start();
    let url = server.url();
    let start = |fail_at| {
        let mut command = example("mqtt_client", fail_at);
        command.args(["-t", "a", "-m", "b", "-n", "1", "-q", "2", &url]);
        command
    };
    each_allocation_of_a_client(start, b"a b qos2\n");
}
