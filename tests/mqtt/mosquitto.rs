//! A mosquitto of one's own.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;

use mongoose_tests::PATIENCE;

/// Runs until it is dropped.
pub struct Mosquitto {
    child: Child,
    log: mpsc::Receiver<String>,
    pub port: u16,
    config: std::path::PathBuf,
}

impl Mosquitto {
    /// Anybody may do anything.
    pub fn start() -> Self {
        Self::start_with("allow_anonymous true\n")
    }

    /// With more lines of configuration.
    pub fn start_with(more: &str) -> Self {
        for _ in 0..20 {
            // Between here and there somebody else may take it.
            let port =
                TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
            if let Some(started) = Self::at(port, more) {
                return started;
            }
        }
        panic!("mosquitto does not start");
    }

    /// At a port; `None` when that is taken.
    pub fn at(port: u16, more: &str) -> Option<Self> {
        let config =
            std::env::temp_dir().join(format!("mongoose-mosquitto-{}-{port}.conf", std::process::id()));
        let text = format!("listener {port} 127.0.0.1\nmax_queued_messages 0\n{more}");
        std::fs::write(&config, text).expect("a file");
        let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
        let mut child = Command::new("mosquitto")
            .env("PATH", path)
            .args(["-v", "-c"])
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("mosquitto: apt-get install mosquitto");
        let (sender, log) = mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut started = Self { child, log, port, config };
        while let Ok(line) = started.log.recv_timeout(PATIENCE) {
            if line.contains(" running") {
                return Some(started);
            }
        }
        // Its log has ended, and so has it.
        let _ = started.child.wait();
        None
    }

    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    /// Waits for a line of its log.
    pub fn wait_for(&self, text: &str) -> String {
        loop {
            let line = self.log.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no line with {text:?}"));
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Runs one of its clients to its end.
    pub fn tool(&self, program: &str, arguments: &[&str]) -> Output {
        run_tool(program, self.port, arguments)
    }

    /// Publishes by its own client.
    pub fn publish(&self, arguments: &[&str]) {
        let output = self.tool("mosquitto_pub", arguments);
        assert!(output.status.success(), "{output:?}");
    }
}

/// Runs one of mosquitto's clients to its end.
pub fn run_tool(program: &str, port: u16, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.args(["-h", "127.0.0.1", "-p", &port.to_string()]).args(arguments);
    command.output().expect("apt-get install mosquitto-clients")
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.config);
    }
}
