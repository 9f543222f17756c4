//! A response, as it lies in the receive buffer.

use std::fmt;
use std::str::Utf8Error;

use super::ResponseBuf;
use crate::ffi::MessageView;
use crate::http::{HeaderValue, Headers};
use crate::{Connection, sys};

/// A whole, valid response, or the head of one. Everything it answers is a view of the receive buffer, valid while the
/// handler runs; [`to_buf`](Self::to_buf) copies it to keep.
#[derive(Clone, Copy)]
#[doc(alias = "mg_http_message")]
pub struct Response<'r> {
    message: MessageView<'r>,
    status: u16,
    url: &'r str,
    connection: &'r Connection<'r>,
    /// The body came compressed: what the headers say about it is not true any more.
    pub(super) decoded: bool,
}

impl<'r> Response<'r> {
    pub(super) fn new(
        message: MessageView<'r>,
        status: u16,
        url: &'r str,
        connection: &'r Connection<'r>,
    ) -> Self {
        Self { message, status, url, connection, decoded: false }
    }

    /// Notes whether the body was decoded.
    pub(super) fn decoded(self, decoded: bool) -> Self {
        Self { decoded, ..self }
    }

    /// The status: 200 to 999, or 101 for a connection that is [upgraded](super::RequestBuilder::upgrade).
    #[doc(alias = "mg_http_status")]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// What the server says of the status, for people: `Not Found`. Empty when it says nothing or not in ASCII.
    pub fn reason(&self) -> &'r str {
        // Where C keeps it.
        self.message.protocol()
    }

    /// `HTTP/1.1` or `HTTP/1.0`.
    pub fn protocol(&self) -> &'r str {
        self.message.method()
    }

    /// The URL that answered, without credentials and fragment: the last one of redirects that were followed.
    pub fn url(&self) -> &'r str {
        self.url
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

    /// The whole body, a chunked one decoded. Empty where there is none, and for a body that is taken in pieces.
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

    /// Status line and headers, as sent.
    pub fn head(&self) -> &'r [u8] {
        self.message.head()
    }

    /// A copy to keep.
    pub fn to_buf(self) -> ResponseBuf {
        ResponseBuf::copy(self)
    }

    /// The connection it came on. It may carry another request next: nothing should be sent on it, unless it is
    /// [upgraded](super::RequestBuilder::upgrade).
    pub fn connection(&self) -> &'r Connection<'r> {
        self.connection
    }

    /// The C struct, for calls through [`mongoose::sys`](crate::sys). Valid while the response is. Changing it is not
    /// sound: what the response answers is read from there.
    pub fn as_raw(&self) -> *mut sys::mg_http_message {
        self.message.as_ptr()
    }
}

impl fmt::Debug for Response<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("url", &self.url)
            .field("headers", &self.headers())
            .field("body", &self.body().len())
            .finish_non_exhaustive()
    }
}
