//! JSON to and from types, by `serde_json` (feature `serde`).

use serde::{Deserialize, Serialize};

use super::form::media_type_where;
use super::{Reply, Request};
use crate::Error;

impl<'r> Request<'r> {
    /// The body, read as JSON of a type, which may borrow from it. The `Content-Type` has to say that it is JSON:
    /// `application/json`, or something that ends in `+json`.
    ///
    /// ```
    /// # let manager = mongoose::Manager::new()?;
    /// use mongoose::http::{Reply, Request};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Order<'r> {
    ///     article: &'r str,
    ///     count: u64,
    /// }
    ///
    /// manager.http("http://127.0.0.1:0", |request: Request<'_>, reply: Reply<'_>| {
    ///     match request.json::<Order<'_>>() {
    ///         Ok(order) => reply.text(format!("{} times {}", order.count, order.article)),
    ///         Err(error) => reply.status(400).text(error.to_string()),
    ///     }
    /// })?;
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::MediaType`] when the body says it is something else; [`Error::Json`] when it is not JSON, or not of this
    /// type.
    #[doc(alias = "mg_json_get")]
    pub fn json<T: Deserialize<'r>>(&self) -> Result<T, Error> {
        self.expect_json()?;
        serde_json::from_slice(self.body()).map_err(Error::Json)
    }

    /// Whether the body says that it is JSON.
    pub(crate) fn expect_json(&self) -> Result<(), Error> {
        media_type_where(self, "application/json", is_json).map(drop)
    }
}

impl Reply<'_> {
    /// Sends a value as JSON, as `application/json` unless a header said otherwise.
    ///
    /// ```
    /// # let manager = mongoose::Manager::new()?;
    /// use mongoose::http::{Reply, Request};
    ///
    /// #[derive(serde::Serialize)]
    /// struct Status {
    ///     healthy: bool,
    /// }
    ///
    /// manager.http("http://127.0.0.1:0", |_: Request<'_>, reply: Reply<'_>| reply.json(&Status { healthy: true }))?;
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Handler`] when the value cannot be JSON, such as a map whose keys are no text; else as
    /// [`text`](Self::text).
    pub fn json<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        let json = serde_json::to_vec(value).map_err(Error::handler)?;
        self.json_text(json)
    }
}

/// `application/json`, and `application/problem+json` and its likes (RFC 6839 section 3.1).
fn is_json(kind: &[u8]) -> bool {
    let suffix = kind.len().checked_sub(5).map(|at| &kind[at..]);
    kind.eq_ignore_ascii_case(b"application/json")
        || suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case(b"+json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_types_that_are_json() {
        for kind in ["application/json", "Application/JSON", "application/problem+json", "x/y+JSON"] {
            assert!(is_json(kind.as_bytes()), "{kind}");
        }
        for kind in ["", "json", "text/json", "application/jsonp", "application/json+x", "text/plain"] {
            assert!(!is_json(kind.as_bytes()), "{kind}");
        }
    }
}
