//! Random numbers, by C's function, which has them from the system or ends the process.

use mongoose_sys as sys;

/// Bytes that nobody can guess.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // SAFETY: C writes as many bytes as it is told there are (invariant 19).
    unsafe { sys::mg_random(bytes.as_mut_ptr().cast(), N) };
    bytes
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_two_are_the_same() {
        assert_ne!(super::random::<16>(), super::random::<16>());
    }
}
