//! The client's side: requests on the loop, over connections that are kept.

mod blocking;
mod builder;
#[cfg(feature = "http")]
mod convert;
mod destination;
mod exchange;
mod gzip;
#[cfg(feature = "serde")]
mod json;
mod line;
mod link;
mod outbound;
mod pool;
mod receiving;
mod redirect;
#[cfg(all(feature = "tokio", target_os = "linux", not(mongoose_portable)))]
mod remote;
mod response;
mod url;

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

pub use blocking::{Blocking, ResponseBuf, delete, get, head, post, put, request};
pub use builder::RequestBuilder;
#[cfg(feature = "http")]
pub use convert::request_from;
#[cfg(feature = "tls-rustls")]
pub(crate) use destination::system_config;
pub use exchange::{Download, Pending};
#[cfg(all(feature = "tokio", target_os = "linux", not(mongoose_portable)))]
pub use remote::{HttpClient, StreamedResponse};
pub use response::Response;
#[cfg(feature = "fuzzing")]
pub(crate) use url::Url;

use crate::engine::Dialer;
use crate::ffi::HttpMessage;
use crate::{Error, Limits, Registry};
use destination::{Destination, Trust};
use exchange::Exchange;
use line::Line;
use link::Link;
use pool::Pool;

/// Makes HTTP requests on a manager's loop. Clones share their idle connections.
///
/// The handler of a request is called on the loop, once, with a [`Response`] that views the receive buffer, or with what
/// went wrong. [`RequestBuilder::receive`] takes a body in pieces instead, of any length. For a program without a loop
/// there is [`http::get`](crate::http::get) and friends.
///
/// ```
/// use mongoose::{Error, Manager, http};
///
/// let mut manager = Manager::new()?;
/// let server = manager.http("http://127.0.0.1:0", |_: http::Request<'_>, reply: http::Reply<'_>| {
///     reply.text("hello")
/// })?;
///
/// let client = http::Client::new(&manager);
/// let handle = manager.handle();
/// client.get(&format!("http://{}/", server.local_addr())).send(
///     move |result: Result<http::Response<'_>, Error>| {
///         let response = result.expect("an answer");
///         assert_eq!((response.status(), response.body()), (200, &b"hello"[..]));
///         handle.stop();
///     },
/// )?;
/// manager.run()?;
/// # Ok::<(), Error>(())
/// ```
///
/// # Limits
///
/// Of [`Limits`], a client has these by default:
///
/// | limit | of a response | default |
/// |---|---|---|
/// | `head`, `headers` | bytes of its head, headers in it | 65,536 and 128 |
/// | `body` | bytes of its body, unless that is taken in pieces | 3,145,728 |
/// | `connect_time` | until the connection is there, lookup and TLS included | 30 s |
/// | `handshake_time` | of that, for TLS | 10 s |
/// | `head_time` | until its head is there, once the request is sent | 30 s |
/// | `body_time` | for which no byte of its body comes | 30 s |
/// | `write_time` | for which no byte of the request leaves | 60 s |
/// | `idle_time` | for which a connection is kept without a request | 75 s |
///
/// [`RequestBuilder::timeout`] bounds the whole. Past a limit the handler gets [`Error::Deadline`] or
/// [`Error::Response`] (past `connect_time`, [`Error::Connect`] or [`Error::Resolve`]), and the connection is closed.
///
/// # Connections
///
/// A connection that a response leaves usable is kept, 32 of them for one host and port (and TLS configuration) and 128
/// in all ([`with_pool`](Self::with_pool)). Requests are never pipelined: one that finds no idle connection gets a new one. The
/// server may close an idle connection just when it is used again: where no byte of a response came, a request whose
/// method is idempotent is sent once more, on another connection.
#[derive(Clone)]
#[doc(alias = "mg_http_connect")]
pub struct Client {
    shared: Rc<Shared>,
    /// Whom requests believe that say nothing else.
    trust: Trust,
}

/// What a client's requests and connections share.
struct Shared {
    dialer: Dialer,
    limits: Rc<Limits>,
    /// Handlers never nest, so one message serves all (invariant 5).
    message: RefCell<HttpMessage>,
    pool: RefCell<Pool>,
}

impl Client {
    /// A client on a manager's loop, within default [`Limits`].
    pub fn new(registry: &Registry) -> Self {
        Self::within(registry, Limits::default())
    }

