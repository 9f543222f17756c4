//! The answer to a request.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use super::date::{self, DateCache};
use super::deferred::{Deferred, Terms};
use super::reply_head::{JSON, Persistence, ReplyHead, TEXT, is_token, write_header};
use crate::engine::{Late, Payload};
use crate::net::Stream;
use crate::{Connection, Error};

/// Bodies up to this many bytes are written behind their head without further ado.
const SMALL: usize = 256;

/// What became of a reply. The engine looks after the handler has returned, so forgetting a reply is no way around
/// (invariant 17).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Open,
    Sent,
    Deferred,
    Upgraded,
}

/// One request being answered, as the server sees it.
#[derive(Debug)]
pub(super) struct Exchange<'s> {
    pub(super) terms: Cell<Terms>,
    pub(super) fate: Cell<Fate>,
    pub(super) date: &'s RefCell<DateCache>,
}

/// Answers one request, once: set status and headers, then end with [`text`](Self::text), [`body`](Self::body) or
/// another that takes the reply. [`defer`](Self::defer) puts the answer off.
///
/// A reply that nobody ended when the handler returned is 500. `Date`, `Content-Length` and `Connection` are added;
/// HEAD gets the head alone. Replies are bytes, never formats.
#[must_use = "without an end such as `text`, the peer gets 500"]
#[doc(alias = "mg_http_reply")]
pub struct Reply<'r> {
    to: To<'r>,
    status: u16,
    headers: Vec<u8>,
    has_date: bool,
    has_type: bool,
    close: bool,
    /// What was wrong with a header or the status: said at the end.
    error: Option<Error>,
}

enum To<'r> {
    Now { connection: &'r Connection<'r>, exchange: &'r Exchange<'r> },
    Later(Deferred),
}

impl<'r> Reply<'r> {
    pub(super) fn now(connection: &'r Connection<'r>, exchange: &'r Exchange<'r>) -> Self {
        Self::new(To::Now { connection, exchange })
    }

