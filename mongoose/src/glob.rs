//! Matching texts with patterns: C's language, with right answers.
//!
//! | in a pattern | matches |
//! |---|---|
//! | `?` | one character |
//! | `*` | any number of characters, but no `/` |
//! | `#` | any number of characters |
//! | another character | itself |
//!
//! A pattern matches a text as a whole. Nothing escapes the three signs. For classes of characters and files on disks
//! there is the crate [glob](https://docs.rs/glob), for many patterns at once [globset](https://docs.rs/globset), for the
//! paths of requests [`http::Router`](https://docs.rs/mongoose/latest/mongoose/http/struct.Router.html).
//!
//! ```
//! use mongoose::glob;
//!
//! assert!(glob::matches("/api/user/7", "/api/user/?"));
//! assert!(!glob::matches("/api/user/7/name", "/api/*"));
//! assert!(glob::matches("/api/user/7/name", "/api/#"));
//! assert_eq!(glob::captures("/api/user/7", "/api/*/#"), Some(vec!["user", "7"]));
//! ```
//!
//! C's `mg_match` goes wrong where a `*` has to be taken back: there `/api/*/get` matches `/api/a/b/get`, and `#/*.x` does
//! not match `a/b.y/c.x`. `?` is a byte there, and captures are written to wherever the pattern has one more than memory
//! was made for.

/// Whether a pattern matches a text.
///
/// The time is at most that of the text's length times the pattern's.
///
/// ```
/// assert!(mongoose::glob::matches("report.txt", "*.txt"));
/// ```
#[doc(alias = "mg_match")]
pub fn matches(text: &str, pattern: &str) -> bool {
    solve(text, pattern, |_, _| {})
}

/// What each `?`, `*` and `#` of a pattern stands for in a text, in their order; `None` if the pattern does not match.
/// Each stands for as little as it can, the first one first.
///
/// The time is as that of [`matches()`]; the memory is a byte for each of the text's and of these signs.
///
/// ```
/// assert_eq!(mongoose::glob::captures("a/b/c", "?/#"), Some(vec!["a", "b/c"]));
/// assert_eq!(mongoose::glob::captures("a/b/c", "a/*"), None);
/// ```
#[doc(alias = "mg_match")]
pub fn captures<'t>(text: &'t str, pattern: &str) -> Option<Vec<&'t str>> {
    let wildcards = pattern.chars().filter(|&sign| is_wildcard(sign)).count();
    // Where what is behind each wildcard may begin: `ends[wildcard][byte]`.
    let mut ends = vec![vec![false; text.len() + 1]; wildcards];
    if !solve(text, pattern, |wildcard, byte| ends[wildcard][byte] = true) {
        return None;
    }
    let (mut captures, mut rest) = (Vec::with_capacity(wildcards), 0);
    for sign in pattern.chars() {
        let width = text[rest..].chars().next().map_or(0, char::len_utf8);
        if !is_wildcard(sign) {
            rest += width;
            continue;
        }
        let least = if sign == '?' { width } else { 0 };
        let length = ends[captures.len()][rest + least..].iter().position(|&possible| possible);
        let end = rest + least + length.expect("a pattern that matches has an end for each of its wildcards");
        captures.push(&text[rest..end]);
        rest = end;
    }
    Some(captures)
}

fn is_wildcard(sign: char) -> bool {
    matches!(sign, '?' | '*' | '#')
}

