//! The client: one session with a server, over as many connections as it takes.

mod builder;
mod handler;
mod link;
mod remote;
mod requests;
mod session;

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::rc::Rc;
use std::time::{Duration, Instant};

pub use builder::ClientBuilder;
pub use handler::{Delivery, Event, Handler, Request, Session};
pub use remote::Remote;

use super::encode::encode_publish_head;
use super::{
    Auth, Disconnect, Message, Packet, Properties, PropertiesBuf, Property, QoS, Reason, SubscribeOptions,
    Version,
};
use crate::engine::Dialer;
use crate::{ConnectionId, Error, Handle, Limits, Registry, Timer};
use builder::{Settings, Target};
use link::Link;
use session::Session as Kept;

/// A client of an MQTT server, on a manager's loop. Clones are the same client.
///
/// It connects again whenever the connection is lost, subscribes again where the server has forgotten it, and keeps
/// messages above QoS 0 until the server has them. It lives until [`disconnect`](Self::disconnect) or the manager's end;
/// dropping it does nothing.
///
/// ```no_run
/// use mongoose::{Manager, mqtt};
///
/// let mut manager = Manager::new()?;
/// mqtt::Client::builder("mqtt://broker:1883").version(mqtt::Version::V5).connect(
///     &manager,
///     |session: &mqtt::Session<'_>, event: mqtt::Event<'_>| {
///         match event {
///             mqtt::Event::Connected(_) => {
///                 session.subscribe("house/+/temperature", mqtt::QoS::AtLeastOnce)?;
///                 session.publish("house/hello", "I am here", mqtt::QoS::AtMostOnce)?;
///             }
///             mqtt::Event::Message(message) => println!("{}: {:?}", message.topic, message.text()),
///             mqtt::Event::Disconnected { error, retry } => eprintln!("{error}; again in {retry:?}"),
///             _ => {}
///         }
///         Ok(())
///     },
/// )?;
/// manager.run()?;
/// # Ok::<(), mongoose::Error>(())
/// ```
#[derive(Clone)]
pub struct Client {
    shared: Rc<Shared>,
}

/// What a client's handles, its connection and the timer between two of them share.
struct Shared {
    key: u64,
    settings: Settings,
    /// The settings' own, as connections share them.
    limits: Rc<Limits>,
    dialer: Dialer,
    handle: Handle,
    /// Never borrowed while user code runs.
    state: RefCell<State>,
    /// Borrowed while it runs. `None` once the client is at its end.
    handler: RefCell<Option<Box<dyn Handler>>>,
}

struct State {
    phase: Phase,
    kept: Kept,
    link: Option<ConnectionId>,
    /// Failures since a server took a connection.
    failures: u32,
    /// No server has taken a connection yet.
    first: bool,
    /// CONNECT was written on this connection: before it there is nothing to say.
    introduced: bool,
    /// The name that a server chose for us.
    assigned: String,
    last_sent: Instant,
    /// The largest alias that may be sent on this connection, and those that were.
    alias_maximum: u16,
    aliases: HashMap<String, u16>,
    /// Where the head of a message is made, to be used again.
    head: Vec<u8>,
    timer: Option<Timer>,
    /// What is to be the last packet.
    goodbye: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Connecting,
    /// The server has said that we are welcome.
    Open,
    /// The connection is lost, and will be made again.
    Waiting,
    /// There will be no other.
    Ended,
}

impl Client {
    /// A client of a server at `mqtt://host:port`, or at `ws://host:port/path` over WebSocket; over TLS these are
    /// `mqtts://` and `wss://`.
    pub fn builder(url: &str) -> ClientBuilder {
        ClientBuilder::new(url)
    }

    fn begin(registry: &Registry, settings: Settings, handler: Box<dyn Handler>) -> Result<Self, Error> {
        let kept = Kept::new(settings.version, settings.queue, settings.receive_maximum, settings.in_flight);
        let state = State {
            phase: Phase::Connecting,
            kept,
            link: None,
            failures: 0,
            first: true,
            introduced: false,
            assigned: String::new(),
            last_sent: Instant::now(),
            alias_maximum: 0,
            aliases: HashMap::new(),
            head: Vec::new(),
            timer: None,
            goodbye: None,
        };
        let shared = Rc::new(Shared {
            key: remote::new_key(),
            limits: Rc::new(settings.limits.clone()),
            settings,
            dialer: Dialer::new(registry),
            handle: registry.handle(),
            state: RefCell::new(state),
            handler: RefCell::new(Some(handler)),
        });
        remote::enlist(&shared);
        shared.dial()?;
        Ok(Self { shared })
    }

