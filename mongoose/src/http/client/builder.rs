//! Composing a request.

use std::borrow::Cow;
use std::fmt;
use std::io::Read;
use std::rc::Rc;
use std::time::Duration;

use super::destination::Trust;
use super::exchange::{Exchange, Receiver};
use super::outbound::{Body, Outbound, has_header, is_idempotent};
use super::url::Url;
use super::{Client, Download, Pending, Response};
use crate::engine::{BodySource, Payload, ReaderSource};
use crate::http::reply_head::{is_token, write_header};
use crate::{Error, Limits};

/// How many redirects are followed unless said otherwise.
const REDIRECTS: usize = 10;

/// A request to be: set what it has, then [`send`](Self::send) it, or have its response's body
/// [taken in pieces](Self::receive).
///
/// What cannot be sent (a malformed URL, a method or a header that would break the request) is an error of that last
/// call, and nothing is sent. `Host`, `User-Agent` and what frames the message are added.
#[must_use = "nothing is sent before `send` or `receive`"]
pub struct RequestBuilder<V> {
    via: V,
    method: Cow<'static, str>,
    /// `None`: `error` says why.
    url: Option<Url>,
    headers: Vec<u8>,
    host: Option<Vec<u8>>,
    pub(super) body: Body,
    /// What it is, unless a header says so.
    pub(super) content_type: Option<&'static str>,
    expect_continue: bool,
    close: bool,
    gzip: bool,
    upgrade: bool,
    redirects: usize,
    timeout: Option<Duration>,
    /// `None`: the client's.
    limits: Option<Box<Limits>>,
    trust: Trust,
    /// It is for this request alone: a plain URL is a mistake.
    trust_given: bool,
    /// What was wrong with the URL or a header: said at the end.
    pub(super) error: Option<Error>,
}

impl<V> RequestBuilder<V> {
    pub(super) fn new(via: V, method: &str, url: &str, trust: Trust) -> Self {
        let method = match method {
            "GET" => Cow::Borrowed("GET"),
            "POST" => Cow::Borrowed("POST"),
            other => Cow::Owned(other.to_owned()),
        };
        let (url, error) = match Url::parse(url) {
            Ok(url) => (Some(url), None),
            Err(error) => (None, Some(error)),
        };
        Self {
            via,
            method,
            url,
            headers: Vec::new(),
            host: None,
            body: Body::Empty,
            content_type: None,
            expect_continue: false,
            close: false,
            gzip: false,
            upgrade: false,
            redirects: REDIRECTS,
            timeout: None,
            limits: None,
            trust,
            trust_given: false,
            error,
        }
    }

    /// Adds a header. `Host` replaces the URL's. One that would break the request (a name that is no token, CR, LF or NUL
    /// in the value, or one that frames the message) is an error at the end.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let value = value.as_ref();
        let checked = if ["expect", "upgrade"].iter().any(|ours| name.eq_ignore_ascii_case(ours)) {
            Err(Error::Header { name: name.to_owned(), reason: "the request has a method for it" })
        } else if name.eq_ignore_ascii_case("host") {
            let mut line = Vec::new();
            write_header(&mut line, name, value).map(|()| self.host = Some(value.to_vec()))
        } else {
            write_header(&mut self.headers, name, value)
        };
        if let Err(error) = checked {
            self.error.get_or_insert(error);
        }
        self
    }

    /// Sends a body, with its length. Set its `Content-Type` too.
    pub fn body(mut self, body: impl Into<Payload<'static>>) -> Self {
        self.body = Body::Whole(body.into());
        self.content_type = None;
        self
    }

    /// Sends a body that is made while it is sent: chunked, unless its [`length`](Self::length) is announced. It cannot
    /// be sent twice, so neither a redirect that asks for it nor a retry is possible. [`http::channel`](crate::http::channel)
    /// makes one that any thread writes.
    pub fn stream(mut self, source: impl BodySource) -> Self {
        let length = match self.body {
            Body::Streamed { length, .. } => length,
            _ => None,
        };
        self.body = Body::Streamed { source: Some(Box::new(source)), length };
        self.content_type = None;
        self
    }

    /// Sends what a reader gives, as [`stream`](Self::stream). It is read on the loop, and must not block for long.
    pub fn reader(self, reader: impl Read + Send + 'static) -> Self {
        self.stream(ReaderSource(reader))
    }

    /// Announces how many bytes a streamed body has. If it turns out to have another number, the request fails.
    pub fn length(mut self, bytes: u64) -> Self {
        match &mut self.body {
            Body::Streamed { length, .. } => *length = Some(bytes),
            _ => self.body = Body::Streamed { source: None, length: Some(bytes) },
        }
        self
    }

    /// Sends the body once the server says that it wants it, or after a second without an answer (RFC 9110 section
    /// 10.1.1). A server that does not want it answers at once.
    pub fn expect_continue(mut self) -> Self {
        self.expect_continue = true;
        self
    }

    /// Closes the connection after the response.
    pub fn close(mut self) -> Self {
        self.close = true;
        self
    }

    /// Asks for a body that is compressed, and decodes it. [`Limits::body`] bounds what it becomes; of the headers,
    /// `Content-Encoding` and `Content-Length` stay what they were.
    #[cfg(feature = "gzip")]
    pub fn gzip(mut self) -> Self {
        self.gzip = true;
        self
    }

    /// Bounds the time until the response is whole, redirects included. Default: unbounded for a [`Client`], five minutes
    /// for a blocking request. [`Limits`] bound each step in any case.
    pub fn timeout(mut self, whole: Duration) -> Self {
        self.timeout = Some(whole);
        self
    }

    /// Follows that many redirects at most: one more is [`Error::Redirect`], and so is one that leads from `https` to
    /// `http`. 0: none is followed, and a redirect is a response like others. Default: 10.
    ///
    /// 303 becomes GET, as 301 and 302 make of POST; all else keeps method and body. Another host gets neither
    /// `Authorization` nor `Cookie`.
    pub fn redirects(mut self, most: usize) -> Self {
        self.redirects = most;
        self
    }

    /// Sets limits for this request alone: see [`Client`].
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Some(Box::new(limits));
        self
    }

    /// Says who is to be believed to be the host of the URL, which has to be `https`. Redirects to other `https` hosts
    /// are followed by it too, but without the client's certificate and without a server's name of choice. Connections
    /// that were made by another configuration are not used.
    #[cfg(feature = "_tls")]
    #[doc(alias = "mg_tls_init")]
    pub fn tls(mut self, config: crate::tls::ClientConfig) -> Self {
        self.trust = Trust::Config(config);
        self.trust_given = true;
        self
    }

    /// Has this be said at the end, unless something else was wrong before.
    #[cfg(any(feature = "http", feature = "serde"))]
    pub(super) fn failed(mut self, error: Error) -> Self {
        self.error.get_or_insert(error);
        self
    }

    /// Has it sent another way, and answers the way it had.
    pub(super) fn via<W>(self, via: W) -> (V, RequestBuilder<W>) {
        let Self { via: before, method, url, headers, host, body, .. } = self;
        let Self { content_type, expect_continue, close, gzip, upgrade, redirects, timeout, limits, .. } =
            self;
        let Self { trust, trust_given, error, .. } = self;
        let request = RequestBuilder {
            via,
            method,
            url,
            headers,
            host,
            body,
            content_type,
            expect_continue,
            close,
            gzip,
            upgrade,
            redirects,
            timeout,
            limits,
            trust,
            trust_given,
            error,
        };
        (before, request)
    }
}

