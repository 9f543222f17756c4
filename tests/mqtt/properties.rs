//! Every property in every packet: taken where MQTT 5 allows it (table 2-4) and nowhere else, and read as it was written.

use mongoose::mqtt::{Decoder, Packet, PropertiesBuf, Property, Version};

/// The packets that have properties, and the will in CONNECT.
const PACKETS: [&str; 14] = [
    "CONNECT",
    "WILL",
    "CONNACK",
    "PUBLISH",
    "PUBACK",
    "PUBREC",
    "PUBREL",
    "PUBCOMP",
    "SUBSCRIBE",
    "SUBACK",
    "UNSUBSCRIBE",
    "UNSUBACK",
    "DISCONNECT",
    "AUTH",
];

/// Each property, and where the table has it.
const TABLE: [(Property<'static>, &str); 27] = [
    (Property::PayloadFormatIndicator(true), "PUBLISH WILL"),
    (Property::MessageExpiryInterval(0x0102_0304), "PUBLISH WILL"),
    (Property::ContentType("text/plain"), "PUBLISH WILL"),
    (Property::ResponseTopic("answers/to"), "PUBLISH WILL"),
    (Property::CorrelationData(b"\0\xff"), "PUBLISH WILL"),
    (Property::SubscriptionIdentifier(268_435_455), "PUBLISH SUBSCRIBE"),
    (Property::SessionExpiryInterval(u32::MAX), "CONNECT CONNACK DISCONNECT"),
    (Property::AssignedClientIdentifier("you"), "CONNACK"),
    (Property::ServerKeepAlive(513), "CONNACK"),
    (Property::AuthenticationMethod("SCRAM"), "CONNECT CONNACK AUTH"),
    (Property::AuthenticationData(b"n,,\0"), "CONNECT CONNACK AUTH"),
    (Property::RequestProblemInformation(false), "CONNECT"),
    (Property::WillDelayInterval(7), "WILL"),
    (Property::RequestResponseInformation(true), "CONNECT"),
    (Property::ResponseInformation("answers/"), "CONNACK"),
    (Property::ServerReference("other:1883"), "CONNACK DISCONNECT"),
    (
        Property::ReasonString("because"),
        "CONNACK PUBACK PUBREC PUBREL PUBCOMP SUBACK UNSUBACK DISCONNECT AUTH",
    ),
    (Property::ReceiveMaximum(9), "CONNECT CONNACK"),
    (Property::TopicAliasMaximum(10), "CONNECT CONNACK"),
    (Property::TopicAlias(1), "PUBLISH"),
    (Property::MaximumQos(1), "CONNACK"),
    (Property::RetainAvailable(false), "CONNACK"),
    (
        Property::UserProperty("name", "v\u{e4}lue"),
        "CONNECT WILL CONNACK PUBLISH PUBACK PUBREC PUBREL PUBCOMP SUBSCRIBE SUBACK UNSUBSCRIBE UNSUBACK \
         DISCONNECT AUTH",
    ),
    (Property::MaximumPacketSize(1 << 20), "CONNECT CONNACK"),
    (Property::WildcardSubscriptionAvailable(false), "CONNACK"),
    (Property::SubscriptionIdentifierAvailable(true), "CONNACK"),
    (Property::SharedSubscriptionAvailable(false), "CONNACK"),
];

/// A packet with these properties, as the specification writes it.
fn packet(kind: &str, properties: &[u8]) -> Vec<u8> {
    let own = [&[u8::try_from(properties.len()).expect("few")], properties].concat();
    let (first, parts): (u8, [&[u8]; 3]) = match kind {
        "CONNECT" => (0x10, [b"\0\x04MQTT\x05\x02\0\x3c", &own, b"\0\x02me"]),
        "WILL" => (0x10, [b"\0\x04MQTT\x05\x06\0\x3c\0\0\x02me", &own, b"\0\x01t\0\x01p"]),
        "CONNACK" => (0x20, [b"\0\0", &own, b""]),
        "PUBLISH" => (0x30, [b"\0\x01t", &own, b"payload"]),
        "PUBACK" => (0x40, [b"\0\x01\0", &own, b""]),
        "PUBREC" => (0x50, [b"\0\x01\0", &own, b""]),
        "PUBREL" => (0x62, [b"\0\x01\0", &own, b""]),
        "PUBCOMP" => (0x70, [b"\0\x01\0", &own, b""]),
        "SUBSCRIBE" => (0x82, [b"\0\x01", &own, b"\0\x01t\0"]),
        "SUBACK" => (0x90, [b"\0\x01", &own, b"\0"]),
        "UNSUBSCRIBE" => (0xa2, [b"\0\x01", &own, b"\0\x01t"]),
        "UNSUBACK" => (0xb0, [b"\0\x01", &own, b"\0"]),
        "DISCONNECT" => (0xe0, [b"\0", &own, b""]),
        "AUTH" => (0xf0, [b"\x18", &own, b""]),
        other => panic!("no packet is called {other}"),
    };
    let body = parts.concat();
    [&[first, u8::try_from(body.len()).expect("short")], &body[..]].concat()
}

/// The properties of a packet that a client or a server sent; `None` where it is refused.
fn decoded(bytes: &[u8], by_client: bool) -> Option<PropertiesBuf> {
    const HELLO: &[u8] = b"\x10\x0d\0\x04MQTT\x05\x02\0\x3c\0\0\0";
    let mut decoder =
        if by_client { Decoder::of_client(1 << 20) } else { Decoder::of_server(Version::V5, 1 << 20) };
    if by_client && bytes[0] != 0x10 {
        decoder.next(HELLO).expect("a packet").expect("all of it");
    }
    let (packet, used) = decoder.next(bytes).ok()?.expect("all of it");
    assert_eq!(used, bytes.len());
    Some(PropertiesBuf::from(match packet {
        Packet::Connect(connect) => connect.will.map_or(connect.properties, |will| will.properties),
        Packet::Connack(connack) => connack.properties,
        Packet::Publish(publish) => publish.properties,
        Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
            ack.properties
        }
        Packet::Subscribe(subscribe) => subscribe.properties,
        Packet::Suback(answer) | Packet::Unsuback(answer) => answer.properties,
        Packet::Unsubscribe(unsubscribe) => unsubscribe.properties,
        Packet::Disconnect(disconnect) => disconnect.properties,
        Packet::Auth(auth) => auth.properties,
        other => panic!("{other:?} has no properties"),
    }))
}

