//! JSON: what C answers wrongly, and that our answers are those of serde_json.

use std::ffi::CString;

use mongoose::{Error, json};
use mongoose_tests::{raw, scaled};
use proptest::prelude::*;
use serde_json::{Map, Number, Value};

#[test]
fn hazard_41_a_string_is_whole_whatever_its_escapes() {
    for (json, c, ours) in [
        (r#"{"a": "10 \u20ac"}"#, Some("10 "), "10 \u{20ac}"),
        (r#"{"a": "\/"}"#, None, "/"),
        (r#"{"a": "\ud83d\ude00"}"#, None, "\u{1f600}"),
    ] {
        let told = raw::json_str(json, c"$.a");
        assert_ne!(told.as_deref(), Some(ours), "C on {json}");
        assert!(c.is_none() || told.as_deref() != Some(ours), "C on {json}");
        assert_eq!(json::get_str(json, "$.a").expect("valid").as_deref(), Some(ours), "{json}");
    }
}

#[test]
fn hazard_41_a_whole_number_keeps_its_digits() {
    let json = r#"{"a": 9007199254740993}"#;
    assert_eq!(raw::json_long(json, c"$.a"), 9_007_199_254_740_992);
    assert_eq!(json::get_i64(json, "$.a").expect("valid"), Some(9_007_199_254_740_993));
}

#[test]
fn hazard_41_a_number_is_the_nearest_one() {
    let json = "0.1234567890123456789e-5";
    assert_ne!(raw::json_num(json, c"$"), Some(0.123_456_789_012_345_68e-5));
    assert_eq!(json::get_f64(json, "$").expect("valid"), Some(0.123_456_789_012_345_68e-5));
}

#[test]
fn hazard_41_what_is_no_json_is_an_error_wherever_it_goes_wrong() {
    for json in [
        r#"{"a": 1} garbage"#,
        r#"{"a": 1"#,
        r#"{"a": 1, "b": tru}"#,
        r#"{"a": 1, "b": [1 2]}"#,
        r#"{"a": 1, }"#,
        r#"{"a": 01}"#,
        r#"{"a": 1.}"#,
    ] {
        assert_eq!(raw::json_num(json, c"$.a"), Some(1.0), "C on {json}");
        assert!(matches!(json::get(json, "$.a"), Err(Error::JsonText { .. })), "{json}");
    }
}

#[test]
fn hazard_41_a_name_is_what_it_says_without_its_escapes() {
    let json = r#"{"\u0061": 1}"#;
    assert_eq!(raw::json_num(json, c"$.a"), None);
    assert_eq!(json::get_i64(json, "$.a").expect("valid"), Some(1));
}

#[test]
fn hazard_41_what_a_peer_nests_costs_no_stack() {
    let deep = "[".repeat(scaled(5_000_000));
    assert!(matches!(json::parse(&deep), Err(Error::JsonText { at: 128, .. })));
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|number| Value::Number(number.into())),
        any::<f64>().prop_filter_map("finite", Number::from_f64).prop_map(Value::Number),
        ".{0,12}".prop_map(Value::String),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::btree_map("[a-e\"\\\\\u{20ac}]{0,3}", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Every value in a document by its path, as far as names have one.
fn all<'v>(value: &'v Value, path: &str, found: &mut Vec<(String, &'v Value)>) {
    found.push((path.to_owned(), value));
    match value {
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                all(element, &format!("{path}[{index}]"), found);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                all(member, &format!("{path}.{name}"), found);
            }
        }
        _ => {}
    }
}

fn assert_same(ours: json::Value<'_>, value: &Value, path: &str) {
    match value {
        Value::Null => assert!(ours.is_null(), "{path}"),
        Value::Bool(expected) => assert_eq!(ours.as_bool(), Some(*expected), "{path}"),
        Value::Number(number) => {
            assert_eq!(ours.as_i64(), number.as_i64(), "{path}");
            assert_eq!(ours.as_f64(), number.as_f64(), "{path}");
        }
        Value::String(text) => assert_eq!(ours.as_str().as_deref(), Some(&**text), "{path}"),
        Value::Array(elements) => assert_eq!(ours.elements().count(), elements.len(), "{path}"),
        Value::Object(members) => {
            let names: Vec<String> = ours.members().map(|(name, _)| name.into_owned()).collect();
            assert_eq!(names, members.keys().cloned().collect::<Vec<_>>(), "{path}");
        }
    }
}

fn cases() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(scaled(256) as u32) }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_value_of_any_document_is_found_by_its_path(document in value(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&document) } else { serde_json::to_string(&document) };
        let text = text.expect("a value is JSON");
        let root = json::parse(&text).expect("valid");
        let mut found = Vec::new();
        all(&document, "$", &mut found);
        for (path, expected) in found {
            let ours = root.get(&path).expect("a path").expect("it is there");
            assert_same(ours, expected, &path);
            // C where it is right: names and strings without escapes, and a depth of less than 30.
            if !text.contains('\\') {
                let c = raw::json_token(&text, &CString::new(path.clone()).expect("no NUL"));
                prop_assert_eq!(c.as_deref(), Some(ours.text()), "{} of {}", path, text);
            }
        }
    }

    #[test]
    fn any_text_is_json_for_us_if_it_is_for_serde_json(text in r#"[\[\]{},:"\\/ \n0-2.eE+\-untrfalsd8\x00é]{0,12}"#) {
        let theirs = serde_json::from_str::<Value>(&text);
        // Numbers that no float can be are JSON, though not for serde_json.
        if !theirs.as_ref().is_err_and(|error| error.to_string().contains("number out of range")) {
            prop_assert_eq!(json::parse(&text).is_ok(), theirs.is_ok(), "{}: {:?}", text, theirs);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64), path in "[$.a\\[\\]0]{0,8}") {
        let _ = json::get(&bytes, &path);
    }
}
