//! The command line.

/// What `--help` prints.
pub const HELP: &str = "\
Serves a few pages over HTTP.

Usage: http_server [--listen URL]...

  --listen URL   where to listen, such as http://127.0.0.1:8000 (the default) or
                 http://[::1]:0; may be given more than once
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
}

pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let mut listen = Vec::new();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--listen" => listen.push(arguments.next().ok_or("--listen needs a URL")?),
            "--help" | "-h" => return Ok(Command::Help),
            _ => return Err(format!("{argument:?} is not an option")),
        }
    }
    if listen.is_empty() {
        listen.push("http://127.0.0.1:8000".to_owned());
    }
    Ok(Command::Serve(Options { listen }))
}
