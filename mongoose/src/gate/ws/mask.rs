//! Masking (RFC 6455 section 5.3).

/// What is as long as this is masked from where it is aligned on: stores that straddle cache lines cost a third more.
const ALIGN_FROM: usize = 1024;

/// What the compiler's vectors are aligned to.
const ALIGNMENT: usize = 32;

/// Masks or unmasks bytes in place. `offset` is how many bytes of the payload came before them.
#[inline]
pub(crate) fn mask(bytes: &mut [u8], key: [u8; 4], offset: u64) {
    if key == [0; 4] {
        return;
    }
    let key = turned(key, (offset & 3) as usize);
    if bytes.len() < ALIGN_FROM {
        return mask_blocks(bytes, key);
    }
    let before = bytes.as_ptr().align_offset(ALIGNMENT).min(bytes.len());
    let (before, aligned) = bytes.split_at_mut(before);
    mask_blocks(aligned, turned(key, before.len() & 3));
    mask_blocks(before, key);
}

/// The key as it is so many bytes on.
fn turned(key: [u8; 4], by: usize) -> [u8; 4] {
    [key[by], key[(by + 1) & 3], key[(by + 2) & 3], key[(by + 3) & 3]]
}

/// In blocks of a fixed size, which the compiler turns into vectors.
fn mask_blocks(bytes: &mut [u8], key: [u8; 4]) {
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
        for len in [0, 1, 3, 4, 31, 32, 33, 63, 64, 65, 1000, 1023, 1024, 1100] {
            for offset in 0..9 {
                // Wherever it lies, too.
                let at = offset as usize * 5;
                let mut bytes: Vec<u8> = (0..at + len).map(|n| n as u8).collect();
                mask(&mut bytes[at..], key, offset);
                for (index, byte) in bytes.iter().enumerate() {
                    let key = index.checked_sub(at).map_or(0, |index| key[(index + offset as usize) % 4]);
                    assert_eq!(*byte, index as u8 ^ key, "{len} {offset}");
                }
            }
        }
    }
}
