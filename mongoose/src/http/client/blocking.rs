//! Requests without a loop.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::str::Utf8Error;
use std::time::Duration;

use super::destination::Trust;
use super::{Client, RequestBuilder, Response};
use crate::engine::Payload;
use crate::http::HeaderValue;
use crate::{Error, Manager};

/// How long a blocking request may take unless said otherwise.
const WHOLE: Duration = Duration::from_secs(300);

/// Sends a GET and waits for the response.
///
/// It runs a [`Manager`] of its own for that long, at most five minutes: on a loop, use a [`Client`], which keeps
/// connections and blocks nobody.
///
/// An `https` URL is asked over TLS: whom the system trusts is believed to be its host
/// (`tls::ClientConfig::system_roots`), unless [the request](request) says otherwise by `tls`.
///
/// ```no_run
/// let response = mongoose::http::get("http://example.com/")?;
/// println!("{}: {} bytes", response.status(), response.body().len());
/// # Ok::<(), mongoose::Error>(())
/// ```
///
/// # Errors
/// What cannot be sent, as [`RequestBuilder::send`], and everything that may go wrong until the response is whole. A
/// status such as 404 is none: see [`ResponseBuf::is_success`].
pub fn get(url: &str) -> Result<ResponseBuf, Error> {
    request("GET", url).send()
}

/// Sends a HEAD and waits for the response, as [`get`].
///
/// # Errors
/// As [`get`].
pub fn head(url: &str) -> Result<ResponseBuf, Error> {
    request("HEAD", url).send()
}

/// Sends a POST and waits for the response, as [`get`].
///
/// # Errors
/// As [`get`].
pub fn post(url: &str, body: impl Into<Payload<'static>>) -> Result<ResponseBuf, Error> {
    request("POST", url).body(body).send()
}

/// Sends a PUT and waits for the response, as [`get`].
///
/// # Errors
/// As [`get`].
pub fn put(url: &str, body: impl Into<Payload<'static>>) -> Result<ResponseBuf, Error> {
    request("PUT", url).body(body).send()
}

/// Sends a DELETE and waits for the response, as [`get`].
///
/// # Errors
/// As [`get`].
pub fn delete(url: &str) -> Result<ResponseBuf, Error> {
    request("DELETE", url).send()
}

/// A request that [`send`](RequestBuilder::send) waits for.
///
/// ```
/// # use mongoose::{Error, Manager, http};
/// # let (tell, told) = std::sync::mpsc::channel();
/// # let server = std::thread::spawn(move || {
/// #     let mut manager = Manager::new()?;
/// #     let listener = manager.http("http://127.0.0.1:0", |request: http::Request<'_>, reply: http::Reply<'_>| {
/// #         reply.body(request.body())
/// #     })?;
/// #     tell.send((listener.local_addr(), manager.handle())).expect("somebody waits");
/// #     manager.run()
/// # });
/// # let (address, handle) = told.recv().expect("an address");
/// # let url = &format!("http://{address}/");
/// use std::time::Duration;
///
/// let response = http::request("PUT", url)
///     .header("Content-Type", "text/plain")
///     .body("hello")
///     .timeout(Duration::from_secs(10))
///     .send()?;
/// assert_eq!((response.status(), response.body_str()), (200, Ok("hello")));
/// # handle.stop();
/// # server.join().expect("no panic")?;
/// # Ok::<(), Error>(())
/// ```
pub fn request(method: &str, url: &str) -> RequestBuilder<Blocking> {
    RequestBuilder::new(Blocking(()), method, url, Trust::system()).timeout(WHOLE).close()
}

/// Says of a [`RequestBuilder`] that its `send` waits: see [`request`].
#[derive(Debug)]
pub struct Blocking(());

impl RequestBuilder<Blocking> {
    /// Sends the request and waits for the response. The thread must not be a loop's: that would stand still.
    ///
    /// # Errors
    /// As [`get`].
    pub fn send(self) -> Result<ResponseBuf, Error> {
        let mut manager = Manager::new()?;
        let client = Client::new(&manager);
        let answer = Rc::new(RefCell::new(None));
        let slot = Rc::clone(&answer);
        let (_, request) = self.via(client);
        request.send(move |result: Result<Response<'_>, Error>| {
            *slot.borrow_mut() = Some(result.map(|response| response.to_buf()));
        })?;
        loop {
            if let Some(result) = answer.borrow_mut().take() {
                return result;
            }
            manager.poll(None)?;
        }
    }
}

/// A response to keep: what [`Response::to_buf`] and the blocking requests give.
#[derive(Clone, PartialEq, Eq)]
pub struct ResponseBuf {
    status: u16,
    reason: String,
    url: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    /// As of a [`Response`].
    pub(super) decoded: bool,
}

impl ResponseBuf {
    pub(super) fn copy(response: Response<'_>) -> Self {
        let headers = response.headers();
        Self {
            status: response.status(),
            reason: response.reason().to_owned(),
            url: response.url().to_owned(),
            headers: headers
                .iter()
                .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
                .collect(),
            body: response.body().to_vec(),
            decoded: response.decoded,
        }
    }

    /// The status: 200 to 999.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// What the server says of the status, for people.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The URL that answered: see [`Response::url`].
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The first header of a name, compared without regard to case.
    pub fn header(&self, name: &str) -> Option<HeaderValue<'_>> {
        self.headers().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// All headers in the order they came: name and value.
    pub fn headers(&self) -> impl Iterator<Item = (&str, HeaderValue<'_>)> {
        self.headers.iter().map(|(name, bytes)| (name.as_str(), HeaderValue { bytes }))
    }

    /// The whole body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body as text.
    ///
    /// # Errors
    /// When it is not UTF-8.
    pub fn body_str(&self) -> Result<&str, Utf8Error> {
        std::str::from_utf8(&self.body)
    }

    /// The body, without a copy.
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }
}

impl fmt::Debug for ResponseBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBuf")
            .field("status", &self.status)
            .field("url", &self.url)
            .field("body", &self.body.len())
            .finish_non_exhaustive()
    }
}
