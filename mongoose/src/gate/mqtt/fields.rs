//! The fields that packets are made of (section 1.5).

use super::Violation;
use crate::mqtt::PacketId;

/// Takes fields off the front of bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

/// What is said of a packet that ends in a field.
const SHORT: &str = "the packet ends in the middle of a field";

impl<'a> Fields<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// All that is left.
    pub(crate) fn take_rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    pub(crate) fn len(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Result<&'a [u8], Violation> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Violation::malformed(SHORT))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Violation> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Violation::malformed(SHORT))?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Violation> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn short(&mut self) -> Result<u16, Violation> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn int(&mut self) -> Result<u32, Violation> {
        self.array().map(u32::from_be_bytes)
    }

    /// A number of variable length, in as few bytes as possible (MQTT-1.5.5-1).
    pub(crate) fn varint(&mut self) -> Result<u32, Violation> {
        let mut value = 0;
        for at in 0..4 {
            let byte = self.byte()?;
            value |= u32::from(byte & 0x7f) << (7 * at);
            if byte & 0x80 == 0 {
                if byte == 0 && at > 0 {
                    return Err(Violation::malformed("a number in more bytes than it needs"));
                }
                return Ok(value);
            }
        }
        Err(Violation::malformed("a number has more than four bytes"))
    }

    pub(crate) fn binary(&mut self) -> Result<&'a [u8], Violation> {
        let len = self.short()?;
        self.bytes(usize::from(len))
    }

    /// UTF-8 without U+0000 (MQTT-1.5.4-1 and -2; 3.1.1: 1.5.3-1 and -2). Surrogates are not UTF-8 to begin with.
    pub(crate) fn text(&mut self) -> Result<&'a str, Violation> {
        let bytes = self.binary()?;
        let text = std::str::from_utf8(bytes).map_err(|_| Violation::malformed("a text is not UTF-8"))?;
        if bytes.contains(&0) {
            return Err(Violation::malformed("a text has a NUL"));
        }
        Ok(text)
    }

    pub(crate) fn packet_id(&mut self) -> Result<PacketId, Violation> {
        PacketId::new(self.short()?).ok_or(Violation::malformed("packet identifier 0"))
    }

    /// Nothing may be left.
    pub(crate) fn end(&self) -> Result<(), Violation> {
        if self.rest.is_empty() { Ok(()) } else { Err(Violation::malformed("bytes behind the last field")) }
    }
}
