//! A request, as it lies in the receive buffer.

use std::borrow::Cow;
use std::fmt;
use std::str::Utf8Error;

use super::{HeaderValue, Headers};
use crate::ffi::MessageView;
use crate::{Connection, Error, sys, url};

/// A whole, valid request. Everything it answers is a view of the receive buffer, valid while the handler runs.
///
/// ```
/// # let manager = mongoose::Manager::new()?;
/// use mongoose::http::{Reply, Request};
///
/// manager.http("http://127.0.0.1:0", |request: Request<'_>, reply: Reply<'_>| {
///     let name = request.query_value("name")?.unwrap_or("world".into());
///     reply.text(format!("Hello, {name}!"))
/// })?;
/// # Ok::<(), mongoose::Error>(())
/// ```
#[derive(Clone, Copy)]
#[doc(alias = "mg_http_message")]
pub struct Request<'r> {
    message: MessageView<'r>,
    target: &'r str,
    connection: &'r Connection<'r>,
}

impl<'r> Request<'r> {
    pub(super) fn new(message: MessageView<'r>, target: &'r str, connection: &'r Connection<'r>) -> Self {
        Self { message, target, connection }
    }

    /// The method, as sent: `GET`.
    pub fn method(&self) -> &'r str {
        self.message.method()
    }

    /// The request target, as sent: `/a%20b?c=d`, or `http://host/a%20b?c=d`.
    pub fn target(&self) -> &'r str {
        self.target
    }

    /// Host and perhaps port that the request is for: of the target where that names one, else the Host header's. Empty
    /// when there is neither.
    pub fn host(&self) -> &'r str {
        match self.target.split_once("://") {
            Some((_, rest)) if !self.target.starts_with('/') => {
                &rest[..rest.find(['/', '?']).unwrap_or(rest.len())]
            }
            _ => self.header("Host").and_then(|host| host.to_str().ok()).unwrap_or_default(),
        }
    }

    /// The target's path, not decoded: `/a%20b`. It begins with `/`, but for `OPTIONS *`.
    pub fn path(&self) -> &'r str {
        self.message.uri()
    }

    /// The target's query, not decoded and without the `?`; empty when there is none.
    pub fn query(&self) -> &'r str {
        self.message.query()
    }

    /// `HTTP/1.1` or `HTTP/1.0`.
    pub fn protocol(&self) -> &'r str {
        self.message.protocol()
    }

    /// All headers.
    pub fn headers(&self) -> Headers<'r> {
        Headers::new(self.message)
    }

    /// The first header of a name.
    #[doc(alias = "mg_http_get_header")]
    pub fn header(&self, name: &str) -> Option<HeaderValue<'r>> {
        self.headers().get(name)
    }

    /// The whole body, a chunked one decoded. Empty when there is none.
    pub fn body(&self) -> &'r [u8] {
        self.message.body()
    }

    /// The body as text.
    ///
    /// # Errors
    /// When it is not UTF-8.
    pub fn body_str(&self) -> Result<&'r str, Utf8Error> {
        std::str::from_utf8(self.body())
    }

    /// Request line and headers, as sent.
    pub fn head(&self) -> &'r [u8] {
        self.message.head()
    }

    /// Head and body, as they lie in memory: behind each other.
    pub fn message(&self) -> &'r [u8] {
        self.message.message()
    }

    /// A variable of the query, decoded, whole whatever its size. The first of that name.
    ///
    /// # Errors
    /// [`Error::Decode`] when its encoding is malformed or it is not UTF-8: see [`query_bytes`](Self::query_bytes).
    #[doc(alias = "mg_http_get_var")]
    #[doc(alias = "mg_http_var")]
    pub fn query_value(&self, name: &str) -> Result<Option<Cow<'r, str>>, Error> {
        self.query_bytes(name)?.map(url::into_text).transpose()
    }

    /// A variable of the query, decoded, as bytes.
    ///
    /// # Errors
    /// [`Error::Decode`] when its encoding is malformed.
    pub fn query_bytes(&self, name: &str) -> Result<Option<Cow<'r, [u8]>>, Error> {
        for (key, value) in self.query_pairs() {
            // A malformed name is not the one that is looked for.
            if url::decode_form(key).is_ok_and(|key| &*key == name.as_bytes()) {
                return url::decode_form(value).map(Some);
            }
        }
        Ok(None)
    }

    /// The variables of the query in order, name and value, not decoded: see [`url::decode_form`](crate::url).
    pub fn query_pairs(&self) -> QueryPairs<'r> {
        QueryPairs { rest: self.query() }
    }

    /// The connection it came on.
    pub fn connection(&self) -> &'r Connection<'r> {
        self.connection
    }

    /// The C struct, for calls through [`mongoose::sys`](crate::sys). Valid while the request is. Changing it is not
    /// sound: what the request answers is read from there.
    pub fn as_raw(&self) -> *mut sys::mg_http_message {
        self.message.as_ptr()
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method())
            .field("target", &self.target())
            .field("headers", &self.headers())
            .field("body", &self.body().len())
            .finish_non_exhaustive()
    }
}

/// The variables of a query: see [`Request::query_pairs`].
#[derive(Clone, Debug)]
pub struct QueryPairs<'r> {
    pub(super) rest: &'r str,
}

impl<'r> Iterator for QueryPairs<'r> {
    type Item = (&'r str, &'r str);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let (pair, rest) = self.rest.split_once('&').unwrap_or((self.rest, ""));
            self.rest = rest;
            if !pair.is_empty() {
                return Some(pair.split_once('=').unwrap_or((pair, "")));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_a_query_into_its_variables() {
        let pairs = |query| QueryPairs { rest: query }.collect::<Vec<_>>();
        assert_eq!(pairs("a=1&b&&=c&d=e=f&"), [("a", "1"), ("b", ""), ("", "c"), ("d", "e=f")]);
        assert_eq!(pairs(""), []);
    }
}
