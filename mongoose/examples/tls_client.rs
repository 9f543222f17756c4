//! Speaks TLS between the terminal and a server: `cargo run --release --example tls_client -- tls://example.com:443`.
//!
//! What comes on the standard input is sent, what the server answers is printed. After the end of the input it waits for
//! the server to end.

use std::cell::RefCell;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use mongoose::{Connection, ConnectionId, Error, Event, Handle, Limits, Manager, Registry, tls};

const HELP: &str = "\
Sends the standard input to a server over TLS, and prints what it answers.

Usage: tls_client [OPTION]... URL

  --ca FILE      authorities to believe (PEM), in the place of the system's
  --name HOST    who the server has to be, where that is not the host of the URL
  --cert FILE    certificate chain to show, where the server asks (PEM)
  --key FILE     its private key (PEM)
  --alpn LIST    protocols to speak above, such as mqtt,http/1.1
  --insecure     believes anybody: for tests alone
  URL            such as tls://localhost:8883
  --help         this text

It ends with 0 when the server has ended properly; otherwise it says in a line what went
wrong, and ends with 1; for a wrong command line with 2.
";

/// How much of the input is on its way to the loop at a time.
const PIECE: usize = 64 << 10;

/// How much of it waits there.
const WAITING_MAX: usize = 256 << 10;

/// What the command line asks for.
struct Options {
    config: tls::ClientConfig,
    url: String,
}

fn options(mut arguments: impl Iterator<Item = OsString>) -> Result<Option<Options>, Error> {
    let wrong = |problem: String| Error::handler(format!("{problem} (--help says more)"));
    let (mut ca, mut name, mut chain, mut key, mut alpn, mut url) = (None, None, None, None, None, None);
    let mut insecure = false;
    while let Some(option) = arguments.next() {
        let option = option.into_string().map_err(|other| wrong(format!("{other:?} is not text")))?;
        let mut value = || arguments.next().ok_or_else(|| wrong(format!("{option} needs a value")));
        match option.as_str() {
            "--ca" => ca = Some(value()?),
            "--name" => name = Some(value()?.to_string_lossy().into_owned()),
            "--cert" => chain = Some(value()?),
            "--key" => key = Some(value()?),
            "--alpn" => alpn = Some(value()?.to_string_lossy().into_owned()),
            "--insecure" => insecure = true,
            "--help" | "-h" => return Ok(None),
            _ if option.starts_with('-') => return Err(wrong(format!("{option:?} is not an option"))),
            _ => url = Some(option),
        }
    }
    let url = url.ok_or_else(|| wrong("a URL is needed".to_owned()))?;
    let mut config = match ca {
        _ if insecure => tls::ClientConfig::dangerous().accept_any_certificate(),
        Some(ca) => tls::ClientConfig::roots_file(ca),
        None => tls::ClientConfig::system_roots(),
    };
    config = match (chain, key) {
        (Some(chain), Some(key)) => config.certificate_files(chain, key),
        (None, None) => config,
        _ => return Err(wrong("--cert and --key need each other".to_owned())),
    };
    if let Some(name) = &name {
        config = config.server_name(name);
    }
    if let Some(alpn) = &alpn {
        config = config.alpn(alpn.split(','));
    }
    Ok(Some(Options { config: config.build()?, url }))
}

/// Sends the standard input, from a thread of its own: reading it blocks. `room` says when there is some again.
fn send_input(handle: &Handle, id: ConnectionId, room: &Receiver<()>) -> Result<(), Error> {
    let mut stdin = io::stdin().lock();
    let mut piece = vec![0; PIECE];
    while let Ok(count @ 1..) = stdin.read(&mut piece) {
        loop {
            let (tell, told) = mpsc::channel();
            handle.send_then(id, piece[..count].to_vec(), move |result: Result<(), Error>| {
                // It is waited for.
                let _ = tell.send(result);
            })?;
            match told.recv().map_err(Error::handler)? {
                Ok(()) => break,
                Err(Error::OutputFull { .. }) => room.recv().map_err(Error::handler)?,
                Err(error) => return Err(error),
            }
        }
    }
    handle.post(move |registry: &Registry| {
        if let Ok(connection) = registry.connection(id) {
            connection.end();
        }
    })
}

fn speak(options: &Options) -> Result<(), Error> {
    let mut manager = Manager::new()?;
    let outcome = Rc::new(RefCell::new(None));
    let result = Rc::clone(&outcome);
    let (tell_room, room) = mpsc::channel();
    let mut room = Some(room);
    let handler = move |connection: &Connection<'_>, event: Event<'_>| {
        match event {
            Event::Connect => {
                connection.keep_open();
                if let Some(tls) = connection.tls() {
                    eprintln!("{} {}", tls.version, tls.cipher_suite);
                }
                let (handle, id) = (connection.handle(), connection.id());
                if let Some(room) = room.take() {
                    // It ends with the input, or with the program.
                    thread::spawn(move || send_input(&handle, id, &room));
                }
            }
            // The thread may have ended.
            Event::Write => drop(tell_room.send(())),
            Event::Read => {
                let written =
                    io::stdout().write_all(connection.received()).and_then(|()| io::stdout().flush());
                written.map_err(Error::handler)?;
                connection.consume(usize::MAX);
            }
            Event::End => connection.drain(),
            Event::Error(error) => *result.borrow_mut() = Some(Err(Error::handler(error.to_string()))),
            Event::Close => {
                result.borrow_mut().get_or_insert(Ok(()));
            }
            _ => {}
        }
        Ok(())
    };
    let mut limits = Limits::default();
    limits.output = WAITING_MAX;
    manager.connector(&options.url).limits(limits).tls(options.config.clone()).tcp(handler)?;
    loop {
        if let Some(outcome) = outcome.borrow_mut().take() {
            return outcome;
        }
        manager.poll(None)?;
    }
}

fn main() -> ExitCode {
    let options = match options(std::env::args_os().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("tls_client: {error}");
            return ExitCode::from(2);
        }
    };
    match speak(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tls_client: {error}");
            ExitCode::FAILURE
        }
    }
}
