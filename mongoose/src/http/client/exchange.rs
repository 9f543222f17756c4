//! A request on its way to its response, over as many connections as redirects and retries take.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::Response;
use super::outbound::Outbound;
use crate::engine::{Dialer, trace_error};
use crate::http::request_span::RequestSpan;
use crate::{Connection, ConnectionId, Error};

/// Takes a response's body in pieces, of any length and at constant memory: see
/// [`RequestBuilder::receive`](super::RequestBuilder::receive).
///
/// ```
/// use mongoose::{Connection, Error, Manager, http};
///
/// /// Counts the bytes of a download.
/// struct Counter(u64, mongoose::Handle);
///
/// impl http::Download for Counter {
///     fn data(&mut self, _: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
///         self.0 += piece.len() as u64;
///         Ok(())
///     }
///
///     fn end(&mut self, _: &Connection<'_>) {
///         println!("{} bytes", self.0);
///         self.1.stop();
///     }
///
///     fn failed(&mut self, error: &Error) {
///         eprintln!("{error} after {} bytes", self.0);
///         self.1.stop();
///     }
/// }
///
/// let mut manager = Manager::new()?;
/// let server = manager.http("http://127.0.0.1:0", |_: http::Request<'_>, reply: http::Reply<'_>| {
///     reply.text("x".repeat(100_000))
/// })?;
/// let client = http::Client::new(&manager);
/// client.get(&format!("http://{}/", server.local_addr())).receive(Counter(0, manager.handle()))?;
/// manager.run()?;
/// # Ok::<(), Error>(())
/// ```
pub trait Download: 'static {
    /// The head is there, whatever its status; redirects that are followed are not shown. Does nothing by default.
    ///
    /// # Errors
    /// Whatever makes the rest useless: [`failed`](Self::failed) is told, and the connection closes.
    fn head(&mut self, response: Response<'_>) -> Result<(), Error> {
        let _ = response;
        Ok(())
    }

    /// Takes the next piece, of some 64 KB at most. [`pause`](Connection::pause) stops reading until somebody calls
    /// [`resume`](Connection::resume): what the server sends meanwhile waits with the system.
    ///
    /// # Errors
    /// As [`head`](Self::head).
    fn data(&mut self, connection: &Connection<'_>, piece: &[u8]) -> Result<(), Error>;

    /// The body is whole: the last call. It may come while reading is paused, and ends that.
    fn end(&mut self, connection: &Connection<'_>);

    /// There will be no response, or no rest of it: the last call.
    fn failed(&mut self, error: &Error);
}

/// Who gets the response.
pub(super) enum Receiver {
    Whole(Handler),
    Pieces(Box<dyn Download>),
}

/// Called once, with a response or what went wrong.
pub(super) type Handler = Box<dyn FnOnce(Result<Response<'_>, Error>)>;

/// One request, until its receiver was told of the end.
pub(super) struct Exchange {
    pub(super) request: Outbound,
    pub(super) receiver: Receiver,
    ticket: Rc<Ticket>,
    pub(super) span: RequestSpan,
    /// When the whole has to be over.
    pub(super) until: Option<Instant>,
    /// It was sent once more already.
    pub(super) repeated: bool,
}

/// What an exchange and the user's hold on it share.
#[derive(Debug, Default)]
struct Ticket {
    connection: Cell<Option<ConnectionId>>,
    cancelled: Cell<bool>,
    over: Cell<bool>,
}

impl Exchange {
    pub(super) fn new(request: Outbound, receiver: Receiver, timeout: Option<Duration>) -> Box<Self> {
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let span = RequestSpan::outgoing(&request.method, request.url.as_str());
        Box::new(Self { request, receiver, ticket: Rc::default(), span, until, repeated: false })
    }

    /// What is left of the time for the whole. `None`: any.
    pub(super) fn time_left(&self) -> Option<Duration> {
        self.until.map(|until| until.saturating_duration_since(Instant::now()))
    }

    /// Notes the connection that it is on.
    pub(super) fn ride(&self, connection: ConnectionId) {
        self.ticket.connection.set(Some(connection));
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.ticket.cancelled.get()
    }

    /// Notes that the receiver is being told of the end, whatever it is.
    pub(super) fn finish(&self) {
        self.ticket.over.set(true);
    }

    /// Tells the receiver that there is no response, or no more of it.
    pub(super) fn fail(self, error: Error) {
        self.finish();
        if self.is_cancelled() {
            return;
        }
        self.span.failed();
        self.span.in_scope(|| {
            trace_error(&error);
            match self.receiver {
                Receiver::Whole(handler) => handler(Err(error)),
                Receiver::Pieces(mut download) => download.failed(&error),
            }
        });
    }
}

/// The hold on a request that was sent. Dropping it does nothing.
#[derive(Clone)]
pub struct Pending {
    ticket: Rc<Ticket>,
    dialer: Dialer,
}

impl Pending {
    pub(super) fn new(exchange: &Exchange, dialer: &Dialer) -> Self {
        Self { ticket: Rc::clone(&exchange.ticket), dialer: dialer.clone() }
    }

    /// Gives the request up: its handler is dropped without being called any more, and its connection closed. After the
    /// handler was called it does nothing.
    pub fn cancel(&self) {
        if !self.ticket.over.get() {
            self.ticket.cancelled.set(true);
            if let Some(connection) = self.ticket.connection.get() {
                self.dialer.close(connection);
            }
        }
    }

    /// Whether the response, or the end of it, is still to come.
    pub fn is_active(&self) -> bool {
        !self.ticket.over.get() && !self.ticket.cancelled.get()
    }

    /// The connection that the request is on now: redirects and retries may take it to another.
    pub fn connection_id(&self) -> Option<ConnectionId> {
        self.ticket.connection.get()
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("request", &self.request).finish_non_exhaustive()
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("active", &self.is_active()).finish_non_exhaustive()
    }
}
