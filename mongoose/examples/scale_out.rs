//! The chat of `ws_chat` on as many processes and hosts as you like, with an MQTT broker between them.
//!
//! One loop serves many thousands of people; [`Workers`](mongoose::Workers) use all cores of a machine. Beyond that,
//! processes share what people say by a broker, and nothing else: each keeps its own WebSockets, and any may go away.
//!
//! ```console
//! $ mosquitto -p 1883
//! $ cargo run --release --example scale_out -- --listen http://127.0.0.1:8001 --broker mqtt://127.0.0.1:1883
//! $ cargo run --release --example scale_out -- --listen http://127.0.0.1:8002 --broker mqtt://127.0.0.1:1883
//! ```
//!
//! Whoever opens one of the two talks to whoever opens the other. What makes it hold:
//!
//! - **A line goes to the broker first**, and comes back from there to the process it came from, too: all see the same
//!   lines in the same order. At QoS 2 none is lost or said twice when a connection breaks, and while the broker is away
//!   lines wait, within a bound; past it the speaker is told. A broker that keeps its sessions over a restart
//!   (mosquitto: `persistence true`) then has them for everybody.
//! - **Who is where** is what each process says of itself, now and then: whoever falls silent is forgotten. So neither a
//!   process that dies nor a broker that forgets leaves anybody behind.
//! - **Any balancer of connections** goes in front: a WebSocket stays where it began, so nothing needs to stick. It has
//!   to pass `Host` on as it is (nginx: `proxy_set_header Host $http_host`), or the origin of the page is refused.
//! - **The broker** is the part to be made safe: a user and password for each process, TLS where it is not your own
//!   network, and rules about who may write to which topic.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use mongoose::mqtt::{self, Client, QoS};
use mongoose::{ConnectionId, Error, Manager, Registry, http, ws};

