//! From a packet's bytes to its fields.

use super::{Fields, PacketSet, Sender, Violation, check_properties};
use crate::mqtt::{
    Ack, Answer, Auth, Connack, Connect, Disconnect, Filters, Names, Packet, Properties, Property, Publish,
    QoS, Reason, Subscribe, SubscribeOptions, Unsubscribe, Version, Will, is_filter, is_topic, shared,
};

/// Takes a packet apart whose header `frame` has read. A CONNECT brings its own version; for all others it is given.
pub(crate) fn decode<'a>(
    first: u8,
    body: &'a [u8],
    shortest: bool,
    version: Version,
    sender: Sender,
) -> Result<Packet<'a>, Violation> {
    let mut reader = Reader { fields: Fields::new(body), version, sender };
    let packet = reader.packet(first)?;
    reader.fields.end()?;
    let version = if let Packet::Connect(connect) = &packet { connect.version } else { version };
    if !shortest && version == Version::V5 {
        return Err(Violation::malformed("the length is in more bytes than it needs"));
    }
    Ok(packet)
}

/// Takes a topic filter and its options off the front.
pub(crate) fn split_filter<'a>(
    fields: &mut Fields<'a>,
    version: Version,
) -> Result<(&'a str, SubscribeOptions), Violation> {
    let filter = split_name(fields)?;
    let byte = fields.byte()?;
    if version == Version::V3 && byte > 2 {
        return Err(Violation::malformed("a QoS above 2, or bits beside it"));
    }
    let options = SubscribeOptions::from_byte(byte)
        .ok_or(Violation::malformed("subscription options that do not exist"))?;
    if options.no_local && shared(filter).is_some() {
        return Err(Violation::protocol("a shared subscription that leaves out what is local"));
    }
    Ok((filter, options))
}

fn split_name<'a>(fields: &mut Fields<'a>) -> Result<&'a str, Violation> {
    let filter = fields.text()?;
    let invalid = Violation { reason: Reason::TOPIC_FILTER_INVALID, what: "not a topic filter" };
    if is_filter(filter) { Ok(filter) } else { Err(invalid) }
}

struct Reader<'a> {
    fields: Fields<'a>,
    version: Version,
    sender: Sender,
}

