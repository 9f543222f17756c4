//! Conditional requests (RFC 9110 section 13).

use super::http_date;
use crate::http::Headers;

/// What tells one version of a representation from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Validators {
    /// With its quotes, without the mark of a weak one.
    pub(super) tag: String,
    /// Whether equal validators mean equal bytes.
    pub(super) strong: bool,
    /// Seconds since 1970.
    pub(super) modified: Option<u64>,
}

/// What the conditions of a request lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Proceed,
    /// 304: the peer has it.
    NotModified,
    /// 412.
    Failed,
}

impl Validators {
    /// The ETag header's value.
    pub(super) fn entity_tag(&self) -> String {
        if self.strong { self.tag.clone() } else { format!("W/{}", self.tag) }
    }

    /// Judges the conditions of a GET or HEAD in the order of section 13.2.2. `now` is in seconds since 1970.
    pub(super) fn judge(&self, headers: Headers<'_>, now: u64) -> Verdict {
        let tags = |name| headers.get_all(name).map(|value| value.as_bytes());
        // A date that is none, or that there is nothing to compare with, is no condition.
        let dates = |name| {
            let date = headers.get(name).and_then(|date| http_date::parse(date.as_bytes(), now))?;
            Some((i64::try_from(self.modified?).ok()?, date))
        };
        if headers.get("If-Match").is_some() {
            if !self.is_among(tags("If-Match"), Comparison::Strong) {
                return Verdict::Failed;
            }
        } else if dates("If-Unmodified-Since").is_some_and(|(modified, date)| modified > date) {
            return Verdict::Failed;
        }
        let peer_has_it = if headers.get("If-None-Match").is_some() {
            self.is_among(tags("If-None-Match"), Comparison::Weak)
        } else {
            dates("If-Modified-Since").is_some_and(|(modified, date)| modified <= date)
        };
        if peer_has_it { Verdict::NotModified } else { Verdict::Proceed }
    }

    /// Whether a part may be sent to a peer that has other parts already: nothing less than a strong validator says
    /// that they belong together (section 13.1.5).
    pub(super) fn allow_range(&self, headers: Headers<'_>, now: u64) -> bool {
        let Some(condition) = headers.get("If-Range").map(|value| value.as_bytes()) else { return true };
        if !self.strong {
            return false;
        }
        if condition.contains(&b'"') {
            return condition == self.tag.as_bytes();
        }
        let date = http_date::parse(condition, now);
        date.is_some() && date == self.modified.and_then(|modified| i64::try_from(modified).ok())
    }

    fn is_among<'l>(&self, mut lines: impl Iterator<Item = &'l [u8]>, comparison: Comparison) -> bool {
        lines.any(|line| {
            line == b"*"
                || entity_tags(line).any(|(weak, tag)| {
                    let comparable = comparison == Comparison::Weak || (self.strong && !weak);
                    comparable && tag == self.tag.as_bytes()
                })
        })
    }
}

/// How two entity tags are compared (section 8.8.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Strong,
    Weak,
}

/// The entity tags of a list: whether they are weak, and with their quotes. It ends where it is malformed.
fn entity_tags(mut list: &[u8]) -> impl Iterator<Item = (bool, &[u8])> {
    std::iter::from_fn(move || {
        while let [b',' | b' ' | b'\t', rest @ ..] = list {
            list = rest;
        }
        let (weak, quoted) = match list {
            [b'W', b'/', quoted @ ..] => (true, quoted),
            quoted => (false, quoted),
        };
        let [b'"', inside @ ..] = quoted else { return None };
        let end = 1 + inside.iter().position(|&byte| byte == b'"')? + 1;
        let (tag, rest) = quoted.split_at(end);
        list = rest;
        Some((weak, tag))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(list: &str) -> Vec<(bool, String)> {
        entity_tags(list.as_bytes())
            .map(|(weak, tag)| (weak, String::from_utf8_lossy(tag).into_owned()))
            .collect()
    }

    #[test]
    fn takes_a_list_of_tags_apart() {
        let strong = |tag: &str| (false, tag.to_owned());
        let weak = |tag: &str| (true, tag.to_owned());
        assert_eq!(tags(r#""a""#), [strong(r#""a""#)]);
        assert_eq!(
            tags(", \"a,b\" ,W/\"c\",\t\"\""),
            [strong(r#""a,b""#), weak(r#""c""#), strong("\"\"")],
            "a tag may be empty"
        );
        assert_eq!(tags(r#""a" junk, "b""#), [strong(r#""a""#)], "what is malformed ends it");
        for nothing in ["", ",", "a", "\"a", "w/\"a\"", "W/a", "*"] {
            assert_eq!(tags(nothing), [], "{nothing}");
        }
    }

    #[test]
    fn compares_strongly_and_weakly() {
        let among = |strong, list: &str, comparison| {
            let validators = Validators { tag: "\"a\"".to_owned(), strong, modified: None };
            validators.is_among(std::iter::once(list.as_bytes()), comparison)
        };
        for list in ["\"a\"", "\"b\", \"a\"", "*"] {
            assert!(among(true, list, Comparison::Strong) && among(true, list, Comparison::Weak), "{list}");
            assert!(among(false, list, Comparison::Weak), "{list}");
        }
        assert!(!among(false, "\"a\"", Comparison::Strong) && !among(true, "W/\"a\"", Comparison::Strong));
        assert!(among(true, "W/\"a\"", Comparison::Weak) && !among(true, "\"b\"", Comparison::Weak));
    }
}
