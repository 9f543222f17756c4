//! Packets of clients, and what follows from them.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::rc::Rc;
use std::time::{Duration, Instant};

use mongoose::mqtt::{
    self, Ack, Answer, Connack, Connect, Disconnect, Packet, PacketId, Peer, Properties, PropertiesBuf,
    Property, Publish, QoS, Reason, RetainHandling, ServerEvent, Subscribe, Unsubscribe, Version,
};
use mongoose::{ConnectionId, Error, Registry};

use super::access::{Access, Action};
use super::session::{Letter, Link, OwnWill, Parcel, Session};
use super::topics::{LEVELS_MAX, Subscription, Topics};

/// Topics that a client may abbreviate.
const ALIASES: u16 = 16;

/// Messages above QoS 0 that a client may have in flight to us before the first is acknowledged.
const RECEIVE_MAXIMUM: u16 = 256;

/// Messages above QoS 0 that a client has to acknowledge before further ones are sent.
const IN_FLIGHT: usize = 100;

pub struct Broker {
    pub sessions: BTreeMap<Rc<str>, Session>,
    pub retained: BTreeMap<String, Rc<Letter>>,
    online: HashMap<ConnectionId, Rc<str>>,
    topics: Topics,
    access: Box<dyn Access>,
    /// Messages that wait for one client.
    room: usize,
    /// Names given to clients without one.
    named: u64,
    /// There is something to save.
    pub changed: bool,
}

impl Broker {
    pub fn new(access: Box<dyn Access>, room: usize) -> Self {
        Self {
            sessions: BTreeMap::new(),
            retained: BTreeMap::new(),
            online: HashMap::new(),
            topics: Topics::default(),
            access,
            room,
            named: 0,
            changed: false,
        }
    }