    /// A client whose requests and responses are within limits of choice.
    pub fn within(registry: &Registry, limits: Limits) -> Self {
        let shared = Shared {
            dialer: Dialer::new(registry),
            limits: Rc::new(limits),
            message: RefCell::new(HttpMessage::new()),
            pool: RefCell::new(Pool::new(32, 128)),
        };
        Self { shared: Rc::new(shared), trust: Trust::Nobody }
    }

    /// Asks `https` URLs by a configuration, unless a request [has its own](RequestBuilder::tls). Without it they are an
    /// error, and redirects to them too.
    ///
    /// ```no_run
    /// use mongoose::{Error, Manager, http, tls};
    ///
    /// let mut manager = Manager::new()?;
    /// let client = http::Client::new(&manager).with_tls(tls::ClientConfig::system_roots().build()?);
    /// client.get("https://example.com/").send(|result: Result<http::Response<'_>, Error>| match result {
    ///     Ok(response) => println!("{}", response.status()),
    ///     Err(error) => eprintln!("{error}"),
    /// })?;
    /// # Ok::<(), Error>(())
    /// ```
    #[cfg(feature = "_tls")]
    #[doc(alias = "mg_tls_init")]
    pub fn with_tls(mut self, config: crate::tls::ClientConfig) -> Self {
        self.trust = Trust::Config(config);
        self
    }

    /// Keeps at most so many idle connections to one host and port, and so many in all. Of more, the oldest are closed.
    pub fn with_pool(self, per_host: usize, in_all: usize) -> Self {
        self.shared.pool.borrow_mut().resize(per_host, in_all);
        self
    }

    /// How many connections are kept idle.
    pub fn idle_connections(&self) -> usize {
        self.shared.pool.borrow().len()
    }

    /// A request with GET.
    pub fn get(&self, url: &str) -> RequestBuilder<Self> {
        self.request("GET", url)
    }

    /// A request with POST.
    pub fn post(&self, url: &str) -> RequestBuilder<Self> {
        self.request("POST", url)
    }

    /// A request with a method of choice. What is wrong with it or the URL is said when it is sent.
    pub fn request(&self, method: &str, url: &str) -> RequestBuilder<Self> {
        RequestBuilder::new(self.clone(), method, url, self.trust.clone())
    }

    fn start(&self, exchange: Box<Exchange>) -> Result<Pending, Error> {
        let pending = Pending::new(&exchange, &self.shared.dialer);
        self.shared.start(exchange).map_err(|(error, _unsent)| error)?;
        Ok(pending)
    }
}

impl Shared {
    /// Gives an exchange to an idle connection, or to a new one. What could not be begun is given back.
    fn start(self: &Rc<Self>, exchange: Box<Exchange>) -> Result<(), (Error, Box<Exchange>)> {
        let destination = match Destination::new(&exchange.request.url, &exchange.request.trust) {
            Ok(destination) => destination,
            Err(error) => return Err((error, exchange)),
        };
        loop {
            let idle = self.pool.borrow_mut().take(&destination);
            let Some(line) = idle else { break };
            if line.id().is_some_and(|id| self.dialer.pull(id)) {
                line.give(exchange);
                return Ok(());
            }
        }
        let url = &exchange.request.url;
        let secure = match destination.target() {
            Ok(secure) => secure,
            Err(reason) => return Err((Error::Url { url: url.as_str().to_owned(), reason }, exchange)),
        };
        let line = Rc::new(Line::new(destination));
        let limits = &exchange.request.limits;
        let within = limits.connect_time.min(exchange.time_left().unwrap_or(Duration::MAX));
        // A body that waits to be sent, however large, is no reason not to hear why the server does not read it.
        let of_connection = Rc::new(Limits { output: usize::MAX, ..Limits::clone(limits) });
        let link = Link::boxed(self, &line);
        let begun = self.dialer.connect(url.as_str(), url.endpoint(), secure, of_connection, within, link);
        match begun {
            Ok(id) => {
                line.begin(id, exchange);
                Ok(())
            }
            Err(error) => Err((error, exchange)),
        }
    }

    /// As [`start`](Self::start), and tells the exchange where that fails.
    fn start_or_fail(self: &Rc<Self>, exchange: Box<Exchange>) {
        if let Err((error, exchange)) = self.start(exchange) {
            exchange.fail(error);
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("idle", &self.idle_connections()).finish_non_exhaustive()
    }
}
