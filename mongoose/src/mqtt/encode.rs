//! From packets to bytes.
//!
//! C's encoder cannot say a packet's own id without DUP, several filters, MQTT 5's subscription options, an
//! acknowledgement with a reason or a will without a topic's worth of luck; and it checks no length (hazards 4, 30).
//! `tests/mqtt` holds the two against each other where both can.

use super::packet::Packet;
use super::property::{VARINT_MAX, write_binary, write_text};
use super::{Ack, Answer, Connect, Properties, Publish, QoS, Reason, Version, is_filter, is_topic, shared};
use crate::Error;
use crate::gate::mqtt::PacketSet;

/// Where the rest of a packet goes, and what its version is.
struct Body<'o> {
    out: &'o mut Vec<u8>,
    version: Version,
}

type Written = Result<(), &'static str>;

impl Body<'_> {
    fn properties(&mut self, properties: Properties<'_>, packet: PacketSet) -> Written {
        if self.version == Version::V5 {
            return properties.write(packet, self.out);
        }
        if properties.is_empty() { Ok(()) } else { Err("MQTT 3.1.1 has no properties") }
    }

    /// A reason and properties at the end of a packet, which are left out where they say nothing.
    fn tail(&mut self, reason: Reason, properties: Properties<'_>, packet: PacketSet) -> Written {
        if self.version == Version::V3 {
            return self.properties(properties, packet);
        }
        if reason != Reason::SUCCESS || !properties.is_empty() {
            self.out.push(reason.0);
        }
        if properties.is_empty() { Ok(()) } else { self.properties(properties, packet) }
    }

    fn ack(&mut self, ack: &Ack<'_>, packet: PacketSet) -> Written {
        self.out.extend(ack.packet_id.get().to_be_bytes());
        self.tail(ack.reason, ack.properties, packet)
    }

    fn answer(&mut self, answer: &Answer<'_>, packet: PacketSet) -> Written {
        self.out.extend(answer.packet_id.get().to_be_bytes());
        self.properties(answer.properties, packet)?;
        if self.version == Version::V3 && packet == PacketSet::UNSUBACK {
            return Ok(());
        }
        if answer.codes.is_empty() {
            return Err("an answer without a reason for each filter");
        }
        if self.version == Version::V3 {
            self.out.extend(answer.codes.iter().map(|code| (*code).min(0x80)));
        } else {
            self.out.extend_from_slice(answer.codes);
        }
        Ok(())
    }

    fn connect(&mut self, connect: &Connect<'_>) -> Written {
        write_text("MQTT", self.out)?;
        self.out.push(if connect.version == Version::V5 { 5 } else { 4 });
        let mut flags = u8::from(connect.clean_start) << 1;
        if let Some(will) = &connect.will {
            flags |= 1 << 2 | (will.qos as u8) << 3 | u8::from(will.retain) << 5;
        }
        flags |= u8::from(connect.password.is_some()) << 6 | u8::from(connect.user_name.is_some()) << 7;
        if self.version == Version::V3 {
            if connect.password.is_some() && connect.user_name.is_none() {
                return Err("MQTT 3.1.1 has no password without a user name");
            }
            if connect.client_id.is_empty() && !connect.clean_start {
                return Err("MQTT 3.1.1 has no session without a client identifier");
            }
        }
        self.out.push(flags);
        self.out.extend(connect.keep_alive.to_be_bytes());
        self.properties(connect.properties, PacketSet::CONNECT)?;
        write_text(connect.client_id, self.out)?;
        if let Some(will) = &connect.will {
            self.properties(will.properties, PacketSet::WILL)?;
            if !is_topic(will.topic) {
                return Err("the will's topic is not a topic name");
            }
            write_text(will.topic, self.out)?;
            write_binary(will.payload, self.out)?;
        }
        if let Some(name) = connect.user_name {
            write_text(name, self.out)?;
        }
        if let Some(password) = connect.password {
            write_binary(password, self.out)?;
        }
        Ok(())
    }

    fn publish(&mut self, publish: &Publish<'_>) -> Written {
        self.publish_head(publish)?;
        self.out.extend_from_slice(publish.payload);
        Ok(())
    }

    fn publish_head(&mut self, publish: &Publish<'_>) -> Written {
        let aliased = self.version == Version::V5 && publish.topic.is_empty();
        if !aliased && !is_topic(publish.topic) {
            return Err("not a topic name");
        }
        if aliased
            && !publish.properties.iter().any(|property| matches!(property, super::Property::TopicAlias(_)))
        {
            return Err("neither a topic nor an alias");
        }
        write_text(publish.topic, self.out)?;
        match publish.packet_id {
            Some(id) if publish.qos > QoS::AtMostOnce => self.out.extend(id.get().to_be_bytes()),
            None if publish.qos == QoS::AtMostOnce => {}
            _ => return Err("a packet identifier is for QoS 1 and 2, and needed there"),
        }
        if publish.duplicate && publish.qos == QoS::AtMostOnce {
            return Err("nothing of QoS 0 is sent twice");
        }
        self.properties(publish.properties, PacketSet::PUBLISH)
    }

    /// What stands in the lower half of the first byte, once the rest is written.
    fn packet(&mut self, packet: &Packet<'_>) -> Result<(u8, u8), &'static str> {
        match packet {
            Packet::Connect(connect) => self.connect(connect).map(|()| (1, 0)),
            Packet::Connack(connack) => {
                if connack.session_present && connack.reason.is_failure() {
                    return Err("no session is present for who is refused");
                }
                self.out.push(u8::from(connack.session_present));
                self.out.push(match self.version {
                    Version::V3 => connack.reason.return_code(),
                    Version::V5 => connack.reason.0,
                });
                self.properties(connack.properties, PacketSet::CONNACK).map(|()| (2, 0))
            }
            Packet::Publish(publish) => self.publish(publish).map(|()| (3, publish_flags(publish))),
            Packet::Puback(ack) => self.ack(ack, PacketSet::PUBACK).map(|()| (4, 0)),
            Packet::Pubrec(ack) => self.ack(ack, PacketSet::PUBREC).map(|()| (5, 0)),
            Packet::Pubrel(ack) => self.ack(ack, PacketSet::PUBREL).map(|()| (6, 2)),
            Packet::Pubcomp(ack) => self.ack(ack, PacketSet::PUBCOMP).map(|()| (7, 0)),
            Packet::Subscribe(subscribe) => {
                self.out.extend(subscribe.packet_id.get().to_be_bytes());
                self.properties(subscribe.properties, PacketSet::SUBSCRIBE)?;
                let mut count = 0;
                for (filter, options) in subscribe.filters.iter() {
                    if !is_filter(filter) {
                        return Err("not a topic filter");
                    }
                    if options.no_local && shared(filter).is_some() {
                        return Err("a shared subscription cannot leave out what is local");
                    }
                    write_text(filter, self.out)?;
                    let byte = options.to_byte();
                    if self.version == Version::V3 && byte > 2 {
                        return Err("MQTT 3.1.1 has no such subscription option");
                    }
                    self.out.push(byte);
                    count += 1;
                }
                if count == 0 { Err("a subscription to nothing") } else { Ok((8, 2)) }
            }
            Packet::Suback(answer) => self.answer(answer, PacketSet::SUBACK).map(|()| (9, 0)),
            Packet::Unsubscribe(unsubscribe) => {
                self.out.extend(unsubscribe.packet_id.get().to_be_bytes());
                self.properties(unsubscribe.properties, PacketSet::UNSUBSCRIBE)?;
                let mut count = 0;
                for filter in unsubscribe.filters.iter() {
                    if !is_filter(filter) {
                        return Err("not a topic filter");
                    }
                    write_text(filter, self.out)?;
                    count += 1;
                }
                if count == 0 { Err("an end of no subscription") } else { Ok((10, 2)) }
            }
            Packet::Unsuback(answer) => self.answer(answer, PacketSet::UNSUBACK).map(|()| (11, 0)),
            Packet::Pingreq => Ok((12, 0)),
            Packet::Pingresp => Ok((13, 0)),
            Packet::Disconnect(disconnect) => {
                self.tail(disconnect.reason, disconnect.properties, PacketSet::DISCONNECT).map(|()| (14, 0))
            }
            Packet::Auth(_) if self.version == Version::V3 => Err("MQTT 3.1.1 has no AUTH"),
            Packet::Auth(auth) => self.tail(auth.reason, auth.properties, PacketSet::AUTH).map(|()| (15, 0)),
        }
    }
}

