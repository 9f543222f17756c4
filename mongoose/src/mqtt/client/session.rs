//! What a client and a server keep of each other between connections (section 4.1): no socket, no user.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use super::{Delivery, Request};
use crate::Error;
use crate::gate::mqtt::Violation;
use crate::mqtt::{
    Ack, Answer, Connack, Filters, Message, Names, Packet, PacketId, Properties, PropertiesBuf, Property,
    Publish, QoS, Reason, Subscribe, SubscribeOptions, Unsubscribe, Version, shared,
};

/// Packet identifiers that there are, 0 being none.
const IDENTIFIERS: usize = u16::MAX as usize;

/// What a message that is kept costs beside its bytes, for the bound.
const OVERHEAD: usize = 64;

/// The subscriptions, the messages that are not acknowledged, and those that wait to be sent.
#[derive(Debug)]
pub(super) struct Session {
    version: Version,
    /// Bytes that messages of ours may take, in flight or waiting.
    room: usize,
    used: usize,
    last_id: u16,
    last_delivery: u64,
    last_request: u64,
    /// Sent above QoS 0, and not done.
    flight: HashMap<PacketId, Flying>,
    flown: u64,
    /// Those of them that are to be sent again on this connection, once there is room.
    due: VecDeque<PacketId>,
    /// To be sent once there is a connection, and room in flight.
    waiting: VecDeque<Stored>,
    /// Received at QoS 2, and not released.
    received: HashSet<PacketId>,
    subscriptions: BTreeMap<String, Subscription>,
    /// Filters that are given up, and the server has not said that it knows.
    leaving: BTreeMap<Request, Vec<String>>,
    asked: HashMap<PacketId, Asked>,
    /// Requests that are to be made again on this connection, once there are packet identifiers for them.
    asking: VecDeque<Ask>,
    server: Server,
    /// How many messages may be unreleased at once, as the server was told.
    receive_maximum: u16,
    /// How many of ours may be at once, whatever the server says.
    in_flight: u16,
}

/// A PUBLISH, encoded.
#[derive(Debug)]
struct Stored {
    delivery: Delivery,
    bytes: Vec<u8>,
    qos: QoS,
    retain: bool,
    /// Where the packet identifier is.
    id_at: usize,
}

impl Stored {
    fn cost(&self) -> usize {
        self.bytes.len() + OVERHEAD
    }
}

#[derive(Debug)]
struct Flying {
    /// When it was sent first, in the order of sending.
    order: u64,
    delivery: Delivery,
    /// `None`: the server has it, and it is about to be released.
    stored: Option<Stored>,
    qos: QoS,
}

#[derive(Debug)]
struct Subscription {
    options: SubscribeOptions,
    identifier: Option<u32>,
    request: Request,
    /// The server knows.
    confirmed: bool,
}

/// A request to be made again.
#[derive(Debug)]
enum Ask {
    Subscribe(Request, Vec<String>),
    Unsubscribe(Request),
}

/// What an answer is to.
#[derive(Debug)]
enum Asked {
    Subscribe(Request, Vec<String>),
    Unsubscribe(Request),
}

/// What the server said in CONNACK.
#[derive(Clone, Copy, Debug)]
struct Server {
    receive_maximum: u16,
    maximum_qos: QoS,
    retain: bool,
    packet_size: usize,
    wildcards: bool,
    shared: bool,
    identifiers: bool,
}

impl Server {
    /// Why it takes no subscription to a filter, where it does not.
    fn refuses(&self, filter: &str, identified: bool) -> Option<Reason> {
        if !self.shared && shared(filter).is_some() {
            Some(Reason::SHARED_SUBSCRIPTIONS_NOT_SUPPORTED)
        } else if !self.wildcards && filter.contains(['+', '#']) {
            Some(Reason::WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED)
        } else if !self.identifiers && identified {
            Some(Reason::SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED)
        } else {
            None
        }
    }
}

impl Default for Server {
    fn default() -> Self {
        Self {
            receive_maximum: u16::MAX,
            maximum_qos: QoS::ExactlyOnce,
            retain: true,
            packet_size: usize::MAX,
            wildcards: true,
            shared: true,
            identifiers: true,
        }
    }
}

/// What became of a message of ours.
pub(super) type Done = (Delivery, Reason);

/// A subscription that the server says it does not take: a failure for each filter.
pub(super) type Refused = (Request, Vec<u8>);

