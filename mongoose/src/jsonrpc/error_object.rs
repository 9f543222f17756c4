//! What went wrong with a call.

use std::fmt::Write;

use crate::json::Value;
use crate::{Error, json};

/// Why a call has no result (section 5.1): what a method answers instead of one, and what a client gets.
///
/// Codes from -32768 to -32000 are the specification's; a method's own are any others.
///
/// ```
/// use mongoose::jsonrpc::ErrorObject;
///
/// let error = ErrorObject::new(7, "no such device").with_data(serde_json::json!({ "device": 3 }));
/// assert_eq!(error.to_string(), "no such device (7)");
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message} ({code})")]
#[non_exhaustive]
pub struct ErrorObject {
    /// What kind of error it is.
    pub code: i64,
    /// A sentence about it.
    pub message: String,
    /// More about it.
    pub data: Option<serde_json::Value>,
}

impl ErrorObject {
    /// A text is not JSON.
    pub const PARSE_ERROR: i64 = -32700;
    /// JSON is no request.
    pub const INVALID_REQUEST: i64 = -32600;
    /// There is no such method.
    pub const METHOD_NOT_FOUND: i64 = -32601;
    /// Parameters are not what the method takes.
    pub const INVALID_PARAMS: i64 = -32602;
    /// The method cannot do it.
    pub const INTERNAL_ERROR: i64 = -32603;

    /// An error with a code and a sentence.
    #[doc(alias = "mg_rpc_err")]
    pub fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    /// The same with more about it.
    pub fn with_data(mut self, data: impl Into<serde_json::Value>) -> Self {
        self.data = Some(data.into());
        self
    }

    /// As JSON.
    pub(super) fn write(&self, text: &mut String) {
        // Writing to a string cannot fail.
        let _ = write!(text, r#"{{"code":{},"message":{}"#, self.code, json::quote(&self.message));
        if let Some(data) = &self.data {
            let _ = write!(text, r#","data":{data}"#);
        }
        text.push('}');
    }

    /// Of JSON; `None` when it is no error object.
    pub(super) fn read(value: Value<'_>) -> Option<Self> {
        let code = value.member("code").ok()??.as_i64()?;
        let message = value.member("message").ok()??.as_str()?.into_owned();
        let data = match value.member("data").ok()? {
            Some(data) => Some(data.deserialize().ok()?),
            None => None,
        };
        Some(Self { code, message, data })
    }
}

/// [`INTERNAL_ERROR`](ErrorObject::INTERNAL_ERROR), for `?` in a method. What it was is no business of the peer's: it is
/// not told.
impl From<Error> for ErrorObject {
    fn from(_: Error) -> Self {
        Self::new(Self::INTERNAL_ERROR, "Internal error")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_as_it_was_written() {
        for error in [
            ErrorObject::new(-32600, ""),
            ErrorObject::new(i64::MAX, "a \"b\"\n\u{20ac}"),
            ErrorObject::new(0, "x").with_data(serde_json::json!([{ "a": null }, "\u{7}"])),
        ] {
            let mut text = String::new();
            error.write(&mut text);
            assert_eq!(ErrorObject::read(json::parse(&text).expect("JSON")), Some(error), "{text}");
        }
    }

    #[test]
    fn what_lacks_a_part_is_none() {
        for text in [
            "{}",
            r#"{"code":1}"#,
            r#"{"message":"a"}"#,
            r#"{"code":"1","message":"a"}"#,
            "null",
            "[1,\"a\"]",
        ] {
            assert_eq!(ErrorObject::read(json::parse(text).expect("JSON")), None, "{text}");
        }
    }
}
