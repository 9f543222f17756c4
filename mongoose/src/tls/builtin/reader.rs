//! Reading what is made of numbers and of vectors with their lengths in front (RFC 8446 section 3).

/// What is left of a message. Each read is `None` past its end.
#[derive(Clone, Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// A vector of at most 255 bytes.
    pub(super) fn vector8(&mut self) -> Option<&'a [u8]> {
        let length = self.u8()?;
        self.take(length.into())
    }

    /// A vector of at most 65,535 bytes.
    pub(super) fn vector16(&mut self) -> Option<&'a [u8]> {
        let length = self.u16()?;
        self.take(length.into())
    }

    /// All of `Self` as numbers of two bytes; `None` if there is half a one.
    pub(super) fn numbers(self) -> Option<impl Iterator<Item = u16>> {
        let (pairs, []) = self.0.as_chunks::<2>() else { return None };
        Some(pairs.iter().map(|&pair| u16::from_be_bytes(pair)))
    }
}

/// Appends a vector with a length of `width` bytes, whose contents `write` appends.
///
/// # Panics
/// When the contents are longer than such a length can say: callers have checked what is not theirs.
pub(super) fn vector(out: &mut Vec<u8>, width: usize, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.resize(start + width, 0);
    write(out);
    let length = (out.len() - start - width).to_be_bytes();
    let (too_much, length) = length.split_at(length.len() - width);
    assert!(too_much.iter().all(|&byte| byte == 0), "a vector longer than its length can say");
    out[start..start + width].copy_from_slice(length);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_there_and_nothing_behind() {
        let mut reader = Reader::new(&[1, 0, 2, 3, 4, 2, 6, 7, 3, 8]);
        assert_eq!(reader.u8(), Some(1));
        assert_eq!(reader.vector16(), Some(&[3, 4][..]));
        assert_eq!(reader.vector8(), Some(&[6, 7][..]));
        assert!(!reader.is_empty());
        assert_eq!(reader.clone().vector8(), None, "one of three bytes");
        assert_eq!(reader.u16(), Some(0x0308));
        assert!(reader.is_empty());
        assert_eq!(reader.u8(), None);
    }

    #[test]
    fn numbers_come_in_pairs_of_bytes() {
        let numbers: Vec<u16> = Reader::new(&[0, 1, 2, 3]).numbers().expect("whole numbers").collect();
        assert_eq!(numbers, [1, 0x0203]);
        assert!(Reader::new(&[0, 1, 2]).numbers().is_none());
    }

    #[test]
    fn writes_what_it_reads() {
        let mut out = vec![9];
        vector(&mut out, 2, |out| vector(out, 1, |out| out.extend(*b"abc")));
        assert_eq!(out, b"\x09\0\x04\x03abc");
    }
}
