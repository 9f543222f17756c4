//! The examples `metrics`, scraped by curl, and `calloop`, which shares a thread with another crate's timer.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use mongoose_tests::{Client, example, find_program};
use rustix::process::Signal;

use crate::program::HttpServer;

fn serve(name: &str, features: &str) -> HttpServer {
    let mut command = Command::new(example(name, features));
    command.arg("http://127.0.0.1:0").stdin(Stdio::null());
    HttpServer::serving(command, 1)
}

/// What curl gets, without the comments: a value for each name with its labels.
fn scrape(address: SocketAddr) -> BTreeMap<String, f64> {
    let output =
        Command::new("curl").args(["-sS", &format!("http://{address}/metrics")]).output().expect("to start");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.contains("# TYPE mongoose_connections gauge\n"), "{text}");
    assert!(text.contains("# HELP mongoose_requests_total HTTP requests"), "{text}");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let value = |line: &str| {
        let (name, value) = line.rsplit_once(' ').expect("a name and a value");
        (name.to_owned(), value.parse().expect("a number"))
    };
    lines.map(value).collect()
}

#[test]
fn what_a_server_counted_is_scraped() {
    if find_program("curl", "watched").is_none() {
        return;
    }
    let server = serve("metrics", "metrics");
    let address = server.addresses[0];
    let before = scrape(address);
    let of =
        |values: &BTreeMap<String, f64>, name: &str| values[&format!("mongoose_{name}{{manager=\"main\"}}")];
    let mut held = Client::connect(address);
    for _ in 0..5 {
        assert_eq!(held.get("/hello").text(), "hello\n");
    }
    let mut bad = Client::connect(address);
    bad.send("GET / HTTP/1.1\r\n\r\n");
    assert_eq!(bad.response().status, 400, "a request without Host");
    let after = scrape(address);
    let grown = |name: &str| of(&after, name) - of(&before, name);
    assert_eq!(after["greetings_total"], 5.0, "the program's own");
    // The second scrape is a connection and a request, too.
    assert_eq!((grown("requests_total"), grown("accepted_total"), grown("errors_total")), (6.0, 3.0, 1.0));
    assert!(grown("received_bytes_total") > 200.0 && grown("sent_bytes_total") > 500.0);
    assert_eq!((of(&after, "denied_total"), of(&after, "turned_away_total")), (0.0, 0.0));
    assert!(of(&after, "connections") >= 3.0, "the listener, who is held, and curl");
    server.signal(Signal::TERM);
    assert!(server.end().0.success());
}

// Elsewhere a manager has no descriptor.
#[cfg(target_os = "linux")]
#[test]
fn a_server_lives_on_another_loop() {
    let server = serve("calloop", "");
    let mut client = Client::connect(server.addresses[0]);
    let mut ticks = || {
        let answer = client.get("/");
        answer.text().strip_suffix(" ticks\n").and_then(|ticks| ticks.parse::<u64>().ok()).expect("a number")
    };
    let first = ticks();
    // Each request wakes the loop, and its timer goes on beside.
    for _ in 0..100_000 {
        if ticks() >= first + 3 {
            return;
        }
    }
    panic!("the other's timer does not ring");
}
