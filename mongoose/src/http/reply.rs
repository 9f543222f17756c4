//! The answer to a request.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use super::channel::{self, BodyReceiver, BodySender};
use super::date::{self, DateCache};
use super::deferred::{Deferred, LateBody, LateReply, Terms};
use super::exchange::{Exchange, Fate, Rest};
use super::outgoing::{Heartbeat, Outgoing};
use super::reply_head::{JSON, Persistence, ReplyHead, TEXT, Transfer, is_token, write_header};
use super::{EventSender, Upload};
use crate::engine::{BodySource, Payload, Protocol, ReaderSource};
use crate::ffi::reason_phrase;
use crate::net::Stream;
use crate::{Connection, Error};

/// Bodies up to this many bytes are written behind their head without further ado.
const SMALL: usize = 256;

/// What is allocated at once for the headers of a reply.
pub(super) const HEADERS_ROOM: usize = 256;

/// Answers one request, once: set status and headers, then end with [`text`](Self::text), [`body`](Self::body) or
/// another that takes the reply. [`defer`](Self::defer) puts the answer off.
///
/// A reply that nobody ended when the handler returned is 500. `Date`, `Content-Length` and `Connection` are added;
/// HEAD gets the head alone. Replies are bytes, never formats.
#[must_use = "without an end such as `text`, the peer gets 500"]
#[doc(alias = "mg_http_reply")]
pub struct Reply<'r> {
    pub(super) to: To<'r>,
    pub(super) status: u16,
    pub(super) headers: Vec<u8>,
    pub(super) has_date: bool,
    pub(super) has_type: bool,
    close: bool,
    pub(super) length: Option<u64>,
    /// What was wrong with a header or the status: said at the end.
    pub(super) error: Option<Box<Error>>,
}

pub(super) enum To<'r> {
    Now { connection: &'r Connection<'r>, exchange: &'r Exchange, date: &'r RefCell<DateCache> },
    Later(Box<Deferred>),
}

impl<'r> Reply<'r> {
    pub(super) fn now(
        connection: &'r Connection<'r>,
        exchange: &'r Exchange,
        date: &'r RefCell<DateCache>,
    ) -> Self {
        Self::new(To::Now { connection, exchange, date })
    }

