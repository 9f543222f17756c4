//! A value that was checked, where it lies.

use std::borrow::Cow;
use std::fmt;

use super::path::{Step, steps};
use super::scan::{end_of_string, end_of_value, is_white_space};
use super::string::unescape;
use crate::{Error, base64};

/// A value of a JSON text: a view of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Value<'j> {
    /// Checked, without white space around it.
    text: &'j str,
}

/// What a [`Value`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl<'j> Value<'j> {
    pub(super) fn checked(text: &'j str) -> Self {
        Self { text }
    }

    /// The value as it is written.
    pub fn text(&self) -> &'j str {
        self.text
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        match self.text.as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'n') => Kind::Null,
            _ => Kind::Number,
        }
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        self.kind() == Kind::Null
    }

    /// Of `true` and `false`: which.
    pub fn as_bool(&self) -> Option<bool> {
        (self.kind() == Kind::Bool).then(|| self.text == "true")
    }

    /// Of a whole number from -2^63 to 2^63 - 1 that is written without fraction and exponent: which, exactly.
    pub fn as_i64(&self) -> Option<i64> {
        self.number()?.parse().ok()
    }

    /// Of a whole number from 0 to 2^64 - 1 that is written without fraction and exponent: which, exactly.
    pub fn as_u64(&self) -> Option<u64> {
        self.number()?.parse().ok()
    }

    /// Of a number: the nearest float. `None` for those that are too large for any.
    pub fn as_f64(&self) -> Option<f64> {
        self.number()?.parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// Of a string: its text, which is copied where it has escapes.
    pub fn as_str(&self) -> Option<Cow<'j, str>> {
        self.string().map(unescape)
    }

    /// Of a string in [base64](base64::decode): its bytes.
    pub fn as_base64(&self) -> Option<Vec<u8>> {
        base64::decode(&*self.as_str()?).ok()
    }

    /// Of a string in hexadecimal, two digits a byte: its bytes.
    pub fn as_hex(&self) -> Option<Vec<u8>> {
        let text = self.as_str()?;
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
        let digit = |digit: u8| char::from(digit).to_digit(16);
        pairs.iter().map(|&[high, low]| Some((digit(high)? << 4 | digit(low)?) as u8)).collect()
    }

    /// The value at a path from here; `None` if there is none. See [the module](super) for paths.
    ///
    /// # Errors
    /// [`Error::JsonPath`] for what is no path; [`Error::JsonText`] where an object has a name of the path twice.
    #[doc(alias = "mg_json_get")]
    pub fn get(&self, path: &str) -> Result<Option<Value<'j>>, Error> {
        let mut value = Some(*self);
        // Not left early: what is no path is an error whatever the value.
        for step in steps(path)? {
            let step = step?;
            if let Some(outer) = value {
                value = match step {
                    Step::Member(name) => outer.member(name)?,
                    Step::Element(index) => outer.elements().nth(index),
                };
            }
        }
        Ok(value)
    }

    /// The member of an object with a name, which may be any; `None` if there is none, or this is no object.
    ///
    /// # Errors
    /// [`Error::JsonText`] where the object has the name twice: programs disagree on which is meant.
    pub fn member(&self, name: &str) -> Result<Option<Value<'j>>, Error> {
        let mut found = None;
        for (found_name, value) in self.members() {
            if found_name == name && found.replace(value).is_some() {
                let at = value.text.as_ptr() as usize - self.text.as_ptr() as usize;
                return Err(Error::JsonText { at, reason: "an object has the name twice that is asked for" });
            }
        }
        Ok(found)
    }

    /// The members of an object, in their order; none of anything else.
    ///
    /// ```
    /// let value = mongoose::json::parse(r#"{"a": 1, "b\n": [2]}"#)?;
    /// let members: Vec<_> = value.members().map(|(name, value)| (name, value.text())).collect();
    /// assert_eq!(members, [("a".into(), "1"), ("b\n".into(), "[2]")]);
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    #[doc(alias = "mg_json_next")]
    pub fn members(&self) -> Members<'j> {
        Members { rest: self.inside(Kind::Object) }
    }

    /// The elements of an array, in their order; none of anything else.
    ///
    /// ```
    /// let value = mongoose::json::parse("[1, [2, 3], {}]")?;
    /// let elements: Vec<_> = value.elements().map(|element| element.text()).collect();
    /// assert_eq!(elements, ["1", "[2, 3]", "{}"]);
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    #[doc(alias = "mg_json_next")]
    pub fn elements(&self) -> Elements<'j> {
        Elements { rest: self.inside(Kind::Array) }
    }

    /// Makes a type of it, by `serde_json`.
    ///
    /// # Errors
    /// [`Error::Json`] when it is not of this type.
    #[cfg(feature = "serde")]
    pub fn deserialize<T: serde::Deserialize<'j>>(&self) -> Result<T, Error> {
        serde_json::from_str(self.text).map_err(Error::Json)
    }

    fn number(&self) -> Option<&'j str> {
        (self.kind() == Kind::Number).then_some(self.text)
    }

    /// What is between the quotation marks.
    fn string(&self) -> Option<&'j str> {
        self.text.strip_prefix('"')?.strip_suffix('"')
    }

    /// What is between the brackets.
    fn inside(&self, kind: Kind) -> &'j str {
        if self.kind() == kind { &self.text[1..self.text.len() - 1] } else { "" }
    }
}

/// The JSON text.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Value").field(&format_args!("{}", self.text)).finish()
    }
}

/// The elements of an array: see [`Value::elements`].
#[derive(Clone, Debug)]
pub struct Elements<'j> {
    rest: &'j str,
}

impl<'j> Iterator for Elements<'j> {
    type Item = Value<'j>;

    fn next(&mut self) -> Option<Self::Item> {
        next_value(&mut self.rest)
    }
}

