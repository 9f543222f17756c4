//! The time of day jumps, by days and by decades: nothing that waits goes by it, and what tells it tells the new one.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use mongoose_tests::Client;

use crate::calls::faulty;
use crate::program::{HTTP_SERVER, Program};
use crate::scratch::Scratch;

const DAY: i64 = 24 * 60 * 60;

/// By how many seconds the clock of a program is off, which sees what is written here at once.
struct Clock(File, String);

impl Clock {
    fn new(folder: &Scratch) -> Self {
        let path = folder.file("clock", [0; 8]);
        Self(File::options().write(true).open(&path).expect("a file"), path)
    }

    fn set(&self, seconds: i64) {
        self.0.write_all_at(&seconds.to_ne_bytes(), 0).expect("to write");
    }

    /// A program that goes by it.
    fn command(&self, program: &str) -> Command {
        let mut command = faulty(program, &[]);
        command.env("FAULT_CLOCK", &self.1);
        command
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock that is set").as_secs() as i64
}

/// A time as HTTP writes it, by the program `date`.
fn date(seconds: i64) -> String {
    let mut command = Command::new("date");
    command.env("LC_ALL", "C").args(["-u", "+%a, %d %b %Y %H:%M:%S GMT", "-d", &format!("@{seconds}")]);
    let output = command.output().expect("date");
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

#[test]
fn jumps_close_nothing_and_are_told() {
    let folder = Scratch::new();
    let clock = Clock::new(&folder);
    let mut command = clock.command(&HTTP_SERVER);
    command.args(["--listen", "http://127.0.0.1:0"]);
    let server = Program::start(command, 1);
    let mut idle = Client::connect(server.addresses[0]);
    assert_eq!(idle.get("/hello").status, 200);
    let mut half = Client::connect(server.addresses[0]);
    half.send("GET /hello HTTP/1.1\r\n");
    let mut events = Client::connect(server.addresses[0]);
    events.send("GET /sse HTTP/1.1\r\nHost: test\r\n\r\n");
    while !events.line().is_empty() {}
    let number = |chunk: Vec<u8>| -> u64 {
        let text = String::from_utf8(chunk).expect("text");
        let id = text.lines().find_map(|line| line.strip_prefix("id: ")).expect("an id");
        id.parse().expect("a number")
    };
    let mut last = number(events.chunk().expect("an event"));
    for offset in [DAY, -DAY, 50 * 365 * DAY, -now() - DAY, 0, 7_000 * 365 * DAY, -1] {
        clock.set(offset);
        // Once a loop waits, it sees the new time when it wakes; the next turn tells it.
        idle.get("/hello");
        let before = now();
        let told = idle.get("/hello").header("Date").expect("a date").to_owned();
        // Before 1970 there are no dates for it.
        let possible: Vec<_> = (before..=now()).map(|second| date((second + offset).max(0))).collect();
        assert!(possible.contains(&told), "{offset}: {told}, not {possible:?}");
        // One a second, and neither none nor a day's.
        let next = number(events.chunk().expect("an event"));
        assert_eq!(next, last + 1, "{offset}");
        last = next;
    }
    // Its time to send a head is not over.
    assert_eq!(half.send("Host: test\r\n\r\n").response().status, 200);
    assert!(server.end().success());
}

#[test]
fn deadlines_pass_though_the_clock_goes_back() {
    let folder = Scratch::new();
    let clock = Clock::new(&folder);
    let mut command = clock.command(&HTTP_SERVER);
    command.args(["--listen", "http://127.0.0.1:0", "--timeout", "1"]);
    let server = Program::start(command, 1);
    let mut idle = Client::connect(server.addresses[0]);
    assert_eq!(idle.get("/hello").status, 200);
    let mut half = Client::connect(server.addresses[0]);
    half.send("GET /hello HTTP/1.1\r\n");
    clock.set(-DAY);
    assert_eq!(idle.to_end(), b"");
    assert!(half.to_end().starts_with(b"HTTP/1.1 408 "));
    assert!(server.end().success());
}

#[cfg(feature = "tls-rustls")]
#[test]
fn certificates_are_judged_by_the_time_that_it_is() {
    use crate::curl::{curl_text, is_there};
    use mongoose_tests::example;

    if !is_there("certificates_are_judged_by_the_time_that_it_is") {
        return;
    }
    let certificate = crate::certificate::make();
    let (chain, key) = (certificate.chain(), certificate.key());
    let folder = Scratch::new();
    let clock = Clock::new(&folder);
    let mut command = clock.command(&HTTP_SERVER);
    command.args(["--listen", "https://127.0.0.1:0", "--tls-cert", &chain, "--tls-key", &key]);
    let server = Program::start(command, 1);
    let url = format!("https://localhost:{}/hello", server.addresses[0].port());
    let client = example("http_client", "");
    // It is valid for 30 days from now.
    for (offset, problem) in
        [(0, None), (40 * DAY, Some("expired")), (-DAY, Some("not valid yet")), (10 * DAY, None)]
    {
        clock.set(offset);
        let mut command = clock.command(&client);
        let output = command.args(["--ca", &chain, "--max-time", "60", &url]).output().expect("to start");
        let said = String::from_utf8_lossy(&output.stderr);
        match problem {
            None => assert_eq!(output.stdout, b"hello\n", "{offset}: {said}"),
            Some(problem) => {
                assert_eq!(output.status.code(), Some(1), "{offset}");
                assert!(said.contains(problem), "{offset}: {said}");
            }
        }
        // The server's own clock decides nothing of this: who believes it is served.
        assert_eq!(curl_text(&["--cacert", &chain, &url]), "hello\n");
    }
    assert!(server.end().success());
}
