//! C's codec: the oracle where it can say a packet, and beside ours where it answers wrong.

use std::mem;

use mongoose::mqtt::{
    Connect, Decoder, Disconnect, Filters, Names, Packet, PacketId, PropertiesBuf, Property, Publish, QoS,
    Subscribe, Unsubscribe, Version, Will,
};
use mongoose::{Connection, Event, Manager, sys};
use mongoose_tests::scaled;
use proptest::prelude::*;
use proptest::test_runner::Config;

fn text(bytes: &[u8]) -> sys::mg_str {
    sys::mg_str { buf: bytes.as_ptr().cast_mut().cast(), len: bytes.len() }
}

/// What C appends for a call on a connection of a version.
fn c_sends(version: Version, call: impl Fn(*mut sys::mg_connection)) -> Vec<u8> {
    let manager = Manager::new().expect("a manager");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("tcp://{}", listener.local_addr().expect("bound"));
    let id = manager.connect(&url, |_: &Connection<'_>, _: Event<'_>| Ok(())).expect("to begin");
    let connection = manager.connection(id).expect("there");
    let raw = connection.as_raw();
    // SAFETY: a connection of this manager, on its thread.
    unsafe { sys::mg_connection::set_is_mqtt5_raw(raw, u32::from(version == Version::V5)) };
    call(raw);
    connection.queued_bytes()
}

/// Options with nothing in them.
fn no_options() -> sys::mg_mqtt_opts {
    // SAFETY: pointers, lengths and numbers, for which zeroes are valid.
    unsafe { mem::zeroed() }
}

fn ours(packet: &Packet<'_>, version: Version) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.encode(version, &mut bytes).expect("to encode");
    bytes
}

fn version() -> impl Strategy<Value = Version> {
    prop_oneof![Just(Version::V3), Just(Version::V5)]
}

proptest! {
    #![proptest_config(Config::with_cases(scaled(100) as u32))]

    #[test]
    fn c_encodes_the_same(
        version in version(), topic in "[a-z][a-z/]{0,200}", payload in proptest::collection::vec(any::<u8>(), 1..300),
        number in 0u8..3, retain in any::<bool>(), clean in any::<bool>(), keep_alive in any::<u16>(),
        name in "[a-z]{1,20}", identifier in 1u32..268_435_456,
    ) {
        let qos = QoS::new(number).expect("0 to 2");
        let mut properties = PropertiesBuf::new();
        let mut c_properties: Vec<sys::mg_mqtt_prop> = Vec::new();
        if version == Version::V5 {
            properties.push(Property::UserProperty(&name, &topic)).expect("a text");
            // SAFETY: as above.
            let mut user: sys::mg_mqtt_prop = unsafe { mem::zeroed() };
            user.id = sys::MQTT_PROP_USER_PROPERTY as u8;
            user.key = text(name.as_bytes());
            user.val = text(topic.as_bytes());
            c_properties.push(user);
        }
        let mut options = no_options();
        options.topic = text(topic.as_bytes());
        options.message = text(&payload);
        options.qos = number;
        options.retain = retain;
        options.version = if version == Version::V5 { 5 } else { 4 };
        options.props = c_properties.as_mut_ptr();
        options.num_props = c_properties.len();

        // C counts the ids of a manager's packets from 1.
        let packet_id = PacketId::new(1).expect("above 0");
        let publish = Publish {
            qos, retain, topic: &topic, packet_id: (number > 0).then_some(packet_id), properties: properties.view(),
            payload: &payload, ..Publish::default()
        };
        // SAFETY: the connection is C's, and what the options point at lives on.
        let c = c_sends(version, |raw| unsafe { let _ = sys::mg_mqtt_pub(raw, &raw const options); });
        prop_assert_eq!(ours(&Packet::Publish(publish), version), c);

        let filters = [(&*topic, qos.into())];
        let subscribe = Subscribe { packet_id, properties: properties.view(), filters: Filters::new(&filters) };
        // SAFETY: the connection is C's, and what the options point at lives on.
        let c = c_sends(version, |raw| unsafe { sys::mg_mqtt_sub(raw, &raw const options) });
        prop_assert_eq!(ours(&Packet::Subscribe(subscribe), version), c);
        let names = [&*topic];
        let unsubscribe = Unsubscribe { packet_id, properties: properties.view(), filters: Names::new(&names) };
        // SAFETY: the connection is C's, and what the options point at lives on.
        let c = c_sends(version, |raw| unsafe { sys::mg_mqtt_unsub(raw, &raw const options) });
        prop_assert_eq!(ours(&Packet::Unsubscribe(unsubscribe), version), c);

        let mut will_options = options;
        will_options.will_props = c_properties.as_mut_ptr();
        will_options.num_will_props = c_properties.len();
        will_options.client_id = text(name.as_bytes());
        will_options.user = text(name.as_bytes());
        will_options.pass = text(&payload);
        will_options.clean = clean;
        will_options.keepalive = keep_alive;
        let will = Will { topic: &topic, payload: &payload, qos, retain, properties: properties.view() };
        let connect = Connect {
            version, client_id: &name, clean_start: clean, keep_alive, user_name: Some(&name),
            password: Some(&payload), will: Some(will), properties: properties.view(),
        };
        // SAFETY: the connection is C's, and what the options point at lives on.
        let c = c_sends(version, |raw| unsafe { sys::mg_mqtt_login(raw, &raw const will_options) });
        prop_assert_eq!(ours(&Packet::Connect(connect), version), c);

        if version == Version::V5 {
            // Of those in range, C writes every number.
            let mut number = PropertiesBuf::new();
            number.push(Property::SubscriptionIdentifier(identifier)).expect("in range");
            // SAFETY: as above.
            let mut c_number: sys::mg_mqtt_prop = unsafe { mem::zeroed() };
            c_number.id = sys::MQTT_PROP_SUBSCRIPTION_IDENTIFIER as u8;
            c_number.iv = identifier;
            options.props = &raw mut c_number;
            options.num_props = 1;
            let subscribe = Subscribe { packet_id, properties: number.view(), filters: Filters::new(&filters) };
            // SAFETY: the connection is C's, and what the options point at lives on.
            let c = c_sends(version, |raw| unsafe { sys::mg_mqtt_sub(raw, &raw const options) });
            prop_assert_eq!(ours(&Packet::Subscribe(subscribe), version), c);
        }
    }
}

