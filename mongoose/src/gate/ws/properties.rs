//! What the assembler answers does not depend on how the bytes are cut, and is what a plain reading of RFC 6455 gives.

use proptest::prelude::*;

use super::reference::{BOUNDS, Seen, assemble};
use super::{Assembler, Bounds, Found, FrameHead, Kind, Opcode, Role, mask};

/// A frame to be sent.
#[derive(Clone, Debug)]
struct Frame {
    first: u8,
    payload: Vec<u8>,
    key: [u8; 4],
}

fn encode(frame: &Frame, masked: bool) -> Vec<u8> {
    let mut bytes = vec![frame.first];
    let bit = if masked { 0x80 } else { 0 };
    match frame.payload.len() {
        len @ 0..126 => bytes.push(bit | len as u8),
        len => {
            bytes.push(bit | 126);
            bytes.extend((len as u16).to_be_bytes());
        }
    }
    let mut payload = frame.payload.clone();
    if masked {
        bytes.extend(frame.key);
        mask(&mut payload, frame.key, 0);
    }
    bytes.extend(payload);
    bytes
}

/// Reads frame after frame, each of them whole.
fn plain(frames: &[Frame]) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut open: Option<(Kind, Vec<u8>)> = None;
    for Frame { first, payload, .. } in frames {
        let (fin, opcode) = (first & 0x80 != 0, first & 0x0f);
        let broken = |code| Some(Seen::Broken(code));
        let wrong = if first & 0x70 != 0
            || !matches!(opcode, 0..=2 | 8..=10)
            || (opcode >= 8 && (!fin || payload.len() > 125))
            || (opcode == 0 && open.is_none())
            || (matches!(opcode, 1 | 2) && open.is_some())
        {
            broken(1002)
        } else if opcode < 8
            && (payload.len() > BOUNDS.frame
                || open.as_ref().map_or(0, |open| open.1.len()) + payload.len() > BOUNDS.message)
        {
            broken(1009)
        } else {
            None
        };
        if let Some(wrong) = wrong {
            seen.push(wrong);
            return seen;
        }
        if opcode >= 8 {
            let opcode = [Opcode::Close, Opcode::Ping, Opcode::Pong][usize::from(opcode) - 8];
            seen.push(Seen::Control(opcode, payload.clone()));
            continue;
        }
        let (kind, mut message) =
            open.take().unwrap_or((if opcode == 1 { Kind::Text } else { Kind::Binary }, Vec::new()));
        message.extend(payload);
        if kind == Kind::Text {
            let error = std::str::from_utf8(&message).err();
            if error.is_some_and(|error| fin || error.error_len().is_some()) {
                seen.push(Seen::Broken(1007));
                return seen;
            }
        }
        if fin {
            seen.push(Seen::Message(kind, message));
        } else {
            open = Some((kind, message));
        }
    }
    seen
}