/// Whether a received message is to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    New,
    /// It was shown before; only the acknowledgement is due.
    Again,
}

impl Session {
    pub(super) fn new(version: Version, room: usize, receive_maximum: u16, in_flight: u16) -> Self {
        Self {
            version,
            room,
            used: 0,
            last_id: 0,
            last_delivery: 0,
            last_request: 0,
            flight: HashMap::new(),
            flown: 0,
            due: VecDeque::new(),
            waiting: VecDeque::new(),
            received: HashSet::new(),
            subscriptions: BTreeMap::new(),
            leaving: BTreeMap::new(),
            asked: HashMap::new(),
            asking: VecDeque::new(),
            server: Server::default(),
            receive_maximum,
            in_flight,
        }
    }

    /// How many messages are not done: in flight, or waiting to be.
    pub(super) fn pending(&self) -> usize {
        self.flight.len() + self.waiting.len()
    }

    /// Names a message.
    pub(super) fn name(&mut self) -> Delivery {
        self.last_delivery += 1;
        Delivery(self.last_delivery)
    }

    /// Whether the server takes a message, as far as it has said.
    pub(super) fn check(&self, qos: QoS, retain: bool, size: usize) -> Result<(), Error> {
        self.refuses(qos, retain, size).map_or(Ok(()), |reason| Err(not_taken(reason)))
    }

    fn refuses(&self, qos: QoS, retain: bool, size: usize) -> Option<Reason> {
        if qos > self.server.maximum_qos {
            Some(Reason::QOS_NOT_SUPPORTED)
        } else if retain && !self.server.retain {
            Some(Reason::RETAIN_NOT_SUPPORTED)
        } else if size > self.server.packet_size {
            Some(Reason::PACKET_TOO_LARGE)
        } else {
            None
        }
    }

    /// Keeps a message, to be sent when there is a connection and room in flight. One that is there refuses what it does
    /// not take.
    pub(super) fn store(&mut self, message: &Message<'_>, connected: bool) -> Result<Delivery, Error> {
        let stored = self.encode(message, connected)?;
        let delivery = stored.delivery;
        self.used += stored.cost();
        self.waiting.push_back(stored);
        Ok(delivery)
    }

    fn encode(&mut self, message: &Message<'_>, connected: bool) -> Result<Stored, Error> {
        let publish = Publish {
            packet_id: (message.qos > QoS::AtMostOnce).then_some(PacketId::MAX),
            ..message.publish()
        };
        let mut bytes = Vec::with_capacity(message.topic.len() + message.payload.len() + 16);
        Packet::Publish(publish).encode(self.version, &mut bytes)?;
        if connected {
            self.check(message.qos, message.retain, bytes.len())?;
        }
        if self.used + bytes.len() + OVERHEAD > self.room {
            return Err(Error::OutputFull { limit: self.room });
        }
        // Behind the first byte, the length and the topic.
        let length = bytes[1..].iter().take_while(|byte| **byte & 0x80 != 0).count() + 1;
        let id_at = 1 + length + 2 + message.topic.len();
        Ok(Stored { delivery: self.name(), bytes, qos: message.qos, retain: message.retain, id_at })
    }

    /// Takes the next message that waits and may be sent. Answers its bytes, or that it cannot be sent at all.
    fn next(&mut self) -> Option<Result<PacketOrLoose, Done>> {
        let most = usize::from(self.server.receive_maximum.min(self.in_flight));
        let is_full = self.flight.len() - self.due.len() >= most;
        if let Some(id) = self.due.front().copied() {
            if is_full {
                return None;
            }
            self.due.pop_front();
            let stored = self.flight.get(&id).and_then(|flying| flying.stored.as_ref());
            let refused = stored.and_then(|it| self.refuses(it.qos, it.retain, it.bytes.len()));
            return Some(match refused.and_then(|reason| self.finish(id, reason)) {
                Some(done) => Err(done),
                None => Ok(PacketOrLoose::Kept(id)),
            });
        }
        let first = self.waiting.front()?;
        if first.qos > QoS::AtMostOnce && is_full {
            return None;
        }
        let mut stored = self.waiting.pop_front()?;
        if let Some(reason) = self.refuses(stored.qos, stored.retain, stored.bytes.len()) {
            self.used -= stored.cost();
            return Some(Err((stored.delivery, reason)));
        }
        if stored.qos == QoS::AtMostOnce {
            self.used -= stored.cost();
            return Some(Ok(PacketOrLoose::Loose(stored.bytes)));
        }
        let Some(id) = self.free_id() else {
            self.waiting.push_front(stored);
            return None;
        };
        stored.bytes[stored.id_at..stored.id_at + 2].copy_from_slice(&id.get().to_be_bytes());
        self.flown += 1;
        let flying =
            Flying { order: self.flown, delivery: stored.delivery, qos: stored.qos, stored: Some(stored) };
        self.flight.insert(id, flying);
        Some(Ok(PacketOrLoose::Kept(id)))
    }

