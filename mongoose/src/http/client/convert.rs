//! The client's requests and responses as the types of the `http` crate (feature `http`).

use ::http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, EXPECT, HeaderName, HeaderValue, TRANSFER_ENCODING,
};
use ::http::{HeaderMap, Version};

use super::{Blocking, Client, RequestBuilder, Response, ResponseBuf};
#[cfg(all(feature = "tokio", target_os = "linux", not(mongoose_portable)))]
use super::{HttpClient, StreamedResponse};
use crate::{Error, Payload};

impl Client {
    /// A request as the `http` crate has it, with an absolute URI. What frames the message is done here: of `Connection`
    /// only `close` is taken, `Transfer-Encoding` is not, and `Content-Length` has to be right. `Upgrade` is an error, like
    /// other [headers](RequestBuilder::header) that have a method of their own. The version is not looked at.
    ///
    /// ```
    /// # let manager = mongoose::Manager::new()?;
    /// use mongoose::{Error, http::{Client, Response}};
    ///
    /// let request = http::Request::post("http://127.0.0.1:1/notes").header("X-Note", "7").body("a note");
    /// let pending = Client::new(&manager).request_from(request.map_err(Error::handler)?).send(
    ///     |result: Result<Response<'_>, Error>| match result.and_then(|response| response.to_http()) {
    ///         Ok(response) => println!("{} with {} headers", response.status(), response.headers().len()),
    ///         Err(error) => eprintln!("{error}"),
    ///     },
    /// )?;
    /// # Ok::<(), Error>(())
    /// ```
    pub fn request_from<B: Into<Payload<'static>>>(
        &self,
        request: ::http::Request<B>,
    ) -> RequestBuilder<Self> {
        let builder = |method: &str, url: &str| self.request(method, url);
        take_over(builder, request)
    }
}

#[cfg(all(feature = "tokio", target_os = "linux", not(mongoose_portable)))]
impl HttpClient {
    /// A request as the `http` crate has it: see [`Client::request_from`].
    pub fn request_from<B: Into<Payload<'static>>>(
        &self,
        request: ::http::Request<B>,
    ) -> RequestBuilder<Self> {
        take_over(|method, url| self.request(method, url), request)
    }
}

/// A blocking request as the `http` crate has it: see [`Client::request_from`].
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let request = http::Request::put("http://127.0.0.1:8000/notes/7").body("a note")?;
/// let response: http::Response<Vec<u8>> = mongoose::http::request_from(request).send()?.try_into()?;
/// # Ok(())
/// # }
/// ```
pub fn request_from<B: Into<Payload<'static>>>(request: ::http::Request<B>) -> RequestBuilder<Blocking> {
    take_over(super::request, request)
}

fn take_over<V, B: Into<Payload<'static>>>(
    begin: impl FnOnce(&str, &str) -> RequestBuilder<V>,
    request: ::http::Request<B>,
) -> RequestBuilder<V> {
    let (parts, body) = request.into_parts();
    let body = body.into();
    let url = parts.uri.to_string();
    let mut builder = begin(parts.method.as_str(), &url);
    // Some versions of that crate write such a path right behind the host, and it would be a part of that.
    if !parts.uri.path().is_empty() && !parts.uri.path().starts_with('/') {
        builder.error = Some(Error::Url { url, reason: "a path that does not begin with /" });
    }
    for (name, value) in &parts.headers {
        if name == CONTENT_LENGTH {
            let length = value.to_str().ok().and_then(|length| length.parse().ok());
            if length != Some(body.len()) {
                builder = builder.failed(Error::Body("it is not as long as it was said to be"));
            }
        } else if name == CONNECTION {
            let mut options = value.as_bytes().split(|&byte| byte == b',');
            if options.any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close")) {
                builder = builder.close();
            }
        } else if name == EXPECT && value.as_bytes().eq_ignore_ascii_case(b"100-continue") {
            builder = builder.expect_continue();
        } else if name != TRANSFER_ENCODING {
            builder = builder.header(name.as_str(), value);
        }
    }
    if body.is_empty() { builder } else { builder.body(body) }
}

impl<'r> Response<'r> {
    /// The response as the `http` crate has it, its body still a view. [`TryFrom`] gives the same, and one whose body is
    /// a copy. Of a body that came compressed and was decoded, `Content-Encoding` and `Content-Length` are left out.
    ///
    /// # Errors
    /// [`Error::Convert`] where that crate is stricter about headers.
    pub fn to_http(self) -> Result<::http::Response<&'r [u8]>, Error> {
        let version = if self.protocol() == "HTTP/1.0" { Version::HTTP_10 } else { Version::HTTP_11 };
        let headers = self.headers();
        let headers = headers.iter().map(|(name, value)| (name, value.as_bytes()));
        let mut response =
            convert(self.status(), self.decoded, headers, self.body()).map_err(Error::Convert)?;
        *response.version_mut() = version;
        Ok(response)
    }
}

fn convert<'h, B>(
    status: u16,
    decoded: bool,
    headers: impl Iterator<Item = (&'h str, &'h [u8])>,
    body: B,
) -> Result<::http::Response<B>, ::http::Error> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes())?;
        // They are about the body as it came.
        if !decoded || (name != CONTENT_ENCODING && name != CONTENT_LENGTH) {
            map.try_append(name, HeaderValue::from_bytes(value)?)?;
        }
    }
    let mut response = ::http::Response::new(body);
    *response.status_mut() = ::http::StatusCode::from_u16(status)?;
    *response.headers_mut() = map;
    Ok(response)
}

impl<'r> TryFrom<Response<'r>> for ::http::Response<&'r [u8]> {
    type Error = Error;

    fn try_from(response: Response<'r>) -> Result<Self, Error> {
        response.to_http()
    }
}

impl TryFrom<Response<'_>> for ::http::Response<Vec<u8>> {
    type Error = Error;

    fn try_from(response: Response<'_>) -> Result<Self, Error> {
        Ok(response.to_http()?.map(<[u8]>::to_vec))
    }
}

/// Its body goes on coming.
#[cfg(all(feature = "tokio", target_os = "linux", not(mongoose_portable)))]
impl TryFrom<StreamedResponse> for ::http::Response<StreamedResponse> {
    type Error = Error;

    fn try_from(response: StreamedResponse) -> Result<Self, Error> {
        let headers = response.head().headers().map(|(name, value)| (name, value.as_bytes()));
        let head = convert(response.head().status(), response.head().decoded, headers, ())
            .map_err(Error::Convert)?;
        Ok(head.map(|()| response))
    }
}

/// The body is not copied.
impl TryFrom<ResponseBuf> for ::http::Response<Vec<u8>> {
    type Error = Error;

    fn try_from(response: ResponseBuf) -> Result<Self, Error> {
        let headers = response.headers().map(|(name, value)| (name, value.as_bytes()));
        let head = convert(response.status(), response.decoded, headers, ()).map_err(Error::Convert)?;
        Ok(head.map(|()| response.into_body()))
    }
}