    pub fn event(&mut self, peer: &Peer<'_>, event: ServerEvent<'_>) -> Result<(), Error> {
        match event {
            ServerEvent::Packet(Packet::Connect(connect)) => self.connect(peer, &connect),
            ServerEvent::Packet(packet) => {
                // Who was refused, or whose session another has taken over, has none.
                let Some(name) = self.online.get(&peer.id()).cloned() else { return Ok(()) };
                self.packet(peer, &name, packet)
            }
            ServerEvent::Write => {
                let name = self.online.get(&peer.id());
                if let Some(session) = name.and_then(|name| self.sessions.get_mut(name)) {
                    session.pump(peer.registry());
                }
                Ok(())
            }
            ServerEvent::Error(error) => {
                eprintln!("{:?}: {error}", peer.connection().remote_addr());
                Ok(())
            }
            ServerEvent::Close => {
                if let Some(name) = self.online.remove(&peer.id()) {
                    self.lost(peer.registry(), &name);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn packet(&mut self, peer: &Peer<'_>, name: &Rc<str>, packet: Packet<'_>) -> Result<(), Error> {
        let registry = peer.registry();
        let Some(session) = self.sessions.get_mut(name) else { return Ok(()) };
        match packet {
            Packet::Publish(publish) => self.publish(peer, name, &publish),
            Packet::Puback(ack) | Packet::Pubcomp(ack) => {
                session.acknowledged(registry, ack.packet_id);
                Ok(())
            }
            Packet::Pubrec(ack) if ack.reason.is_failure() => {
                session.acknowledged(registry, ack.packet_id);
                Ok(())
            }
            Packet::Pubrec(ack) => {
                let known = session.recorded(ack.packet_id) || session.version == Version::V3;
                let reason = if known { Reason::SUCCESS } else { Reason::PACKET_IDENTIFIER_NOT_FOUND };
                peer.send(&Packet::Pubrel(Ack::new(ack.packet_id, reason)))
            }
            Packet::Pubrel(ack) => {
                let known = session.received.remove(&ack.packet_id) || session.version == Version::V3;
                let reason = if known { Reason::SUCCESS } else { Reason::PACKET_IDENTIFIER_NOT_FOUND };
                peer.send(&Packet::Pubcomp(Ack::new(ack.packet_id, reason)))
            }
            Packet::Subscribe(subscribe) => self.subscribe_all(peer, name, &subscribe),
            Packet::Unsubscribe(unsubscribe) => self.unsubscribe_all(peer, name, &unsubscribe),
            Packet::Pingreq => peer.send(&Packet::Pingresp),
            Packet::Disconnect(disconnect) => {
                // Any other reason is no end in order (MQTT-3.14.4-3).
                if disconnect.reason == Reason::SUCCESS {
                    session.will = None;
                }
                if let Some(seconds) = disconnect.properties.find(session_expiry)
                    && session.expiry > 0
                {
                    session.expiry = seconds;
                }
                peer.connection().drain();
                Ok(())
            }
            // No method is known, so none was begun.
            _ => {
                peer.disconnect(Reason::PROTOCOL_ERROR);
                Ok(())
            }
        }
    }

    fn connect(&mut self, peer: &Peer<'_>, connect: &Connect<'_>) -> Result<(), Error> {
        let mut reason = self.access.connect(connect);
        let user = connect.user_name.unwrap_or_default();
        if let Some(will) = &connect.will
            && !self.access.may(user, Action::Publish, will.topic)
        {
            reason = Reason::NOT_AUTHORIZED;
        }
        if connect.properties.iter().any(|property| matches!(property, Property::AuthenticationMethod(_))) {
            reason = Reason::BAD_AUTHENTICATION_METHOD;
        }
        if reason.is_failure() {
            peer.send(&Packet::Connack(Connack { reason, ..Connack::default() }))?;
            peer.connection().drain();
            return Ok(());
        }
        let v5 = connect.version == Version::V5;
        let name: Rc<str> =
            if connect.client_id.is_empty() { self.new_name() } else { connect.client_id.into() };
        self.take_over(peer, &name);
        if connect.clean_start {
            // The session ends, and with it the delay of its will (MQTT 5 section 3.1.3.2.2).
            self.publish_will(peer.registry(), &name);
            self.forget(&name);
        }
        let session_present = self.sessions.contains_key(&name);
        let session = self.sessions.entry(Rc::clone(&name)).or_insert_with(|| Session::new(connect.version));
        session.version = connect.version;
        session.expiry = match connect.version {
            Version::V3 if connect.clean_start => 0,
            Version::V3 => u32::MAX,
            Version::V5 => connect.properties.find(session_expiry).unwrap_or(0),
        };
        session.ends = None;
        session.will_due = None;
        session.will = connect.will.as_ref().map(|will| OwnWill {
            letter: letter(&name, will.topic, will.payload, will.qos, will.retain, will.properties),
            delay: will.properties.find(will_delay).unwrap_or(0),
        });
        let mut link = Link {
            id: peer.id(),
            user: user.to_owned(),
            receive_maximum: IN_FLIGHT,
            packet_size: usize::MAX,
            aliases: Vec::new(),
        };
        for property in connect.properties.iter() {
            match property {
                Property::ReceiveMaximum(maximum) => {
                    link.receive_maximum = IN_FLIGHT.min(usize::from(maximum))
                }
                Property::MaximumPacketSize(size) => link.packet_size = size as usize,
                _ => {}
            }
        }
        session.link = Some(link);
        let mut properties = PropertiesBuf::new();
        if v5 {
            if connect.client_id.is_empty() {
                properties.push(Property::AssignedClientIdentifier(&name))?;
            }
            properties.push(Property::TopicAliasMaximum(ALIASES))?;
            properties.push(Property::ReceiveMaximum(RECEIVE_MAXIMUM))?;
        }
        self.online.insert(peer.id(), Rc::clone(&name));
        self.changed = true;
        let properties = properties.view();
        peer.send(&Packet::Connack(Connack { session_present, reason, properties }))?;
        if let Some(session) = self.sessions.get_mut(&name) {
            session.resume(peer.registry());
        }
        Ok(())
    }

    /// A name that is not taken.
    fn new_name(&mut self) -> Rc<str> {
        loop {
            self.named += 1;
            let name = format!("auto-{}", self.named);
            if !self.sessions.contains_key(&*name) {
                return name.into();
            }
        }
    }

    /// Whoever has this name makes room.
    fn take_over(&mut self, peer: &Peer<'_>, name: &Rc<str>) {
        let registry = peer.registry();
        let Some(session) = self.sessions.get(name) else { return };
        let Some(id) = session.link.as_ref().map(|link| link.id) else { return };
        if session.version == Version::V5 {
            let reason = Reason::SESSION_TAKEN_OVER;
            // It may be gone already.
            let _ =
                session.answer(registry, &Packet::Disconnect(Disconnect { reason, ..Disconnect::default() }));
        }
        if let Ok(connection) = registry.connection(id) {
            connection.drain();
        }
        self.online.remove(&id);
        self.lost(registry, name);
    }

    /// A client's connection is over.
    fn lost(&mut self, registry: &Registry, name: &Rc<str>) {
        let ends = self.sessions.get(name).and_then(|session| self.end_of(session.expiry));
        let Some(session) = self.sessions.get_mut(name) else { return };
        session.link = None;
        session.ends = ends;
        self.changed = true;
        let over = session.expiry == 0;
        let delay = session.will.as_ref().map(|will| if over { 0 } else { will.delay });
        if delay == Some(0) {
            self.publish_will(registry, name);
        } else if let Some(session) = self.sessions.get_mut(name) {
            session.will_due =
                delay.and_then(|delay| Instant::now().checked_add(Duration::from_secs(u64::from(delay))));
        }
        if over {
            self.forget(name);
        }
    }

    /// When a session is over that has no connection. `None`: never.
    pub fn end_of(&self, expiry: u32) -> Option<Instant> {
        let time = Some(expiry).filter(|expiry| *expiry != u32::MAX)?;
        Instant::now().checked_add(Duration::from_secs(u64::from(time)))
    }

    fn publish_will(&mut self, registry: &Registry, name: &Rc<str>) {
        let will = self.sessions.get_mut(name).and_then(|session| {
            session.will_due = None;
            session.will.take()
        });
        if let Some(will) = will {
            self.route(registry, will.letter);
        }
    }

    /// Drops a session with its subscriptions.
    fn forget(&mut self, name: &Rc<str>) {
        if let Some(session) = self.sessions.remove(name) {
            self.changed = true;
            for filter in session.filters.keys() {
                self.topics.remove(filter, name);
            }
        }
    }

    fn publish(&mut self, peer: &Peer<'_>, name: &Rc<str>, publish: &Publish<'_>) -> Result<(), Error> {
        let Some(session) = self.sessions.get_mut(name) else { return Ok(()) };
        let Some(link) = &mut session.link else { return Ok(()) };
        let topic = match resolve(link, publish) {
            Ok(topic) => topic,
            Err(reason) => {
                peer.disconnect(reason);
                return Ok(());
            }
        };
        let may = self.access.may(&link.user, Action::Publish, &topic) && !topic.starts_with('$');
        let again = publish.qos == QoS::ExactlyOnce
            && publish.packet_id.is_some_and(|id| session.received.contains(&id));
        if publish.qos == QoS::ExactlyOnce && !again && session.received.len() >= usize::from(RECEIVE_MAXIMUM)
        {
            peer.disconnect(Reason::RECEIVE_MAXIMUM_EXCEEDED);
            return Ok(());
        }
        let mut reason = Reason::SUCCESS;
        if !may {
            reason = Reason::NOT_AUTHORIZED;
        } else if !again {
            if let Some(id) = publish.packet_id.filter(|_| publish.qos == QoS::ExactlyOnce) {
                session.received.insert(id);
            }
            let letter =
                letter(name, &topic, publish.payload, publish.qos, publish.retain, publish.properties);
            if !self.route(peer.registry(), letter) {
                reason = Reason::NO_MATCHING_SUBSCRIBERS;
            }
        }
        // 3.1.1 has no words for a refusal: the message is taken, and goes nowhere.
        let reason = if peer.version() == Some(Version::V5) { reason } else { Reason::SUCCESS };
        let ack = |id: PacketId| Ack::new(id, reason);
        match (publish.qos, publish.packet_id) {
            (QoS::AtLeastOnce, Some(id)) => peer.send(&Packet::Puback(ack(id))),
            (QoS::ExactlyOnce, Some(id)) => peer.send(&Packet::Pubrec(ack(id))),
            _ => Ok(()),
        }
    }

    /// Gives a message to all who subscribed to it. Whether there was anybody.
    fn route(&mut self, registry: &Registry, letter: Letter) -> bool {
        if letter.retain {
            self.changed = true;
            if letter.payload.is_empty() {
                self.retained.remove(&letter.topic);
            }
        }
        let letter = Rc::new(letter);
        if letter.retain && !letter.payload.is_empty() {
            self.retained.insert(letter.topic.clone(), Rc::clone(&letter));
        }
        // Who has several subscriptions that take it gets it once, at the highest QoS of them.
        let mut targets: HashMap<Rc<str>, Parcel> = HashMap::new();
        let sessions = &self.sessions;
        let ready = |client: &str| sessions.get(client).is_some_and(|session| session.link.is_some());
        self.topics.each(&letter.topic, &ready, &mut |client, subscription| {
            let Subscription { options, identifier } = subscription;
            if options.no_local && *client == letter.from {
                return;
            }
            let parcel = targets.entry(Rc::clone(client)).or_insert_with(|| Parcel {
                letter: Rc::clone(&letter),
                qos: QoS::AtMostOnce,
                retain: false,
                identifiers: Vec::new(),
            });
            parcel.qos = parcel.qos.max(options.qos.min(letter.qos));
            parcel.retain |= letter.retain && options.retain_as_published;
            parcel.identifiers.extend(identifier);
        });
        let any = !targets.is_empty();
        for (client, parcel) in targets {
            if let Some(session) = self.sessions.get_mut(&client) {
                session.deliver(registry, parcel, self.room);
            }
        }
        any
    }

    /// Adds a subscription; whether it is new.
    pub fn subscribe(&mut self, name: &Rc<str>, filter: &str, subscription: Subscription) -> bool {
        if let Some(session) = self.sessions.get_mut(name) {
            session.filters.insert(filter.to_owned(), subscription);
        }
        self.changed = true;
        self.topics.insert(filter, name, subscription)
    }

    fn subscribe_all(
        &mut self,
        peer: &Peer<'_>,
        name: &Rc<str>,
        subscribe: &Subscribe<'_>,
    ) -> Result<(), Error> {
        let Some(session) = self.sessions.get(name) else { return Ok(()) };
        let user = session.link.as_ref().map(|link| link.user.clone()).unwrap_or_default();
        let v5 = session.version == Version::V5;
        let identifier = subscribe.properties.subscription_identifiers().next();
        let mut codes = Vec::new();
        let mut kept = Vec::new();
        for (filter, options) in subscribe.filters.iter() {
            let refusal = if !self.access.may(&user, Action::Subscribe, filter) {
                Some(Reason::NOT_AUTHORIZED)
            } else if filter.split('/').count() > LEVELS_MAX {
                Some(Reason::QUOTA_EXCEEDED)
            } else {
                None
            };
            if let Some(reason) = refusal {
                codes.push(if v5 { reason.0 } else { 0x80 });
                continue;
            }
            let new = self.subscribe(name, filter, Subscription { options, identifier });
            codes.push(options.qos as u8);
            let wanted = match options.retain_handling {
                RetainHandling::Send => true,
                RetainHandling::SendIfNew => new,
                RetainHandling::DoNotSend => false,
            };
            if wanted && mqtt::shared(filter).is_none() {
                kept.push((filter, options.qos));
            }
        }
        let properties = Properties::default();
        peer.send(&Packet::Suback(Answer { packet_id: subscribe.packet_id, properties, codes: &codes }))?;
        for (filter, qos) in kept {
            self.send_retained(peer.registry(), name, filter, qos, identifier);
        }
        Ok(())
    }

    fn send_retained(
        &mut self,
        registry: &Registry,
        name: &Rc<str>,
        filter: &str,
        qos: QoS,
        identifier: Option<u32>,
    ) {
        // What stands before the first wildcard is a range in the order of names.
        let end = filter.find(['+', '#']).unwrap_or(filter.len());
        let prefix = filter[..end].trim_end_matches('/');
        let now = Instant::now();
        let range = self
            .retained
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(|(topic, _)| topic.starts_with(prefix));
        let found: Vec<_> = range
            .filter(|(topic, letter)| mqtt::matches(filter, topic) && !letter.is_expired(now))
            .map(|(_, letter)| Rc::clone(letter))
            .collect();
        if let Some(session) = self.sessions.get_mut(name) {
            for letter in found {
                let qos = qos.min(letter.qos);
                let identifiers = identifier.into_iter().collect();
                session.deliver(registry, Parcel { letter, qos, retain: true, identifiers }, self.room);
            }
        }
    }

    fn unsubscribe_all(
        &mut self,
        peer: &Peer<'_>,
        name: &Rc<str>,
        unsubscribe: &Unsubscribe<'_>,
    ) -> Result<(), Error> {
        let mut codes = Vec::new();
        for filter in unsubscribe.filters.iter() {
            if let Some(session) = self.sessions.get_mut(name) {
                session.filters.remove(filter);
            }
            let was = self.topics.remove(filter, name);
            codes.push(if was { Reason::SUCCESS.0 } else { Reason::NO_SUBSCRIPTION_EXISTED.0 });
        }
        self.changed = true;
        let (packet_id, properties) = (unsubscribe.packet_id, Properties::default());
        peer.send(&Packet::Unsuback(Answer { packet_id, properties, codes: &codes }))
    }

    /// What is due: sessions that are over, wills that were delayed, messages that expired.
    pub fn tick(&mut self, registry: &Registry) {
        let now = Instant::now();
        let due = |time: Option<Instant>| time.is_some_and(|time| time <= now);
        let named = |wanted: &dyn Fn(&Session) -> bool| -> Vec<Rc<str>> {
            let sessions = self.sessions.iter().filter(|(_, session)| wanted(session));
            sessions.map(|(name, _)| Rc::clone(name)).collect()
        };
        let over = named(&|session| due(session.ends));
        let wills = named(&|session| due(session.will_due) || due(session.ends));
        for name in wills {
            self.publish_will(registry, &name);
        }
        for name in over {
            self.forget(&name);
        }
        self.retained.retain(|_, letter| !letter.is_expired(now));
    }
}

/// The topic of a message, also where a number stands for it.
fn resolve(link: &mut Link, publish: &Publish<'_>) -> Result<String, Reason> {
    let alias = publish.properties.find(|property| match property {
        Property::TopicAlias(alias) => Some(alias),
        _ => None,
    });
    let Some(alias) = alias else { return Ok(publish.topic.to_owned()) };
    if alias > ALIASES {
        return Err(Reason::TOPIC_ALIAS_INVALID);
    }
    link.aliases.resize(usize::from(ALIASES), None);
    let known = &mut link.aliases[usize::from(alias) - 1];
    if !publish.topic.is_empty() {
        *known = Some(publish.topic.to_owned());
    }
    known.clone().ok_or(Reason::PROTOCOL_ERROR)
}

/// What is passed on of a message.
fn letter(
    from: &Rc<str>,
    topic: &str,
    payload: &[u8],
    qos: QoS,
    retain: bool,
    properties: Properties<'_>,
) -> Letter {
    let mut passed = PropertiesBuf::new();
    let mut expires = None;
    for property in properties.iter() {
        match property {
            Property::MessageExpiryInterval(seconds) => {
                expires = Instant::now().checked_add(Duration::from_secs(u64::from(seconds)));
            }
            Property::TopicAlias(_) | Property::WillDelayInterval(_) => {}
            // It was one before.
            other => drop(passed.push(other)),
        }
    }
    let (topic, payload) = (topic.to_owned(), payload.to_vec());
    Letter { topic, payload, qos, retain, properties: passed, expires, from: Rc::clone(from) }
}

fn session_expiry(property: Property<'_>) -> Option<u32> {
    if let Property::SessionExpiryInterval(seconds) = property { Some(seconds) } else { None }
}

fn will_delay(property: Property<'_>) -> Option<u32> {
    if let Property::WillDelayInterval(seconds) = property { Some(seconds) } else { None }
}
