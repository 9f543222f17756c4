//! A WebSocket client: `cargo run --release --example ws_client -- ws://127.0.0.1:8000/ws`.

mod options;
mod suite;

use std::cell::RefCell;
use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use std::rc::Rc;
use std::thread;

use mongoose::{Error, Manager, Registry, ws};
use options::{Command, Mode, Options};

/// Suites send messages of 16 MiB.
const MESSAGE_MAX: usize = 64 << 20;

fn main() -> ExitCode {
    let options = match options::parse(std::env::args_os().skip(1)) {
        Ok(Command::Run(options)) => options,
        Ok(Command::Help) => {
            print!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("ws_client: {problem} (--help says more)");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ws_client: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What it comes to, once that is known.
pub type Outcome = Rc<RefCell<Option<Result<(), Error>>>>;

fn run(options: &Options) -> Result<(), Error> {
    let mut manager = Manager::new()?;
    let outcome = Outcome::default();
    let dialer = Dialer::new(options)?;
    let done = Rc::clone(&outcome);
    match &options.mode {
        Mode::Echo => dialer.connect(&manager, &options.url).open(Echo { outcome: done, error: None })?,
        Mode::Interactive => {
            dialer.connect(&manager, &options.url).open(Talk { outcome: done, error: None })?
        }
        Mode::Suite { agent } => suite::start(&manager, dialer, &options.url, agent, &outcome)?,
    };
    loop {
        let done = outcome.borrow_mut().take();
        if let Some(done) = done {
            return done;
        }
        manager.poll(None)?;
    }
}

/// How connections are made.
#[derive(Debug)]
pub struct Dialer {
    /// Whom to believe, where that is not whom the system trusts.
    #[cfg(feature = "tls-rustls")]
    config: Option<mongoose::tls::ClientConfig>,
}

impl Dialer {
    #[cfg(feature = "tls-rustls")]
    fn new(options: &Options) -> Result<Self, Error> {
        let config = options.ca.as_ref().map(|ca| mongoose::tls::ClientConfig::roots_file(ca).build());
        Ok(Self { config: config.transpose()? })
    }

    #[cfg(not(feature = "tls-rustls"))]
    fn new(options: &Options) -> Result<Self, Error> {
        match options.ca {
            Some(_) => Err(Error::handler("--ca needs a program that was built with --features tls-rustls")),
            None => Ok(Self {}),
        }
    }

    /// A connection to be, with room for large messages.
    pub fn connect<'c>(&self, registry: &'c Registry, url: &str) -> ws::Connect<'c> {
        let mut limits = ws::Limits::default();
        limits.message = MESSAGE_MAX;
        limits.frame = MESSAGE_MAX;
        let connect = ws::connect(registry, url).limits(limits);
        #[cfg(feature = "tls-rustls")]
        if let Some(config) = &self.config {
            return connect.tls(config.clone());
        }
        connect
    }
}

/// Sends back what it receives, until the connection ends.
struct Echo {
    outcome: Outcome,
    error: Option<String>,
}

impl ws::Handler for Echo {
    fn event(&mut self, peer: &ws::Connection<'_>, event: ws::Event<'_>) -> Result<(), Error> {
        match event {
            ws::Event::Message(message) => return peer.send(message),
            ws::Event::Error(error) => self.error = Some(error.to_string()),
            ws::Event::Close(close) => *self.outcome.borrow_mut() = Some(judge(self.error.take(), close)),
            _ => {}
        }
        Ok(())
    }
}

/// Sends lines of the standard input, and prints what it receives.
struct Talk {
    outcome: Outcome,
    error: Option<String>,
}

impl ws::Handler for Talk {
    fn event(&mut self, peer: &ws::Connection<'_>, event: ws::Event<'_>) -> Result<(), Error> {
        match event {
            ws::Event::Open => {
                eprintln!("connected; a line is a message, its end is the end");
                send_lines(peer.sender())?;
            }
            ws::Event::Message(ws::Message::Text(text)) => print(text.as_bytes())?,
            ws::Event::Message(ws::Message::Binary(bytes)) => {
                print(format!("{} bytes: {}", bytes.len(), bytes.escape_ascii()).as_bytes())?;
            }
            ws::Event::Error(error) => self.error = Some(error.to_string()),
            ws::Event::Close(close) => {
                eprintln!("closed with {} {}", close.code, close.reason);
                *self.outcome.borrow_mut() = Some(judge(self.error.take(), close));
            }
            _ => {}
        }
        Ok(())
    }
}

/// Reading waits, so it has a thread of its own.
fn send_lines(sender: ws::Sender) -> Result<(), Error> {
    let read = move || {
        for line in io::stdin().lock().lines() {
            let sent = line.map_err(Error::handler).and_then(|line| sender.send_text(line));
            if sent.is_err() {
                break;
            }
        }
        // Nobody is left to be told when that fails.
        let _ = sender.close(ws::CloseCode::NORMAL, "");
    };
    thread::Builder::new().spawn(read).map(drop).map_err(Error::handler)
}

fn print(line: &[u8]) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    out.write_all(line).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()).map_err(Error::handler)
}

fn judge(error: Option<String>, close: ws::CloseFrame<'_>) -> Result<(), Error> {
    match error {
        Some(error) => Err(Error::handler(error)),
        None if close.code == ws::CloseCode::ABNORMAL => {
            Err(Error::handler("the connection ended without a word"))
        }
        None => Ok(()),
    }
}
