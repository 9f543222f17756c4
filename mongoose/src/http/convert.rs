//! Requests and replies as the types of the `http` crate (feature `http`).

use ::http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE,
};
use ::http::response::Parts;
use ::http::{HeaderMap, Method, Response, StatusCode, Uri, Version};

use super::reply::HEADERS_ROOM;
use super::{Reply, Request};
use crate::{Error, Payload};

impl<'r> Request<'r> {
    /// The request as the `http` crate has it, its body still a view. [`TryFrom`] gives the same, and one whose body is
    /// a copy.
    ///
    /// ```
    /// # let manager = mongoose::Manager::new()?;
    /// use mongoose::http::{Reply, Request};
    ///
    /// manager.http("http://127.0.0.1:0", |request: Request<'_>, reply: Reply<'_>| {
    ///     let request: http::Request<&[u8]> = request.to_http()?;
    ///     reply.respond(http::Response::new(format!("{} of {}", request.method(), request.uri())))
    /// })?;
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Convert`] where that crate is stricter: it takes no target of more than 65,534 bytes, and not all
    /// characters in one.
    pub fn to_http(self) -> Result<::http::Request<&'r [u8]>, Error> {
        let convert = || {
            let uri = Uri::try_from(self.target())?;
            self.convert(uri, |value| Ok(HeaderValue::from_bytes(value)?), self.body())
        };
        convert().map_err(Error::Convert)
    }

    /// Takes over all but the body. `value` makes the headers' values.
    pub(crate) fn convert<B>(
        &self,
        uri: Uri,
        value: impl Fn(&'r [u8]) -> Result<HeaderValue, ::http::Error>,
        body: B,
    ) -> Result<::http::Request<B>, ::http::Error> {
        let headers = self.headers();
        let mut request = ::http::Request::new(body);
        *request.method_mut() = Method::from_bytes(self.method().as_bytes())?;
        *request.uri_mut() = uri;
        if self.protocol() == "HTTP/1.0" {
            *request.version_mut() = Version::HTTP_10;
        }
        let mut map = HeaderMap::try_with_capacity(headers.len())?;
        for (name, bytes) in headers.iter() {
            map.try_append(HeaderName::from_bytes(name.as_bytes())?, value(bytes.as_bytes())?)?;
        }
        *request.headers_mut() = map;
        Ok(request)
    }
}

impl<'r> TryFrom<Request<'r>> for ::http::Request<&'r [u8]> {
    type Error = Error;

    fn try_from(request: Request<'r>) -> Result<Self, Error> {
        request.to_http()
    }
}

impl TryFrom<Request<'_>> for ::http::Request<Vec<u8>> {
    type Error = Error;

    fn try_from(request: Request<'_>) -> Result<Self, Error> {
        Ok(request.to_http()?.map(<[u8]>::to_vec))
    }
}

impl Reply<'_> {
    /// Sends a response of the `http` crate: status, all headers, body. Headers of this reply go before its own.
    ///
    /// What frames the message is done here: of `Connection` only `close` is taken, `Transfer-Encoding` is not, and
    /// `Content-Length` has to be right (to HEAD it may stand for a body that is not there). The version is not looked
    /// at.
    ///
    /// # Errors
    /// As [`text`](Self::text); [`Error::Body`] when it is not as long as it says; [`Error::Status`] for 1xx.
    pub fn respond<'b, B: Into<Payload<'b>>>(self, response: Response<B>) -> Result<(), Error> {
        let (parts, body) = response.into_parts();
        self.with_parts(&parts)?.body(body)
    }

    /// Takes over status and headers.
    pub(crate) fn with_parts(mut self, parts: &Parts) -> Result<Self, Error> {
        self = self.status(parts.status.as_u16());
        for (name, value) in &parts.headers {
            if name == CONTENT_LENGTH {
                let length = value.to_str().ok().and_then(|length| length.parse().ok());
                let length = length.ok_or(Error::Body("its Content-Length is not a number"))?;
                // Of these it is the length that another status would have had.
                if !matches!(parts.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
                    self = self.length(length);
                }
            } else if name == CONNECTION {
                let mut options = value.as_bytes().split(|&byte| byte == b',');
                if options.any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close")) {
                    self = self.close();
                }
            } else if name == UPGRADE {
                self = self.header(name.as_str(), value);
            } else if name != TRANSFER_ENCODING {
                self.add_valid(name, value);
            }
        }
        Ok(self)
    }

    /// Adds a header that does not frame the message. By their types name and value are what
    /// [`header`](Self::header) checks: a token, and bytes without control characters.
    fn add_valid(&mut self, name: &HeaderName, value: &HeaderValue) {
        if self.headers.capacity() == 0 {
            self.headers = Vec::with_capacity(HEADERS_ROOM);
        }
        self.has_date |= name == DATE;
        self.has_type |= name == CONTENT_TYPE;
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            self.headers.extend_from_slice(part);
        }
    }
}
