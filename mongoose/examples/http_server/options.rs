//! The command line.

use std::ffi::OsString;

/// What `--help` prints.
pub const HELP: &str = "\
Serves a few pages over HTTP.

Usage: http_server [--listen URL]... [--workers N]

  --listen URL   where to listen, such as http://127.0.0.1:8000 (the default) or
                 http://[::1]:0; may be given more than once. Sockets that a service
                 manager passed on (LISTEN_FDS) are served too, and then there is no
                 default
  --workers N    how many threads serve, each with an event loop of its own (default
                 1; 0: one a core)
  --help         this text

Ctrl-C ends it, after the requests in flight are answered.
";

/// What the command line asks for.
pub enum Command {
    Serve(Options),
    Help,
}

/// How to serve.
pub struct Options {
    pub listen: Vec<String>,
    pub workers: usize,
}

/// Reads the arguments behind the program's name.
pub fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Command, String> {
    let mut arguments =
        arguments.map(|argument| argument.into_string().map_err(|other| format!("{other:?} is not text")));
    let mut listen = Vec::new();
    let mut workers = 1;
    while let Some(argument) = arguments.next().transpose()? {
        match argument.as_str() {
            "--listen" => listen.push(arguments.next().ok_or("--listen needs a URL")??),
            "--workers" => {
                let number = arguments.next().ok_or("--workers needs a number")??;
                workers = number.parse().map_err(|_| format!("{number:?} is not a number of workers"))?;
            }
            "--help" | "-h" => return Ok(Command::Help),
            _ => return Err(format!("{argument:?} is not an option")),
        }
    }
    Ok(Command::Serve(Options { listen, workers }))
}
