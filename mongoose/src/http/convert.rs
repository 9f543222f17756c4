//! Requests and replies as the types of the `http` crate (feature `http`).

use ::http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use ::http::response::Parts;
use ::http::{Response, StatusCode, Version};

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
        let version = if self.protocol() == "HTTP/1.0" { Version::HTTP_10 } else { Version::HTTP_11 };
        let builder = ::http::Request::builder().method(self.method()).uri(self.target()).version(version);
        let headers = self.headers();
        let builder =
            headers.iter().fold(builder, |builder, (name, value)| builder.header(name, value.as_bytes()));
        builder.body(self.body()).map_err(Error::Convert)
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
            } else if name != TRANSFER_ENCODING {
                self = self.header(name.as_str(), value);
            }
        }
        Ok(self)
    }
}
