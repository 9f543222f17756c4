//! Running an example.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::{LazyLock, mpsc};
use std::thread;
use std::time::Instant;

use mongoose_tests::{PATIENCE, example};
use rustix::process::{Pid, Signal, kill_process};

/// The example `http_server`, with the features that are on by default.
pub static HTTP_SERVER: LazyLock<String> = LazyLock::new(|| example("http_server", ""));

/// The example `embedded`.
pub static EMBEDDED: LazyLock<String> = LazyLock::new(|| example("embedded", "include_dir"));

/// The program, not yet started.
pub fn http_server(arguments: &[&str]) -> Command {
    let mut command = Command::new(&*HTTP_SERVER);
    command.args(arguments).stdin(Stdio::null());
    command
}

/// The program, serving.
pub struct HttpServer {
    child: Child,
    log: mpsc::Receiver<String>,
    /// One for each `--listen`.
    pub addresses: Vec<SocketAddr>,
}

impl HttpServer {
    /// Starts it at the given URLs, and waits until it says that it listens.
    pub fn start(urls: &[&str]) -> Self {
        Self::start_with(urls, &[])
    }

    /// As [`start`](Self::start), with more arguments.
    pub fn start_with(urls: &[&str], more: &[&str]) -> Self {
        let listen = urls.iter().flat_map(|url| ["--listen", url]);
        let arguments: Vec<_> = listen.chain(more.iter().copied()).collect();
        Self::serving(http_server(&arguments), urls.len())
    }

    /// Starts a command that becomes the program, and waits until it says at how many places it listens.
    pub fn serving(mut command: Command, places: usize) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("to start");
        let log = lines(child.stderr.take().expect("piped"));
        let mut server = Self { child, log, addresses: Vec::new() };
        for _ in 0..places {
            let line = server.line();
            let address = line.strip_prefix("listening on http://").unwrap_or_else(|| panic!("{line}"));
            server.addresses.push(address.parse().expect("an address"));
        }
        server
    }

    /// Starts it on a port of its choice.
    pub fn start_one() -> Self {
        Self::start(&["http://127.0.0.1:0"])
    }

    /// Starts it on a port of its choice, with options.
    pub fn start_one_with(options: &[&str]) -> Self {
        Self::start_with(&["http://127.0.0.1:0"], options)
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addresses[0])
    }

    /// The next line of its log.
    pub fn line(&mut self) -> String {
        self.log.recv_timeout(PATIENCE).expect("a line on stderr")
    }

    /// Reads its log up to a line that has `text` in it.
    pub fn line_with(&mut self, text: &str) -> String {
        std::iter::repeat_with(|| self.line()).find(|line| line.contains(text)).expect("an endless iterator")
    }

    /// The most memory it ever had, in bytes.
    #[cfg(target_os = "linux")]
    pub fn peak_memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("a process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
        let kilobytes = line.trim().strip_suffix(" kB").and_then(|number| number.parse::<usize>().ok());
        kilobytes.expect("a number") << 10
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("a process that is there");
    }

    /// Waits for its end. The rest of its log comes with the status.
    pub fn end(mut self) -> (ExitStatus, Vec<String>) {
        // Its log ends with it, and that wait is bounded.
        let end = Instant::now() + PATIENCE;
        let mut rest = Vec::new();
        loop {
            match self.log.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => rest.push(line),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => panic!("it does not end: {rest:?}"),
            }
        }
        (self.child.wait().expect("a status"), rest)
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        // Both fail when it has ended, and then all is well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads lines as they come, so that the program never waits for us.
fn lines(stderr: ChildStderr) -> mpsc::Receiver<String> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            // Nobody listens any more when the test is over.
            let _ = send.send(line);
        }
    });
    receive
}
