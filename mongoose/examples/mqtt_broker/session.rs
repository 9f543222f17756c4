//! What the broker keeps for one client, whether it is there or not.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::rc::Rc;
use std::time::Instant;

use mongoose::mqtt::{Ack, Packet, PacketId, PropertiesBuf, Property, Publish, QoS, Version};
use mongoose::{ConnectionId, Error, Registry};

use super::topics::Subscription;

/// A message, kept once however many get it.
pub struct Letter {
    pub topic: String,
    pub payload: Vec<u8>,
    pub qos: QoS,
    pub retain: bool,
    /// Without what is between the publisher and us: aliases, the expiry.
    pub properties: PropertiesBuf,
    pub expires: Option<Instant>,
    /// Who published it.
    pub from: Rc<str>,
}

impl Letter {
    pub fn is_expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// A message on its way to one client.
#[derive(Clone)]
pub struct Parcel {
    pub letter: Rc<Letter>,
    pub qos: QoS,
    pub retain: bool,
    /// By which subscriptions it came.
    pub identifiers: Vec<u32>,
}

/// A client's connection.
pub struct Link {
    pub id: ConnectionId,
    pub user: String,
    pub receive_maximum: usize,
    pub packet_size: usize,
    /// Topics that the client abbreviates.
    pub aliases: Vec<Option<String>>,
}

/// A message that is published when the client is gone without a word.
pub struct OwnWill {
    pub letter: Letter,
    pub delay: u32,
}

pub struct Session {
    pub version: Version,
    pub link: Option<Link>,
    /// Seconds for which it outlives its connection; `u32::MAX`: for ever.
    pub expiry: u32,
    /// When it is over, while there is no connection.
    pub ends: Option<Instant>,
    pub will: Option<OwnWill>,
    pub will_due: Option<Instant>,
    pub filters: BTreeMap<String, Subscription>,
    /// Received at QoS 2, and not released.
    pub received: HashSet<PacketId>,
    queue: VecDeque<Parcel>,
    /// By the order of sending.
    flight: BTreeMap<u64, (PacketId, Option<Parcel>)>,
    sent: u64,
    /// The last of them that was sent on this connection: those behind it are to be sent again.
    resent: u64,
    last_id: u16,
    /// Messages that found no room.
    pub dropped: u64,
}

impl Session {
    pub fn new(version: Version) -> Self {
        Self {
            version,
            link: None,
            expiry: 0,
            ends: None,
            will: None,
            will_due: None,
            filters: BTreeMap::new(),
            received: HashSet::new(),
            queue: VecDeque::new(),
            flight: BTreeMap::new(),
            sent: 0,
            resent: 0,
            last_id: 0,
            dropped: 0,
        }
    }

    /// Sends a message, or keeps it for later, `room` of them at most.
    pub fn deliver(&mut self, registry: &Registry, parcel: Parcel, room: usize) {
        if parcel.qos == QoS::AtMostOnce {
            // Who does not read loses what may be lost.
            if self.link.is_some() && self.send(registry, &parcel, None, false).is_err() {
                self.dropped += 1;
            }
        } else if self.queue.len() < room {
            self.queue.push_back(parcel);
            self.pump(registry);
        } else {
            self.dropped += 1;
        }
    }

    /// Sends what waits, as far as the client takes it.
    pub fn pump(&mut self, registry: &Registry) {
        let now = Instant::now();
        while let Some(link) = &self.link
            && self.flight.range(..=self.resent).count() < link.receive_maximum
        {
            if self.resent < self.sent {
                if self.send_again(registry).is_err() {
                    return;
                }
                continue;
            }
            let Some(parcel) = self.queue.pop_front() else { return };
            if parcel.letter.is_expired(now) {
                continue;
            }
            let Some(id) = self.free_id() else { break };
            match self.send(registry, &parcel, Some(id), false) {
                Ok(()) => {
                    self.sent += 1;
                    self.resent = self.sent;
                    self.flight.insert(self.sent, (id, Some(parcel)));
                }
                // Larger than the client takes: for it, the message does not exist (MQTT-3.1.2-25).
                Err(Error::Packet { .. }) => self.dropped += 1,
                // There is no room, or no connection: it goes on when there is.
                Err(_) => return self.queue.push_front(parcel),
            }
        }
    }

