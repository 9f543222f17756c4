//! Random numbers, by C's function, which has them from the system or ends the process (hazard 58).

use mongoose_sys as sys;

/// Fills bytes with what nobody can guess.
pub(crate) fn random_bytes(bytes: &mut [u8]) {
    // SAFETY: C writes as many bytes as it is told there are (invariant 19).
    unsafe { sys::mg_random(bytes.as_mut_ptr().cast(), bytes.len()) };
}

/// Bytes that nobody can guess.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    random_bytes(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_the_same() {
        assert_ne!(random::<16>(), random::<16>());
    }

    #[test]
    fn all_bytes_are_filled() {
        let mut bytes = [0; 1000];
        random_bytes(&mut bytes);
        assert!(bytes.chunks(50).all(|part| part.iter().any(|byte| *byte != 0)));
    }
}
