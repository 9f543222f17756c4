//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// What `--help` prints.
pub const HELP: &str = "\
Serves a few pages over HTTP.

Usage: http_server [OPTION]...

  --listen URL       where to listen, such as http://127.0.0.1:8000 (the default) or
                     http://[::1]:0; may be given more than once. Sockets that a
                     service manager passed on (LISTEN_FDS) are served too, and then
                     there is no default
  --tls-cert FILE    serves HTTPS too, with this certificate chain (PEM): at the https://
                     URLs among --listen, or at port 8443 where there is none. Needs the
                     feature tls-rustls or tls-builtin
  --tls-key FILE     the certificate's private key (PEM)
  --client-ca FILE   lets nobody in over HTTPS without a certificate that leads to one of
                     these (PEM)
  --workers N        how many threads serve, each with an event loop of its own
                     (default 1; 0: one a core)
  --root DIR         serves the files of a folder at every path without a route; its
                     index.html, where it has one, takes the place of the page at /
  --list             lists folders that have no index.html
  --max-body BYTES   largest body of a request (default: 3145728, but none for /upload,
                     which keeps nothing in memory)
  --timeout SECONDS  how long a request's head, its body, a pause between two requests
                     and a peer that does not read may take, such as 5 or 0.5 (default:
                     30, 30, 75 and 60)
  --inspect          answers every request with what was understood of it: JSON, every
                     value in base64
  --help             this text

Ctrl-C ends it, after the requests in flight are answered.
";

/// What the command line asks for.
pub enum Command {
    Serve(Options),
    Help,
}

/// How to serve.
#[derive(Default)]
pub struct Options {
    pub listen: Vec<String>,
    pub workers: usize,
    pub root: Option<PathBuf>,
    pub list: bool,
    pub max_body: Option<usize>,
    pub timeout: Option<Duration>,
    pub inspect: bool,
    /// Files of the certificate chain and its key.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// A file of the authorities of clients.
    pub client_ca: Option<PathBuf>,
}

/// Reads the arguments behind the program's name.
pub fn parse(mut arguments: impl Iterator<Item = OsString>) -> Result<Command, String> {
    let mut options = Options { workers: 1, ..Options::default() };
    let (mut chain, mut key) = (None, None);
    while let Some(option) = arguments.next() {
        let option = text(option)?;
        let mut value = || arguments.next().ok_or_else(|| format!("{option} needs a value"));
        match option.as_str() {
            "--listen" => options.listen.push(text(value()?)?),
            "--workers" => options.workers = number(&text(value()?)?, "a number of workers")?,
            "--root" => options.root = Some(value()?.into()),
            "--list" => options.list = true,
            "--max-body" => options.max_body = Some(number(&text(value()?)?, "a number of bytes")?),
            "--timeout" => options.timeout = Some(seconds(&text(value()?)?)?),
            "--tls-cert" => chain = Some(PathBuf::from(value()?)),
            "--tls-key" => key = Some(PathBuf::from(value()?)),
            "--client-ca" => options.client_ca = Some(value()?.into()),
            "--inspect" => options.inspect = true,
            "--help" | "-h" => return Ok(Command::Help),
            _ => return Err(format!("{option:?} is not an option")),
        }
    }
    if options.list && options.root.is_none() {
        return Err("--list needs a --root".to_owned());
    }
    options.tls = match (chain, key) {
        (None, None) => None,
        (Some(chain), Some(key)) => Some((chain, key)),
        _ => return Err("--tls-cert and --tls-key need each other".to_owned()),
    };
    if options.client_ca.is_some() && options.tls.is_none() {
        return Err("--client-ca needs a --tls-cert".to_owned());
    }
    Ok(Command::Serve(options))
}

fn text(argument: OsString) -> Result<String, String> {
    argument.into_string().map_err(|other| format!("{other:?} is not text"))
}

fn number(text: &str, what: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("{text:?} is not {what}"))
}

/// More than no time.
fn seconds(text: &str) -> Result<Duration, String> {
    let duration = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.filter(|time| !time.is_zero()).ok_or_else(|| format!("{text:?} is not a number of seconds"))
}
