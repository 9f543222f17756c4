//! Numbers that look random and are the same in every run.

/// A xorshift generator: what a test draws from it follows from the seed.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// Begins with a seed, which must not be 0.
    ///
    /// # Panics
    /// For the seed 0, from which only zeroes follow.
    pub fn new(seed: u64) -> Self {
        assert_ne!(seed, 0, "a seed of 0 gives zeroes alone");
        Self { state: seed }
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `bound`.
    ///
    /// # Panics
    /// When `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.number() % bound as u64) as usize
    }

    /// That many bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| (self.number() >> 32) as u8).collect()
    }

    /// Cuts bytes into pieces at places of its choice, on average `mean` bytes long.
    pub fn split<'b>(&mut self, mut bytes: &'b [u8], mean: usize) -> Vec<&'b [u8]> {
        let mut pieces = Vec::new();
        while !bytes.is_empty() {
            let (piece, rest) = bytes.split_at((1 + self.below(2 * mean)).min(bytes.len()));
            pieces.push(piece);
            bytes = rest;
        }
        pieces
    }
}
