//! The handler of an HTTP server.

use super::{BodyMode, Reply, Request};
use crate::{Connection, Error, Event};

/// Answers requests. Any `FnMut(Request<'_>, Reply<'_>) -> Result<(), Error>` is one; closures name the two types.
///
/// ```
/// use mongoose::{Connection, Error, Event, http};
///
/// struct Counter {
///     requests: u64,
/// }
///
/// impl http::Handler for Counter {
///     fn request(&mut self, _: http::Request<'_>, reply: http::Reply<'_>) -> Result<(), Error> {
///         self.requests += 1;
///         reply.text(format!("request {}", self.requests))
///     }
/// }
///
/// let manager = mongoose::Manager::new()?;
/// // One counter for each connection.
/// manager.http_each("http://127.0.0.1:0", || Counter { requests: 0 })?;
/// # Ok::<(), Error>(())
/// ```
pub trait Handler: 'static {
    /// Answers one request. A reply that is neither sent nor deferred when this returns is 500.
    ///
    /// # Errors
    /// Whatever should be told to [`event`](Self::event) as [`Event::Error`]. If the peer got nothing yet, it gets the
    /// status of an [`Error::Refused`]; 400, 413 or 415 for a request that is not what was asked of it
    /// ([`Error::Decode`], [`Multipart`](Error::Multipart), [`FormLimit`](Error::FormLimit),
    /// [`MediaType`](Error::MediaType)); else 500.
    #[doc(alias = "MG_EV_HTTP_MSG")]
    fn request(&mut self, request: Request<'_>, reply: Reply<'_>) -> Result<(), Error>;

    /// Chooses how the body of a request reaches [`request`](Self::request), once its head is there. Of the body the
    /// request shows at most what came with it. Not called for a request without one. [`BodyMode::Buffered`] by default.
    fn body_mode(&mut self, request: &Request<'_>) -> BodyMode {
        let _ = request;
        BodyMode::Buffered
    }

    /// Takes note of what else happens: accepted, request refused by the gate ([`Error::Refused`]), closed, and so on.
    /// Does nothing by default.
    fn event(&mut self, connection: &Connection<'_>, event: Event<'_>) {
        let _ = (connection, event);
    }
}

impl<F> Handler for F
where
    F: FnMut(Request<'_>, Reply<'_>) -> Result<(), Error> + 'static,
{
    fn request(&mut self, request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        self(request, reply)
    }
}