impl<'a> Reader<'a> {
    fn packet(&mut self, first: u8) -> Result<Packet<'a>, Violation> {
        let by_client = self.sender == Sender::Client;
        let v5 = self.version == Version::V5;
        Ok(match first >> 4 {
            1 if by_client => Packet::Connect(self.connect()?),
            2 if !by_client => Packet::Connack(self.connack()?),
            3 => Packet::Publish(self.publish(first)?),
            4 => Packet::Puback(self.ack(PacketSet::PUBACK)?),
            5 => Packet::Pubrec(self.ack(PacketSet::PUBREC)?),
            6 => Packet::Pubrel(self.ack(PacketSet::PUBREL)?),
            7 => Packet::Pubcomp(self.ack(PacketSet::PUBCOMP)?),
            8 if by_client => Packet::Subscribe(self.subscribe()?),
            9 if !by_client => Packet::Suback(self.answer(PacketSet::SUBACK)?),
            10 if by_client => Packet::Unsubscribe(self.unsubscribe()?),
            11 if !by_client => Packet::Unsuback(self.answer(PacketSet::UNSUBACK)?),
            12 if by_client => Packet::Pingreq,
            13 if !by_client => Packet::Pingresp,
            14 if by_client || v5 => Packet::Disconnect(self.disconnect()?),
            15 if v5 => Packet::Auth(self.auth()?),
            15 => return Err(Violation::malformed("MQTT 3.1.1 has no packet of type 15")),
            _ => return Err(Violation::protocol("a packet that this side never sends")),
        })
    }

    fn properties(&mut self, packet: PacketSet) -> Result<Properties<'a>, Violation> {
        if self.version == Version::V3 {
            return Ok(Properties::default());
        }
        let len = self.fields.varint()?;
        check_properties(self.fields.bytes(len as usize)?, packet)
    }

    fn connect(&mut self) -> Result<Connect<'a>, Violation> {
        let name = self.fields.text()?;
        let level = self.fields.byte()?;
        self.version = match (name, level) {
            ("MQTT", 4) => Version::V3,
            ("MQTT", 5) => Version::V5,
            ("MQTT" | "MQIsdp", _) => {
                let reason = Reason::UNSUPPORTED_PROTOCOL_VERSION;
                return Err(Violation { reason, what: "neither MQTT 3.1.1 nor 5" });
            }
            _ => return Err(Violation::malformed("a protocol that is not MQTT")),
        };
        let flags = self.fields.byte()?;
        let (with_will, will_qos) = (flags & 4 != 0, QoS::new(flags >> 3 & 3));
        if flags & 1 != 0 {
            return Err(Violation::malformed("a connect flag that is reserved"));
        }
        let will_qos = will_qos.ok_or(Violation::malformed("a will of QoS 3"))?;
        if !with_will && flags & 0b11_1000 != 0 {
            return Err(Violation::malformed("flags of a will, and no will"));
        }
        let (with_password, with_name) = (flags & 0x40 != 0, flags & 0x80 != 0);
        if self.version == Version::V3 && with_password && !with_name {
            return Err(Violation::malformed("a password without a user name"));
        }
        let keep_alive = self.fields.short()?;
        let properties = self.properties(PacketSet::CONNECT)?;
        let client_id = self.fields.text()?;
        let clean_start = flags & 2 != 0;
        let will = if with_will {
            let properties = self.properties(PacketSet::WILL)?;
            let topic = self.topic()?;
            let payload = self.fields.binary()?;
            Some(Will { topic, payload, qos: will_qos, retain: flags & 0x20 != 0, properties })
        } else {
            None
        };
        let user_name = if with_name { Some(self.fields.text()?) } else { None };
        let password = if with_password { Some(self.fields.binary()?) } else { None };
        if self.version == Version::V3 && client_id.is_empty() && !clean_start {
            let reason = Reason::CLIENT_IDENTIFIER_NOT_VALID;
            return Err(Violation { reason, what: "a session to keep, and no client identifier" });
        }
        let version = self.version;
        Ok(Connect { version, client_id, clean_start, keep_alive, user_name, password, will, properties })
    }

    fn connack(&mut self) -> Result<Connack<'a>, Violation> {
        let flags = self.fields.byte()?;
        if flags > 1 {
            return Err(Violation::malformed("a connect acknowledge flag that is reserved"));
        }
        let code = self.fields.byte()?;
        let reason = match self.version {
            Version::V3 => {
                Reason::from_return_code(code).ok_or(Violation::malformed("an unknown return code"))?
            }
            Version::V5 => self.known(code, PacketSet::CONNACK)?,
        };
        let session_present = flags == 1;
        if session_present && reason != Reason::SUCCESS {
            return Err(Violation::protocol("a session is present for who is refused"));
        }
        let properties = self.properties(PacketSet::CONNACK)?;
        Ok(Connack { session_present, reason, properties })
    }

    fn topic(&mut self) -> Result<&'a str, Violation> {
        let topic = self.fields.text()?;
        let invalid = Violation { reason: Reason::TOPIC_NAME_INVALID, what: "not a topic name" };
        if is_topic(topic) { Ok(topic) } else { Err(invalid) }
    }

    fn publish(&mut self, first: u8) -> Result<Publish<'a>, Violation> {
        let qos = QoS::new(first >> 1 & 3).ok_or(Violation::malformed("QoS 3"))?;
        let mut ahead = self.fields;
        let empty = ahead.short()? == 0;
        let topic = if empty && self.version == Version::V5 { self.fields.text()? } else { self.topic()? };
        let packet_id = if qos == QoS::AtMostOnce { None } else { Some(self.fields.packet_id()?) };
        let properties = self.properties(PacketSet::PUBLISH)?;
        if !properties.is_empty() || empty {
            let mut aliased = false;
            for property in properties.iter() {
                match property {
                    Property::TopicAlias(_) => aliased = true,
                    Property::SubscriptionIdentifier(_) if self.sender == Sender::Client => {
                        return Err(Violation::protocol("a subscription identifier from a client"));
                    }
                    _ => {}
                }
            }
            if empty && !aliased {
                return Err(Violation::protocol("neither a topic nor an alias"));
            }
        }
        let payload = self.fields.take_rest();
        let (duplicate, retain) = (first & 8 != 0, first & 1 != 0);
        Ok(Publish { duplicate, qos, retain, topic, packet_id, properties, payload })
    }

    fn ack(&mut self, packet: PacketSet) -> Result<Ack<'a>, Violation> {
        let packet_id = self.fields.packet_id()?;
        let (reason, properties) = self.tail(packet)?;
        Ok(Ack { packet_id, reason, properties })
    }

    /// A reason and properties, which may be left out from the end.
    fn tail(&mut self, packet: PacketSet) -> Result<(Reason, Properties<'a>), Violation> {
        if self.version == Version::V3 || self.fields.is_empty() {
            return Ok((Reason::SUCCESS, Properties::default()));
        }
        let code = self.fields.byte()?;
        let reason = self.known(code, packet)?;
        let properties =
            if self.fields.is_empty() { Properties::default() } else { self.properties(packet)? };
        Ok((reason, properties))
    }

    fn subscribe(&mut self) -> Result<Subscribe<'a>, Violation> {
        let packet_id = self.fields.packet_id()?;
        let properties = self.properties(PacketSet::SUBSCRIBE)?;
        let mut ahead = self.fields;
        if ahead.is_empty() {
            return Err(Violation::protocol("a subscription to nothing"));
        }
        while !ahead.is_empty() {
            split_filter(&mut ahead, self.version)?;
        }
        let filters = Filters::of_checked(self.fields.take_rest());
        Ok(Subscribe { packet_id, properties, filters })
    }

    fn unsubscribe(&mut self) -> Result<Unsubscribe<'a>, Violation> {
        let packet_id = self.fields.packet_id()?;
        let properties = self.properties(PacketSet::UNSUBSCRIBE)?;
        let mut ahead = self.fields;
        if ahead.is_empty() {
            return Err(Violation::protocol("an end of no subscription"));
        }
        while !ahead.is_empty() {
            split_name(&mut ahead)?;
        }
        let filters = Names::of_checked(self.fields.take_rest());
        Ok(Unsubscribe { packet_id, properties, filters })
    }

    fn answer(&mut self, packet: PacketSet) -> Result<Answer<'a>, Violation> {
        let packet_id = self.fields.packet_id()?;
        let properties = self.properties(packet)?;
        let without = self.version == Version::V3 && packet == PacketSet::UNSUBACK;
        let count = if without { 0 } else { self.fields.len() };
        let codes = self.fields.bytes(count)?;
        if codes.is_empty() && !without {
            return Err(Violation::protocol("an answer without a reason"));
        }
        for code in codes {
            let known = match self.version {
                Version::V3 => matches!(code, 0..=2 | 0x80),
                Version::V5 => self.known(*code, packet).is_ok(),
            };
            if !known {
                return Err(Violation::malformed("a reason that this packet does not have"));
            }
        }
        Ok(Answer { packet_id, properties, codes })
    }

    fn disconnect(&mut self) -> Result<Disconnect<'a>, Violation> {
        let (reason, properties) = self.tail(PacketSet::DISCONNECT)?;
        let expiry = |property| matches!(property, Property::SessionExpiryInterval(_));
        if self.sender == Sender::Server && properties.iter().any(expiry) {
            return Err(Violation::protocol("a session expiry from the server's DISCONNECT"));
        }
        Ok(Disconnect { reason, properties })
    }

    fn auth(&mut self) -> Result<Auth<'a>, Violation> {
        let (reason, properties) = self.tail(PacketSet::AUTH)?;
        Ok(Auth { reason, properties })
    }

    /// Checks a reason of MQTT 5 against what a packet may have (table 2-6).
    fn known(&self, code: u8, packet: PacketSet) -> Result<Reason, Violation> {
        let by_client = self.sender == Sender::Client;
        let known = match packet {
            PacketSet::CONNACK => {
                matches!(code, 0 | 0x80..=0x8a | 0x8c | 0x90 | 0x95 | 0x97 | 0x99..=0x9d | 0x9f)
            }
            PacketSet::PUBACK | PacketSet::PUBREC => {
                matches!(code, 0 | 0x10 | 0x80 | 0x83 | 0x87 | 0x90 | 0x91 | 0x97 | 0x99)
            }
            PacketSet::PUBREL | PacketSet::PUBCOMP => matches!(code, 0 | 0x92),
            PacketSet::SUBACK => {
                matches!(code, 0..=2 | 0x80 | 0x83 | 0x87 | 0x8f | 0x91 | 0x97 | 0x9e | 0xa1 | 0xa2)
            }
            PacketSet::UNSUBACK => matches!(code, 0 | 0x11 | 0x80 | 0x83 | 0x87 | 0x8f | 0x91),
            PacketSet::DISCONNECT if by_client => {
                matches!(code, 0 | 4 | 0x80..=0x83 | 0x90 | 0x93..=0x99)
            }
            PacketSet::DISCONNECT => {
                matches!(code, 0 | 0x80..=0x83 | 0x87 | 0x89 | 0x8b | 0x8d..=0x90 | 0x93..=0xa2)
            }
            // Only a client asks to authenticate again.
            PacketSet::AUTH => matches!(code, 0 | 0x18) || code == 0x19 && by_client,
            _ => false,
        };
        if known {
            Ok(Reason(code))
        } else {
            Err(Violation::malformed("a reason that this packet does not have"))
        }
    }
}
