//! Property: what is encoded is decoded to the same, however it is split; and no bytes panic.

use mongoose::mqtt::{
    Ack, Answer, Auth, Connack, Connect, Decoder, Disconnect, Filters, Names, Packet, PacketId,
    PropertiesBuf, Property, Publish, QoS, Reason, RetainHandling, Subscribe, SubscribeOptions, Unsubscribe,
    Version, Will,
};
use mongoose_tests::scaled;
use proptest::prelude::*;
use proptest::test_runner::Config;

fn cases() -> Config {
    Config::with_cases(scaled(400) as u32)
}

/// Decodes one packet, with the bytes shown at growing lengths.
fn decode_in_steps<'b>(decoder: &mut Decoder, bytes: &'b [u8], steps: &[usize]) -> Packet<'b> {
    let mut cuts: Vec<_> = steps.iter().map(|step| step % bytes.len()).collect();
    cuts.sort_unstable();
    for cut in cuts {
        assert_eq!(
            decoder.next(&bytes[..cut]).expect("the start of a packet"),
            None,
            "{cut} of {}",
            bytes.len()
        );
    }
    let (packet, used) = decoder.next(bytes).expect("a packet").expect("all of it");
    assert_eq!(used, bytes.len());
    packet
}

fn check(packet: Packet<'_>, version: Version, by_client: bool, steps: &[usize]) {
    let mut bytes = vec![0xee];
    packet.encode(version, &mut bytes).unwrap_or_else(|error| panic!("{packet:?}: {error}"));
    assert_eq!(bytes.remove(0), 0xee, "what was there is left alone");
    let mut decoder =
        if by_client { Decoder::of_client(1 << 20) } else { Decoder::of_server(version, 1 << 20) };
    if by_client && !matches!(packet, Packet::Connect(_)) {
        let mut connect = Vec::new();
        let hello = Connect { version, clean_start: true, ..Connect::default() };
        Packet::Connect(hello).encode(version, &mut connect).expect("to encode");
        decoder.next(&connect).expect("a packet").expect("all of it");
    }
    assert_eq!(decode_in_steps(&mut decoder, &bytes, steps), packet);
}

fn qos(number: u8) -> QoS {
    QoS::new(number).expect("0 to 2")
}