/// The members of an object: see [`Value::members`].
#[derive(Clone, Debug)]
pub struct Members<'j> {
    rest: &'j str,
}

impl<'j> Iterator for Members<'j> {
    type Item = (Cow<'j, str>, Value<'j>);

    fn next(&mut self) -> Option<Self::Item> {
        skip(&mut self.rest, b',');
        if self.rest.is_empty() {
            return None;
        }
        let (name, behind) = self.rest.split_at(end_of_string(self.rest.as_bytes(), 0));
        self.rest = behind;
        skip(&mut self.rest, b':');
        let name = Value::checked(name).as_str()?;
        Some((name, next_value(&mut self.rest)?))
    }
}

fn next_value<'j>(rest: &mut &'j str) -> Option<Value<'j>> {
    skip(rest, b',');
    if rest.is_empty() {
        return None;
    }
    let (value, behind) = rest.split_at(end_of_value(rest.as_bytes(), 0));
    *rest = behind;
    Some(Value::checked(value))
}

/// White space, and one sign.
fn skip(rest: &mut &str, sign: u8) {
    let skipped = rest.bytes().take_while(|&byte| is_white_space(byte) || byte == sign).count();
    *rest = &rest[skipped..];
}

#[cfg(test)]
mod tests {
    use super::super::{get, parse};
    use super::*;

    #[test]
    fn numbers_are_exact_or_none() {
        for (json, whole, float) in [
            ("0", Some(0), Some(0.0)),
            ("-0", Some(0), Some(-0.0)),
            ("9007199254740993", Some(9_007_199_254_740_993), Some(9_007_199_254_740_992.0)),
            ("9223372036854775807", Some(i64::MAX), Some(9.223_372_036_854_776e18)),
            ("-9223372036854775808", Some(i64::MIN), Some(-9.223_372_036_854_776e18)),
            ("9223372036854775808", None, Some(9.223_372_036_854_776e18)),
            ("1.5", None, Some(1.5)),
            ("1e2", None, Some(100.0)),
            ("1e999", None, None),
            ("1e-999", None, Some(0.0)),
            ("\"1\"", None, None),
        ] {
            let value = parse(json).expect(json);
            assert_eq!(value.as_i64(), whole, "{json}");
            assert_eq!(value.as_f64(), float, "{json}");
        }
        assert_eq!(parse("18446744073709551615").expect("valid").as_u64(), Some(u64::MAX));
    }

    #[test]
    fn kinds_do_not_mix() {
        for (json, kind) in [
            ("null", Kind::Null),
            ("true", Kind::Bool),
            ("-1", Kind::Number),
            ("\"true\"", Kind::String),
            ("[]", Kind::Array),
            ("{}", Kind::Object),
        ] {
            let value = parse(json).expect(json);
            assert_eq!(value.kind(), kind);
            assert_eq!(value.as_bool().is_some(), kind == Kind::Bool);
            assert_eq!(value.as_f64().is_some(), kind == Kind::Number);
            assert_eq!(value.as_str().is_some(), kind == Kind::String);
            assert_eq!(value.is_null(), kind == Kind::Null);
        }
        assert_eq!(parse("{\"a\": 1}").expect("valid").elements().count(), 0);
        assert_eq!(parse("[\"a\", 1]").expect("valid").members().count(), 0);
    }

    #[test]
    fn bytes_by_their_two_codings() {
        let value = |json| parse(json).expect("valid");
        assert_eq!(value("\"Zm9v\"").as_base64().as_deref(), Some(&b"foo"[..]));
        assert_eq!(value("\"Zm9\"").as_base64(), None);
        assert_eq!(value("\"00fFa\\u0030\"").as_hex().as_deref(), Some(&b"\0\xff\xa0"[..]));
        assert_eq!(value("\"\"").as_hex().as_deref(), Some(&b""[..]));
        for bad in ["\"0\"", "\"0g\"", "\"+1\"", "12", "\"0x\""] {
            assert_eq!(value(bad).as_hex(), None, "{bad}");
        }
    }

    #[test]
    fn paths_find_what_they_say() {
        let json = r#" { "a" : { "b" : [ 10 , "]}," , { "c" : 1 } ] } , "b" : 2 , "\u0061\n" : 3 , "" : { "" : 4 } } "#;
        for (path, found) in [
            ("$.a.b[0]", Some("10")),
            ("$.a.b[1]", Some("\"]},\"")),
            ("$.a.b[2].c", Some("1")),
            ("$.a.b[2]", Some("{ \"c\" : 1 }")),
            ("$.b", Some("2")),
            ("$.a\n", Some("3")),
            ("$.", Some("{ \"\" : 4 }")),
            ("$..", Some("4")),
            ("$.a.b[3]", None),
            ("$.a[0]", None),
            ("$.a.b.c", None),
            ("$.c", None),
            ("$.c.d[1]", None),
            ("$.a.b[0][0]", None),
            ("$.a.b[99999999999999999999]", None),
        ] {
            assert_eq!(get(json, path).expect(path).map(|value| value.text()), found, "{path}");
        }
        assert_eq!(get(json, "$").expect("valid").map(|value| value.text()), Some(json.trim()));
        assert!(matches!(get("1", "$.a["), Err(Error::JsonPath { .. })), "though there is no $.a");
    }

    #[test]
    fn a_name_that_is_there_twice_is_an_error_for_who_asks_for_it() {
        let json = r#"{"a": 1, "b": 2, "\u0061": 3}"#;
        assert!(matches!(get(json, "$.a"), Err(Error::JsonText { at: 27, .. })), "{:?}", get(json, "$.a"));
        assert_eq!(get(json, "$.b").expect("once").and_then(|value| value.as_i64()), Some(2));
    }
}