#[test]
fn c_says_ping_and_disconnect_alike() {
    for version in [Version::V3, Version::V5] {
        // SAFETY: as above.
        let c = c_sends(version, |raw| unsafe { sys::mg_mqtt_ping(raw) });
        assert_eq!(ours(&Packet::Pingreq, version), c);
        // SAFETY: as above.
        let c = c_sends(version, |raw| unsafe { sys::mg_mqtt_pong(raw) });
        assert_eq!(ours(&Packet::Pingresp, version), c);
        let options = no_options();
        // SAFETY: as above.
        let c = c_sends(version, |raw| unsafe { sys::mg_mqtt_disconnect(raw, &raw const options) });
        if version == Version::V3 {
            assert_eq!(ours(&Packet::Disconnect(Disconnect::default()), version), c);
        } else {
            // C writes out what may be left out; it means the same.
            assert_eq!(c, [0xe0, 2, 0, 0]);
            let mut bytes = ours(&Packet::Connect(Connect { version, ..Connect::default() }), version);
            let start = bytes.len();
            bytes.extend(c);
            let mut decoder = Decoder::of_client(1000);
            decoder.next(&bytes).expect("valid");
            let (packet, _) = decoder.next(&bytes[start..]).expect("valid").expect("whole");
            assert_eq!(packet, Packet::Disconnect(Disconnect::default()));
        }
    }
}

/// What `mg_mqtt_parse` makes of a PUBLISH: its verdict, QoS and payload.
fn c_parses(bytes: &[u8], version: u8) -> (i32, u8, Vec<u8>) {
    // SAFETY: a struct for which zeroes are valid; C reads as many bytes as it is told, and answers views of them.
    unsafe {
        let mut message: sys::mg_mqtt_message = mem::zeroed();
        let verdict = sys::mg_mqtt_parse(bytes.as_ptr(), bytes.len(), version, &raw mut message);
        let data = message.data;
        let payload = if data.buf.is_null() {
            Vec::new()
        } else {
            std::slice::from_raw_parts(data.buf.cast::<u8>(), data.len).to_vec()
        };
        (verdict, message.qos, payload)
    }
}

const MQTT_OK: i32 = 0;

#[test]
fn hazard_30_a_payload_of_no_or_one_byte_gains_none() {
    for payload in [&b""[..], b"x", b"xy"] {
        let publish = Publish { topic: "a", payload, ..Publish::default() };
        let bytes = ours(&Packet::Publish(publish), Version::V5);
        let (verdict, _, c) = c_parses(&bytes, 5);
        assert_eq!(verdict, MQTT_OK);
        // The empty list of properties counts as payload.
        let wrong = [&[0], payload].concat();
        assert_eq!(c, if payload.len() < 2 { wrong } else { payload.to_vec() }, "C's, of {payload:?}");
        let mut decoder = Decoder::of_server(Version::V5, 1000);
        let (packet, _) = decoder.next(&bytes).expect("valid").expect("whole");
        assert_eq!(packet, Packet::Publish(publish));
    }
}

#[test]
fn hazard_30_qos_3_and_a_topic_with_wildcards_are_refused() {
    for bytes in
        [&b"\x36\x05\0\x01a\0\x01"[..], b"\x30\x03\0\x01#", b"\x30\x03\0\x01\xff", b"\x32\x05\0\x01a\0\0"]
    {
        assert_eq!(c_parses(bytes, 4).0, MQTT_OK, "C takes {bytes:02x?}");
        let mut decoder = Decoder::of_server(Version::V3, 1000);
        decoder.next(bytes).expect_err("not MQTT");
    }
}

#[test]
fn hazard_30_a_topic_of_64_kib_is_refused_before_it_corrupts_the_stream() {
    let topic = "t".repeat(65_537);
    let mut options = no_options();
    options.topic = text(topic.as_bytes());
    // SAFETY: as above.
    let c = c_sends(Version::V3, |raw| unsafe {
        let _ = sys::mg_mqtt_pub(raw, &raw const options);
    });
    // The rest of the topic is taken for the payload.
    assert_eq!(c_parses(&c, 4).2.len(), 65_536, "C says that the topic has one byte");
    let mut bytes = Vec::new();
    let publish = Publish { topic: &topic, ..Publish::default() };
    Packet::Publish(publish).encode(Version::V3, &mut bytes).expect_err("too long");
    assert!(bytes.is_empty());
}
