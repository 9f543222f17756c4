//! The properties of MQTT 5: which there are, which packet may have them, and what values make sense.

use super::{Fields, Violation};
use crate::mqtt::{Properties, Property, Reason, is_topic};

bitflags::bitflags! {
    /// Kinds of packets that have properties, and the will within CONNECT.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct PacketSet: u16 {
        const CONNECT = 1;
        const CONNACK = 1 << 1;
        const PUBLISH = 1 << 2;
        const PUBACK = 1 << 3;
        const PUBREC = 1 << 4;
        const PUBREL = 1 << 5;
        const PUBCOMP = 1 << 6;
        const SUBSCRIBE = 1 << 7;
        const SUBACK = 1 << 8;
        const UNSUBSCRIBE = 1 << 9;
        const UNSUBACK = 1 << 10;
        const DISCONNECT = 1 << 11;
        const AUTH = 1 << 12;
        const WILL = 1 << 13;
    }
}

/// Takes one property off the front, and checks its value by itself.
pub(crate) fn split_property<'a>(fields: &mut Fields<'a>) -> Result<Property<'a>, Violation> {
    let protocol = |what| Err(Violation::protocol(what));
    Ok(match fields.byte()? {
        1 => Property::PayloadFormatIndicator(flag(fields)?),
        2 => Property::MessageExpiryInterval(fields.int()?),
        3 => Property::ContentType(fields.text()?),
        8 => match fields.text()? {
            topic if is_topic(topic) => Property::ResponseTopic(topic),
            _ => return protocol("a response topic that is no topic name"),
        },
        9 => Property::CorrelationData(fields.binary()?),
        11 => match fields.varint()? {
            0 => return protocol("subscription identifier 0"),
            number => Property::SubscriptionIdentifier(number),
        },
        17 => Property::SessionExpiryInterval(fields.int()?),
        18 => Property::AssignedClientIdentifier(fields.text()?),
        19 => Property::ServerKeepAlive(fields.short()?),
        21 => Property::AuthenticationMethod(fields.text()?),
        22 => Property::AuthenticationData(fields.binary()?),
        23 => Property::RequestProblemInformation(flag(fields)?),
        24 => Property::WillDelayInterval(fields.int()?),
        25 => Property::RequestResponseInformation(flag(fields)?),
        26 => Property::ResponseInformation(fields.text()?),
        28 => Property::ServerReference(fields.text()?),
        31 => Property::ReasonString(fields.text()?),
        33 => match fields.short()? {
            0 => return protocol("receive maximum 0"),
            maximum => Property::ReceiveMaximum(maximum),
        },
        34 => Property::TopicAliasMaximum(fields.short()?),
        35 => match fields.short()? {
            0 => return Err(Violation { reason: Reason::TOPIC_ALIAS_INVALID, what: "topic alias 0" }),
            alias => Property::TopicAlias(alias),
        },
        36 => match fields.byte()? {
            qos @ 0..=1 => Property::MaximumQos(qos),
            _ => return protocol("a maximum QoS above 1"),
        },
        37 => Property::RetainAvailable(flag(fields)?),
        38 => Property::UserProperty(fields.text()?, fields.text()?),
        39 => match fields.int()? {
            0 => return protocol("maximum packet size 0"),
            size => Property::MaximumPacketSize(size),
        },
        40 => Property::WildcardSubscriptionAvailable(flag(fields)?),
        41 => Property::SubscriptionIdentifierAvailable(flag(fields)?),
        42 => Property::SharedSubscriptionAvailable(flag(fields)?),
        _ => return Err(Violation::malformed("a property that does not exist")),
    })
}

fn flag(fields: &mut Fields<'_>) -> Result<bool, Violation> {
    match fields.byte()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Violation::protocol("a property of 0 or 1 is neither")),
    }
}

/// The packets that may have a property (table 2-4).
fn packets_of(property: &Property<'_>) -> PacketSet {
    match property {
        Property::PayloadFormatIndicator(_)
        | Property::MessageExpiryInterval(_)
        | Property::ContentType(_)
        | Property::ResponseTopic(_)
        | Property::CorrelationData(_) => PacketSet::PUBLISH | PacketSet::WILL,
        Property::SubscriptionIdentifier(_) => PacketSet::PUBLISH | PacketSet::SUBSCRIBE,
        Property::SessionExpiryInterval(_) => PacketSet::CONNECT | PacketSet::CONNACK | PacketSet::DISCONNECT,
        Property::AuthenticationMethod(_) | Property::AuthenticationData(_) => {
            PacketSet::CONNECT | PacketSet::CONNACK | PacketSet::AUTH
        }
        Property::RequestProblemInformation(_) | Property::RequestResponseInformation(_) => {
            PacketSet::CONNECT
        }
        Property::WillDelayInterval(_) => PacketSet::WILL,
        Property::ServerReference(_) => PacketSet::CONNACK | PacketSet::DISCONNECT,
        Property::ReasonString(_) => PacketSet::all().difference(
            PacketSet::CONNECT
                | PacketSet::PUBLISH
                | PacketSet::SUBSCRIBE
                | PacketSet::UNSUBSCRIBE
                | PacketSet::WILL,
        ),
        Property::ReceiveMaximum(_) | Property::TopicAliasMaximum(_) | Property::MaximumPacketSize(_) => {
            PacketSet::CONNECT | PacketSet::CONNACK
        }
        Property::TopicAlias(_) => PacketSet::PUBLISH,
        Property::UserProperty(..) => PacketSet::all(),
        Property::AssignedClientIdentifier(_)
        | Property::ServerKeepAlive(_)
        | Property::ResponseInformation(_)
        | Property::MaximumQos(_)
        | Property::RetainAvailable(_)
        | Property::WildcardSubscriptionAvailable(_)
        | Property::SubscriptionIdentifierAvailable(_)
        | Property::SharedSubscriptionAvailable(_) => PacketSet::CONNACK,
    }
}

/// Checks all properties of a packet: each by itself, whether the packet may have it, and how often.
pub(crate) fn check_properties(bytes: &[u8], packet: PacketSet) -> Result<Properties<'_>, Violation> {
    let mut fields = Fields::new(bytes);
    let mut seen = 0u64;
    while !fields.is_empty() {
        let property = split_property(&mut fields)?;
        if !packets_of(&property).contains(packet) {
            return Err(Violation::protocol("a property that the packet does not have"));
        }
        let bit = 1 << property.id();
        let repeatable = match property {
            Property::UserProperty(..) => true,
            Property::SubscriptionIdentifier(_) => packet == PacketSet::PUBLISH,
            _ => false,
        };
        if seen & bit != 0 && !repeatable {
            return Err(Violation::protocol("a property more than once"));
        }
        seen |= bit;
    }
    // Data without a method (sections 3.1.2.11.10, 3.2.2.3.18, 3.15.2.2.2).
    if seen & (1 << 22) != 0 && seen & (1 << 21) == 0 {
        return Err(Violation::protocol("authentication data without a method"));
    }
    Ok(Properties::of_checked(bytes))
}
