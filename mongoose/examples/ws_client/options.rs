//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

/// What `--help` prints.
pub const HELP: &str = "\
Speaks WebSocket.

Usage: ws_client URL                  send back what comes, until the connection ends
       ws_client --interactive URL    send lines of the standard input, print what comes
       ws_client --suite URL AGENT    play the client's side of a test suite: as many
                                      cases as URL/getCaseCount says, each an echo at
                                      URL/runCase?case=N&agent=AGENT, and in the end
                                      URL/updateReports?agent=AGENT

  --ca FILE                           for wss: the authorities to believe (PEM), in the
                                      place of the system's
  --help                              this text

It ends with 0 when the connection was closed as it should be. Otherwise it says in a
line what went wrong, and ends with 1; for a wrong command line with 2.
";

/// What the command line asks for.
pub enum Command {
    Run(Options),
    Help,
}

/// Where to connect, and what to do there.
pub struct Options {
    pub url: String,
    pub mode: Mode,
    pub ca: Option<PathBuf>,
}

/// What to do.
pub enum Mode {
    Echo,
    Interactive,
    Suite { agent: String },
}

/// Reads the arguments behind the program's name.
pub fn parse(mut arguments: impl Iterator<Item = OsString>) -> Result<Command, String> {
    let mut words = Vec::new();
    let (mut interactive, mut suite, mut ca) = (false, false, None);
    while let Some(argument) = arguments.next() {
        let argument = argument.into_string().map_err(|other| format!("{other:?} is not text"))?;
        match argument.as_str() {
            "--help" => return Ok(Command::Help),
            "--interactive" => interactive = true,
            "--suite" => suite = true,
            "--ca" => ca = Some(arguments.next().ok_or("--ca needs a file")?.into()),
            other if other.starts_with('-') => return Err(format!("{other}: there is no such option")),
            _ => words.push(argument),
        }
    }
    let mut words = words.into_iter();
    let url = words.next().ok_or("where to?")?;
    let mode = match (interactive, suite) {
        (false, false) => Mode::Echo,
        (true, false) => Mode::Interactive,
        (false, true) => Mode::Suite { agent: words.next().ok_or("--suite needs the name of an agent")? },
        (true, true) => return Err("--interactive or --suite, not both".to_owned()),
    };
    match words.next() {
        Some(word) => Err(format!("{word}: that is one word too many")),
        None => Ok(Command::Run(Options { url, mode, ca })),
    }
}
