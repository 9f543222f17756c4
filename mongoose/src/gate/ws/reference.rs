//! A plain reading of frames, over all bytes at once: what tests and fuzz targets compare the assembler with.

use super::{Assembler, Bounds, Found, Kind, Opcode, Role, Unit};

/// What comes out of a stream of frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Message(Kind, Vec<u8>),
    Control(Opcode, Vec<u8>),
    /// Nothing follows: the code to close with.
    Broken(u16),
}

pub(crate) const BOUNDS: Bounds = Bounds { frame: 300, message: 500, pieces: false };

/// Feeds pieces to an assembler as the engine does: decodes when asked to, consumes what is finished.
pub(crate) fn assemble(pieces: &[&[u8]], role: Role, bounds: Bounds) -> Vec<Seen> {
    let mut assembler = Assembler::new(role, bounds);
    let mut input = Vec::new();
    let mut seen = Vec::new();
    let mut begun = Vec::new();
    for piece in pieces {
        input.extend_from_slice(piece);
        loop {
            match assembler.next(&input) {
                Found::Nothing => break,
                Found::Encoded => {
                    let left = assembler.decode(&mut input);
                    input.truncate(left);
                }
                Found::Unit(unit) => {
                    let mut broken = None;
                    match unit {
                        Unit::Message { kind, start, end } => {
                            let message = input[start..end].to_vec();
                            if kind == Kind::Text && std::str::from_utf8(&message).is_err() {
                                broken = Some(1007);
                            } else {
                                seen.push(Seen::Message(kind, message));
                            }
                        }
                        Unit::Piece { kind, start, end, first, last } => {
                            assert_eq!(first, begun.is_empty() && first);
                            if kind == Kind::Text {
                                std::str::from_utf8(&input[start..end]).expect("cut between characters");
                            }
                            begun.extend_from_slice(&input[start..end]);
                            if last {
                                seen.push(Seen::Message(kind, std::mem::take(&mut begun)));
                            }
                        }
                        Unit::Control { opcode, start, end } => {
                            seen.push(Seen::Control(opcode, input[start..end].to_vec()));
                        }
                        Unit::Broken(violation) => broken = Some(violation.code),
                    }
                    if let Some(code) = broken {
                        seen.push(Seen::Broken(code));
                        return seen;
                    }
                    let done = assembler.finish(unit);
                    input.drain(..done);
                }
            }
        }
        // Nothing but what is not all there is kept.
        assert!(input.len() <= bounds.message + 300, "{} bytes are kept", input.len());
    }
    seen
}

/// Takes frames apart one by one as RFC 6455 section 5.2 draws them, and puts messages together. Whether the bytes end
/// where a frame does, or were broken: what is wrong with a frame that is not all there is not looked for.
#[cfg(feature = "fuzzing")]
pub(crate) fn read(mut bytes: &[u8], role: Role, bounds: Bounds) -> (Vec<Seen>, bool) {
    let mut seen = Vec::new();
    let mut open: Option<(Kind, Vec<u8>)> = None;
    while !bytes.is_empty() {
        let Some(frame) = split(bytes) else { return (seen, false) };
        let RawFrame { first, masked, shortest, payload, rest } = frame;
        bytes = rest;
        let (fin, opcode) = (first & 0x80 != 0, first & 0x0f);
        let is_control = opcode >= 8;
        let too_long = !bounds.pieces
            && (payload.len() > bounds.frame
                || open.as_ref().map_or(0, |open| open.1.len()) + payload.len() > bounds.message);
        if first & 0x70 != 0
            || !matches!(opcode, 0..=2 | 8..=10)
            || masked != (role == Role::Server)
            || !shortest
            || (is_control && (!fin || payload.len() > 125))
            || (opcode == 0 && open.is_none())
            || (matches!(opcode, 1 | 2) && open.is_some())
        {
            seen.push(Seen::Broken(1002));
            return (seen, true);
        }
        if is_control {
            let opcode = [Opcode::Close, Opcode::Ping, Opcode::Pong][usize::from(opcode) - 8];
            seen.push(Seen::Control(opcode, payload));
            continue;
        }
        if too_long {
            seen.push(Seen::Broken(1009));
            return (seen, true);
        }
        let kind = if opcode == 1 { Kind::Text } else { Kind::Binary };
        let (kind, mut message) = open.take().unwrap_or((kind, Vec::new()));
        message.extend(payload);
        if kind == Kind::Text {
            let error = std::str::from_utf8(&message).err();
            if error.is_some_and(|error| fin || error.error_len().is_some()) {
                seen.push(Seen::Broken(1007));
                return (seen, true);
            }
        }
        if fin {
            seen.push(Seen::Message(kind, message));
        } else {
            open = Some((kind, message));
        }
    }
    (seen, true)
}

/// A frame as it is drawn, its payload unmasked.
#[cfg(feature = "fuzzing")]
struct RawFrame<'b> {
    first: u8,
    masked: bool,
    shortest: bool,
    payload: Vec<u8>,
    rest: &'b [u8],
}

#[cfg(feature = "fuzzing")]
fn split(bytes: &[u8]) -> Option<RawFrame<'_>> {
    let [first, second, rest @ ..] = bytes else { return None };
    let (len, rest) = match second & 0x7f {
        126 => {
            let (len, rest) = rest.split_first_chunk::<2>()?;
            (u64::from(u16::from_be_bytes(*len)), rest)
        }
        127 => {
            let (len, rest) = rest.split_first_chunk::<8>()?;
            (u64::from_be_bytes(*len), rest)
        }
        len => (u64::from(len), rest),
    };
    let shortest = match second & 0x7f {
        126 => len > 125,
        127 => len > 65_535 && len >> 63 == 0,
        _ => true,
    };
    let masked = second & 0x80 != 0;
    let (key, rest) = if masked { rest.split_first_chunk::<4>()? } else { (&[0; 4], rest) };
    let (payload, rest) = rest.split_at_checked(usize::try_from(len).ok()?)?;
    let payload = payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
    Some(RawFrame { first: *first, masked, shortest, payload, rest })
}
