//! WebSocket: frames at both ends, streams in frames, and handshakes.

use super::{choices, pieces};
use crate::gate::ws::reference::{BOUNDS, Seen, assemble, read};
use crate::gate::ws::{
    Bounds, FrameHead, Opcode, Role, StreamDecoder, StreamEnd, check_answer, check_request, close_payload,
    parse_close,
};

fn role(choice: u8) -> Role {
    if choice & 1 == 0 { Role::Server } else { Role::Client }
}

/// Messages out of frames: as a plain reading has them, at any split, whole and in pieces.
pub fn frames(bytes: &[u8]) {
    let ([choice, cuts], input) = choices(bytes);
    let role = role(choice);
    for in_pieces in [false, true] {
        let bounds = Bounds { pieces: in_pieces, ..BOUNDS };
        let seen = assemble(&[input], role, bounds);
        assert_eq!(assemble(&pieces(input, cuts), role, bounds), seen, "whole and in pieces");
        let (expected, complete) = read(input, role, bounds);
        if complete {
            assert_eq!(seen, expected);
        } else {
            // What is wrong shows before it is all there.
            let rest = seen.strip_prefix(&expected[..]).expect("what was complete");
            assert!(matches!(rest, [] | [Seen::Broken(_)]), "{rest:?}");
        }
        for control in &seen {
            if let Seen::Control(Opcode::Close, payload) = control
                && let Ok(Some((code, reason))) = parse_close(payload)
            {
                assert_eq!(close_payload(code, reason), *payload);
            }
        }
    }
    if let Ok(Some(head)) = FrameHead::parse(input, role) {
        assert_eq!(head.encode()[..head.len], input[..head.len], "encoded again");
        if let Ok(payload) = usize::try_from(head.payload) {
            assert_eq!(FrameHead::new(head.opcode, head.fin, payload, head.mask), head);
        }
    }
}

/// A stream in binary frames: at any split the same bytes, pings and end.
pub fn stream(bytes: &[u8]) {
    let ([choice, cuts], input) = choices(bytes);
    let role = role(choice);
    let (whole, decoder) = unframe(&[input], role);
    let (dripped, dripping) = unframe(&pieces(input, cuts), role);
    assert!(whole.len() <= input.len());
    assert_eq!((&dripped, dripping.end()), (&whole, decoder.end()), "whole and in pieces");
    assert_eq!(dripping.is_inside(), decoder.is_inside());
    // As the assembler has it, as far as both speak of the same.
    let bounds = Bounds { pieces: true, ..BOUNDS };
    let (expected, complete) = read(input, role, bounds);
    let mut bytes = Vec::new();
    for seen in &expected {
        match seen {
            Seen::Message(crate::gate::ws::Kind::Binary, message) => bytes.extend(message),
            Seen::Control(Opcode::Close, _) | Seen::Message(..) | Seen::Broken(_) => {
                assert!(decoder.end().is_some());
                break;
            }
            Seen::Control(..) => {}
        }
    }
    assert!(whole.starts_with(&bytes), "messages that are complete");
    if complete && expected.iter().any(|seen| matches!(seen, Seen::Broken(1002))) {
        assert!(matches!(decoder.end(), Some(StreamEnd::Broken(_) | StreamEnd::Close)));
    }
}

fn unframe(pieces: &[&[u8]], role: Role) -> (Vec<u8>, StreamDecoder) {
    let mut decoder = StreamDecoder::new(role);
    let mut stream = Vec::new();
    for piece in pieces {
        let mut piece = piece.to_vec();
        let count = decoder.decode(&mut piece);
        stream.extend_from_slice(&piece[..count]);
        if let Some(ping) = decoder.take_ping() {
            assert!(ping.len() <= 125);
        }
    }
    (stream, decoder)
}

/// Both sides of the handshake: headers are lines of the input.
pub fn handshake(bytes: &[u8]) {
    let ([minor], input) = choices(bytes);
    let lines = input.split(|&byte| byte == b'\n').filter_map(|line| {
        let colon = line.iter().position(|&byte| byte == b':')?;
        Some((std::str::from_utf8(&line[..colon]).ok()?, line[colon + 1..].trim_ascii()))
    });
    if let Ok(offer) = check_request("GET", minor & 1, lines.clone()) {
        assert!(minor & 1 == 1 && offer.key.len() == 24);
        assert_eq!(
            crate::base64::decode(format!("{}A==", &offer.key[..21])).map(|key| key.len()).ok(),
            Some(16)
        );
        assert!(
            offer
                .protocols
                .iter()
                .all(|protocol| !protocol.is_empty() && !protocol.contains([',', ' ', '\r']))
        );
        assert!(lines.clone().any(|(_, value)| value == b"13"));
    }
    let offered = ["chat".to_owned(), "mqtt".to_owned()];
    if let Ok(answer) = check_answer(lines.clone(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", &offered) {
        assert!(answer.protocol.is_none_or(|protocol| matches!(protocol, "chat" | "mqtt")));
        assert!(lines.clone().any(|(_, value)| value == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    }
}