    /// Sends what waits, as far as there is room in flight. What the server does not take is answered.
    pub(super) fn send_waiting(&mut self, out: &mut Vec<u8>) -> Vec<Done> {
        self.send_asking(out);
        let mut refused = Vec::new();
        while let Some(next) = self.next() {
            match next {
                Ok(PacketOrLoose::Loose(bytes)) => out.extend_from_slice(&bytes),
                Ok(PacketOrLoose::Kept(id)) => {
                    match self.flight.get(&id).and_then(|flying| flying.stored.as_ref()) {
                        Some(stored) => out.extend_from_slice(&stored.bytes),
                        None => encode_checked(Packet::Pubrel(Ack::success(id)), self.version, out),
                    }
                }
                Err(done) => refused.push(done),
            }
        }
        refused
    }

    /// A packet identifier that nothing uses. `None`: all 65,535 are in use.
    fn free_id(&mut self) -> Option<PacketId> {
        if !self.has_free_id() {
            return None;
        }
        for _ in 0..u16::MAX {
            self.last_id = self.last_id.checked_add(1).unwrap_or(1);
            let id = PacketId::new(self.last_id)?;
            if !self.flight.contains_key(&id) && !self.asked.contains_key(&id) {
                return Some(id);
            }
        }
        None
    }

    fn has_free_id(&self) -> bool {
        self.flight.len() + self.asked.len() < IDENTIFIERS
    }

    /// The server took a connection: what is open on either side goes on, or begins anew. Answers what is done by that, and
    /// the subscriptions that are over because the server does not take them.
    pub(super) fn resume(&mut self, connack: &Connack<'_>, out: &mut Vec<u8>) -> (Vec<Done>, Vec<Refused>) {
        self.server = Server::default();
        for property in connack.properties.iter() {
            match property {
                Property::ReceiveMaximum(maximum) => self.server.receive_maximum = maximum,
                Property::MaximumQos(qos) => self.server.maximum_qos = QoS::new(qos).unwrap_or_default(),
                Property::RetainAvailable(available) => self.server.retain = available,
                Property::MaximumPacketSize(size) => self.server.packet_size = size as usize,
                Property::WildcardSubscriptionAvailable(available) => self.server.wildcards = available,
                Property::SharedSubscriptionAvailable(available) => self.server.shared = available,
                Property::SubscriptionIdentifierAvailable(available) => self.server.identifiers = available,
                _ => {}
            }
        }
        self.asked.clear();
        self.due.clear();
        let mut done = Vec::new();
        let mut flying: Vec<_> = self.flight.iter().map(|(id, flying)| (flying.order, *id)).collect();
        flying.sort_unstable();
        if connack.session_present {
            // In the order in which they were sent first (section 4.6). The server may take fewer at once than before.
            for (_, id) in flying {
                let Some(flying) = self.flight.get_mut(&id) else { continue };
                if let Some(stored) = &mut flying.stored {
                    stored.bytes[0] |= 0x08;
                }
                self.due.push_back(id);
            }
        } else {
            self.received.clear();
            // It knows of none of them: they are new, in their order, before those that waited.
            for (_, id) in flying.into_iter().rev() {
                let Some(flying) = self.flight.remove(&id) else { continue };
                match flying.stored {
                    Some(mut stored) => {
                        stored.bytes[0] &= !0x08;
                        self.waiting.push_front(stored);
                    }
                    // It had the message before it lost the rest.
                    None => done.push((flying.delivery, Reason::SUCCESS)),
                }
            }
            for subscription in self.subscriptions.values_mut() {
                subscription.confirmed = false;
            }
            // It knows of none that is to end, and says so: whoever asked waits for that.
        }
        let refused = self.ask_again();
        done.extend(self.send_waiting(out));
        (done, refused)
    }

