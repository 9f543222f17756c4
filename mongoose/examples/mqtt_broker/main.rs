//! An MQTT broker, 3.1.1 and 5: `cargo run --release --example mqtt_broker -- --listen mqtt://127.0.0.1:1883`.
//!
//! Sessions, retained messages, wildcards, shared subscriptions, QoS 0 to 2, wills, rules for who may do what, bounded
//! queues, and a file that outlives the process. The file [`access`] has the hook for rules of your own.

mod access;
mod broker;
mod session;
mod store;
mod topics;

use std::cell::RefCell;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use mongoose::mqtt::{Peer, ServerEvent};
use mongoose::{Error, Manager, Registry};

use access::{Access, Everybody, Rules};
use broker::Broker;

const HELP: &str = "\
Usage: mqtt_broker [OPTION]...

  --listen URL           mqtt://ADDRESS:PORT, ws:// over WebSocket, mqtts:// or wss:// with --cert; may be
                         given more than once (default: mqtt://127.0.0.1:1883)
  --cert FILE --key FILE what to show over TLS
  --rules FILE           who may do what: lines of `user NAME PASSWORD`, `publish NAME FILTER` and
                         `subscribe NAME FILTER` (default: anybody may do anything)
  --queue COUNT          messages that wait for one client (default: 1000); further ones are dropped
  --store FILE           where retained messages and sessions outlive the process
";

struct Options {
    listen: Vec<String>,
    certificate: Option<String>,
    key: Option<String>,
    rules: Option<String>,
    queue: usize,
    store: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help") {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match parse(arguments.into_iter()).and_then(|options| serve(&options).map_err(|error| error.to_string()))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn serve(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    let access: Box<dyn Access> = match &options.rules {
        Some(path) => Box::new(Rules::read(path)?),
        None => Box::new(Everybody),
    };
    let broker = Rc::new(RefCell::new(Broker::new(access, options.queue)));
    if let Some(path) = &options.store {
        store::load(&mut broker.borrow_mut(), path)?;
    }
    let mut manager = Manager::new()?;
    for url in &options.listen {
        let ours = Rc::clone(&broker);
        let handler = move |peer: &Peer<'_>, event: ServerEvent<'_>| ours.borrow_mut().event(peer, event);
        let mut listener = manager.listener(url);
        let scheme = url.split("://").next().unwrap_or_default();
        if matches!(scheme, "mqtts" | "wss") {
            listener = secure(listener, options)?;
        }
        eprintln!("listening on {scheme}://{}", listener.mqtt(handler)?.local_addr());
    }
    let (ours, path) = (Rc::clone(&broker), options.store.clone());
    let tick = move |registry: &Registry| {
        let mut broker = ours.borrow_mut();
        broker.tick(registry);
        if let Some(path) = path.as_ref().filter(|_| std::mem::take(&mut broker.changed))
            && let Err(error) = store::save(&broker, path)
        {
            eprintln!("{}: {error}", path.display());
        }
    };
    manager.every(Duration::from_secs(1), tick)?.detach();
    manager.run_until_signal()?;
    if let Some(path) = &options.store {
        store::save(&broker.borrow(), path)?;
    }
    Ok(())
}

#[cfg(feature = "tls-rustls")]
fn secure<'r>(
    listener: mongoose::ListenerBuilder<'r>,
    options: &Options,
) -> Result<mongoose::ListenerBuilder<'r>, Error> {
    let (Some(certificate), Some(key)) = (&options.certificate, &options.key) else { return Ok(listener) };
    Ok(listener.tls(mongoose::tls::ServerConfig::from_files(certificate, key)?))
}

#[cfg(not(feature = "tls-rustls"))]
fn secure<'r>(
    listener: mongoose::ListenerBuilder<'r>,
    _: &Options,
) -> Result<mongoose::ListenerBuilder<'r>, Error> {
    // Listening says that it needs TLS.
    Ok(listener)
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options =
        Options { listen: Vec::new(), certificate: None, key: None, rules: None, queue: 1000, store: None };
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match &*argument {
            "--listen" => options.listen.push(value()?),
            "--cert" => options.certificate = Some(value()?),
            "--key" => options.key = Some(value()?),
            "--rules" => options.rules = Some(value()?),
            "--queue" => options.queue = value()?.parse().map_err(|error| format!("--queue: {error}"))?,
            "--store" => options.store = Some(value()?.into()),
            _ => return Err(format!("{argument:?} is not an option; see --help")),
        }
    }
    if options.listen.is_empty() {
        options.listen.push("mqtt://127.0.0.1:1883".to_owned());
    }
    Ok(options)
}