impl RequestBuilder<Client> {
    /// Checks everything.
    fn finish(mut self, receiver: Receiver) -> Result<(Client, Box<Exchange>), Error> {
        let url = match (self.url, self.error) {
            (Some(url), None) => url,
            (_, Some(error)) => return Err(error),
            (None, None) => unreachable!("without a URL there is an error"),
        };
        if self.trust_given && !url.is_secure() {
            let reason = "a TLS configuration is for https:// and tls:// URLs";
            return Err(Error::Url { url: url.as_str().to_owned(), reason });
        }
        // What CONNECT asks for is no request, and what answers it no response.
        if self.method.is_empty() || !self.method.bytes().all(is_token) || self.method == "CONNECT" {
            return Err(Error::Method(self.method.into_owned()));
        }
        if let Some(content_type) = self.content_type
            && !has_header(&self.headers, "content-type")
        {
            write_header(&mut self.headers, "Content-Type", content_type.as_bytes())?;
        }
        let body = match self.body {
            Body::Streamed { source: None, .. } => {
                return Err(Error::Body("a length was announced, and no body given"));
            }
            Body::Whole(payload) if self.redirects > 0 || is_idempotent(&self.method) => {
                // It may have to be sent again.
                Body::Whole(payload.into_shared())
            }
            other => other,
        };
        let request = Outbound {
            method: self.method,
            url,
            headers: self.headers,
            host: self.host,
            body,
            expect_continue: self.expect_continue,
            close: self.close,
            gzip: self.gzip,
            upgrade: self.upgrade,
            redirects: (self.redirects > 0).then_some(self.redirects),
            limits: match self.limits {
                Some(limits) => Rc::new(*limits),
                None => Rc::clone(&self.via.shared.limits),
            },
            trust: self.trust,
        };
        Ok((self.via, Exchange::new(request, receiver, self.timeout)))
    }

    /// Asks to speak another protocol on the connection: where the response is 101, its handler gives the
    /// [connection](Response::connection) a [handler](crate::Connection::set_handler) for what follows; otherwise the
    /// connection closes.
    pub fn upgrade(mut self, protocol: &str) -> Self {
        self.upgrade = true;
        if let Err(error) = write_header(&mut self.headers, "Upgrade", protocol.as_bytes()) {
            self.error.get_or_insert(error);
        }
        self
    }

    /// Sends the request. The handler is called once, on the loop: with the whole response, whatever its status, or
    /// with what went wrong. It is never called before this returns.
    ///
    /// # Errors
    /// What cannot be sent: [`Error::Url`] (an `https` one without a configuration of TLS among those),
    /// [`Error::Method`], [`Error::Header`], [`Error::Body`]. While the manager is
    /// dropped [`Error::ShuttingDown`], after that [`Error::Gone`]. The handler is dropped then.
    pub fn send(self, handler: impl FnOnce(Result<Response<'_>, Error>) + 'static) -> Result<Pending, Error> {
        let (client, exchange) = self.finish(Receiver::Whole(Box::new(handler)))?;
        client.start(exchange)
    }

    /// Sends the request, and has the response's body taken in pieces as it comes. [`Limits::body`] does not bound it.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn receive(self, download: impl Download) -> Result<Pending, Error> {
        let (client, exchange) = self.finish(Receiver::Pieces(Box::new(download)))?;
        client.start(exchange)
    }
}

impl<V> fmt::Debug for RequestBuilder<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBuilder")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}