fn publish_flags(publish: &Publish<'_>) -> u8 {
    u8::from(publish.duplicate) << 3 | (publish.qos as u8) << 1 | u8::from(publish.retain)
}

impl Packet<'_> {
    /// Appends the packet's bytes. What 3.1.1 cannot say as a reason is left out or said by its nearest code.
    ///
    /// # Errors
    /// [`Error::Packet`] for what cannot be a packet of this version, such as a topic with a wildcard, a field of more
    /// than 65,535 bytes, or a packet of more than 268,435,455. Nothing is appended then.
    #[doc(alias = "mg_mqtt_pub")]
    #[doc(alias = "mg_mqtt_sub")]
    #[doc(alias = "mg_mqtt_unsub")]
    #[doc(alias = "mg_mqtt_send_header")]
    pub fn encode(&self, version: Version, out: &mut Vec<u8>) -> Result<(), Error> {
        let version = if let Packet::Connect(connect) = self { connect.version } else { version };
        with_header(out, 0, |out| Body { out, version }.packet(self))
    }
}

/// Appends a PUBLISH but for its payload, which follows it on the wire.
pub(crate) fn encode_publish_head(
    publish: &Publish<'_>,
    version: Version,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    with_header(out, publish.payload.len(), |out| {
        Body { out, version }.publish_head(publish).map(|()| (3, publish_flags(publish)))
    })
}

/// Writes a packet's body, and before it the header that says how long it is, `behind` bytes more counted in.
fn with_header(
    out: &mut Vec<u8>,
    behind: usize,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(u8, u8), &'static str>,
) -> Result<(), Error> {
    let begin = out.len();
    // Room for the longest header; most are of two bytes.
    out.extend([0; 5]);
    let body = out.len();
    let result = write(out).and_then(|(kind, flags)| {
        let len = u32::try_from(out.len() - body + behind).ok().filter(|len| *len <= VARINT_MAX);
        let Some(len) = len else { return Err("the packet is longer than 268,435,455 bytes") };
        let mut header = [kind << 4 | flags, 0, 0, 0, 0];
        let mut used = 1;
        let mut rest = len;
        loop {
            header[used] = (rest & 0x7f) as u8;
            rest >>= 7;
            used += 1;
            if rest == 0 {
                break;
            }
            header[used - 1] |= 0x80;
        }
        out[begin..begin + used].copy_from_slice(&header[..used]);
        out.copy_within(body.., begin + used);
        out.truncate(out.len() - (5 - used));
        Ok(())
    });
    result.map_err(|what| {
        out.truncate(begin);
        Error::Packet { what }
    })
}