    /// Publishes a message. At QoS 0 it goes out now, where there is a connection. Above it, and without one, it is kept
    /// within the [bound](ClientBuilder::queue): until the server has it, or until it could be sent.
    ///
    /// # Errors
    /// [`Error::OutputFull`] when there is no room: try again at [`Event::Write`] or [`Event::Published`].
    /// [`Error::Packet`] for what is no topic, for what is too large, and for what the server has said it does not take.
    /// [`Error::Closed`] after [`disconnect`](Self::disconnect).
    #[doc(alias = "mg_mqtt_pub")]
    pub fn publish(&self, topic: &str, payload: impl AsRef<[u8]>, qos: QoS) -> Result<Delivery, Error> {
        self.publish_message(&Message { qos, ..Message::new(topic, payload.as_ref()) })
    }

    /// As [`publish`](Self::publish), with everything that a message may have. Whether it is a duplicate is not for the
    /// program to say, nor are topic aliases.
    ///
    /// # Errors
    /// As those.
    pub fn publish_message(&self, message: &Message<'_>) -> Result<Delivery, Error> {
        let shared = &self.shared;
        let mut state = shared.state.borrow_mut();
        let state = &mut *state;
        if state.phase == Phase::Ended {
            return Err(Error::Closed);
        }
        let ours = |property| match property {
            Property::TopicAlias(_) | Property::SubscriptionIdentifier(_) => Some(()),
            _ => None,
        };
        if message.properties.find(ours).is_some() {
            return Err(Error::Packet { what: "aliases and subscription identifiers are not the program's" });
        }
        let link = state.link.filter(|_| state.phase == Phase::Open);
        let Some(link) = link else { return state.kept.store(message, false) };
        if message.qos > QoS::AtMostOnce {
            let delivery = state.kept.store(message, true)?;
            let State { kept, last_sent, .. } = state;
            // What the server does not take was refused above.
            shared.write(last_sent, link, |out| drop(kept.send_waiting(out)));
            return Ok(delivery);
        }
        let waiting = shared.dialer.queued(link);
        if waiting > 0 && waiting + message.payload.len() > shared.limits.output {
            shared.dialer.tell_room(link);
            return Err(Error::OutputFull { limit: shared.limits.output });
        }
        let mut head = std::mem::take(&mut state.head);
        head.clear();
        let written = state.write_head(message, shared.settings.version, &mut head);
        if written.is_ok() {
            shared.write(&mut state.last_sent, link, |out| {
                out.extend_from_slice(&head);
                out.extend_from_slice(message.payload);
            });
        }
        state.head = head;
        written.map(|()| state.kept.name())
    }

    /// Answers a message where it asks for that, by a response topic and what it wants to have back (MQTT 5 section
    /// 4.10).
    ///
    /// # Errors
    /// [`Error::Packet`] when it does not ask; otherwise as [`publish`](Self::publish).
    pub fn respond(&self, to: &Message<'_>, payload: impl AsRef<[u8]>) -> Result<Delivery, Error> {
        let what = "the message does not ask for a response";
        let topic = to.properties.response_topic().ok_or(Error::Packet { what })?;
        let mut properties = PropertiesBuf::new();
        if let Some(data) = to.properties.correlation_data() {
            properties.push(Property::CorrelationData(data))?;
        }
        let message = Message::new(topic, payload.as_ref());
        self.publish_message(&Message { qos: to.qos, properties: properties.view(), ..message })
    }

    /// Subscribes to the topics of a filter, now and after each reconnect, until [`unsubscribe`](Self::unsubscribe). The
    /// answer is [`Event::Subscribed`].
    ///
    /// # Errors
    /// [`Error::Packet`] for what is no filter, and for what the server has said it does not take;
    /// [`Error::Closed`] after [`disconnect`](Self::disconnect); [`Error::OutputFull`] when 65,535 packets wait for an
    /// answer.
    #[doc(alias = "mg_mqtt_sub")]
    pub fn subscribe(&self, filter: &str, options: impl Into<SubscribeOptions>) -> Result<Request, Error> {
        self.subscribe_all(&[(filter, options.into())], Properties::default())
    }