    pub(super) fn later(deferred: Deferred) -> Reply<'static> {
        Reply::new(To::Later(deferred))
    }

    fn new(to: To<'r>) -> Self {
        let headers = Vec::new();
        Self { to, status: 200, headers, has_date: false, has_type: false, close: false, error: None }
    }

    /// Sets the status, 200 to 999. Default: 200. Another one is an error at the end.
    pub fn status(mut self, status: u16) -> Self {
        if !(200..=999).contains(&status) {
            self.error.get_or_insert(Error::Status(status));
        }
        self.status = status;
        self
    }

    /// Adds a header. One that would break the reply (a name that is no token, CR, LF or NUL in the value, or one that
    /// frames the message) is an error at the end; nothing is sent then, and the peer gets 500.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        match write_header(&mut self.headers, name, value.as_ref()) {
            Ok(()) => {
                self.has_date |= name.eq_ignore_ascii_case("date");
                self.has_type |= name.eq_ignore_ascii_case("content-type");
            }
            Err(error) => {
                self.error.get_or_insert(error);
            }
        }
        self
    }

    /// Closes the connection after this reply.
    pub fn close(mut self) -> Self {
        self.close = true;
        self
    }

    /// Sends text, as `text/plain; charset=utf-8` unless a header said otherwise.
    ///
    /// # Errors
    /// What was wrong with the status or a header; [`Error::Closed`] when the peer is gone.
    pub fn text<'b>(self, text: impl Into<Payload<'b>>) -> Result<(), Error> {
        self.send(text.into(), Some(TEXT))
    }

    /// Sends JSON that is already text, as `application/json` unless a header said otherwise.
    ///
    /// # Errors
    /// As [`text`](Self::text).
    pub fn json_text<'b>(self, json: impl Into<Payload<'b>>) -> Result<(), Error> {
        self.send(json.into(), Some(JSON))
    }

    /// Sends bytes of any kind and number, NUL included; set their `Content-Type` before. C's
    /// [`mg_http_reply`](mongoose_sys::mg_http_reply) stops at the first NUL (hazard 36).
    ///
    /// # Errors
    /// As [`text`](Self::text).
    pub fn body<'b>(self, body: impl Into<Payload<'b>>) -> Result<(), Error> {
        self.send(body.into(), None)
    }

    /// Sends no body.
    ///
    /// # Errors
    /// As [`text`](Self::text).
    pub fn empty(self) -> Result<(), Error> {
        self.send(Payload::from_static(b""), None)
    }

    /// Sends the peer elsewhere: 302, unless the status was set to another 3xx.
    ///
    /// # Errors
    /// As [`text`](Self::text).
    pub fn redirect(self, location: &str) -> Result<(), Error> {
        let status = if (300..400).contains(&self.status) { self.status } else { 302 };
        self.status(status).header("Location", location).empty()
    }

    /// Puts the answer off: the result may go to another thread. Requests behind this one wait.
    pub fn defer(self) -> Deferred {
        match self.to {
            To::Now { connection, exchange } => {
                exchange.fate.set(Fate::Deferred);
                let mut terms = exchange.terms.get();
                terms.keep_alive &= !self.close;
                Deferred::new(connection.handle(), connection.id(), terms)
            }
            To::Later(deferred) => deferred,
        }
    }

    /// Answers 101 and gives the connection to a handler of raw bytes, beginning with those that came behind the
    /// request.
    ///
    /// # Errors
    /// [`Error::Header`] when `protocol` is not a token; [`Error::Status`] for a reply that was deferred.
    pub fn upgrade(mut self, protocol: &str, handler: impl crate::Handler) -> Result<(), Error> {
        let To::Now { connection, exchange } = self.to else { return Err(Error::Status(101)) };
        if protocol.is_empty() || !protocol.bytes().all(|byte| is_token(byte) || byte == b'/') {
            return Err(Error::Header { name: "Upgrade".to_owned(), reason: "the protocol is not a token" });
        }
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        write_header(&mut self.headers, "Upgrade", protocol.as_bytes())?;
        connection.set_protocol(Stream::boxed(Rc::new(RefCell::new(handler))))?;
        let head = ReplyHead {
            status: 101,
            headers: &self.headers,
            content_type: None,
            length: None,
            date: None,
            persistence: Some(Persistence::Upgrade),
        };
        write_now(connection, &head, Payload::from_static(b""));
        exchange.fate.set(Fate::Upgraded);
        Ok(())
    }

    fn send(mut self, body: Payload<'_>, content_type: Option<&'static [u8]>) -> Result<(), Error> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let mut terms = match &self.to {
            To::Now { exchange, .. } => exchange.terms.get(),
            To::Later(deferred) => deferred.terms(),
        };
        terms.keep_alive &= !self.close;
        let content_type = if self.has_type { None } else { content_type };
        let mut head = ReplyHead {
            status: self.status,
            headers: &self.headers,
            content_type,
            length: length(self.status, &body),
            date: None,
            persistence: None,
        };
        let body = if terms.head_only || head.length.is_none() { Payload::from_static(b"") } else { body };
        match self.to {
            To::Now { connection, exchange } => {
                if !connection.takes_output() {
                    return Err(Error::Closed);
                }
                let mut date = exchange.date.borrow_mut();
                if !self.has_date {
                    head.date = Some(date.at(connection.clock().unix_seconds()));
                }
                head.persistence = Some(Persistence::of(terms.keep_alive, terms.minor));
                write_now(connection, &head, body);
                exchange.terms.set(terms);
                exchange.fate.set(Fate::Sent);
                Ok(())
            }
            To::Later(deferred) => {
                let date = date::now();
                if !self.has_date {
                    head.date = Some(&date);
                }
                let late = late(&head, body.into_owned(), terms);
                deferred.answer(late)
            }
        }
    }
}

/// The answer where nobody gave one.
pub(super) fn internal_error(terms: Terms) -> Late {
    let body = Payload::from_static(b"Internal Server Error\n");
    let date = date::now();
    let head = ReplyHead {
        status: 500,
        headers: b"",
        content_type: Some(TEXT),
        length: Some(body.len()),
        date: Some(&date),
        persistence: None,
    };
    let body = if terms.head_only { Payload::from_static(b"") } else { body };
    late(&head, body, terms)
}

fn late(head: &ReplyHead<'_>, body: Payload<'static>, terms: Terms) -> Late {
    let mut bytes = Vec::with_capacity(head.size_hint());
    head.write(&mut bytes);
    Late { sequence: terms.sequence, head: bytes, body, close: !terms.keep_alive }
}

/// Appends head and body to what is to be sent. A small body is written behind its head at once.
fn write_now(connection: &Connection<'_>, head: &ReplyHead<'_>, body: Payload<'_>) {
    connection.entry.collect_send();
    let mut output = connection.entry.output.borrow_mut();
    let bytes = body.as_ref();
    let small = bytes.len() <= SMALL;
    output.gather_with(head.size_hint() + SMALL, |out| {
        head.write(out);
        if small {
            out.extend_from_slice(bytes);
        }
    });
    drop(output);
    if small {
        connection.touch();
    } else {
        connection.append(body);
    }
}

/// 204 and 304 have no body, and no length.
fn length(status: u16, body: &Payload<'_>) -> Option<usize> {
    if matches!(status, 204 | 304) { None } else { Some(body.len()) }
}

impl fmt::Debug for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}
