//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// What `--help` prints.
pub const HELP: &str = "\
Asks for a URL, and prints what it gets.

Usage: http_client [OPTION]... URL

  -X METHOD       the method (default GET, with -d POST)
  -H 'NAME: V'    a header; may be given more than once
  -d DATA         a body; @FILE is what is in a file, @- what comes on standard input
  -o FILE         write the body there; a file is replaced once all of it has come
  -i              print the head of the response too
  -L              follow redirects
  --max-time S    give up after so many seconds
  --ca FILE       whom to believe of an https:// URL (PEM), in the place of those that
                  the system trusts
  --name HOST     who the server has to be, where that is not the host of the URL
  --cert FILE     a certificate to show, where the server asks for one (PEM)
  --key FILE      its private key (PEM)
  --help          this text

It ends with 0 when the status is 2xx and all of the response has come. Otherwise it
says in a line what went wrong, and ends with 1; for a wrong command line with 2.
";

/// What the command line asks for.
pub enum Command {
    Ask(Box<Options>),
    Help,
}

/// What to ask for, and what to do with it.
#[derive(Default)]
pub struct Options {
    pub url: String,
    pub method: Option<String>,
    pub headers: Vec<(String, String)>,
    pub body: Option<Body>,
    pub output: Option<PathBuf>,
    pub with_head: bool,
    pub follow: bool,
    pub max_time: Option<Duration>,
    pub tls: Tls,
}

/// What an https URL is asked by.
#[derive(Default)]
pub struct Tls {
    pub ca: Option<PathBuf>,
    pub name: Option<String>,
    pub cert: Option<PathBuf>,
    pub key: Option<PathBuf>,
}

/// Where a body comes from.
pub enum Body {
    Text(String),
    File(PathBuf),
    Stdin,
}

/// Reads the arguments behind the program's name.
pub fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Command, String> {
    let mut arguments =
        arguments.map(|argument| argument.into_string().map_err(|other| format!("{other:?} is not text")));
    let mut options = Options::default();
    let mut urls = Vec::new();
    while let Some(argument) = arguments.next().transpose()? {
        // As in `-XPUT`.
        let (name, attached) = match argument.as_bytes() {
            [b'-', b'X' | b'H' | b'd' | b'o', _, ..] => argument.split_at(2),
            _ => (&*argument, ""),
        };
        let mut value = || match attached {
            "" => arguments.next().unwrap_or_else(|| Err(format!("{name} needs a value"))),
            attached => Ok(attached.to_owned()),
        };
        match name {
            "-X" => options.method = Some(value()?),
            "-H" => options.headers.push(header(&value()?)?),
            "-d" => options.body = Some(body(value()?)),
            "-o" => options.output = Some(value()?.into()),
            "-i" => options.with_head = true,
            "-L" => options.follow = true,
            "--max-time" => options.max_time = Some(seconds(&value()?)?),
            "--ca" => options.tls.ca = Some(value()?.into()),
            "--name" => options.tls.name = Some(value()?),
            "--cert" => options.tls.cert = Some(value()?.into()),
            "--key" => options.tls.key = Some(value()?.into()),
            "--help" | "-h" => return Ok(Command::Help),
            _ if name.starts_with('-') => return Err(format!("{name:?} is not an option")),
            _ => urls.push(argument),
        }
    }
    match <[String; 1]>::try_from(urls) {
        Ok([url]) => options.url = if url.contains("://") { url } else { format!("http://{url}") },
        Err(urls) => return Err(format!("one URL is needed, and there are {}", urls.len())),
    }
    if options.tls.cert.is_some() != options.tls.key.is_some() {
        return Err("--cert and --key need each other".to_owned());
    }
    Ok(Command::Ask(Box::new(options)))
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) =
        text.split_once(':').ok_or_else(|| format!("{text:?} is no header: it has no colon"))?;
    Ok((name.to_owned(), value.trim().to_owned()))
}

fn body(text: String) -> Body {
    match text.strip_prefix('@') {
        Some("-") => Body::Stdin,
        Some(path) => Body::File(path.into()),
        None => Body::Text(text),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let bad = || format!("{text:?} is not a number of seconds");
    let seconds: f64 = text.parse().map_err(|_| bad())?;
    Duration::try_from_secs_f64(seconds).map_err(|_| bad())
}
