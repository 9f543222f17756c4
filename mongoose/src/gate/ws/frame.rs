//! The head of a frame (RFC 6455 section 5.2).

use super::Violation;

/// The longest head: two bytes, eight of the length, four of the mask.
pub(crate) const HEAD_MAX: usize = 14;

/// The most that a control frame carries.
pub(crate) const CONTROL_MAX: usize = 125;

/// Which end of the connection we are: what a client sends is masked, what a server sends is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Server,
    Client,
}

/// What a message is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Binary,
}

impl Kind {
    pub(crate) fn opcode(self) -> Opcode {
        match self {
            Self::Text => Opcode::Text,
            Self::Binary => Opcode::Binary,
        }
    }
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

impl Opcode {
    fn parse(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    pub(crate) fn is_control(self) -> bool {
        self as u8 & 8 != 0
    }
}

/// The head of a frame that is valid by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHead {
    pub(crate) fin: bool,
    pub(crate) opcode: Opcode,
    pub(crate) mask: Option<[u8; 4]>,
    /// Bytes of the payload.
    pub(crate) payload: u64,
    /// Bytes of the head.
    pub(crate) len: usize,
}

impl FrameHead {
    /// Parses the head at the front of `input`, as `role` receives it. `None`: it is not all there. What is wrong shows
    /// with the first byte that makes it so.
    pub(crate) fn parse(input: &[u8], role: Role) -> Result<Option<Self>, Violation> {
        let Some(&first) = input.first() else { return Ok(None) };
        if first & 0x70 != 0 {
            return Err(Violation::protocol("a reserved bit is set, and no extension was agreed on"));
        }
        let opcode = Opcode::parse(first & 0x0f).ok_or(Violation::protocol("a reserved opcode"))?;
        let fin = first & 0x80 != 0;
        if opcode.is_control() && !fin {
            return Err(Violation::protocol("a control frame is fragmented"));
        }
        let Some(&second) = input.get(1) else { return Ok(None) };
        let masked = second & 0x80 != 0;
        match (role, masked) {
            (Role::Server, false) => return Err(Violation::protocol("a frame of a client is not masked")),
            (Role::Client, true) => return Err(Violation::protocol("a frame of a server is masked")),
            _ => {}
        }
        let short = second & 0x7f;
        if opcode.is_control() && usize::from(short) > CONTROL_MAX {
            return Err(Violation::protocol("a control frame is longer than 125 bytes"));
        }
        let (payload, before_mask) = match short {
            126 => {
                let Some(&[high, low]) = input.get(2..4).and_then(|bytes| bytes.first_chunk()) else {
                    return Ok(None);
                };
                (u64::from(u16::from_be_bytes([high, low])), 4)
            }
            127 => {
                if input.get(2).is_some_and(|high| high & 0x80 != 0) {
                    return Err(Violation::protocol("the highest bit of a length is set"));
                }
                let Some(bytes) = input.get(2..10).and_then(|bytes| bytes.first_chunk()) else {
                    return Ok(None);
                };
                (u64::from_be_bytes(*bytes), 10)
            }
            short => (u64::from(short), 2),
        };
        if (short == 126 && payload < 126) || (short == 127 && payload < 1 << 16) {
            return Err(Violation::protocol("a length is not in its shortest form"));
        }
        let (mask, len) = if masked {
            let Some(mask) = input.get(before_mask..).and_then(|bytes| bytes.first_chunk()) else {
                return Ok(None);
            };
            (Some(*mask), before_mask + 4)
        } else {
            (None, before_mask)
        };
        Ok(Some(Self { fin, opcode, mask, payload, len }))
    }

    /// Of a frame to be sent.
    pub(crate) fn new(opcode: Opcode, fin: bool, payload: usize, mask: Option<[u8; 4]>) -> Self {
        let payload = payload as u64;
        let length = match payload {
            0..126 => 0,
            126..65_536 => 2,
            _ => 8,
        };
        let len = 2 + length + if mask.is_some() { 4 } else { 0 };
        Self { fin, opcode, mask, payload, len }
    }

    /// The bytes of the head; so many of them as [`len`](Self::len) says.
    pub(crate) fn encode(&self) -> [u8; HEAD_MAX] {
        let mut bytes = [0; HEAD_MAX];
        bytes[0] = u8::from(self.fin) << 7 | self.opcode as u8;
        match self.payload {
            0..126 => bytes[1] = self.payload as u8,
            126..65_536 => {
                bytes[1] = 126;
                bytes[2..4].copy_from_slice(&(self.payload as u16).to_be_bytes());
            }
            _ => {
                bytes[1] = 127;
                bytes[2..10].copy_from_slice(&self.payload.to_be_bytes());
            }
        }
        if let Some(mask) = self.mask {
            bytes[1] |= 0x80;
            bytes[self.len - 4..self.len].copy_from_slice(&mask);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(bytes: &[u8], role: Role) -> Result<Option<FrameHead>, &'static str> {
        FrameHead::parse(bytes, role).map_err(|violation| {
            assert_eq!(violation.code, 1002);
            violation.reason
        })
    }

    #[test]
    fn what_is_encoded_is_parsed_again_and_at_no_earlier_byte() {
        for payload in [0, 1, 125, 126, 65_535, 65_536, usize::MAX >> 1] {
            for (role, mask) in [(Role::Server, Some([1, 2, 3, 4])), (Role::Client, None)] {
                let sent = FrameHead::new(Opcode::Binary, false, payload, mask);
                let bytes = sent.encode();
                for cut in 0..sent.len {
                    assert_eq!(head(&bytes[..cut], role), Ok(None), "{payload} {cut}");
                }
                assert_eq!(head(&bytes[..sent.len], role), Ok(Some(sent)));
            }
        }
    }

    #[test]
    fn section_5_2_what_breaks_a_rule_is_refused_at_the_byte_that_does() {
        let server: [(&[u8], &str); 11] = [
            (b"\xc1", "reserved bit"),
            (b"\xa1", "reserved bit"),
            (b"\x91", "reserved bit"),
            (b"\x83", "reserved opcode"),
            (b"\x8b", "reserved opcode"),
            (b"\x09", "fragmented"),
            (b"\x08", "fragmented"),
            (b"\x81\x05", "not masked"),
            (b"\x89\xfe", "longer than 125"),
            (b"\x82\xff\x80", "highest bit"),
            (b"\x82\xfe\x00\x7d", "shortest"),
        ];
        for (bytes, reason) in server {
            assert_eq!(head(&bytes[..bytes.len() - 1], Role::Server), Ok(None), "{bytes:?}");
            assert!(head(bytes, Role::Server).expect_err(reason).contains(reason), "{bytes:?}");
        }
        assert!(head(b"\x82\xff\0\0\0\0\0\0\xff\xff", Role::Server).expect_err("long").contains("shortest"));
        assert!(head(b"\x81\x85", Role::Client).expect_err("masked").contains("masked"));
    }
}
