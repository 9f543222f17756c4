//! The checksum of zlib, gzip and PNG.

/// What each byte adds.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut value = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            value = (value >> 1) ^ if value & 1 == 1 { 0xedb8_8320 } else { 0 };
            bit += 1;
        }
        table[byte] = value;
        byte += 1;
    }
    table
};

/// A sum over bytes that come in pieces.
pub struct Crc32 {
    state: u32,
}

impl Crc32 {
    pub fn new() -> Self {
        Self { state: !0 }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.state = (self.state >> 8) ^ TABLE[usize::from(self.state as u8 ^ byte)];
        }
    }

    pub fn value(&self) -> u32 {
        !self.state
    }
}
