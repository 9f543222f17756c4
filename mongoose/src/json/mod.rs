//! JSON by path: C's path language, with right answers or an error.
//!
//! A path is `$` for the whole, `.name` for a member of an object and `[0]` for an element of an array, counted from 0:
//! `$.devices[2].name`. Names with a `.` or a `[` in them have no path: go through the [members](Value::members) instead.
//!
//! ```
//! use mongoose::json;
//!
//! let body = br#"{"name": "caf\u00e9", "sizes": [1, 2.5, 12345678901234567]}"#;
//! assert_eq!(json::get_str(body, "$.name")?.as_deref(), Some("café"));
//! assert_eq!(json::get_f64(body, "$.sizes[1]")?, Some(2.5));
//! assert_eq!(json::get_i64(body, "$.sizes[2]")?, Some(12_345_678_901_234_567));
//! assert_eq!(json::get_bool(body, "$.missing")?, None);
//! assert!(json::get(b"{\"a\": 1} and more", "$.a").is_err());
//!
//! // Who asks more than once reads it once.
//! let value = json::parse(body)?;
//! for size in value.get("$.sizes")?.into_iter().flat_map(|sizes| sizes.elements()) {
//!     println!("{size}");
//! }
//! # Ok::<(), mongoose::Error>(())
//! ```
//!
//! This is for a value or two of a text. For whole documents, and for writing, there is
//! [serde_json](https://docs.rs/serde_json), which checks against types of your own: with the feature `serde`
//! `Request::json` and `Reply::json` do that.
//!
//! All of a text is checked, by RFC 8259, in linear time: it is one value, UTF-8, 128 levels deep at most, and no escape
//! is half a character. Nothing is copied but strings that have escapes. A name that a path asks for and that an object
//! has twice is an error: two programs would not agree on which it means.
//!
//! C's `mg_json_*` cut a string at an escape such as `\u20ac`, find no string in `"\/"`, read integers as floats, so that
//! they lose digits above 2^53, and take `[1 2]`, `01`, and whatever is behind the value that is asked for.

mod path;
mod scan;
mod string;
mod value;

use std::borrow::Cow;

use crate::Error;

pub use string::quote;
pub use value::{Elements, Kind, Members, Value};

/// Checks all of a text, and views it.
///
/// # Errors
/// [`Error::JsonText`] for what is not JSON.
#[doc(alias = "mg_json_get_tok")]
pub fn parse<'j>(json: &'j (impl AsRef<[u8]> + ?Sized)) -> Result<Value<'j>, Error> {
    scan::document(json.as_ref()).map(Value::checked)
}

/// The value at a path; `None` if there is none.
///
/// ```
/// let value = mongoose::json::get(r#"{"a": [1, {"b": null}]}"#, "$.a[1].b")?;
/// assert!(value.is_some_and(|value| value.is_null()));
/// # Ok::<(), mongoose::Error>(())
/// ```
///
/// # Errors
/// [`Error::JsonText`] for what is not JSON, or has a name of the path twice; [`Error::JsonPath`] for what is no path.
#[doc(alias = "mg_json_get")]
#[doc(alias = "mg_json_get_tok")]
pub fn get<'j>(json: &'j (impl AsRef<[u8]> + ?Sized), path: &str) -> Result<Option<Value<'j>>, Error> {
    parse(json)?.get(path)
}

/// The string at a path, without escapes; `None` if there is none, or something else.
///
/// # Errors
/// As [`get`].
#[doc(alias = "mg_json_get_str")]
#[doc(alias = "mg_json_unescape")]
pub fn get_str<'j>(json: &'j (impl AsRef<[u8]> + ?Sized), path: &str) -> Result<Option<Cow<'j, str>>, Error> {
    Ok(get(json, path)?.and_then(|value| value.as_str()))
}

/// The whole number at a path, exactly; `None` if there is none, or it is [no such number](Value::as_i64).
///
/// # Errors
/// As [`get`].
#[doc(alias = "mg_json_get_long")]
pub fn get_i64(json: &(impl AsRef<[u8]> + ?Sized), path: &str) -> Result<Option<i64>, Error> {
    Ok(get(json, path)?.and_then(|value| value.as_i64()))
}

/// The number at a path; `None` if there is none, or it is [no such number](Value::as_f64).
///
/// # Errors
/// As [`get`].
#[doc(alias = "mg_json_get_num")]
pub fn get_f64(json: &(impl AsRef<[u8]> + ?Sized), path: &str) -> Result<Option<f64>, Error> {
    Ok(get(json, path)?.and_then(|value| value.as_f64()))
}

/// The `true` or `false` at a path; `None` if there is none, or something else.
///
/// # Errors
/// As [`get`].
#[doc(alias = "mg_json_get_bool")]
pub fn get_bool(json: &(impl AsRef<[u8]> + ?Sized), path: &str) -> Result<Option<bool>, Error> {
    Ok(get(json, path)?.and_then(|value| value.as_bool()))
}

/// The bytes that the string at a path has in [base64](crate::base64::decode); `None` if there is none, or something else.
///
/// # Errors
/// As [`get`].
#[doc(alias = "mg_json_get_b64")]
pub fn get_base64(json: &(impl AsRef<[u8]> + ?Sized), path: &str) -> Result<Option<Vec<u8>>, Error> {
    Ok(get(json, path)?.and_then(|value| value.as_base64()))
}

/// The bytes that the string at a path has in hexadecimal; `None` if there is none, or something else.
///
/// # Errors
/// As [`get`].
#[doc(alias = "mg_json_get_hex")]
pub fn get_hex(json: &(impl AsRef<[u8]> + ?Sized), path: &str) -> Result<Option<Vec<u8>>, Error> {
    Ok(get(json, path)?.and_then(|value| value.as_hex()))
}