const HELP: &str = "\
Usage: scale_out --broker URL [OPTION]...

  --broker URL    where the processes meet, such as mqtt://127.0.0.1:1883
  --user NAME --password PASSWORD
                  who we are there
  --listen URL    where people come in (default: http://127.0.0.1:8000)
  --room NAME     who hears whom (default: lobby)
";

/// Bytes in a message.
const MESSAGE_MAX: usize = 4096;

/// Bytes that wait for somebody who does not read, and for a broker that is away.
const BEHIND_MAX: usize = 256 << 10;

/// How often a process says who is there, and after how long a silence it is taken for gone.
const SAYS: Duration = Duration::from_secs(3);
const SILENT: Duration = Duration::from_secs(10);

/// What one process knows of a room.
struct Node {
    /// Our name among processes.
    id: String,
    room: String,
    broker: Option<Client>,
    /// Lines get through.
    together: bool,
    /// Those who are connected here, by name once they have said it.
    members: BTreeMap<ConnectionId, Option<String>>,
    /// Who is where, and when that was heard: of every process, our own among them.
    everywhere: BTreeMap<String, (Instant, BTreeSet<String>)>,
}

type Shared = Rc<RefCell<Node>>;

impl Node {
    /// Tells all who are here. One frame is made, and all share it.
    fn tell(&self, registry: &Registry, line: &str) {
        let message = ws::SharedMessage::text(line.to_owned());
        for (id, _) in self.members.iter().filter(|(_, name)| name.is_some()) {
            let Ok(member) = registry.websocket(*id) else { continue };
            if let Err(Error::OutputFull { .. }) = member.send_shared(&message) {
                // The others are not to wait for one that does not read.
                member.connection().close();
            }
        }
    }

    /// Learns who is at a process, and tells what changed. Whether the process is new to us.
    fn learn(&mut self, registry: &Registry, node: &str, names: BTreeSet<String>) -> bool {
        let known = self.everywhere.insert(node.to_owned(), (Instant::now(), names.clone()));
        let is_new = known.is_none();
        let before = known.map(|(_, names)| names).unwrap_or_default();
        for name in names.difference(&before) {
            self.tell(registry, &format!("* {name} has come"));
        }
        for name in before.difference(&names) {
            self.tell(registry, &format!("* {name} has gone"));
        }
        is_new
    }

    /// Forgets processes that are silent.
    fn forget(&mut self, registry: &Registry) {
        let silent = |(node, (heard, _)): (&String, &(Instant, _))| {
            (*node != self.id && heard.elapsed() > SILENT).then(|| node.clone())
        };
        for node in self.everywhere.iter().filter_map(silent).collect::<Vec<_>>() {
            self.learn(registry, &node, BTreeSet::new());
            self.everywhere.remove(&node);
        }
    }

    /// Who has a name here has changed.
    fn count(&mut self, registry: &Registry) {
        let names = self.members.values().flatten().cloned().collect();
        let id = self.id.clone();
        self.learn(registry, &id, names);
        self.announce();
    }

    /// Says who is here to the other processes. One that is missed is made up for by the next.
    fn announce(&self) {
        let (Some(broker), true) = (&self.broker, self.together) else { return };
        let names: Vec<_> = self.members.values().flatten().map(String::as_str).collect();
        let topic = format!("chat/{}/here/{}", self.room, self.id);
        // A line each: no name has more than one.
        let _ = broker.publish(&topic, names.join("\n"), QoS::AtMostOnce);
    }

    /// Somebody here says something.
    fn say(&mut self, peer: &ws::Connection<'_>, text: &str) -> Result<(), Error> {
        let text: String = text.trim().replace(char::is_control, " ");
        if let Some(Some(name)) = self.members.get(&peer.id()) {
            let (topic, line) = (format!("chat/{}/said", self.room), format!("{name}: {text}"));
            let sent = self.broker.as_ref().map(|broker| broker.publish(&topic, line, QoS::ExactlyOnce));
            return match sent {
                Some(Ok(_)) => Ok(()),
                _ => peer.send_text("* that was not sent: the others are out of reach"),
            };
        }
        if text.is_empty() || self.everywhere.values().any(|(_, names)| names.contains(&text)) {
            return peer.send_text("* that name will not do, another?");
        }
        self.members.insert(peer.id(), Some(text));
        self.count(peer.registry());
        let names: Vec<_> = self.everywhere.values().flat_map(|(_, names)| names).cloned().collect();
        peer.send_text(format!("* here are: {}", names.join(", ")))
    }

    /// The broker has something for us.
    fn hear(&mut self, registry: &Registry, message: &mqtt::Message<'_>) {
        let Some(text) = message.text() else { return };
        let below = message.topic.strip_prefix("chat/").and_then(|rest| rest.strip_prefix(&*self.room));
        match below.and_then(|rest| rest.strip_prefix("/here/")) {
            Some(node) if node != self.id => {
                let names = text.lines().map(str::to_owned).collect();
                if self.learn(registry, node, names) {
                    // It does not know us either.
                    self.announce();
                }
            }
            Some(_) => {}
            None => self.tell(registry, text),
        }
    }
}

fn join(request: http::Request<'_>, reply: http::Reply<'_>, node: &Shared) -> Result<(), Error> {
    let mut limits = ws::Limits::default();
    (limits.message, limits.frame, limits.output) = (MESSAGE_MAX, MESSAGE_MAX, BEHIND_MAX);
    let node = Rc::clone(node);
    ws::upgrade(request, reply).limits(limits).accept(
        move |peer: &ws::Connection<'_>, event: ws::Event<'_>| {
            let mut node = node.borrow_mut();
            match event {
                ws::Event::Open => {
                    node.members.insert(peer.id(), None);
                    peer.send_text("* your name?")
                }
                ws::Event::Message(ws::Message::Text(text)) => node.say(peer, text),
                ws::Event::Message(_) => peer.close(ws::CloseCode::UNSUPPORTED, "text only"),
                ws::Event::Close(_) => {
                    node.members.remove(&peer.id());
                    node.count(peer.registry());
                    Ok(())
                }
                _ => Ok(()),
            }
        },
    )
}

/// Meets the other processes. The client comes back whenever the broker does, and subscribes again where it has to.
fn meet(registry: &Registry, builder: mqtt::ClientBuilder, node: &Shared) -> Result<(), Error> {
    let (id, room) = (node.borrow().id.clone(), node.borrow().room.clone());
    let builder = builder
        .version(mqtt::Version::V5)
        .client_id(format!("chat-{id}"))
        // What others say while our connection breaks, the broker keeps.
        .session_expiry(60)
        .queue(BEHIND_MAX)
        .back_off(Duration::from_millis(200), Duration::from_secs(5));
    let meeting = Rc::clone(node);
    let client = builder.connect(registry, move |session: &mqtt::Session<'_>, event: mqtt::Event<'_>| {
        let mut node = meeting.borrow_mut();
        match event {
            mqtt::Event::Connected(_) => {
                node.together = true;
                node.tell(session.registry(), "* the others are within reach");
                node.announce();
            }
            mqtt::Event::Message(message) => node.hear(session.registry(), &message),
            mqtt::Event::Disconnected { error, .. } => {
                eprintln!("{error}");
                if std::mem::take(&mut node.together) {
                    node.tell(session.registry(), "* the others are out of reach");
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    client.subscribe(&format!("chat/{room}/said"), QoS::ExactlyOnce)?;
    client.subscribe(&format!("chat/{room}/here/+"), QoS::AtMostOnce)?;
    node.borrow_mut().broker = Some(client);
    Ok(())
}

fn run(listen: &str, broker: mqtt::ClientBuilder, room: String) -> Result<(), Error> {
    let mut manager = Manager::new()?;
    // Enough to tell processes apart.
    let id = format!("{:016x}", RandomState::new().build_hasher().finish());
    let (members, everywhere) = Default::default();
    let node = Node { id, room, broker: None, together: false, members, everywhere };
    let node = Rc::new(RefCell::new(node));
    meet(&manager, broker, &node)?;
    let telling = Rc::clone(&node);
    manager
        .every(SAYS, move |registry: &Registry| {
            let mut node = telling.borrow_mut();
            node.announce();
            node.forget(registry);
        })?
        .detach();
    let listener = manager.http(listen, move |request: http::Request<'_>, reply: http::Reply<'_>| {
        match request.path() {
            "/" => reply
                .header("Content-Type", "text/html; charset=utf-8")
                .body(include_str!("ws_chat/chat.html")),
            "/ws" => join(request, reply, &node),
            _ => reply.status(404).text("not found\n"),
        }
    })?;
    eprintln!("listening on http://{}", listener.local_addr());
    manager.run_until_signal()
}

fn main() -> ExitCode {
    let (mut listen, mut room) = ("http://127.0.0.1:8000".to_owned(), "lobby".to_owned());
    let (mut broker, mut user, mut password) = (None, None, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(option) = arguments.next() {
        match (&*option, arguments.next()) {
            ("--listen", Some(url)) => listen = url,
            ("--room", Some(name)) => room = name,
            ("--broker", Some(url)) => broker = Some(url),
            ("--user", Some(name)) => user = Some(name),
            ("--password", Some(word)) => password = Some(word),
            ("--help", None) => {
                print!("{HELP}");
                return ExitCode::SUCCESS;
            }
            _ => return usage(),
        }
    }
    let Some(broker) = broker else { return usage() };
    let mut builder = Client::builder(&broker);
    if let Some(user) = user {
        builder = builder.credentials(user, password.unwrap_or_default());
    }
    match run(&listen, builder, room) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("scale_out: {error}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprint!("{HELP}");
    ExitCode::from(2)
}
