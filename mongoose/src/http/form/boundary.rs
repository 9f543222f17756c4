//! The line that stands between the parts of a multipart body, and the search for it.

use std::io::BufRead;

use crate::Error;

/// CRLF, two dashes and the boundary (RFC 2046 section 5.1.1).
#[derive(Clone)]
pub(super) struct Delimiter {
    bytes: Vec<u8>,
}

impl Delimiter {
    /// # Errors
    /// [`Error::Multipart`] unless the boundary has 1 to 70 characters of those that may be in one, the last of them no
    /// blank.
    pub(super) fn new(boundary: &[u8]) -> Result<Self, Error> {
        if !(1..=70).contains(&boundary.len()) {
            return Err(Error::Multipart("a boundary that is not 1 to 70 characters long"));
        }
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(byte);
        if !boundary.iter().all(allowed) || boundary.ends_with(b" ") {
            return Err(Error::Multipart("a boundary of characters that it must not have"));
        }
        Ok(Self { bytes: [b"\r\n--", boundary].concat() })
    }

    /// With CRLF and dashes.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The delimiter, for whoever debugs; a boundary is no secret.
impl std::fmt::Debug for Delimiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Delimiter({})", self.bytes.escape_ascii())
    }
}

/// How far a delimiter is matched that the pieces so far may have ended with.
///
/// A delimiter begins with its only CR. So a match that fails cannot hide the beginning of another, and each byte is
/// looked at twice at most, however the body is split and whatever is in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search {
    /// How many bytes of the delimiter are matched and no longer in the input.
    matched: usize,
    /// How many of those were never content.
    given: usize,
}

/// What the next bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// No delimiter: bytes of the delimiter itself, from an earlier piece, which turned out to be content.
    Held { from: usize, to: usize },
    /// No delimiter: that many bytes at the front of the input.
    Content(usize),
    /// The delimiter ends after that many bytes of the input.
    Delimiter(usize),
    /// Content or delimiter: the whole input is kept in mind, and more has to come.
    More,
}

impl Search {
    /// At the start of a line, whose CRLF belongs to what stands before.
    pub(super) fn at_line_start() -> Self {
        Self { matched: 2, given: 2 }
    }

    /// Says what is at the front of the input: call again with what is behind that.
    pub(super) fn next(&mut self, delimiter: &Delimiter, input: &[u8]) -> Found {
        let delimiter = delimiter.as_bytes();
        if self.matched > 0 {
            let missing = &delimiter[self.matched..];
            let common = common_prefix(missing, input);
            if common < missing.len() && common == input.len() {
                self.matched += common;
                return Found::More;
            }
            let Self { matched, given } = std::mem::replace(self, Self { matched: 0, given: 0 });
            if common == missing.len() {
                return Found::Delimiter(common);
            }
            if matched > given {
                return Found::Held { from: given, to: matched };
            }
        }
        let mut at = 0;
        loop {
            at += find_cr(&input[at..]);
            let common = common_prefix(delimiter, &input[at..]);
            match at {
                0 if common == delimiter.len() => return Found::Delimiter(common),
                0 if common == input.len() => {
                    self.matched = common;
                    return Found::More;
                }
                // What is before it comes first.
                _ if common == delimiter.len() || at + common == input.len() => return Found::Content(at),
                // There is a CR at `at`, so `common` is not 0.
                _ => at += common,
            }
        }
    }
}

fn common_prefix(one: &[u8], other: &[u8]) -> usize {
    let common = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    looked_at(common + 1);
    common
}

/// How many bytes stand before the first CR. The standard library does it by the system's `memchr`, which looks at many
/// at once.
fn find_cr(bytes: &[u8]) -> usize {
    let passed = { bytes }.skip_until(b'\r').expect("reading memory does not fail");
    looked_at(passed);
    passed - usize::from(bytes[..passed].ends_with(b"\r"))
}

#[cfg(not(test))]
fn looked_at(_: usize) {}