#[test]
fn each_property_is_taken_where_table_2_4_has_it_and_nowhere_else() {
    for (property, allowed) in TABLE {
        for kind in PACKETS {
            let mut written = PropertiesBuf::new();
            // It means nothing without (section 3.1.2.11.10).
            if property.id() == 22 {
                written.push(Property::AuthenticationMethod("SCRAM")).expect("a text");
            }
            written.push(property).expect("a property");
            let bytes = packet(kind, written.view().as_bytes());
            let taken: Vec<_> =
                [true, false].iter().filter_map(|&by_client| decoded(&bytes, by_client)).collect();
            let has_it = allowed.split(' ').any(|name| name == kind);
            assert_eq!(!taken.is_empty(), has_it, "{property:?} in {kind}");
            for read in taken {
                assert_eq!(read.view().iter().last(), Some(property), "{kind}");
            }
        }
    }
}

#[test]
fn properties_are_found_by_what_they_mean() {
    let mut written = PropertiesBuf::new();
    for (property, allowed) in TABLE {
        if allowed.contains("PUBLISH") {
            written.push(property).expect("a property");
        }
    }
    written.push(Property::SubscriptionIdentifier(2)).expect("a second one");
    let bytes = packet("PUBLISH", written.view().as_bytes());
    let read = decoded(&bytes, false).expect("a packet");
    let view = read.view();
    assert!(view.is_text() && !view.is_empty());
    assert_eq!(view.message_expiry_interval(), Some(0x0102_0304));
    assert_eq!(view.content_type(), Some("text/plain"));
    assert_eq!(view.response_topic(), Some("answers/to"));
    assert_eq!(view.correlation_data(), Some(&b"\0\xff"[..]));
    assert_eq!(view.subscription_identifiers().collect::<Vec<_>>(), [268_435_455, 2]);
    assert_eq!(view.user_properties().collect::<Vec<_>>(), [("name", "v\u{e4}lue")]);
    assert_eq!(view.reason_string(), None);
    let refused = decoded(&packet("PUBACK", b"\x1f\0\x07because"), false).expect("a packet");
    assert_eq!(refused.view().reason_string(), Some("because"));
}