    /// Subscribes to several filters by one packet. Of the properties, a subscription identifier is remembered for
    /// reconnects.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub fn subscribe_all(
        &self,
        filters: &[(&str, SubscribeOptions)],
        properties: Properties<'_>,
    ) -> Result<Request, Error> {
        let names = || filters.iter().map(|(filter, _)| (*filter).to_owned()).collect();
        self.ask(
            |kept, connected| kept.subscribe(filters, properties, connected),
            |kept, request, out| kept.send_subscribe(request, names(), properties, out),
        )
    }

    /// Gives filters up. The answer is [`Event::Unsubscribed`].
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    #[doc(alias = "mg_mqtt_unsub")]
    pub fn unsubscribe(&self, filters: &[&str]) -> Result<Request, Error> {
        self.ask(
            |kept, connected| kept.unsubscribe(filters, connected),
            |kept, request, out| kept.send_unsubscribe(request, out),
        )
    }

    /// Remembers a request, and sends it where there is a connection.
    fn ask(
        &self,
        note: impl FnOnce(&mut Kept, bool) -> Result<Request, Error>,
        send: impl FnOnce(&mut Kept, Request, &mut Vec<u8>),
    ) -> Result<Request, Error> {
        let mut state = self.shared.state.borrow_mut();
        if state.phase == Phase::Ended {
            return Err(Error::Closed);
        }
        let link = state.link.filter(|_| state.phase == Phase::Open);
        if link.is_some() {
            state.kept.check_identifiers()?;
        }
        let request = note(&mut state.kept, link.is_some())?;
        if let Some(link) = link {
            let State { kept, last_sent, .. } = &mut *state;
            self.shared.write(last_sent, link, |out| send(kept, request, out));
        }
        Ok(request)
    }

    /// MQTT 5: sends a step of an authentication. Without a connection it does nothing.
    ///
    /// # Errors
    /// [`Error::Packet`] in 3.1.1, and for properties that AUTH does not have.
    pub fn authenticate(&self, auth: &Auth<'_>) -> Result<(), Error> {
        let mut state = self.shared.state.borrow_mut();
        let mut bytes = Vec::new();
        Packet::Auth(*auth).encode(self.shared.settings.version, &mut bytes)?;
        if let Some(link) = state.link.filter(|_| state.introduced) {
            self.shared.write(&mut state.last_sent, link, |out| out.extend_from_slice(&bytes));
        }
        Ok(())
    }

    /// Ends the connection in order, and the client: [`Event::Closed`] comes next. The server publishes no will. What was
    /// not sent, and what is not acknowledged, is lost: see [`pending`](Self::pending).
    #[doc(alias = "mg_mqtt_disconnect")]
    pub fn disconnect(&self) {
        // Nothing in it can be wrong.
        let _ = self.disconnect_with(&Disconnect::default());
    }

    /// As [`disconnect`](Self::disconnect), with a reason such as [`Reason::DISCONNECT_WITH_WILL`] and properties, which
    /// 3.1.1 does not have.
    ///
    /// # Errors
    /// [`Error::Packet`] for properties that DISCONNECT does not have. Then it does nothing.
    pub fn disconnect_with(&self, disconnect: &Disconnect<'_>) -> Result<(), Error> {
        let mut bytes = Vec::new();
        let only_success = Disconnect { reason: Reason::SUCCESS, ..*disconnect };
        let v3 = self.shared.settings.version == Version::V3;
        let packet = Packet::Disconnect(if v3 { only_success } else { *disconnect });
        packet.encode(self.shared.settings.version, &mut bytes)?;
        let mut state = self.shared.state.borrow_mut();
        if state.phase == Phase::Ended {
            return Ok(());
        }
        if state.phase == Phase::Waiting {
            // No connection will ever tell: the loop does, once no handler runs.
            self.remote().run(|client, registry| client.shared.finish(registry))?;
        }
        // Before the server took the connection, nothing but CONNECT may be sent.
        state.goodbye = Some(if state.phase == Phase::Open { bytes } else { Vec::new() });
        state.phase = Phase::Ended;
        drop(state);
        if self.shared.handler.try_borrow().is_ok() {
            self.shared.say_goodbye();
        }
        Ok(())
    }

    /// Whether the server has taken the connection.
    pub fn is_connected(&self) -> bool {
        self.shared.state.borrow().phase == Phase::Open
    }

    /// How many messages are kept: above QoS 0 those that are not acknowledged, and all that wait to be sent.
    pub fn pending(&self) -> usize {
        self.shared.state.borrow().kept.pending()
    }

    /// The connection, while there is one.
    pub fn connection_id(&self) -> Option<ConnectionId> {
        self.shared.state.borrow().link
    }

    /// Reaches the client from other threads.
    pub fn remote(&self) -> Remote {
        Remote::new(self.shared.handle.clone(), self.shared.key)
    }
}

