//! Packets as data, each with the specification's verdict: whole, byte by byte, and cut.

use mongoose::Error;
use mongoose::mqtt::{Connect, Decoder, Packet, Reason, Version};

use Version::{V3, V5};

const MALFORMED: Reason = Reason::MALFORMED_PACKET;
const PROTOCOL: Reason = Reason::PROTOCOL_ERROR;

fn decoder(version: Version, by_client: bool, connected: bool) -> Decoder {
    if !by_client {
        return Decoder::of_server(version, 10_000);
    }
    let mut decoder = Decoder::of_client(10_000);
    if connected {
        let mut bytes = Vec::new();
        let hello = Connect { version, clean_start: true, ..Connect::default() };
        Packet::Connect(hello).encode(version, &mut bytes).expect("to encode");
        decoder.next(&bytes).expect("a packet").expect("whole");
    }
    decoder
}

/// What comes of bytes that arrive one by one: where they were refused, and why.
fn verdict(mut decoder: Decoder, bytes: &[u8]) -> Result<usize, Reason> {
    for end in 0..=bytes.len() {
        match decoder.next(&bytes[..end]) {
            Ok(None) => {}
            Ok(Some((_, used))) => return Ok(used),
            Err(Error::Mqtt { reason, .. }) => return Err(reason),
            Err(other) => panic!("{other}"),
        }
    }
    panic!("{bytes:02x?} is not whole");
}

fn refused(cases: &[(&str, Version, bool, &[u8], Reason)], connected: bool) {
    for (what, version, by_client, bytes, reason) in cases {
        let decoder = decoder(*version, *by_client, connected);
        let whole = decoder.clone().next(bytes).map(|_| ());
        assert!(
            matches!(&whole, Err(Error::Mqtt { reason: said, .. }) if said == reason),
            "{what}: {whole:?}"
        );
        assert_eq!(verdict(decoder, bytes), Err(*reason), "{what}, byte by byte");
    }
}

#[test]
fn what_comes_first() {
    refused(
        &[
            ("PINGREQ first", V3, true, &[0xc0, 0], PROTOCOL),
            ("PUBLISH first", V3, true, &[0x30, 3, 0, 1, b'a'], PROTOCOL),
            ("CONNECT with flags", V3, true, &[0x11, 0], MALFORMED),
            ("another protocol", V3, true, b"\x10\x0c\0\x04HTTP\x04\x02\0\0\0\0", MALFORMED),
            (
                "MQTT 3.1",
                V3,
                true,
                b"\x10\x0e\0\x06MQIsdp\x03\x02\0\0\0\0",
                Reason::UNSUPPORTED_PROTOCOL_VERSION,
            ),
            ("MQTT 6", V3, true, b"\x10\x0c\0\x04MQTT\x06\x02\0\0\0\0", Reason::UNSUPPORTED_PROTOCOL_VERSION),
            ("reserved flag", V3, true, b"\x10\x0c\0\x04MQTT\x04\x03\0\0\0\0", MALFORMED),
            ("will of QoS 3", V3, true, b"\x10\x12\0\x04MQTT\x04\x1e\0\0\0\0\0\x01w\0\0\0", MALFORMED),
            ("QoS of no will", V3, true, b"\x10\x0c\0\x04MQTT\x04\x0a\0\0\0\0", MALFORMED),
            ("retain of no will", V3, true, b"\x10\x0c\0\x04MQTT\x04\x22\0\0\0\0", MALFORMED),
            ("password without a name", V3, true, b"\x10\x0e\0\x04MQTT\x04\x42\0\0\0\0\0\0", MALFORMED),
            (
                "no id to keep",
                V3,
                true,
                b"\x10\x0c\0\x04MQTT\x04\0\0\0\0\0",
                Reason::CLIENT_IDENTIFIER_NOT_VALID,
            ),
            ("bytes behind", V3, true, b"\x10\x0d\0\x04MQTT\x04\x02\0\0\0\0x", MALFORMED),
            ("cut", V3, true, b"\x10\x0b\0\x04MQTT\x04\x02\0\0\0", MALFORMED),
            ("id not UTF-8", V3, true, b"\x10\x0d\0\x04MQTT\x04\x02\0\0\0\x01\xff", MALFORMED),
            ("id with a NUL", V3, true, b"\x10\x0d\0\x04MQTT\x04\x02\0\0\0\x01\0", MALFORMED),
            ("receive maximum 0", V5, true, b"\x10\x10\0\x04MQTT\x05\x02\0\0\x03\x21\0\0\0\0", PROTOCOL),
            ("data without a method", V5, true, b"\x10\x10\0\x04MQTT\x05\x02\0\0\x03\x16\0\0\0\0", PROTOCOL),
            (
                "a will's property",
                V5,
                true,
                b"\x10\x12\0\x04MQTT\x05\x02\0\0\x05\x18\0\0\0\x01\0\0",
                PROTOCOL,
            ),
            (
                "will with a wildcard",
                V3,
                true,
                b"\x10\x11\0\x04MQTT\x04\x06\0\0\0\0\0\x01#\0\0",
                Reason::TOPIC_NAME_INVALID,
            ),
        ],
        false,
    );
}

