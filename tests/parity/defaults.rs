//! The tables of defaults in SECURITY.md, beside the code.

use mongoose::{Limits, ws};

const TEXT: &str = include_str!("../../SECURITY.md");

/// The fields of a struct and their values, as its `Debug` has them.
fn fields(debug: &str) -> Vec<(String, String)> {
    let (_, inner) = debug.split_once(" { ").expect("a struct with fields");
    let fields = inner.trim_end_matches(" }").split(", ");
    let pairs = fields.map(|field| field.split_once(": ").expect("a name and a value"));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn compare(prefix: &str, debug: &str) {
    let fields = fields(debug);
    for (name, value) in &fields {
        let row = format!("\n| `{prefix}{name}` | {value} | ");
        assert!(TEXT.contains(&row), "SECURITY.md has no row {row:?}");
    }
    let rows = TEXT.lines().filter(|line| line.starts_with(&format!("| `{prefix}"))).count();
    assert_eq!(rows, fields.len(), "a row for each field, and no other");
}

#[test]
fn the_documented_defaults_are_the_code_s() {
    compare("Limits::", &format!("{:?}", Limits::default()));
    compare("ws::Limits::", &format!("{:?}", ws::Limits::default()));
}