impl State {
    /// Writes a message of QoS 0 but for its payload, as short as it may be.
    fn write_head(
        &mut self,
        message: &Message<'_>,
        version: Version,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let (mut properties, mut publish) = (PropertiesBuf::new(), message.publish());
        let known = self.aliases.get(message.topic).copied();
        let next = u16::try_from(self.aliases.len() + 1).ok().filter(|next| *next <= self.alias_maximum);
        let alias = known.or(next);
        if let Some(alias) = alias {
            properties.extend(message.properties);
            properties.push(Property::TopicAlias(alias))?;
            publish.properties = properties.view();
            if known.is_some() {
                publish.topic = "";
            }
        }
        encode_publish_head(&publish, version, out)?;
        self.kept.check(message.qos, message.retain, out.len() + message.payload.len())?;
        // A number that was not sent stands for nothing.
        if let Some(alias) = alias.filter(|_| known.is_none()) {
            self.aliases.insert(message.topic.to_owned(), alias);
        }
        Ok(())
    }
}

impl Shared {
    /// Begins a connection.
    fn dial(self: &Rc<Self>) -> Result<(), Error> {
        let limits = Rc::clone(&self.limits);
        let within = limits.connect_time;
        let Target { endpoint, secure, passage } = self.settings.target()?;
        let link = match passage {
            Some(passage) => passage.lead(Link::boxed(self)),
            None => Link::boxed(self),
        };
        let id = self.dialer.connect(&self.settings.url, &endpoint, secure, limits, within, link)?;
        let mut state = self.state.borrow_mut();
        state.phase = Phase::Connecting;
        state.introduced = false;
        state.link = Some(id);
        Ok(())
    }

    /// Has packets written behind what the connection is to send.
    fn write(&self, last_sent: &mut Instant, link: ConnectionId, write: impl FnOnce(&mut Vec<u8>)) {
        if let Some(now) = self.dialer.write(link, write) {
            *last_sent = now;
        }
    }

    /// How long to wait before the next attempt.
    fn delay(&self, failures: u32) -> Duration {
        let (first, most) = self.settings.back_off;
        let whole = first.saturating_mul(1 << failures.min(30)).min(most);
        // From half of it to all of it.
        let random = RandomState::new().build_hasher().finish() >> 32;
        (whole / 2).saturating_add((whole / 2).mul_f64(random as f64 / f64::from(u32::MAX)))
    }

    /// Waits for the next attempt.
    fn wait(self: &Rc<Self>, registry: &Registry, delay: Duration) -> Result<(), Error> {
        let mut waiting = Waiting { shared: Rc::clone(self), over: false };
        let timer = registry.once(delay, move |registry| {
            waiting.over = true;
            waiting.shared.state.borrow_mut().timer = None;
            if waiting.shared.state.borrow().phase == Phase::Waiting && waiting.shared.dial().is_err() {
                waiting.shared.finish(registry);
            }
        })?;
        self.state.borrow_mut().timer = Some(timer);
        Ok(())
    }

    /// Sends the last packet, behind which the connection ends.
    fn say_goodbye(&self) {
        let mut state = self.state.borrow_mut();
        let (Some(bytes), Some(link)) = (state.goodbye.take(), state.link) else { return };
        if bytes.is_empty() {
            self.dialer.close(link);
        } else {
            self.write(&mut state.last_sent, link, |out| out.extend_from_slice(&bytes));
            self.dialer.drain(link);
        }
    }

    /// The end of a client that has no connection.
    fn finish(self: &Rc<Self>, registry: &Registry) {
        self.state.borrow_mut().phase = Phase::Ended;
        // It told of a lost connection before: an error of its own has nobody else to go to.
        let _ = self.tell(registry, Event::Closed);
        self.end();
    }

    /// Tells the handler.
    fn tell(self: &Rc<Self>, registry: &Registry, event: Event<'_>) -> Result<(), Error> {
        let session = Session { registry, client: Client { shared: Rc::clone(self) } };
        match self.handler.borrow_mut().as_mut() {
            Some(handler) => handler.event(&session, event),
            None => Ok(()),
        }
    }

    /// Drops what is the user's.
    fn end(&self) {
        let timer = {
            let mut state = self.state.borrow_mut();
            state.phase = Phase::Ended;
            state.link = None;
            state.timer.take()
        };
        drop(timer);
        let handler = self.handler.try_borrow_mut().ok().and_then(|mut handler| handler.take());
        drop(handler);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        remote::strike_off(self.key);
    }
}

/// The time between two connections. Where it is cut short by the manager's end, nobody else would let the handler go.
struct Waiting {
    shared: Rc<Shared>,
    over: bool,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.over {
            self.shared.end();
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.shared.state.borrow();
        f.debug_struct("Client")
            .field("url", &self.shared.settings.url)
            .field("phase", &state.phase)
            .field("pending", &state.kept.pending())
            .finish_non_exhaustive()
    }
}
