//! Masking (RFC 6455 section 5.3).

/// Masks or unmasks bytes in place. `offset` is how many bytes of the payload came before them.
#[inline]
pub(crate) fn mask(bytes: &mut [u8], key: [u8; 4], offset: u64) {
    let turn = (offset & 3) as usize;
    let key = [key[turn], key[(turn + 1) & 3], key[(turn + 2) & 3], key[(turn + 3) & 3]];
    if key == [0; 4] {
        return;
    }
    // In blocks of a fixed size, which the compiler turns into vectors.
    let mut wide = [0; 32];
    for part in wide.chunks_exact_mut(4) {
        part.copy_from_slice(&key);
    }
    let mut blocks = bytes.chunks_exact_mut(32);
    for block in &mut blocks {
        for (byte, key) in block.iter_mut().zip(&wide) {
            *byte ^= key;
        }
    }
    for (byte, key) in blocks.into_remainder().iter_mut().zip(wide) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_octets_of_the_key_in_turn_wherever_it_begins() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        for len in [0, 1, 3, 4, 31, 32, 33, 63, 64, 65, 1000] {
            for offset in 0..9 {
                let mut bytes: Vec<u8> = (0..len).map(|n| n as u8).collect();
                mask(&mut bytes, key, offset);
                for (index, byte) in bytes.iter().enumerate() {
                    assert_eq!(*byte, index as u8 ^ key[(index + offset as usize) % 4], "{len} {offset}");
                }
            }
        }
    }
}