/// Whether the pattern matches. Calls `may_end(wildcard, byte)` for each place of the text where what is behind a wildcard,
/// counted from 0, matches all the rest.
///
/// Goes through the text backwards, and keeps of each suffix of the pattern whether it matches what was seen.
fn solve(text: &str, pattern: &str, mut may_end: impl FnMut(usize, usize)) -> bool {
    // Most texts differ from most patterns before the first wildcard.
    let literal = pattern.find(is_wildcard).unwrap_or(pattern.len());
    if !text.as_bytes().starts_with(&pattern.as_bytes()[..literal]) {
        return false;
    }
    if literal == pattern.len() {
        return literal == text.len();
    }
    let signs: Vec<char> = pattern.chars().collect();
    let wildcards = signs.iter().filter(|&&sign| is_wildcard(sign)).count();
    let mut suffixes = vec![false; signs.len() + 1];
    let places = text.char_indices().map(|(byte, character)| (byte, Some(character)));
    for (byte, character) in places.chain([(text.len(), None)]).rev() {
        // What the suffix behind the one at hand said of the text behind this character, and what it says of all.
        let mut said = std::mem::replace(&mut suffixes[signs.len()], character.is_none());
        let (mut wildcard, mut hope) = (wildcards, character.is_none());
        for (index, &sign) in signs.iter().enumerate().rev() {
            let says = suffixes[index + 1];
            if is_wildcard(sign) {
                wildcard -= 1;
                if says {
                    may_end(wildcard, byte);
                }
            }
            let now = match sign {
                '#' => says || suffixes[index],
                '*' => says || (suffixes[index] && character != Some('/')),
                '?' => said,
                _ => said && character == Some(sign),
            };
            said = std::mem::replace(&mut suffixes[index], now);
            hope |= now;
        }
        if !hope {
            return false;
        }
    }
    suffixes[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn matches_as_the_table_says() {
        for (text, pattern, captured) in [
            ("", "", Some(vec![])),
            ("", "*", Some(vec![""])),
            ("", "#", Some(vec![""])),
            ("", "?", None),
            ("a", "", None),
            ("a", "a", Some(vec![])),
            ("a", "b", None),
            ("ab", "a", None),
            ("a", "ab", None),
            ("abc", "a?c", Some(vec!["b"])),
            ("a/c", "a?c", Some(vec!["/"])),
            ("abc", "*", Some(vec!["abc"])),
            ("a/c", "*", None),
            ("a/c", "#", Some(vec!["a/c"])),
            ("/api/7", "/api/*", Some(vec!["7"])),
            ("/api/", "/api/*", Some(vec![""])),
            ("/api/7/x", "/api/*", None),
            ("/api/a/b/get", "/api/*/get", None),
            ("/api/a/get", "/api/*/get", Some(vec!["a"])),
            ("a/b.y/c.x", "#/*.x", Some(vec!["a/b.y", "c"])),
            ("aXbXc", "*X*", Some(vec!["a", "bXc"])),
            ("aXbXc", "#X#c", Some(vec!["a", "bX"])),
            ("a/x", "*?*x", Some(vec!["a", "/", ""])),
            ("abc", "*?", Some(vec!["ab", "c"])),
            ("abc", "**", Some(vec!["", "abc"])),
            ("caf\u{e9}/\u{20ac}", "caf?/?", Some(vec!["\u{e9}", "\u{20ac}"])),
            ("\u{e9}\u{e9}", "*\u{e9}", Some(vec!["\u{e9}"])),
            ("\u{e9}", "??", None),
        ] {
            assert_eq!(captures(text, pattern), captured, "{text:?} and {pattern:?}");
            assert_eq!(matches(text, pattern), captured.is_some(), "{text:?} and {pattern:?}");
        }
    }

    /// By trying everything, the shortest first.
    fn naive<'t>(text: &'t str, pattern: &str) -> Option<Vec<&'t str>> {
        let Some(sign) = pattern.chars().next() else { return text.is_empty().then(Vec::new) };
        let behind = &pattern[sign.len_utf8()..];
        if !is_wildcard(sign) {
            return naive(text.strip_prefix(sign)?, behind);
        }
        let ends = text.char_indices().map(|(byte, _)| byte).chain([text.len()]);
        let possible = ends.filter(|&end| match sign {
            '?' => text[..end].chars().count() == 1,
            '*' => !text[..end].contains('/'),
            _ => true,
        });
        possible.into_iter().find_map(|end| {
            let mut captures = naive(&text[end..], behind)?;
            captures.insert(0, &text[..end]);
            Some(captures)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn agrees_with_trying_everything(text in "[ab/\u{e9}]{0,10}", pattern in "[ab/\u{e9}?*#]{0,7}") {
            prop_assert_eq!(captures(&text, &pattern), naive(&text, &pattern));
            prop_assert_eq!(matches(&text, &pattern), naive(&text, &pattern).is_some());
        }
    }

    #[test]
    fn what_takes_others_for_ever_takes_no_time() {
        let text = "a".repeat(1_000) + "/";
        let pattern = "*a".repeat(30) + "#b";
        assert!(!matches(&text, &pattern));
        assert!(matches(&text, &("*a".repeat(30) + "#/")));
    }
}
