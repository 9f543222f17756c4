//! Patterns: C's language, and where C loses its way in it.

use mongoose::glob;
use mongoose_tests::{raw, scaled};
use proptest::prelude::*;

fn ours(text: &str, pattern: &str) -> Option<Vec<String>> {
    glob::captures(text, pattern).map(|captures| captures.into_iter().map(str::to_owned).collect())
}

#[test]
fn hazard_10_a_star_that_was_taken_back_crosses_no_slash() {
    for (text, pattern) in
        [("/api/a/b/get", "/api/*/get"), ("a/b/c", "*/c"), ("/files/../../secret/x", "/files/*/x")]
    {
        assert!(raw::glob(text, pattern), "C: {text} is {pattern}");
        assert!(!glob::matches(text, pattern), "{text} is not {pattern}");
    }
}

#[test]
fn hazard_10_what_a_later_star_cannot_take_an_earlier_hash_does() {
    let (text, pattern) = ("a/b.y/c.x", "#/*.x");
    assert!(!raw::glob(text, pattern));
    assert_eq!(ours(text, pattern), Some(vec!["a/b.y".to_owned(), "c".to_owned()]));
}

#[test]
fn hazard_10_each_wildcard_has_its_capture_also_beside_another() {
    assert_eq!(raw::glob_captures("abc", "*?"), Some(vec!["c".to_owned(), String::new()]));
    assert_eq!(ours("abc", "*?"), Some(vec!["ab".to_owned(), "c".to_owned()]));
}

#[test]
fn hazard_10_a_character_is_whole() {
    assert!(!raw::glob("\u{e9}", "?"), "two bytes");
    assert_eq!(ours("\u{e9}", "?"), Some(vec!["\u{e9}".to_owned()]));
}

#[test]
fn hazard_10_there_are_as_many_captures_as_wildcards_and_no_place_to_write_past() {
    let pattern = "?".repeat(1_000);
    let text = "x".repeat(1_000);
    assert_eq!(glob::captures(&text, &pattern).map(|captures| captures.len()), Some(1_000));
}

fn cases() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(scaled(1_000) as u32) }
}

proptest! {
    #![proptest_config(cases())]

    /// C is right where a wildcard that is taken back is the only kind there is: `#`, or `*` in what has no slash.
    #[test]
    fn with_hashes_alone_we_answer_as_c_does(text in "[ab/]{0,12}", pattern in "[ab/#?]{0,8}") {
        prop_assert_eq!(glob::matches(&text, &pattern), raw::glob(&text, &pattern));
    }

    #[test]
    fn without_slashes_we_answer_as_c_does(text in "[abc]{0,12}", pattern in "[abc*#?]{0,8}") {
        prop_assert_eq!(glob::matches(&text, &pattern), raw::glob(&text, &pattern));
    }

    #[test]
    fn with_one_wildcard_we_capture_what_c_captures(
        text in "[ab/]{0,12}", before in "[ab/]{0,3}", wildcard in "[*#]", behind in "[ab]{0,3}",
    ) {
        let pattern = format!("{before}{wildcard}{behind}");
        prop_assert_eq!(ours(&text, &pattern), raw::glob_captures(&text, &pattern));
    }
}