/// User properties, and others that a packet may have.
fn properties(version: Version, user: &[(String, String)], others: &[Property<'_>]) -> PropertiesBuf {
    let mut properties = PropertiesBuf::new();
    if version == Version::V5 {
        for (name, value) in user {
            properties.push(Property::UserProperty(name, value)).expect("a text");
        }
        for other in others {
            properties.push(*other).expect("a property");
        }
    }
    properties
}

fn version() -> impl Strategy<Value = Version> {
    prop_oneof![Just(Version::V3), Just(Version::V5)]
}

const TOPIC: &str = "[a-z$][a-z/é]{0,40}";
const TEXT: &str = "[a-zé ]{0,300}";

fn user() -> impl Strategy<Value = Vec<(String, String)>> {
    proptest::collection::vec((TEXT, TEXT), 0..4)
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn connect(
        version in version(), id in "[a-z]{1,30}", clean in any::<bool>(), keep_alive in any::<u16>(),
        user_name in proptest::option::of(TEXT), password in proptest::collection::vec(any::<u8>(), 0..50),
        will in proptest::option::of((TOPIC, 0u8..3, any::<bool>())), user in user(), steps in any::<[usize; 4]>(),
    ) {
        let own = properties(version, &user, &[Property::SessionExpiryInterval(7), Property::ReceiveMaximum(3)]);
        let of_will = properties(version, &user, &[Property::WillDelayInterval(9)]);
        let will = will.as_ref().map(|(topic, number, retain)| Will {
            topic, payload: &password, qos: qos(*number), retain: *retain, properties: of_will.view(),
        });
        let connect = Connect {
            version, client_id: &id, clean_start: clean, keep_alive, user_name: user_name.as_deref(),
            password: user_name.as_ref().map(|_| &*password), will, properties: own.view(),
        };
        check(Packet::Connect(connect), version, true, &steps);
    }

    #[test]
    fn publish(
        version in version(), topic in TOPIC, payload in proptest::collection::vec(any::<u8>(), 0..20_000),
        number in 0u8..3, retain in any::<bool>(), duplicate in any::<bool>(), id in 1u16.., user in user(),
        by_client in any::<bool>(), steps in any::<[usize; 4]>(),
    ) {
        let some = [Property::ContentType("text/plain"), Property::CorrelationData(&[0, 255]), Property::TopicAlias(1)];
        let properties = properties(version, &user, &some);
        let above = number > 0;
        let publish = Publish {
            duplicate: duplicate && above, qos: qos(number), retain, topic: &topic,
            packet_id: above.then(|| PacketId::new(id)).flatten(), properties: properties.view(), payload: &payload,
        };
        check(Packet::Publish(publish), version, by_client, &steps);
    }

    #[test]
    fn questions(
        version in version(), topics in proptest::collection::vec((TOPIC, 0u8..3, any::<bool>()), 1..20),
        id in 1u16.., user in user(), steps in any::<[usize; 4]>(),
    ) {
        let v5 = version == Version::V5;
        let options = |number: u8, flag: bool| SubscribeOptions {
            qos: qos(number), no_local: flag && v5, retain_as_published: !flag && v5,
            retain_handling: if v5 && flag { RetainHandling::DoNotSend } else { RetainHandling::Send },
        };
        let filters: Vec<_> = topics.iter().map(|(topic, number, flag)| (&**topic, options(*number, *flag))).collect();
        let names: Vec<_> = topics.iter().map(|(topic, ..)| &**topic).collect();
        let packet_id = PacketId::new(id).expect("above 0");
        let properties = properties(version, &user, &[]);
        let subscribe = Subscribe { packet_id, properties: properties.view(), filters: Filters::new(&filters) };
        check(Packet::Subscribe(subscribe), version, true, &steps);
        let unsubscribe = Unsubscribe { packet_id, properties: properties.view(), filters: Names::new(&names) };
        check(Packet::Unsubscribe(unsubscribe), version, true, &steps);
    }

    #[test]
    fn answers(
        version in version(), id in 1u16.., user in user(), failed in any::<bool>(), present in any::<bool>(),
        by_client in any::<bool>(), steps in any::<[usize; 4]>(),
    ) {
        let v5 = version == Version::V5;
        let properties = properties(version, &user, &[]);
        let packet_id = PacketId::new(id).expect("above 0");
        let reason = |code| Reason(if v5 && failed { code } else { 0 });
        let ack = |code| Ack { packet_id, reason: reason(code), properties: properties.view() };
        check(Packet::Puback(ack(0x97)), version, by_client, &steps);
        check(Packet::Pubrec(ack(0x10)), version, by_client, &steps);
        check(Packet::Pubrel(ack(0x92)), version, by_client, &steps);
        check(Packet::Pubcomp(ack(0x92)), version, by_client, &steps);
        let connack = Connack {
            session_present: present && !failed,
            reason: if failed { Reason::NOT_AUTHORIZED } else { Reason::SUCCESS },
            properties: properties.view(),
        };
        check(Packet::Connack(connack), version, false, &steps);
        let answer = |codes| Answer { packet_id, properties: properties.view(), codes };
        check(Packet::Suback(answer(&[0, 1, 2, 0x80])), version, false, &steps);
        check(Packet::Unsuback(answer(if v5 { &[0, 0x11] } else { &[] })), version, false, &steps);
        check(Packet::Pingreq, version, true, &steps);
        check(Packet::Pingresp, version, false, &steps);
        let disconnect = Disconnect { reason: reason(0x81), properties: properties.view() };
        check(Packet::Disconnect(disconnect), version, by_client || !v5, &steps);
        if v5 {
            let auth = Auth { reason: Reason::CONTINUE_AUTHENTICATION, properties: properties.view() };
            check(Packet::Auth(auth), version, by_client, &steps);
        }
    }

    #[test]
    fn any_bytes_get_a_verdict(
        version in version(), by_client in any::<bool>(), kind in 1u8..16,
        body in proptest::collection::vec(prop_oneof![0u8..8, any::<u8>()], 0..120),
    ) {
        let mut bytes = vec![kind << 4 | if matches!(kind, 6 | 8 | 10) { 2 } else { 0 }, body.len() as u8];
        bytes.extend(&body);
        let mut decoder = if by_client { Decoder::of_client(1000) } else { Decoder::of_server(version, 1000) };
        // What passes can be said again, to the same bytes' meaning.
        if let Ok(Some((packet, used))) = decoder.next(&bytes) {
            assert_eq!(used, bytes.len());
            let mut again = Vec::new();
            packet.encode(version, &mut again).unwrap_or_else(|error| panic!("{packet:?}: {error}"));
            let mut second = if by_client { Decoder::of_client(1000) } else { Decoder::of_server(version, 1000) };
            assert_eq!(second.next(&again).expect("valid").expect("whole").0, packet);
        }
    }
}