#[test]
fn hazard_30_what_comes_then() {
    refused(
        &[
            ("a second CONNECT", V3, true, b"\x10\x0c\0\x04MQTT\x04\x02\0\0\0\0", PROTOCOL),
            ("type 0", V3, true, &[0x00, 0], MALFORMED),
            ("QoS 3", V3, true, b"\x36\x05\0\x01a\0\x01", MALFORMED),
            ("DUP with QoS 0", V3, true, b"\x38\x03\0\x01a", MALFORMED),
            ("PUBLISH with id 0", V3, true, b"\x32\x05\0\x01a\0\0", MALFORMED),
            ("no topic", V3, true, b"\x30\x02\0\0", Reason::TOPIC_NAME_INVALID),
            ("topic with +", V3, false, b"\x30\x03\0\x01+", Reason::TOPIC_NAME_INVALID),
            ("topic with a NUL", V3, false, b"\x30\x03\0\x01\0", MALFORMED),
            ("topic past the end", V3, false, b"\x30\x03\0\x02a", MALFORMED),
            ("a surrogate", V3, false, b"\x30\x05\0\x03\xed\xa0\x80", MALFORMED),
            ("neither topic nor alias", V5, true, b"\x30\x03\0\0\0", PROTOCOL),
            ("alias 0", V5, true, b"\x30\x07\0\x01a\x03\x23\0\0", Reason::TOPIC_ALIAS_INVALID),
            ("an unknown property", V5, true, b"\x30\x06\0\x01a\x02\x7f\0", MALFORMED),
            ("twice an expiry", V5, true, b"\x30\x0e\0\x01a\x0a\x02\0\0\0\x01\x02\0\0\0\x01", PROTOCOL),
            ("a client's subscription id", V5, true, b"\x30\x06\0\x01a\x02\x0b\x01", PROTOCOL),
            ("a padded property length", V5, true, b"\x30\x05\0\x01a\x80\0", MALFORMED),
            ("properties past the end", V5, true, b"\x30\x05\0\x01a\x05\x01", MALFORMED),
            ("format 2", V5, true, b"\x30\x06\0\x01a\x02\x01\x02", PROTOCOL),
            ("response topic with #", V5, true, b"\x30\x08\0\x01a\x04\x08\0\x01#", PROTOCOL),
            ("a padded length", V5, true, b"\xc0\x80\0", MALFORMED),
            ("five bytes of length", V3, true, b"\x30\xff\xff\xff\xff\x01", MALFORMED),
            ("larger than we take", V3, true, b"\x30\xff\xff\x03", Reason::PACKET_TOO_LARGE),
            ("PUBACK with flags", V3, true, b"\x41\x02\0\x01", MALFORMED),
            ("PUBACK with id 0", V3, true, b"\x40\x02\0\0", MALFORMED),
            ("PUBACK of one byte", V3, true, b"\x40\x01\0", MALFORMED),
            ("PUBACK of 3.1.1 with a reason", V3, true, b"\x40\x03\0\x01\0", MALFORMED),
            ("PUBACK with another's reason", V5, true, b"\x40\x03\0\x01\x92", MALFORMED),
            ("PUBREL without its flags", V3, true, b"\x60\x02\0\x01", MALFORMED),
            ("SUBSCRIBE without its flags", V3, true, b"\x80\x06\0\x01\0\x01a\0", MALFORMED),
            ("SUBSCRIBE to nothing", V3, true, b"\x82\x02\0\x01", PROTOCOL),
            ("SUBSCRIBE of QoS 3", V3, true, b"\x82\x06\0\x01\0\x01a\x03", MALFORMED),
            ("options in 3.1.1", V3, true, b"\x82\x06\0\x01\0\x01a\x04", MALFORMED),
            ("retain handling 3", V5, true, b"\x82\x07\0\x01\0\0\x01a\x30", MALFORMED),
            ("reserved option", V5, true, b"\x82\x07\0\x01\0\0\x01a\x40", MALFORMED),
            ("no local, shared", V5, true, b"\x82\x10\0\x01\0\0\x0a$share/g/a\x04", PROTOCOL),
            ("a filter like a#", V3, true, b"\x82\x07\0\x01\0\x02a#\0", Reason::TOPIC_FILTER_INVALID),
            ("UNSUBSCRIBE of nothing", V3, true, b"\xa2\x02\0\x01", PROTOCOL),
            ("PINGREQ with a body", V3, true, b"\xc0\x01\0", MALFORMED),
            ("DISCONNECT of 3.1.1 with a reason", V3, true, b"\xe0\x01\0", MALFORMED),
            ("AUTH in 3.1.1", V3, true, b"\xf0\0", MALFORMED),
            ("CONNACK from a client", V3, true, b"\x20\x02\0\0", PROTOCOL),
            ("SUBSCRIBE from a server", V3, false, b"\x82\x06\0\x01\0\x01a\0", PROTOCOL),
            ("DISCONNECT from a server of 3.1.1", V3, false, b"\xe0\0", PROTOCOL),
            ("CONNACK with flags", V3, false, b"\x20\x02\x02\0", MALFORMED),
            ("an unknown return code", V3, false, b"\x20\x02\0\x06", MALFORMED),
            ("a session for who is refused", V3, false, b"\x20\x02\x01\x05", PROTOCOL),
            ("CONNACK of one byte", V3, false, b"\x20\x01\0", MALFORMED),
            ("SUBACK without a reason", V3, false, b"\x90\x02\0\x01", PROTOCOL),
            ("SUBACK with QoS 3", V3, false, b"\x90\x03\0\x01\x03", MALFORMED),
            ("a server's expiry", V5, false, b"\xe0\x07\0\x05\x11\0\0\0\x01", PROTOCOL),
        ],
        true,
    );
}

#[test]
fn what_is_allowed() {
    for (what, version, by_client, bytes) in [
        ("an alias in place of a topic", V5, true, &b"\x30\x06\0\0\x03\x23\0\x01"[..]),
        ("a padded length in 3.1.1", V3, true, b"\xc0\x80\0"),
        ("an empty payload", V3, true, b"\x30\x03\0\x01a"),
        ("hazard 30: a payload of one byte in 5", V5, true, b"\x30\x05\0\x01a\0x"),
        ("several subscription ids from a server", V5, false, b"\x30\x08\0\x01a\x04\x0b\x01\x0b\x02"),
        ("PUBACK with a reason alone", V5, false, b"\x40\x03\0\x01\x10"),
        ("DISCONNECT without a reason", V5, true, b"\xe0\0"),
        ("a topic with a BOM", V3, true, b"\x30\x06\0\x04\xef\xbb\xbfa"),
        ("SUBACK with a failure", V3, false, b"\x90\x03\0\x01\x80"),
    ] {
        assert_eq!(verdict(decoder(version, by_client, true), bytes), Ok(bytes.len()), "{what}");
    }
}