    /// Has all requests made again that the server has not answered, each in a packet of its own.
    fn ask_again(&mut self) -> Vec<Refused> {
        // Given up first: who asked for one of them again did that later.
        self.asking = self.leaving.keys().copied().map(Ask::Unsubscribe).collect();
        let (mut open, mut refused) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::<_, Vec<_>>::new());
        self.subscriptions.retain(|filter, subscription| {
            if subscription.confirmed {
                return true;
            }
            let reason = self.server.refuses(filter, subscription.identifier.is_some());
            match reason {
                Some(reason) => refused.entry(subscription.request).or_default().push(reason.0),
                None => open.entry(subscription.request).or_default().push(filter.clone()),
            }
            reason.is_none()
        });
        self.asking.extend(open.into_iter().map(|(request, filters)| Ask::Subscribe(request, filters)));
        refused.into_iter().collect()
    }

    /// Makes requests again, as far as there are packet identifiers.
    fn send_asking(&mut self, out: &mut Vec<u8>) {
        while self.has_free_id()
            && let Some(ask) = self.asking.pop_front()
        {
            match ask {
                Ask::Subscribe(request, filters) => {
                    self.send_subscribe(request, filters, Properties::default(), out);
                }
                Ask::Unsubscribe(request) => self.send_unsubscribe(request, out),
            }
        }
    }

    /// Whether a request may be made now, on a connection.
    pub(super) fn check_identifiers(&self) -> Result<(), Error> {
        if self.asking.is_empty() && self.has_free_id() {
            Ok(())
        } else {
            Err(Error::OutputFull { limit: IDENTIFIERS })
        }
    }

    /// Remembers a request; [`send_subscribe`](Self::send_subscribe) sends it where there is a connection, whose server
    /// may have said what it does not take.
    pub(super) fn subscribe(
        &mut self,
        filters: &[(&str, SubscribeOptions)],
        properties: Properties<'_>,
        connected: bool,
    ) -> Result<Request, Error> {
        // Whether it can be said at all.
        let packet_id = PacketId::MAX;
        let packet = Subscribe { packet_id, properties, filters: Filters::new(filters) };
        let mut bytes = Vec::new();
        Packet::Subscribe(packet).encode(self.version, &mut bytes)?;
        let identifier = properties.subscription_identifiers().next();
        if connected {
            let refuses = |filter| self.server.refuses(filter, identifier.is_some());
            if let Some(reason) = filters.iter().find_map(|(filter, _)| refuses(filter)) {
                return Err(not_taken(reason));
            }
            if bytes.len() > self.server.packet_size {
                return Err(not_taken(Reason::PACKET_TOO_LARGE));
            }
        }
        self.last_request += 1;
        let request = Request(self.last_request);
        for (filter, options) in filters {
            let subscription = Subscription { options: *options, identifier, request, confirmed: false };
            self.subscriptions.insert((*filter).to_owned(), subscription);
        }
        Ok(request)
    }

    /// Sends a request where there is a packet identifier for it: see [`check_identifiers`](Self::check_identifiers).
    pub(super) fn send_subscribe(
        &mut self,
        request: Request,
        filters: Vec<String>,
        properties: Properties<'_>,
        out: &mut Vec<u8>,
    ) {
        let Some(packet_id) = self.free_id() else { return };
        let known = filters.iter().filter_map(|filter| {
            self.subscriptions.get(filter).map(|subscription| (&**filter, subscription.options))
        });
        let asked: Vec<_> = known.collect();
        let mut again = PropertiesBuf::from(properties);
        let identifier = filters.first().and_then(|filter| self.subscriptions.get(filter)?.identifier);
        if let Some(identifier) = identifier
            && properties.is_empty()
        {
            // It was good the first time.
            let _ = again.push(Property::SubscriptionIdentifier(identifier));
        }
        let packet = Subscribe { packet_id, properties: again.view(), filters: Filters::new(&asked) };
        encode_checked(Packet::Subscribe(packet), self.version, out);
        self.asked.insert(packet_id, Asked::Subscribe(request, filters));
    }

    pub(super) fn unsubscribe(&mut self, filters: &[&str], connected: bool) -> Result<Request, Error> {
        if self.leaving.len() >= IDENTIFIERS {
            return Err(Error::OutputFull { limit: IDENTIFIERS });
        }
        let properties = Properties::default();
        let packet = Unsubscribe { packet_id: PacketId::MAX, properties, filters: Names::new(filters) };
        let mut bytes = Vec::new();
        Packet::Unsubscribe(packet).encode(self.version, &mut bytes)?;
        if connected && bytes.len() > self.server.packet_size {
            return Err(not_taken(Reason::PACKET_TOO_LARGE));
        }
        self.last_request += 1;
        let request = Request(self.last_request);
        for filter in filters {
            self.subscriptions.remove(*filter);
        }
        self.leaving.insert(request, filters.iter().map(|filter| (*filter).to_owned()).collect());
        Ok(request)
    }

    /// As [`send_subscribe`](Self::send_subscribe).
    pub(super) fn send_unsubscribe(&mut self, request: Request, out: &mut Vec<u8>) {
        let Some(packet_id) = self.free_id() else { return };
        let Some(filters) = self.leaving.get(&request) else { return };
        let names: Vec<_> = filters.iter().map(String::as_str).collect();
        let properties = Properties::default();
        let packet = Unsubscribe { packet_id, properties, filters: Names::new(&names) };
        encode_checked(Packet::Unsubscribe(packet), self.version, out);
        self.asked.insert(packet_id, Asked::Unsubscribe(request));
    }

    /// SUBACK: what it answers. Filters that were refused are forgotten.
    pub(super) fn subscribed(&mut self, answer: &Answer<'_>) -> Result<Request, Violation> {
        let Some(Asked::Subscribe(request, filters)) = self.asked.remove(&answer.packet_id) else {
            return Err(Violation::protocol("SUBACK to no SUBSCRIBE"));
        };
        if answer.codes.len() != filters.len() {
            return Err(Violation::protocol("SUBACK has not one reason for each filter"));
        }
        for (filter, reason) in filters.iter().zip(answer.reasons()) {
            // Asked for again meanwhile, it waits for the later answer.
            let Some(subscription) = self.subscriptions.get_mut(filter) else { continue };
            if subscription.request == request {
                if reason.is_failure() {
                    self.subscriptions.remove(filter);
                } else {
                    subscription.confirmed = true;
                }
            }
        }
        Ok(request)
    }

    pub(super) fn unsubscribed(&mut self, answer: &Answer<'_>) -> Result<Request, Violation> {
        let Some(Asked::Unsubscribe(request)) = self.asked.remove(&answer.packet_id) else {
            return Err(Violation::protocol("UNSUBACK to no UNSUBSCRIBE"));
        };
        self.leaving.remove(&request);
        Ok(request)
    }

    /// PUBACK. `None` for a message that is not known: it was done before a connection broke.
    pub(super) fn acknowledged(&mut self, ack: &Ack<'_>) -> Result<Option<Done>, Violation> {
        match self.flight.get(&ack.packet_id).map(|flying| flying.qos) {
            None => Ok(None),
            Some(QoS::AtLeastOnce) => Ok(self.finish(ack.packet_id, ack.reason)),
            Some(_) => Err(Violation::protocol("PUBACK to a message of QoS 2")),
        }
    }

    /// PUBREC: releases the message, or learns that the server does not want it.
    pub(super) fn recorded(&mut self, ack: &Ack<'_>, out: &mut Vec<u8>) -> Result<Option<Done>, Violation> {
        let version = self.version;
        let reason = match self.flight.get_mut(&ack.packet_id) {
            Some(flying) if flying.qos != QoS::ExactlyOnce => {
                return Err(Violation::protocol("PUBREC to a message of QoS 1"));
            }
            Some(_) if ack.reason.is_failure() => return Ok(self.finish(ack.packet_id, ack.reason)),
            Some(flying) => {
                if let Some(stored) = flying.stored.take() {
                    self.used -= stored.cost();
                }
                // Also where the server has it before it was sent again.
                self.due.retain(|id| *id != ack.packet_id);
                Reason::SUCCESS
            }
            None if ack.reason.is_failure() => return Ok(None),
            None if version == Version::V5 => Reason::PACKET_IDENTIFIER_NOT_FOUND,
            None => Reason::SUCCESS,
        };
        encode_checked(Packet::Pubrel(Ack::new(ack.packet_id, reason)), version, out);
        Ok(None)
    }

    /// PUBCOMP.
    pub(super) fn completed(&mut self, ack: &Ack<'_>) -> Result<Option<Done>, Violation> {
        match self.flight.get(&ack.packet_id) {
            None => Ok(None),
            Some(Flying { stored: None, .. }) => Ok(self.finish(ack.packet_id, Reason::SUCCESS)),
            Some(_) => Err(Violation::protocol("PUBCOMP to a message that was not released")),
        }
    }

    fn finish(&mut self, id: PacketId, reason: Reason) -> Option<Done> {
        let flying = self.flight.remove(&id)?;
        self.due.retain(|due| *due != id);
        if let Some(stored) = &flying.stored {
            self.used -= stored.cost();
        }
        Some((flying.delivery, reason))
    }

    /// A message of QoS 2: whether it was there before.
    pub(super) fn arrived(&self, id: PacketId) -> Result<Arrival, Violation> {
        if self.received.contains(&id) {
            return Ok(Arrival::Again);
        }
        if self.received.len() >= usize::from(self.receive_maximum) {
            return Err(Violation {
                reason: Reason::RECEIVE_MAXIMUM_EXCEEDED,
                what: "more messages at once than we take",
            });
        }
        Ok(Arrival::New)
    }

    /// The handler has seen a message of QoS 2.
    pub(super) fn shown(&mut self, id: PacketId) {
        self.received.insert(id);
    }

    /// PUBREL: the server will not send the message again.
    pub(super) fn released(&mut self, id: PacketId, out: &mut Vec<u8>) {
        let known = self.received.remove(&id);
        let v5 = self.version == Version::V5;
        let reason = if known || !v5 { Reason::SUCCESS } else { Reason::PACKET_IDENTIFIER_NOT_FOUND };
        encode_checked(Packet::Pubcomp(Ack::new(id, reason)), self.version, out);
    }
}