    /// The client is back: what it has not acknowledged is sent again, in the old order.
    pub fn resume(&mut self, registry: &Registry) {
        self.resent = 0;
        self.pump(registry);
    }

    /// Sends the next of those again that were sent on an earlier connection. An error: there is no room now.
    fn send_again(&mut self, registry: &Registry) -> Result<(), Error> {
        let Some((&order, (id, parcel))) = self.flight.range(self.resent + 1..).next() else {
            self.resent = self.sent;
            return Ok(());
        };
        let sent = match parcel {
            Some(parcel) => self.send(registry, parcel, Some(*id), true),
            None => self.answer(registry, &Packet::Pubrel(Ack::success(*id))),
        };
        match sent {
            // It takes less than before: for it, the message does not exist any more.
            Err(Error::Packet { .. }) => {
                self.flight.remove(&order);
                self.dropped += 1;
            }
            sent => sent?,
        }
        self.resent = order;
        Ok(())
    }

    fn send(
        &self,
        registry: &Registry,
        parcel: &Parcel,
        packet_id: Option<PacketId>,
        duplicate: bool,
    ) -> Result<(), Error> {
        let link = self.link.as_ref().ok_or(Error::Closed)?;
        let letter = &parcel.letter;
        let mut properties = PropertiesBuf::new();
        if self.version == Version::V5 {
            properties.extend(letter.properties.view());
            if let Some(expires) = letter.expires {
                let left = expires.saturating_duration_since(Instant::now()).as_secs();
                properties.push(Property::MessageExpiryInterval(u32::try_from(left).unwrap_or(u32::MAX)))?;
            }
            for identifier in &parcel.identifiers {
                properties.push(Property::SubscriptionIdentifier(*identifier))?;
            }
        }
        let publish = Publish {
            duplicate,
            qos: parcel.qos,
            retain: parcel.retain,
            topic: &letter.topic,
            packet_id,
            properties: properties.view(),
            payload: &letter.payload,
        };
        let mut bytes = Vec::with_capacity(letter.topic.len() + letter.payload.len() + 16);
        Packet::Publish(publish).encode(self.version, &mut bytes)?;
        if bytes.len() > link.packet_size {
            return Err(Error::Packet { what: "larger than the client takes" });
        }
        registry.connection(link.id)?.send(bytes)
    }

    /// Sends a packet to the client, where it is there.
    pub fn answer(&self, registry: &Registry, packet: &Packet<'_>) -> Result<(), Error> {
        let link = self.link.as_ref().ok_or(Error::Closed)?;
        let mut bytes = Vec::new();
        packet.encode(self.version, &mut bytes)?;
        registry.connection(link.id)?.send(bytes)
    }

    /// PUBACK, PUBCOMP, or a PUBREC that says no: the message is done.
    pub fn acknowledged(&mut self, registry: &Registry, id: PacketId) {
        self.flight.retain(|_, (flying, _)| *flying != id);
        self.pump(registry);
    }

    /// PUBREC: the client has the message, and is told to release it. Whether it was in flight.
    pub fn recorded(&mut self, id: PacketId) -> bool {
        let flying = self.flight.values_mut().find(|(flying, _)| *flying == id);
        flying.map(|(_, parcel)| *parcel = None).is_some()
    }

    fn free_id(&mut self) -> Option<PacketId> {
        for _ in 0..u16::MAX {
            self.last_id = self.last_id.checked_add(1).unwrap_or(1);
            let id = PacketId::new(self.last_id)?;
            if self.flight.values().all(|(flying, _)| *flying != id) {
                return Some(id);
            }
        }
        None
    }

    /// What is to be kept beyond the process: messages that are not acknowledged.
    pub fn unacknowledged(&self) -> impl Iterator<Item = &Parcel> {
        self.flight.values().filter_map(|(_, parcel)| parcel.as_ref()).chain(&self.queue)
    }
}

impl Session {
    /// Puts a message back that was kept in the store.
    pub fn restore(&mut self, parcel: Parcel) {
        self.queue.push_back(parcel);
    }
}
