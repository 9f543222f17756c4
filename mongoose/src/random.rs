//! Randomness, from the system.
//!
//! C's generator falls back to `rand()` where the system has none to give, and nothing tells. Here the process ends then.
//! For numbers of a range, shuffling and distributions, there is the crate [rand](https://docs.rs/rand).

use crate::ffi::random_bytes;

const LETTERS_AND_DIGITS: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Fills bytes with what nobody can guess.
///
/// ```
/// let mut key = [0; 32];
/// mongoose::random::fill(&mut key);
/// assert_ne!(key, [0; 32]);
/// ```
#[doc(alias = "mg_random")]
pub fn fill(bytes: &mut [u8]) {
    random_bytes(bytes);
}

/// A text that nobody can guess: so many letters and digits of ASCII, 5.95 bits each. 22 of them are as good as a UUID.
///
/// C's `mg_random_str` takes 8 of the 62 more often than the others, and one place for a NUL.
///
/// ```
/// let token = mongoose::random::text(22);
/// assert_eq!(token.len(), 22);
/// assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric()));
/// ```
#[doc(alias = "mg_random_str")]
pub fn text(length: usize) -> String {
    let mut text = String::with_capacity(length);
    let mut bytes = [0; 64];
    while text.len() < length {
        random_bytes(&mut bytes);
        // 64 values for 62 characters: the other two are thrown away, so that none is more likely.
        let characters = bytes.iter().filter_map(|byte| LETTERS_AND_DIGITS.get(usize::from(byte % 64)));
        text.extend(characters.take(length - text.len()).map(|&character| char::from(character)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_their_length_and_no_two_are_the_same() {
        for length in [0, 1, 21, 64, 65, 1000] {
            assert_eq!(text(length).len(), length);
        }
        assert_ne!(text(22), text(22));
    }

    #[test]
    fn every_character_comes() {
        let text = text(10_000);
        assert!(LETTERS_AND_DIGITS.iter().all(|&character| text.contains(char::from(character))));
    }
}