#[cfg(test)]
use tests::looked_at;

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        /// How many bytes the search has looked at.
        static LOOKED_AT: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn looked_at(count: usize) {
        LOOKED_AT.set(LOOKED_AT.get() + count);
    }

    /// The content before the delimiter, fed in pieces of a size, and how many bytes behind it were not looked at.
    fn content(body: &[u8], start: Search, piece: usize) -> (Vec<u8>, Option<usize>) {
        let delimiter = Delimiter::new(b"ab-ab").expect("a boundary");
        let (mut search, mut content, mut left) = (start, Vec::new(), body.len());
        for mut input in body.chunks(piece) {
            loop {
                match search.next(&delimiter, input) {
                    Found::Held { from, to } => content.extend_from_slice(&delimiter.as_bytes()[from..to]),
                    Found::Content(count) => {
                        content.extend_from_slice(&input[..count]);
                        input = &input[count..];
                        left -= count;
                    }
                    Found::Delimiter(count) => return (content, Some(left - count)),
                    Found::More => break left -= input.len(),
                }
            }
        }
        (content, None)
    }

    #[test]
    fn finds_the_delimiter_however_the_body_is_split() {
        for (before, delimited) in [
            (&b""[..], true),
            (b"content", true),
            (b"--ab-ab", true),
            (b"\r\n--ab-a", true),
            (b"\r\n--ab-a\r", true),
            (b"\r\r\n-\r\n--\r\n--ab-\r\n\r\n", true),
            (b"\n--ab-ab \r--ab-ab", true),
            (b"\r\n--ab-ac and no delimiter\r\n--ab-a", false),
        ] {
            let tail = if delimited { &b"\r\n--ab-ab--\r\n"[..] } else { b"" };
            let body = [before, tail].concat();
            let none = Search { matched: 0, given: 0 };
            for piece in 1..=body.len().max(1) {
                let (content, left) = content(&body, none, piece);
                assert_eq!(left, delimited.then_some(4), "{}", before.escape_ascii());
                // What may still become a delimiter is kept back.
                assert!(before.starts_with(&content) && (!delimited || content == before));
            }
        }
    }

    #[test]
    fn the_steps_are_linear_in_the_body_whatever_is_in_it_and_however_it_is_split() {
        for pattern in
            [&b"\r"[..], b"\r\n", b"\r\n--ab-a", b"\r\n--ab-a\r\n--ab-", b"\r\n--", b"x", b"\r\r\n-"]
        {
            let body: Vec<u8> = pattern.iter().copied().cycle().take(100_000).collect();
            for piece in [1, 2, 3, 7, 8, 9, 10, 100, 100_000] {
                LOOKED_AT.set(0);
                let (_, found) = content(&body, Search { matched: 0, given: 0 }, piece);
                assert_eq!(found, None);
                let most = 5 * body.len();
                assert!(LOOKED_AT.get() <= most, "{} in pieces of {piece}", LOOKED_AT.get());
            }
        }
    }

    #[test]
    fn a_line_may_start_before_the_first_byte() {
        for piece in 1..=9 {
            assert_eq!(content(b"--ab-ab\r\n", Search::at_line_start(), piece), (vec![], Some(2)));
            assert_eq!(content(b"--ab-a", Search::at_line_start(), piece).0, b"");
            assert_eq!(
                content(b"--ab-ax--ab-ab", Search::at_line_start(), piece),
                (b"--ab-ax--ab-ab".to_vec(), None)
            );
            let twice = b"x\r\n--ab-ab\r\n";
            assert_eq!(content(twice, Search::at_line_start(), piece), (b"x".to_vec(), Some(2)));
        }
    }

    #[test]
    fn boundaries_are_checked() {
        for good in ["a", "0123456789'()+_,-./:=?", "a b", &"x".repeat(70)] {
            assert!(Delimiter::new(good.as_bytes()).is_ok(), "{good}");
        }
        for bad in ["", "a ", "a\"b", "a\r\nb", "a;b", "\u{fc}", "a\\", "a\0", &"x".repeat(71)] {
            assert!(matches!(Delimiter::new(bad.as_bytes()), Err(Error::Multipart(_))), "{bad:?}");
        }
    }
}
