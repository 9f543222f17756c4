//! Subscribes to a topic, publishes to it, and prints what comes back:
//! `cargo run --release --example mqtt_client -- mqtt://127.0.0.1:1883 -t greetings -m hello -n 3 -q 1`.

use std::cell::Cell;
use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;
use std::rc::Rc;
use std::str::FromStr;
use std::time::{Duration, Instant};

use mongoose::mqtt::{Client, ClientBuilder, Event, Message, QoS, Session, Version};
use mongoose::{Error, Manager};

const HELP: &str = "\
Usage: mqtt_client URL [OPTION]...

URL is mqtt://HOST:PORT or ws://HOST:PORT/PATH over WebSocket, or mqtts:// or wss:// over TLS.

  -V 4|5             the version: 3.1.1 (default) or 5
  -t TOPIC           what to subscribe and to publish to (default: test)
  -m MSG             what to publish (default: hello)
  -n COUNT           how often, and how many messages to wait for (default: 1)
  -q QOS             0 (default), 1 or 2
  -r                 have the messages retained
  -u USER -P PASS    the user's name and password
  -i ID              the client identifier (default: the server chooses)
  -k SECONDS         keep-alive (default: 60)
  --sub-only         publish nothing
  --no-clean         go on with the session that the server has
  --will-topic T --will-msg M
                     what the server publishes once we are gone without a word
  --ca FILE          the certificates to trust, for TLS (default: the system's)
  --name HOST        whom the server has to be (default: the URL's host)
  --deadline MS      give up after so many milliseconds

It prints TOPIC MSG qosN for each message, and ends with 0 after COUNT of them, with 5 when the
server refuses the connection, and otherwise with 1; for a wrong command line with 2.
";

/// What the command line asks for.
struct Options {
    builder: ClientBuilder,
    topic: String,
    message: String,
    count: usize,
    qos: QoS,
    retain: bool,
    publish: bool,
    deadline: Option<Instant>,
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help") {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match parse(arguments.into_iter()) {
        Ok(options) => run(options).unwrap_or_else(|error| {
            eprintln!("{error}");
            ExitCode::FAILURE
        }),
        Err(problem) => {
            eprintln!("{problem}; see --help");
            ExitCode::from(2)
        }
    }
}

fn run(options: Options) -> Result<ExitCode, Error> {
    let mut manager = Manager::new()?;
    let (ended, outcome) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(ExitCode::FAILURE)));
    let deadline = options.deadline;
    let mut conversation =
        Conversation { options, received: 0, asked: false, connected: false, outcome: Rc::clone(&outcome) };
    let is_over = Rc::clone(&ended);
    let builder = conversation.options.builder.clone();
    builder.connect(&manager, move |session: &Session<'_>, event: Event<'_>| {
        is_over.set(matches!(event, Event::Closed));
        conversation.event(session, event)
    })?;
    while !ended.get() {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            eprintln!("the deadline passed");
            return Ok(ExitCode::FAILURE);
        }
        manager.poll(left)?;
    }
    Ok(outcome.get())
}

struct Conversation {
    options: Options,
    received: usize,
    /// The subscription was answered: after a reconnect nothing is published again.
    asked: bool,
    connected: bool,
    outcome: Rc<Cell<ExitCode>>,
}

impl Conversation {
    fn event(&mut self, session: &Session<'_>, event: Event<'_>) -> Result<(), Error> {
        let options = &self.options;
        match event {
            Event::Connected(_) if !self.connected => {
                self.connected = true;
                session.subscribe(&options.topic, options.qos)?;
            }
            Event::Subscribed(_, answer) if !self.asked => {
                self.asked = true;
                if let Some(reason) = answer.reasons().find(|reason| reason.is_failure()) {
                    eprintln!("no subscription to {}: {reason}", options.topic);
                    session.disconnect();
                } else if options.publish {
                    let (qos, retain) = (options.qos, options.retain);
                    let message =
                        Message { qos, retain, ..Message::new(&options.topic, options.message.as_bytes()) };
                    for _ in 0..options.count {
                        session.publish_message(&message)?;
                    }
                }
            }
            Event::Message(message) if self.received < options.count => {
                self.received += 1;
                print(&message).map_err(Error::handler)?;
            }
            Event::Published(_, reason) if reason.is_failure() => {
                eprintln!("the server does not take it: {reason}");
                session.disconnect();
                return Ok(());
            }
            Event::Disconnected { error, retry } => {
                eprintln!("{error}");
                if let Error::ConnectRefused { .. } = error {
                    self.outcome.set(ExitCode::from(5));
                }
                // One that was there comes back; one that never was is a failure.
                if !self.connected || retry.is_none() {
                    session.disconnect();
                    return Ok(());
                }
            }
            _ => {}
        }
        // What is published is to have arrived, too.
        if self.received >= self.options.count && self.asked && session.pending() == 0 {
            self.outcome.set(ExitCode::SUCCESS);
            session.disconnect();
        }
        Ok(())
    }
}

