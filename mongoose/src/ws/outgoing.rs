//! Frames on their way out.

use std::cell::RefCell;

use crate::Connection;
use crate::engine::{self, Output, Payload};
use crate::ffi::random_bytes;
use crate::gate::ws::{FrameHead, HEAD_MAX, Opcode, Role, close_payload, mask};

/// Payloads up to this many bytes are written behind their head without further ado.
const SMALL: usize = 1024;

/// What is masked at a time, so that it is still at hand when it was copied.
const BLOCK: usize = 16 << 10;

/// Masking keys that are drawn at once: asking the system for each would cost more than the frame.
const KEYS: usize = 64;

/// Appends a frame to what is to be sent, whatever its size.
pub(super) fn write_frame(
    connection: &Connection<'_>,
    role: Role,
    opcode: Opcode,
    fin: bool,
    payload: Payload<'_>,
) {
    match role {
        Role::Server => write_plain(connection, opcode, fin, payload),
        Role::Client => {
            connection.entry.collect_send();
            let mut output = connection.entry.output.borrow_mut();
            push_masked(&mut output, opcode, fin, payload, masking_key());
        }
    }
    connection.touch();
}

/// Appends a frame to a queue. What is only borrowed is copied.
pub(super) fn push_frame(output: &mut Output, role: Role, opcode: Opcode, payload: Payload<'_>) {
    match role {
        Role::Server => {
            let head = FrameHead::new(opcode, true, payload.len(), None);
            output.gather(&head.encode()[..head.len]);
            output.push(payload);
        }
        Role::Client => push_masked(output, opcode, true, payload, masking_key()),
    }
}

/// Puts what a [tunnel](super::tunnel) carries into binary frames.
struct Seals(Role);

/// Those of one end.
pub(super) fn seals(role: Role) -> &'static dyn engine::Envelope {
    match role {
        Role::Server => &Seals(Role::Server),
        Role::Client => &Seals(Role::Client),
    }
}

impl engine::Envelope for Seals {
    fn seal(&self, payload: Payload<'_>, output: &mut Output) {
        push_frame(output, self.0, Opcode::Binary, payload);
    }

    fn end(&self, output: &mut Output) {
        push_frame(output, self.0, Opcode::Close, close_payload(1000, "").into());
    }
}

fn write_plain(connection: &Connection<'_>, opcode: Opcode, fin: bool, payload: Payload<'_>) {
    let bytes = payload.as_ref();
    let head = FrameHead::new(opcode, fin, bytes.len(), None);
    let small = bytes.len() <= SMALL;
    connection.entry.collect_send();
    let hint = HEAD_MAX + if small { bytes.len() } else { 0 };
    connection.entry.output.borrow_mut().gather_with(hint, |out| {
        out.extend_from_slice(&head.encode()[..head.len]);
        if small {
            out.extend_from_slice(bytes);
        }
    });
    if !small {
        connection.append(payload);
    }
}

fn push_masked(output: &mut Output, opcode: Opcode, fin: bool, payload: Payload<'_>, key: [u8; 4]) {
    let head = FrameHead::new(opcode, fin, payload.len(), Some(key));
    let encoded = head.encode();
    if payload.len() <= BLOCK {
        output.gather_with(head.len + payload.len(), |out| {
            copy_masked(out, &encoded[..head.len], &payload, key)
        });
        return;
    }
    match payload.try_into_vec() {
        Ok(mut bytes) => {
            output.gather(&encoded[..head.len]);
            mask(&mut bytes, key, 0);
            output.push(bytes.into());
        }
        Err(payload) => {
            let mut bytes = Vec::with_capacity(head.len + payload.len());
            copy_masked(&mut bytes, &encoded[..head.len], &payload, key);
            output.push(bytes.into());
        }
    }
}

fn copy_masked(out: &mut Vec<u8>, head: &[u8], payload: &Payload<'_>, key: [u8; 4]) {
    out.extend_from_slice(head);
    for block in payload.as_ref().chunks(BLOCK) {
        let at = out.len();
        out.extend_from_slice(block);
        mask(&mut out[at..], key, 0);
    }
}

/// A key that nobody can foretell (RFC 6455 section 5.3).
fn masking_key() -> [u8; 4] {
    struct Keys {
        bytes: [u8; 4 * KEYS],
        used: usize,
    }

    thread_local! {
        static DRAWN: RefCell<Keys> = const { RefCell::new(Keys { bytes: [0; 4 * KEYS], used: KEYS }) };
    }

    DRAWN.with_borrow_mut(|drawn| {
        if drawn.used == KEYS {
            random_bytes(&mut drawn.bytes);
            drawn.used = 0;
        }
        let at = 4 * drawn.used;
        drawn.used += 1;
        [drawn.bytes[at], drawn.bytes[at + 1], drawn.bytes[at + 2], drawn.bytes[at + 3]]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_5_3_keys_are_not_repeated() {
        let mut keys: Vec<_> = (0..1000).map(|_| masking_key()).collect();
        keys.sort_unstable();
        keys.dedup();
        assert!(keys.len() > 990, "{} keys of 1000 differ", keys.len());
    }

    #[test]
    fn what_is_masked_in_blocks_is_the_whole_masked() {
        let payload: Vec<u8> = (0..3 * BLOCK + 5).map(|n| n as u8).collect();
        let mut out = Vec::new();
        copy_masked(&mut out, b"head", &payload.as_slice().into(), [1, 2, 3, 4]);
        let mut expected = payload;
        mask(&mut expected, [1, 2, 3, 4], 0);
        assert!(out[4..] == expected);
    }
}