/// A message that was taken off the queue.
enum PacketOrLoose {
    /// At QoS 0.
    Loose(Vec<u8>),
    /// In flight.
    Kept(PacketId),
}

/// What a program is told that asks for what the server has said it does not take.
fn not_taken(reason: Reason) -> Error {
    Error::Packet { what: reason.name().unwrap_or("the server does not take it") }
}

/// Appends a packet that has nothing in it which could be wrong.
pub(super) fn encode_checked(packet: Packet<'_>, version: Version, out: &mut Vec<u8>) {
    let encoded = packet.encode(version, out);
    debug_assert!(encoded.is_ok(), "{packet:?}: {encoded:?}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::mqtt::{Frame, frame};

    fn session() -> Session {
        Session::new(Version::V5, 1 << 20, 100, 20)
    }

    /// How many packets of a kind there are.
    fn count(mut bytes: &[u8], kind: u8) -> usize {
        let mut count = 0;
        while let Ok(Frame::Whole { first, end, .. }) = frame(bytes, usize::MAX) {
            count += usize::from(first == kind);
            bytes = &bytes[end..];
        }
        assert_eq!(bytes, b"", "behind the last packet");
        count
    }

    fn answer(number: u16) -> Answer<'static> {
        let packet_id = PacketId::new(number).expect("not 0");
        Answer { packet_id, properties: Properties::default(), codes: &[0] }
    }

    #[test]
    fn requests_wait_for_packet_identifiers_where_there_are_more() {
        let mut session = session();
        let options = SubscribeOptions::default();
        for number in 0..IDENTIFIERS + 10 {
            let filter = number.to_string();
            session.subscribe(&[(&filter, options)], Properties::default(), false).expect("a filter");
        }
        session.unsubscribe(&["5"], false).expect("room");
        let mut out = Vec::new();
        assert_eq!(session.resume(&Connack::default(), &mut out), (Vec::new(), Vec::new()));
        assert_eq!((count(&out, 0xa2), count(&out, 0x82)), (1, IDENTIFIERS - 1));
        assert!(matches!(session.check_identifiers(), Err(Error::OutputFull { .. })));
        session.unsubscribed(&answer(1)).expect("asked");
        for number in 2..=12 {
            out.clear();
            session.send_waiting(&mut out);
            assert_eq!(count(&out, 0x82), usize::from(number <= 11), "{number}");
            session.subscribed(&answer(number)).expect("asked");
        }
        session.check_identifiers().expect("the last is free");
    }

    #[test]
    fn filters_that_are_given_up_without_a_connection_are_bounded() {
        let mut session = session();
        for _ in 0..IDENTIFIERS {
            session.unsubscribe(&["a"], false).expect("room");
        }
        let more = session.unsubscribe(&["a"], false);
        assert!(matches!(more, Err(Error::OutputFull { limit: 65_535 })), "{more:?}");
    }
}