fn print(message: &Message<'_>) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    write!(out, "{} ", message.topic)?;
    out.write_all(message.payload)?;
    writeln!(out, " qos{}", message.qos as u8)
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut url = None;
    let (mut topic, mut message) = ("test".to_owned(), "hello".to_owned());
    let (mut count, mut qos, mut retain, mut publish) = (1, QoS::AtMostOnce, false, true);
    let (mut user, mut password) = (None, None);
    let (mut will_topic, mut will_message) = (None, String::new());
    let (mut deadline, mut ca, mut name) = (None, None, None);
    let mut set: Vec<Box<dyn FnOnce(ClientBuilder) -> ClientBuilder>> = Vec::new();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match &*argument {
            "-V" => match &*value()? {
                "4" => {}
                "5" => set.push(Box::new(|builder| builder.version(Version::V5))),
                other => return Err(format!("there is no version {other}")),
            },
            "-t" => topic = value()?,
            "-m" => message = value()?,
            "-n" => count = number(&value()?)?,
            "-q" => {
                let level = number(&value()?)?;
                qos = QoS::new(level).ok_or_else(|| format!("there is no QoS {level}"))?;
            }
            "-r" => retain = true,
            "-u" => user = Some(value()?),
            "-P" => password = Some(value()?),
            "-i" => {
                let id = value()?;
                set.push(Box::new(|builder| builder.client_id(id)));
            }
            "-k" => {
                let seconds = number(&value()?)?;
                set.push(Box::new(move |builder| builder.keep_alive(seconds)));
            }
            "--sub-only" => publish = false,
            // What MQTT 5 is to go on with, it has to be asked to keep.
            "--no-clean" => set.push(Box::new(|builder| builder.clean_start(false).session_expiry(3600))),
            "--will-topic" => will_topic = Some(value()?),
            "--will-msg" => will_message = value()?,
            "--ca" => ca = Some(value()?),
            "--name" => name = Some(value()?),
            "--deadline" => deadline = Some(Instant::now() + Duration::from_millis(number(&value()?)?)),
            _ if argument.starts_with('-') => return Err(format!("{argument:?} is not an option")),
            _ if url.is_none() => url = Some(argument),
            _ => return Err(format!("{argument:?} is one URL too many")),
        }
    }
    let url = url.ok_or("a URL is needed")?;
    let mut builder = set.into_iter().fold(Client::builder(&url), |builder, set| set(builder));
    if let Some(topic) = &will_topic {
        builder = builder.will(&Message { qos, retain, ..Message::new(topic, will_message.as_bytes()) });
    }
    if url.starts_with("mqtts:") || url.starts_with("wss:") {
        builder = secure(builder, ca, name).map_err(|error| error.to_string())?;
    }
    builder = match (user, password) {
        (Some(user), Some(password)) => builder.credentials(user, password),
        (Some(user), None) => builder.user_name(user),
        (None, Some(_)) => return Err("-P needs -u".to_owned()),
        (None, None) => builder,
    };
    Ok(Options { builder, topic, message, count, qos, retain, publish, deadline })
}

#[cfg(feature = "tls-rustls")]
fn secure(builder: ClientBuilder, ca: Option<String>, name: Option<String>) -> Result<ClientBuilder, Error> {
    use mongoose::tls::ClientConfig;

    let config = ca.map_or_else(ClientConfig::system_roots, ClientConfig::roots_file);
    let config = name.iter().fold(config, |config, name| config.server_name(name)).build()?;
    Ok(builder.tls(config))
}

#[cfg(not(feature = "tls-rustls"))]
fn secure(builder: ClientBuilder, _: Option<String>, _: Option<String>) -> Result<ClientBuilder, Error> {
    // Connecting says that it needs TLS.
    Ok(builder)
}

fn number<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error| format!("{text:?}: {error}"))
}
