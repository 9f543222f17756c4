//! Where a packet ends.

use super::Violation;
use crate::mqtt::Reason;

/// A packet's outline, as far as its bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// More bytes are needed, of the header or behind it: so many in all, where the header says; else 0.
    Incomplete(usize),
    Whole {
        /// The first byte: type and flags.
        first: u8,
        /// Where the body begins.
        body: usize,
        /// Where the packet ends.
        end: usize,
        /// The length was written in as few bytes as possible, which MQTT 5 asks for.
        shortest: bool,
    },
}

/// Reads a fixed header (section 2.1). What is wrong with it is said as soon as it shows: a packet that is too large
/// before it has come.
pub(crate) fn frame(input: &[u8], limit: usize) -> Result<Frame, Violation> {
    let Some(&first) = input.first() else { return Ok(Frame::Incomplete(0)) };
    check_first(first)?;
    let mut len = 0usize;
    for at in 1..=4 {
        let Some(&byte) = input.get(at) else { return Ok(Frame::Incomplete(0)) };
        len |= usize::from(byte & 0x7f) << (7 * (at - 1));
        if byte & 0x80 == 0 {
            let body = at + 1;
            let end = body + len;
            if end > limit {
                return Err(Violation { reason: Reason::PACKET_TOO_LARGE, what: "the packet is too large" });
            }
            let shortest = at == 1 || byte != 0;
            return Ok(if input.len() < end {
                Frame::Incomplete(end)
            } else {
                Frame::Whole { first, body, end, shortest }
            });
        }
    }
    Err(Violation::malformed("the length has more than four bytes"))
}

/// The type, and the flags that go with it.
fn check_first(first: u8) -> Result<(), Violation> {
    let flags = first & 0x0f;
    let fits = match first >> 4 {
        0 => return Err(Violation::malformed("a packet of type 0")),
        3 if flags & 0b110 == 0b110 => return Err(Violation::malformed("QoS 3")),
        3 if flags & 0b1110 == 0b1000 => return Err(Violation::malformed("DUP with QoS 0")),
        3 => true,
        6 | 8 | 10 => flags == 2,
        _ => flags == 0,
    };
    if fits { Ok(()) } else { Err(Violation::malformed("flags that the packet does not have")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_one_to_four_bytes() {
        for (header, len) in [
            (&[0x30u8, 0][..], 0),
            (&[0x30, 127], 127),
            (&[0x30, 0x80, 1], 128),
            (&[0x30, 0xff, 0x7f], 16_383),
            (&[0x30, 0x80, 0x80, 1], 16_384),
            (&[0x30, 0x80, 0x80, 0x80, 1], 2_097_152),
        ] {
            let mut packet = header.to_vec();
            packet.resize(header.len() + len, 0);
            let end = packet.len();
            let whole = Frame::Whole { first: 0x30, body: header.len(), end, shortest: true };
            assert_eq!(frame(&packet, usize::MAX), Ok(whole));
            let needed = if len > 0 { end } else { 0 };
            assert_eq!(frame(&packet[..end - 1], usize::MAX), Ok(Frame::Incomplete(needed)), "{len}");
        }
        let padded = frame(&[0x30, 0x81, 0x00, 0], 9).expect("3.1.1 lets it pass");
        assert_eq!(padded, Frame::Whole { first: 0x30, body: 3, end: 4, shortest: false });
        let five = frame(&[0x30, 0x80, 0x80, 0x80, 0x80, 1], usize::MAX).expect_err("five bytes");
        assert_eq!(five.reason, Reason::MALFORMED_PACKET);
    }

    #[test]
    fn what_is_too_large_is_refused_before_it_comes() {
        let violation = frame(&[0x30, 0xff, 0xff, 0xff, 0x7f], 1000).expect_err("256 MB");
        assert_eq!(violation.reason, Reason::PACKET_TOO_LARGE);
        assert_eq!(frame(&[0x30, 98], 100), Ok(Frame::Incomplete(100)));
        assert_eq!(frame(&[0x30, 0x80], 100), Ok(Frame::Incomplete(0)));
        assert!(frame(&[0x30, 99], 100).is_err());
    }

    #[test]
    fn hazard_30_flags_are_checked_at_the_first_byte() {
        for first in 0..=255u8 {
            let good = match first >> 4 {
                0 => false,
                3 => first & 0b110 != 0b110 && first & 0b1110 != 0b1000,
                6 | 8 | 10 => first & 15 == 2,
                _ => first & 15 == 0,
            };
            assert_eq!(frame(&[first], 100).is_ok(), good, "{first:#x}");
        }
    }
}