    pub(super) fn later(deferred: Deferred) -> Reply<'static> {
        Reply::new(To::Later(Box::new(deferred)))
    }

    fn new(to: To<'r>) -> Self {
        let headers = Vec::new();
        Self {
            to,
            status: 200,
            headers,
            has_date: false,
            has_type: false,
            close: false,
            length: None,
            error: None,
        }
    }

    /// Sets the status, 200 to 999. Default: 200. Another one is an error at the end.
    pub fn status(mut self, status: u16) -> Self {
        if !(200..=999).contains(&status) {
            self.error.get_or_insert_with(|| Box::new(Error::Status(status)));
        }
        self.status = status;
        self
    }

    /// Adds a header. One that would break the reply (a name that is no token, CR, LF or NUL in the value, or one that
    /// frames the message) is an error at the end; nothing is sent then, and the peer gets 500.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        if self.headers.capacity() == 0 {
            // Where there is one there are more.
            self.headers = Vec::with_capacity(HEADERS_ROOM);
        }
        match write_header(&mut self.headers, name, value.as_ref()) {
            Ok(()) => {
                self.has_date |= name.eq_ignore_ascii_case("date");
                self.has_type |= name.eq_ignore_ascii_case("content-type");
                if name.eq_ignore_ascii_case("upgrade") {
                    // It is for this connection alone, and who sends it has to say so (RFC 9110 section 7.8).
                    self.headers.extend_from_slice(b"Connection: Upgrade\r\n");
                }
            }
            Err(error) => {
                self.error.get_or_insert_with(|| Box::new(error));
            }
        }
        self
    }

    /// The status that was set.
    pub(super) fn status_code(&self) -> u16 {
        self.status
    }

    /// Whether a `Content-Type` was set.
    pub(super) fn has_content_type(&self) -> bool {
        self.has_type
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

    /// Puts the answer off: the result may go to another thread. Requests behind this one wait. Of what was set before,
    /// only [`close`](Self::close) is kept.
    pub fn defer(self) -> Deferred {
        match self.to {
            To::Now { connection, exchange, .. } => {
                exchange.fate.set(Fate::Deferred);
                let mut terms = exchange.terms.get();
                terms.keep_alive &= !self.close;
                Deferred::new(connection.handle(), connection.id(), terms)
            }
            To::Later(deferred) => *deferred,
        }
    }

    /// Answers 101 and gives the connection to a handler of raw bytes, beginning with those that came behind the
    /// request. To HTTP/1.0 it cannot be: whoever would answer it otherwise looks at
    /// [`Request::protocol`](super::Request::protocol).
    ///
    /// # Errors
    /// [`Error::Header`] when `protocol` is not a token; [`Error::Status`] for a reply that was deferred, or to HTTP/1.0.
    pub fn upgrade(self, protocol: &str, handler: impl crate::Handler) -> Result<(), Error> {
        self.switch(protocol, Stream::boxed(Rc::new(RefCell::new(handler))))
    }

    /// Answers 101 and has another protocol take over.
    pub(crate) fn switch(mut self, protocol: &str, successor: Box<dyn Protocol>) -> Result<(), Error> {
        let To::Now { connection, exchange, .. } = self.to else { return Err(Error::Status(101)) };
        if exchange.terms.get().minor == 0 {
            return Err(Error::Status(101));
        }
        if protocol.is_empty() || !protocol.bytes().all(|byte| is_token(byte) || byte == b'/') {
            return Err(Error::Header { name: "Upgrade".to_owned(), reason: "the protocol is not a token" });
        }
        if let Some(error) = self.error.take() {
            return Err(*error);
        }
        write_header(&mut self.headers, "Upgrade", protocol.as_bytes())?;
        connection.set_protocol(successor)?;
        let head = ReplyHead {
            status: 101,
            headers: &self.headers,
            content_type: None,
            transfer: Transfer::Unsaid,
            date: None,
            persistence: Some(Persistence::Upgrade),
        };
        exchange.span.status(101);
        write_now(connection, &head, Payload::from_static(b""));
        exchange.fate.set(Fate::Upgraded);
        Ok(())
    }

    /// Announces a body of so many bytes: one that is [streamed](Self::stream) then has a `Content-Length` rather than
    /// chunks, and HEAD may be answered by [`empty`](Self::empty) without making the body.
    pub fn length(mut self, bytes: u64) -> Self {
        self.length = Some(bytes);
        self
    }

    /// Sends a body that is made while it is sent, at constant memory: chunked, unless its [`length`](Self::length) was
    /// announced. To HTTP/1.0 one of unknown length ends with the connection.
    ///
    /// # Errors
    /// As [`text`](Self::text).
    #[doc(alias = "mg_http_printf_chunk")]
    #[doc(alias = "mg_http_write_chunk")]
    pub fn stream(self, source: impl BodySource) -> Result<(), Error> {
        self.send_stream(source, None)
    }

    /// Sends what a reader gives, in pieces of 64 KB, [as](Self::stream) it is read. It is read on the loop: for one
    /// that may block, [`channel`](Self::channel) takes a thread's writes.
    ///
    /// # Errors
    /// As [`text`](Self::text).
    pub fn reader(self, reader: impl io::Read + Send + 'static) -> Result<(), Error> {
        self.stream(ReaderSource(reader))
    }

    /// Sends a body that any thread writes through the sender that it answers, [as](Self::stream) it is written. At most
    /// `limit` bytes wait in the sender.
    ///
    /// # Errors
    /// As [`text`](Self::text).
    pub fn channel(self, limit: usize) -> Result<BodySender, Error> {
        let (sender, receiver) = self.make_channel(limit);
        self.stream(receiver)?;
        Ok(sender)
    }

    /// Begins a stream of server-sent events, as `text/event-stream` that is not cached. At most `limit` bytes of them
    /// wait. Every 15 seconds without an event a comment is sent, which also finds out that a subscriber is gone. What a
    /// browser that connects anew saw last is the request's header `Last-Event-ID`.
    ///
    /// # Errors
    /// As [`text`](Self::text); [`Error::Body`] where a [`length`](Self::length) was announced.
    #[doc(alias = "MG_HTTP_SSE")]
    pub fn events(mut self, limit: usize) -> Result<EventSender, Error> {
        if self.length.is_some() {
            return Err(Error::Body("events have no length"));
        }
        let (sender, receiver) = self.make_channel(limit);
        if !self.has_type {
            self = self.header("Content-Type", "text/event-stream");
        }
        let heartbeat = Heartbeat { every: Duration::from_secs(15), bytes: b":\n\n" };
        self.header("Cache-Control", "no-store").send_stream(receiver, Some(heartbeat))?;
        Ok(EventSender::new(sender))
    }

    /// Takes the request's body in pieces; the answer follows in [`Upload::end`]. It is for requests that
    /// [`Handler::body_mode`](super::Handler::body_mode) has streamed; for any other the whole body is there, and is
    /// handed over at once. Of what was set before nothing is kept: [`Upload::end`] gets a reply of its own.
    ///
    /// # Errors
    /// [`Error::Status`] for a reply that was deferred, or from [`Upload::end`]; what was wrong with a header or the
    /// status.
    pub fn receive(mut self, upload: impl Upload) -> Result<(), Error> {
        let To::Now { exchange, .. } = self.to else { return Err(Error::Status(100)) };
        if exchange.received {
            return Err(Error::Status(100));
        }
        if let Some(error) = self.error.take() {
            return Err(*error);
        }
        exchange.rest.set(Some(Rest::Upload(Box::new(upload))));
        exchange.fate.set(Fate::Receiving);
        Ok(())
    }

    fn make_channel(&self, limit: usize) -> (BodySender, BodyReceiver) {
        let (handle, id) = match &self.to {
            To::Now { connection, .. } => (connection.handle(), connection.id()),
            To::Later(deferred) => (deferred.handle().clone(), deferred.connection_id()),
        };
        let (sender, mut receiver) = channel::channel(handle, limit);
        receiver.attached(id);
        (sender, receiver)
    }

    #[inline]
    pub(super) fn terms(&self) -> Terms {
        let mut terms = match &self.to {
            To::Now { exchange, .. } => exchange.terms.get(),
            To::Later(deferred) => deferred.terms(),
        };
        terms.keep_alive &= !self.close;
        terms
    }

    fn send_stream(mut self, source: impl BodySource, heartbeat: Option<Heartbeat>) -> Result<(), Error> {
        let mut terms = self.terms();
        let transfer = match (self.length, terms.minor) {
            _ if has_no_body(self.status) => Transfer::Unsaid,
            (Some(length), _) => Transfer::Length(length),
            (None, 0) => {
                terms.keep_alive = false;
                Transfer::Unsaid
            }
            (None, _) => Transfer::Chunked,
        };
        self.check()?;
        if terms.head_only || has_no_body(self.status) {
            return self.finish(terms, transfer, Payload::from_static(b""), None);
        }
        let mut outgoing = Outgoing::new(source, transfer);
        outgoing.heartbeat = heartbeat;
        if let To::Now { connection, exchange, date } = &self.to {
            let head = self.head(transfer, None);
            self.write_now((connection, exchange, date), terms, head, Payload::from_static(b""))?;
            exchange.rest.set(Some(Rest::Body(Box::new(outgoing))));
            exchange.fate.set(Fate::Streamed);
            return Ok(());
        }
        self.answer_late(terms, transfer, LateBody::Streamed(outgoing), None)
    }

    #[inline]
    fn send(mut self, body: Payload<'_>, content_type: Option<&'static [u8]>) -> Result<(), Error> {
        let terms = self.terms();
        self.check()?;
        let length = match self.length {
            None => body.len() as u64,
            Some(length) if length == body.len() as u64 || (terms.head_only && body.is_empty()) => length,
            Some(_) => return Err(Error::Body("it is not as long as it was said to be")),
        };
        let without_body = has_no_body(self.status);
        let transfer = if without_body { Transfer::Unsaid } else { Transfer::Length(length) };
        let body = if without_body || terms.head_only { Payload::from_static(b"") } else { body };
        self.finish(terms, transfer, body, content_type)
    }

    #[inline]
    pub(super) fn finish(
        self,
        terms: Terms,
        transfer: Transfer,
        body: Payload<'_>,
        content_type: Option<&'static [u8]>,
    ) -> Result<(), Error> {
        if let To::Now { connection, exchange, date } = &self.to {
            self.write_now((connection, exchange, date), terms, self.head(transfer, content_type), body)?;
            exchange.fate.set(Fate::Sent);
            return Ok(());
        }
        self.answer_late(terms, transfer, LateBody::Whole(body.into_owned()), content_type)
    }

    /// What was wrong with a header or the status.
    #[inline]
    pub(super) fn check(&mut self) -> Result<(), Error> {
        self.error.take().map_or(Ok(()), |error| Err(*error))
    }

    #[inline]
    fn head(&self, transfer: Transfer, content_type: Option<&'static [u8]>) -> ReplyHead<'_> {
        ReplyHead {
            status: self.status,
            headers: &self.headers,
            content_type: if self.has_type { None } else { content_type },
            transfer,
            date: None,
            persistence: None,
        }
    }

    fn write_now(
        &self,
        (connection, exchange, date): (&Connection<'_>, &Exchange, &RefCell<DateCache>),
        terms: Terms,
        head: ReplyHead<'_>,
        body: Payload<'_>,
    ) -> Result<(), Error> {
        if !connection.takes_output() {
            return Err(Error::Closed);
        }
        exchange.span.status(self.status);
        let mut date = date.borrow_mut();
        let head = ReplyHead {
            date: if self.has_date { None } else { Some(date.at(connection.clock().unix_seconds())) },
            persistence: Some(Persistence::of(terms.keep_alive, terms.minor)),
            ..head
        };
        exchange.terms.set(terms);
        write_now(connection, &head, body);
        Ok(())
    }

    fn answer_late(
        self,
        terms: Terms,
        transfer: Transfer,
        body: LateBody,
        content_type: Option<&'static [u8]>,
    ) -> Result<(), Error> {
        let date = date::now();
        let mut head = self.head(transfer, content_type);
        if !self.has_date {
            head.date = Some(&date);
        }
        let late = late(&head, body, terms);
        match self.to {
            To::Later(deferred) => deferred.answer(late),
            To::Now { .. } => unreachable!("it is written at once"),
        }
    }
}

/// The answer where nobody gave one: the status and its reason.
pub(super) fn plain(terms: Terms, status: u16) -> LateReply {
    let body = Payload::from(format!("{}\n", reason_phrase(status)));
    let date = date::now();
    let head = ReplyHead {
        status,
        headers: b"",
        content_type: Some(TEXT),
        transfer: Transfer::Length(body.len() as u64),
        date: Some(&date),
        persistence: None,
    };
    let body = if terms.head_only { Payload::from_static(b"") } else { body };
    late(&head, LateBody::Whole(body), terms)
}

fn late(head: &ReplyHead<'_>, body: LateBody, terms: Terms) -> LateReply {
    let mut bytes = Vec::with_capacity(head.size_hint());
    head.write(&mut bytes);
    LateReply { sequence: terms.sequence, status: head.status, head: bytes, body, close: !terms.keep_alive }
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
pub(super) fn has_no_body(status: u16) -> bool {
    matches!(status, 204 | 304)
}

impl fmt::Debug for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}
