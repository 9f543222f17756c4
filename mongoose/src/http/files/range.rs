//! The Range header (RFC 9110 section 14).

/// What is asked for of a representation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    /// From a byte up to another that is not among them. Not empty, and all there.
    Bytes {
        start: u64,
        end: u64,
    },
    /// Nothing of it is there: 416.
    Unsatisfiable,
}

/// Which part of `length` bytes a Range header's value asks for. What is malformed, has another unit than bytes, or
/// names more ranges than one asks for the whole: a server may ignore any Range header (section 14.2), and the whole is
/// never wrong, where an answer in many parts would let a short request ask for the same bytes many times.
pub(crate) fn parse(value: &[u8], length: u64) -> Part {
    spec(value).map_or(Part::Whole, |(first, last)| match (first, last) {
        (None, 0) => Part::Unsatisfiable,
        // The last bytes of nothing: no Content-Range could name them.
        (None, _) if length == 0 => Part::Whole,
        (None, suffix) => Part::Bytes { start: length.saturating_sub(suffix), end: length },
        (Some(first), _) if first >= length => Part::Unsatisfiable,
        (Some(first), last) => Part::Bytes { start: first, end: last.saturating_add(1).min(length) },
    })
}

/// The only range of a set, if it is valid: its first byte and its last, or nothing and the length of a suffix.
fn spec(value: &[u8]) -> Option<(Option<u64>, u64)> {
    let (unit, set) = value.split_at(value.iter().position(|&byte| byte == b'=')?);
    if !unit.eq_ignore_ascii_case(b"bytes") {
        return None;
    }
    // Elements of a list may be empty.
    let mut specs = set[1..].split(|&byte| byte == b',').map(<[u8]>::trim_ascii).filter(|it| !it.is_empty());
    let (Some(spec), None) = (specs.next(), specs.next()) else { return None };
    let (first, last) = spec.split_at(spec.iter().position(|&byte| byte == b'-')?);
    match (first, &last[1..]) {
        (b"", suffix) => Some((None, number(suffix)?)),
        (first, b"") => Some((Some(number(first)?), u64::MAX)),
        (first, last) => {
            let numbers = (Some(number(first)?), number(last)?);
            // By their digits: both may be too large to tell apart.
            (by_size(first) <= by_size(last)).then_some(numbers)
        }
    }
}

/// What numbers of digits are ordered by.
fn by_size(digits: &[u8]) -> (usize, &[u8]) {
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    (digits.len() - zeros, &digits[zeros..])
}

/// Digits alone. What is too large is the largest: no representation has that many bytes.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        Some(number.saturating_mul(10).saturating_add(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_suffix_and_open_ended_ranges() {
        for (value, start, end) in [
            ("bytes=0-0", 0, 1),
            ("bytes=0-99", 0, 100),
            ("bytes=0-100", 0, 100),
            ("bytes=50-60", 50, 61),
            ("bytes=99-", 99, 100),
            ("bytes=-3", 97, 100),
            ("bytes=-100", 0, 100),
            ("bytes=-101", 0, 100),
            ("BYTES=1-2", 1, 3),
            ("bytes= 1-2 ", 1, 3),
            ("bytes=,, 1-2,", 1, 3),
            ("bytes=0009-10", 9, 11),
            ("bytes=1-99999999999999999999999999", 1, 100),
            ("bytes=-99999999999999999999999999", 0, 100),
            ("bytes=18446744073709551616-", 0, 0),
        ] {
            let expected = if end == 0 { Part::Unsatisfiable } else { Part::Bytes { start, end } };
            assert_eq!(parse(value.as_bytes(), 100), expected, "{value}");
        }
    }

    #[test]
    fn what_begins_behind_the_end_is_unsatisfiable() {
        for value in ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=99999999999999999999-"] {
            assert_eq!(parse(value.as_bytes(), 100), Part::Unsatisfiable, "{value}");
        }
        for value in ["bytes=0-", "bytes=0-0", "bytes=-0"] {
            assert_eq!(parse(value.as_bytes(), 0), Part::Unsatisfiable, "{value} of nothing");
        }
        assert_eq!(parse(b"bytes=-1", 0), Part::Whole);
        assert_eq!(
            parse(b"bytes=18446744073709551614-", u64::MAX),
            Part::Bytes { start: u64::MAX - 1, end: u64::MAX }
        );
    }

    #[test]
    fn what_is_malformed_or_many_is_ignored() {
        for value in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=,",
            "bytes=1",
            "bytes=a-b",
            "bytes=2-1",
            "bytes=1-2-3",
            "bytes=1--2",
            "bytes=--1",
            "bytes=+1-2",
            "bytes=1 -2",
            "bytes=0x1-2",
            "bytes =1-2",
            "items=1-2",
            "bytes=0-0,5-6",
            "bytes=0-0,x",
            "bytes=99999999999999999999998-99999999999999999999997",
            "bytes=010-9",
            "1-2",
        ] {
            assert_eq!(parse(value.as_bytes(), 100), Part::Whole, "{value}");
        }
    }
}
