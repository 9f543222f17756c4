//! JSON, beside serde_json.

use std::collections::BTreeMap;

use mongoose::json::{self, Kind, Value};
use serde_json::Value as Theirs;

/// A first line that begins with `$` is a path.
pub fn json(bytes: &[u8]) {
    let line = bytes.iter().position(|&byte| byte == b'\n').filter(|_| bytes[0] == b'$');
    let (path, text) = line.map_or((&b"$"[..], bytes), |end| (&bytes[..end], &bytes[end + 1..]));
    let theirs = serde_json::from_slice::<Theirs>(text);
    let ours = match (json::parse(text), &theirs) {
        (Ok(ours), Ok(theirs)) => {
            compare(ours, theirs);
            ours
        }
        (Err(_), Err(_)) => return,
        // What is too large for a float is a number all the same, and their limit of depth is one less.
        (Ok(ours), Err(error)) => {
            let said = error.to_string();
            assert!(["number out of range", "recursion limit"].iter().any(|it| said.contains(it)), "{said}");
            ours
        }
        (Err(error), Ok(_)) => panic!("{error}"),
    };
    assert!(std::str::from_utf8(text).is_ok_and(|text| text.contains(ours.text())));
    let again = json::parse(ours.text()).expect("what was checked");
    assert_eq!(again, ours);
    if let Ok(path) = std::str::from_utf8(path)
        && let Ok(Some(found)) = ours.get(path)
    {
        assert!(ours.text().contains(found.text()));
        assert_eq!(json::parse(found.text()).ok(), Some(found));
    }
}

fn compare(ours: Value<'_>, theirs: &Theirs) {
    match theirs {
        Theirs::Null => assert!(ours.is_null()),
        Theirs::Bool(which) => assert_eq!(ours.as_bool(), Some(*which)),
        Theirs::Number(number) => {
            assert_eq!(ours.kind(), Kind::Number);
            // To them this is a float.
            if ours.text() != "-0" {
                assert_eq!((ours.as_i64(), ours.as_u64()), (number.as_i64(), number.as_u64()));
            }
            let (ours, theirs) = (ours.as_f64().expect("a number"), number.as_f64().expect("a float"));
            // They may be off in the last digit.
            assert!((ours - theirs).abs() <= theirs.abs() * 1e-15 + f64::MIN_POSITIVE, "{ours} {theirs}");
        }
        Theirs::String(text) => {
            assert_eq!(ours.as_str().as_deref(), Some(&**text));
            let quoted = json::quote(text);
            assert_eq!(serde_json::from_str::<String>(&quoted).ok().as_deref(), Some(&**text));
            assert_eq!(json::parse(&quoted).ok().and_then(|value| value.as_str()).as_deref(), Some(&**text));
        }
        Theirs::Array(elements) => {
            assert!(ours.kind() == Kind::Array && ours.elements().count() == elements.len());
            ours.elements().zip(elements).for_each(|(ours, theirs)| compare(ours, theirs));
        }
        Theirs::Object(members) => {
            assert_eq!(ours.kind(), Kind::Object);
            let mut count = BTreeMap::new();
            for (name, value) in ours.members() {
                let entry = count.entry(name).or_insert((0, value));
                *entry = (entry.0 + 1, value);
            }
            assert_eq!(count.len(), members.len());
            for (name, (times, last)) in count {
                // They keep the last of those that have a name.
                compare(last, &members[&*name]);
                assert_eq!(ours.member(&name).ok(), (times == 1).then_some(Some(last)));
            }
        }
    }
}