fn cut<'b>(mut bytes: &'b [u8], cuts: &[usize]) -> Vec<&'b [u8]> {
    let mut pieces = Vec::new();
    for &at in cuts {
        let (piece, rest) = bytes.split_at(at.min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces.push(bytes);
    pieces
}

fn frame() -> impl Strategy<Value = Frame> {
    let first = prop_oneof![
        8 => prop_oneof![Just(0x81), Just(0x82), Just(0x01), Just(0x02), Just(0x00), Just(0x80)],
        3 => prop_oneof![Just(0x88), Just(0x89), Just(0x8a)],
        1 => any::<u8>(),
    ];
    let payload = prop_oneof![
        4 => "[a-z\u{e9}\u{20ac}\u{1f600}]{0,20}".prop_map(String::into_bytes),
        2 => prop::collection::vec(any::<u8>(), 0..6),
        1 => prop::collection::vec(Just(b'x'), 110..310),
    ];
    (first, payload, any::<[u8; 4]>()).prop_map(|(first, payload, key)| Frame { first, payload, key })
}

/// Messages that are valid, cut into fragments with control frames between them.
fn message() -> impl Strategy<Value = Vec<Frame>> {
    let text = "[a-z\u{e9}\u{20ac}\u{1f600}]{0,60}";
    (text, any::<bool>(), prop::collection::vec((0..40usize, any::<bool>(), any::<[u8; 4]>()), 0..8))
        .prop_map(|(text, is_text, cuts)| {
            let bytes = text.into_bytes();
            let mut frames = Vec::new();
            let mut rest = &bytes[..];
            let mut opcode = if is_text { 1 } else { 2 };
            for (at, ping, key) in cuts {
                let (payload, after) = rest.split_at(at.min(rest.len()));
                frames.push(Frame { first: opcode, payload: payload.to_vec(), key });
                if ping {
                    frames.push(Frame { first: 0x89, payload: b"between".to_vec(), key });
                }
                rest = after;
                opcode = 0;
            }
            frames.push(Frame { first: 0x80 | opcode, payload: rest.to_vec(), key: [1, 2, 3, 4] });
            frames
        })
}

proptest! {
    #[test]
    fn any_frames_give_what_a_plain_reading_gives_however_they_are_cut(
        frames in prop::collection::vec(frame(), 0..12),
        cuts in prop::collection::vec(1..80usize, 0..30),
    ) {
        let expected = plain(&frames);
        for (role, masked) in [(Role::Server, true), (Role::Client, false)] {
            let bytes: Vec<u8> = frames.iter().flat_map(|frame| encode(frame, masked)).collect();
            prop_assert_eq!(&assemble(&[&bytes], role, BOUNDS), &expected);
            prop_assert_eq!(&assemble(&cut(&bytes, &cuts), role, BOUNDS), &expected);
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            prop_assert_eq!(&assemble(&single, role, BOUNDS), &expected);
        }
    }

    #[test]
    fn pieces_add_up_to_the_message(
        messages in prop::collection::vec(message(), 1..5),
        cuts in prop::collection::vec(1..30usize, 0..30),
    ) {
        let frames: Vec<Frame> = messages.into_iter().flatten().collect();
        let expected = plain(&frames);
        let bytes: Vec<u8> = frames.iter().flat_map(|frame| encode(frame, true)).collect();
        let bounds = Bounds { pieces: true, ..BOUNDS };
        prop_assert_eq!(&assemble(&[&bytes], Role::Server, bounds), &expected);
        prop_assert_eq!(&assemble(&cut(&bytes, &cuts), Role::Server, bounds), &expected);
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(&assemble(&single, Role::Server, bounds), &expected);
    }

    #[test]
    fn heads_that_are_encoded_are_the_ones_that_are_parsed(payload in any::<u32>(), key in any::<Option<[u8; 4]>>()) {
        let head = FrameHead::new(Opcode::Text, true, payload as usize, key);
        let role = if key.is_some() { Role::Server } else { Role::Client };
        prop_assert_eq!(FrameHead::parse(&head.encode(), role), Ok(Some(head)));
    }
}

#[test]
fn endless_fragments_and_pings_keep_no_memory() {
    for pieces in [false, true] {
        let mut assembler = Assembler::new(Role::Server, Bounds { pieces, ..BOUNDS });
        let mut input = vec![0x01, 0x80, 1, 2, 3, 4];
        for _ in 0..20_000 {
            input.extend_from_slice(&[0x00, 0x80, 1, 2, 3, 4, 0x89, 0x80, 1, 2, 3, 4]);
            loop {
                match assembler.next(&input) {
                    Found::Nothing => break,
                    Found::Encoded => {
                        let left = assembler.decode(&mut input);
                        input.truncate(left);
                    }
                    Found::Unit(unit) => {
                        let done = assembler.finish(unit);
                        input.drain(..done);
                    }
                }
            }
            assert!(input.len() < 32);
        }
    }
}
