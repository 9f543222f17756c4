//! The example programs as processes, in which system calls may be made to fail.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{LazyLock, mpsc};
use std::thread;
use std::time::Instant;

use mongoose_tests::{PATIENCE, example};

pub static HTTP_SERVER: LazyLock<String> = LazyLock::new(|| example("http_server", ""));
pub static MQTT_BROKER: LazyLock<String> = LazyLock::new(|| example("mqtt_broker", ""));

/// An example that listens, killed when it is dropped.
pub struct Program {
    child: Child,
    log: mpsc::Receiver<String>,
    pub addresses: Vec<SocketAddr>,
}

impl Program {
    /// Starts it, and waits until it says at how many places it listens.
    pub fn start(command: Command, places: usize) -> Self {
        Self::try_start(command, places).expect("a program that listens")
    }

    /// The same; `None` when it ends instead.
    pub fn try_start(mut command: Command, places: usize) -> Option<Self> {
        let mut child =
            command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().expect("to start an example");
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        let (sender, log) = mpsc::channel();
        // Reads as lines come, so that the program never waits for us.
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut program = Self { child, log, addresses: Vec::new() };
        while program.addresses.len() < places {
            let line = match program.log.recv_timeout(PATIENCE) {
                Ok(line) => line,
                Err(mpsc::RecvTimeoutError::Disconnected) => return None,
                Err(mpsc::RecvTimeoutError::Timeout) => panic!("it does not say where it listens"),
            };
            if let Some((_, address)) =
                line.strip_prefix("listening on ").and_then(|url| url.split_once("://"))
            {
                program.addresses.push(address.parse().unwrap_or_else(|_| panic!("{line}")));
            }
        }
        Some(program)
    }

    /// How many files and sockets it has open. Not what the loop itself has: it may still be about to open that.
    pub fn descriptors(&self) -> usize {
        let folder = format!("/proc/{}/fd", self.child.id());
        let open = std::fs::read_dir(folder).expect("a process that is there");
        let is_of_the_loop = |path: &std::path::Path| path.to_string_lossy().starts_with("anon_inode:");
        // What is gone by now is not open.
        let places = open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
        places.filter(|place| !is_of_the_loop(place)).count()
    }

    /// Waits until it has no more descriptors open than it had.
    pub fn wait_for_descriptors(&self, before: usize) {
        let end = Instant::now() + PATIENCE;
        while self.descriptors() > before {
            assert!(Instant::now() < end, "{} descriptors, and {before} before", self.descriptors());
            thread::yield_now();
        }
    }

    /// Ends it as a service manager would, and answers how it ended.
    pub fn end(self) -> ExitStatus {
        self.end_with_log().0
    }

    /// The same, with what it said that nobody has read.
    pub fn end_with_log(mut self) -> (ExitStatus, String) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("to send a signal");
        let end = Instant::now() + PATIENCE;
        let mut said = String::new();
        // Its log ends with it.
        loop {
            match self.log.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => said += &(line + "\n"),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => panic!("it does not end: {said}"),
            }
        }
        (self.child.wait().expect("a status"), said)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail when it has ended, and then all is well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
