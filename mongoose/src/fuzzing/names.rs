//! Answers of name and time servers.

use std::net::IpAddr;

use super::choices;
use crate::gate::{dns, sntp as gate};

/// What came from a name server, as it is or behind a good beginning.
pub fn dns(bytes: &[u8]) {
    let ([choice, records], message) = choices(bytes);
    let name = dns::Name::new("host.test").expect("a name");
    let kind = if choice & 1 == 0 { dns::Kind::A } else { dns::Kind::Aaaa };
    let question = dns::Question { id: 0x2020, name, kind };
    let mut whole = Vec::new();
    if choice & 2 == 0 {
        whole = question.encode();
        (whole[2], whole[3], whole[7]) = (0x81, 0x80, records & 15);
    }
    whole.extend_from_slice(message);
    let answer = question.judge(&whole);
    if let Some(dns::Answer::Addresses(addresses)) = &answer {
        assert!(addresses.len() <= usize::from(u16::from_be_bytes([whole[6], whole[7]])));
        for address in addresses {
            let octets = match address {
                IpAddr::V4(address) => address.octets().to_vec(),
                IpAddr::V6(address) => address.octets().to_vec(),
            };
            assert_eq!(octets.len(), if choice & 1 == 0 { 4 } else { 16 });
            assert!(whole.windows(octets.len()).any(|window| window == octets), "an address out of nothing");
        }
    }
    if answer.is_some() {
        assert_eq!(whole[..2], [0x20, 0x20]);
        // What a server appends means nothing, and half of an answer means nothing else.
        assert_eq!(question.judge(&[&whole[..], message].concat()), answer);
        let half = question.judge(&whole[..whole.len() / 2]);
        assert!(half.is_none() || half == answer);
    }
    if let Ok(text) = std::str::from_utf8(message)
        && let Some(name) = dns::Name::new(text)
    {
        let question = dns::Question { id: 1, name, kind };
        let mut echo = question.encode();
        (echo[2], echo[3]) = (0x81, 0x80);
        assert_eq!(question.judge(&echo), Some(dns::Answer::Addresses(Vec::new())));
    }
}

/// What came from a time server, as it is or with the number that it has to repeat.
pub fn sntp(bytes: &[u8]) {
    const NONCE: u64 = 0x2021_2223_2425_2627;
    let ([choice], packet) = choices(bytes);
    let mut packet = packet.to_vec();
    if choice & 1 == 0
        && let Some(originate) = packet.get_mut(24..32)
    {
        originate.copy_from_slice(&NONCE.to_be_bytes());
    }
    match gate::answer(&packet, NONCE) {
        Ok(answer) => {
            assert!((1..=15).contains(&answer.stratum) && packet[0] & 0x3f == 0x24 && packet[0] >> 6 != 3);
            assert_eq!(packet[24..32], NONCE.to_be_bytes());
            let sent = u64::from_be_bytes(packet[40..48].try_into().expect("eight bytes"));
            assert_eq!((answer.sent, answer.stratum), (gate::Timestamp(sent), packet[1]));
            assert!(sent != 0 && answer.received.0 != 0 && answer.sent.since(answer.received) >= 0);
        }
        Err(gate::Refusal::Stray) => {}
        Err(gate::Refusal::Unfit(_) | gate::Refusal::Kiss(_)) => {
            assert!(packet.len() >= 48 && packet[24..32] == NONCE.to_be_bytes());
        }
    }
    assert_eq!(gate::answer(&gate::question(NONCE), NONCE), Err(gate::Refusal::Stray));
}
