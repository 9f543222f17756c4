//! MQTT 3.1.1 and 5.

use mongoose::fuzzing::{choices, pieces};
use mongoose::mqtt::{self, Decoder, Packet, Version};

/// Packets of either side: at any split the same, and encoded again they say the same.
pub fn packets(bytes: &[u8]) {
    let ([choice, cuts], input) = choices(bytes);
    let limit = if choice & 4 == 0 { 1 << 20 } else { 40 };
    let version = if choice & 2 == 0 { Version::V3 } else { Version::V5 };
    let new = || match choice & 1 {
        0 => Decoder::of_client(limit),
        _ => Decoder::of_server(version, limit),
    };
    let mut whole = Vec::new();
    let mut rest = input;
    let mut decoder = new();
    loop {
        match decoder.next(rest) {
            Ok(Some((packet, used))) => {
                assert!((2..=rest.len().min(limit)).contains(&used));
                check(&packet, decoder.version().unwrap_or_default(), choice & 1 == 0, &rest[..used]);
                whole.push(format!("{packet:?}"));
                rest = &rest[used..];
            }
            Ok(None) => break,
            Err(error) => {
                whole.push(error.to_string());
                break;
            }
        }
    }
    let (mut dripped, mut decoder, mut kept) = (Vec::new(), new(), Vec::new());
    'pieces: for piece in pieces(input, cuts) {
        kept.extend_from_slice(piece);
        loop {
            match decoder.next(&kept) {
                Ok(Some((packet, used))) => {
                    dripped.push(format!("{packet:?}"));
                    kept.drain(..used);
                }
                Ok(None) => break,
                Err(error) => {
                    dripped.push(error.to_string());
                    break 'pieces;
                }
            }
        }
    }
    assert_eq!(dripped, whole, "whole and in pieces");
}

/// A packet that was decoded can be encoded, to bytes that mean the same and are no longer; and those stay.
fn check(packet: &Packet<'_>, version: Version, by_client: bool, received: &[u8]) {
    let mut bytes = Vec::new();
    packet.encode(version, &mut bytes).expect("what was received may be sent");
    assert!(bytes.len() <= received.len());
    let mut decoder =
        if by_client { Decoder::of_client(1 << 20) } else { Decoder::of_server(version, 1 << 20) };
    if by_client && !matches!(packet, Packet::Connect(_)) {
        let mut connect = Vec::new();
        let hello = mqtt::Connect { version, client_id: "x", clean_start: true, ..mqtt::Connect::default() };
        Packet::Connect(hello).encode(version, &mut connect).expect("a CONNECT");
        decoder.next(&connect).expect("a CONNECT").expect("all of it");
    }
    let (again, used) = decoder.next(&bytes).expect("what was sent").expect("all of it");
    assert_eq!((again, used), (*packet, bytes.len()));
    let mut stable = Vec::new();
    again.encode(version, &mut stable).expect("again");
    assert_eq!(stable, bytes);
}

/// The first line is a filter, the rest a topic: beside a plain reading of section 4.7.
pub fn topics(bytes: &[u8]) {
    let Ok(both) = std::str::from_utf8(bytes) else { return };
    let (filter, topic) = both.split_once('\n').unwrap_or((both, "a/b"));
    let is_topic = !topic.is_empty() && !topic.contains(['+', '#', '\0']) && topic.len() <= 65_535;
    assert_eq!(mqtt::is_topic(topic), is_topic);
    if mqtt::is_filter(filter) {
        let levels: Vec<_> = filter.split('/').collect();
        let (last, others) = levels.split_last().expect("a level");
        assert!(others.iter().all(|level| *level == "+" || !level.contains(['+', '#'])));
        assert!(matches!(*last, "+" | "#") || !last.contains(['+', '#']));
    }
    if !mqtt::is_filter(filter) || !is_topic || mqtt::shared(filter).is_some() {
        return;
    }
    let hidden = topic.starts_with('$') && filter.starts_with(['+', '#']);
    let (filters, levels): (Vec<_>, Vec<_>) = (filter.split('/').collect(), topic.split('/').collect());
    assert_eq!(mqtt::matches(filter, topic), !hidden && plain(&filters, &levels), "{filter:?} {topic:?}");
}

fn plain(filter: &[&str], topic: &[&str]) -> bool {
    match (filter, topic) {
        (["#"], _) | ([], []) => true,
        (["+", filter @ ..], [_, topic @ ..]) => plain(filter, topic),
        ([level, filter @ ..], [same, topic @ ..]) => level == same && plain(filter, topic),
        _ => false,
    }
}
