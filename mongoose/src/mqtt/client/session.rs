//! What a client and a server keep of each other between connections (section 4.1): no socket, no user.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use super::requests::{Ask, Asked, Refused, Subscription};
use super::{Delivery, Request};
use crate::Error;
use crate::gate::mqtt::Violation;
use crate::mqtt::{Ack, Connack, Message, Packet, PacketId, Property, Publish, QoS, Reason, Version, shared};

/// Packet identifiers that there are, 0 being none.
pub(super) const IDENTIFIERS: usize = u16::MAX as usize;

/// What a message that is kept costs beside its bytes, for the bound.
const OVERHEAD: usize = 64;

/// The subscriptions, the messages that are not acknowledged, and those that wait to be sent.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) version: Version,
    /// Bytes that messages of ours may take, in flight or waiting.
    room: usize,
    used: usize,
    last_id: u16,
    last_delivery: u64,
    pub(super) last_request: u64,
    /// Sent above QoS 0, and not done.
    flight: HashMap<PacketId, Flying>,
    flown: u64,
    /// Those of them that are to be sent again on this connection, once there is room.
    due: VecDeque<PacketId>,
    /// To be sent once there is a connection, and room in flight.
    waiting: VecDeque<Stored>,
    /// Received at QoS 2, and not released.
    received: HashSet<PacketId>,
    pub(super) subscriptions: BTreeMap<String, Subscription>,
    /// Filters that are given up, and the server has not said that it knows.
    pub(super) leaving: BTreeMap<Request, Vec<String>>,
    pub(super) asked: HashMap<PacketId, Asked>,
    /// Requests that are to be made again on this connection, once there are packet identifiers for them.
    pub(super) asking: VecDeque<Ask>,
    pub(super) server: Server,
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

/// What the server said in CONNACK.
#[derive(Clone, Copy, Debug)]
pub(super) struct Server {
    receive_maximum: u16,
    maximum_qos: QoS,
    retain: bool,
    pub(super) packet_size: usize,
    wildcards: bool,
    shared: bool,
    identifiers: bool,
}

impl Server {
    /// Why it takes no subscription to a filter, where it does not.
    pub(super) fn refuses(&self, filter: &str, identified: bool) -> Option<Reason> {
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
    pub(super) fn free_id(&mut self) -> Option<PacketId> {
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

    pub(super) fn has_free_id(&self) -> bool {
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
pub(super) fn not_taken(reason: Reason) -> Error {
    Error::Packet { what: reason.name().unwrap_or("the server does not take it") }
}

/// Appends a packet that has nothing in it which could be wrong.
pub(super) fn encode_checked(packet: Packet<'_>, version: Version, out: &mut Vec<u8>) {
    let encoded = packet.encode(version, out);
    debug_assert!(encoded.is_ok(), "{packet:?}: {encoded:?}");
}
