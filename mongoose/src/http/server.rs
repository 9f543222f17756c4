//! The server's side of one connection: from the gate's units to the handler, and from its replies to the wire.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::date::DateCache;
use super::deferred::Terms;
use super::reply::{Exchange, Fate, internal_error};
use super::reply_head::{Persistence, ReplyHead, TEXT};
use super::{Handler, Reply, Request};
use crate::engine::{Connection, Late, Payload, Protocol, Step};
use crate::ffi::{HttpMessage, MessageFields};
use crate::gate::http::{Chunked, Framing, Head, HeadScan, Progress, Refusal, scratch};
use crate::{Error, Event, Limits};

/// Received bytes that may wait behind a request whose reply is due.
const APPETITE_WHILE_DUE: usize = 64 << 10;

/// What the connections of one listener share.
#[derive(Debug)]
pub(crate) struct Service {
    limits: Limits,
    /// Handlers never nest, so one message serves all (invariant 5).
    message: RefCell<HttpMessage>,
    date: RefCell<DateCache>,
}

impl Service {
    pub(crate) fn new(limits: &Limits) -> Rc<Self> {
        let date = RefCell::new(DateCache::new());
        Rc::new(Self { limits: limits.clone(), message: RefCell::new(HttpMessage::new()), date })
    }
}

/// One connection.
pub(crate) struct Server<H> {
    service: Rc<Service>,
    handler: Rc<RefCell<H>>,
    stage: Stage,
    /// Counts requests, so that a late reply finds its own.
    sequence: u64,
    /// A reply was deferred and has not come.
    due: bool,
    /// No further request after the one at hand.
    closing: bool,
    /// The peer said so of the request at hand.
    peer_closes: bool,
    /// Of the request at hand: 0 or 1, of HTTP/1.x.
    minor: u8,
}

/// How much of the next request is known.
#[derive(Debug)]
enum Stage {
    Head(HeadScan),
    /// The body is not all there.
    Sized {
        head: usize,
        body: usize,
    },
    Chunked {
        head: usize,
        decoder: Box<Chunked>,
        raw_end: usize,
    },
}

impl Stage {
    fn start() -> Self {
        Self::Head(HeadScan::default())
    }
}

impl<H: Handler> Server<H> {
    pub(crate) fn boxed(service: &Rc<Service>, handler: Rc<RefCell<H>>) -> Box<dyn Protocol> {
        let service = Rc::clone(service);
        Box::new(Self {
            service,
            handler,
            stage: Stage::start(),
            sequence: 0,
            due: false,
            closing: false,
            peer_closes: false,
            minor: 1,
        })
    }

    /// Looks for the end of the next request.
    fn next_request(&mut self, connection: &Connection<'_>, input: &[u8]) -> Step {
        let Stage::Head(scan) = &mut self.stage else { unreachable!("called in this stage alone") };
        let mut room = scratch();
        let head = match scan.parse(input, &self.service.limits, &mut room) {
            Ok(Some(head)) => head,
            Ok(None) => return Step::Wait,
            Err(refusal) => return self.refuse(connection, refusal),
        };
        match head.framing {
            Framing::Length(body) if body > self.service.limits.body => {
                self.refuse(connection, Refusal::new(413, "a body past the limit"))
            }
            Framing::Length(body) if input.len() - head.len >= body => {
                let end = head.len + body;
                self.handle(connection, &head, &input[..end], end)
            }
            Framing::Length(body) => {
                ask_to_continue(connection, &head, input);
                self.stage = Stage::Sized { head: head.len, body };
                Step::Wait
            }
            Framing::Chunked => {
                ask_to_continue(connection, &head, input);
                let decoder = Box::new(Chunked::new(&self.service.limits));
                self.stage = Stage::Chunked { head: head.len, decoder, raw_end: head.len };
                self.next_chunks(connection, input)
            }
        }
    }

    fn next_chunks(&mut self, connection: &Connection<'_>, input: &[u8]) -> Step {
        let Stage::Chunked { head, decoder, raw_end } = &self.stage else {
            unreachable!("called in this stage alone")
        };
        match decoder.progress() {
            Progress::More if input.len() > *raw_end => Step::Decode,
            Progress::More => Step::Wait,
            Progress::Done => {
                let end = head + decoder.body();
                self.handle_again(connection, input, end)
            }
            Progress::Refused(refusal) => self.refuse(connection, refusal),
        }
    }

    /// Parses a head once more, now that the body is there: its bytes may have moved since.
    fn handle_again(&mut self, connection: &Connection<'_>, input: &[u8], end: usize) -> Step {
        let mut room = scratch();
        match HeadScan::default().parse(input, &self.service.limits, &mut room) {
            Ok(Some(head)) => self.handle(connection, &head, &input[..end], end),
            Ok(None) => Step::Wait,
            Err(refusal) => self.refuse(connection, refusal),
        }
    }

    /// Hands a whole request to the handler. `message` is head and decoded body, `end` what it takes of the input.
    fn handle(
        &mut self,
        connection: &Connection<'_>,
        head: &Head<'_, '_>,
        message: &[u8],
        end: usize,
    ) -> Step {
        self.stage = Stage::start();
        self.sequence += 1;
        self.peer_closes = !head.keep_alive;
        self.minor = head.minor;
        let terms = Terms {
            sequence: self.sequence,
            head_only: head.method == "HEAD",
            minor: head.minor,
            keep_alive: head.keep_alive && !self.closing,
        };
        let service = Rc::clone(&self.service);
        let exchange = Exchange { terms: Cell::new(terms), fate: Cell::new(Fate::Open), date: &service.date };
        connection.set_responding(true);
        let result = {
            let mut slot = service.message.borrow_mut();
            let fields = MessageFields {
                method: head.method,
                uri: head.target.path,
                query: head.target.query,
                protocol: if head.minor == 0 { "HTTP/1.0" } else { "HTTP/1.1" },
                body: &message[head.len..],
                head: &message[..head.len],
                message,
            };
            let view = slot.fill(fields, head.headers.iter().map(|header| (header.name, header.value)));
            let request = Request::new(view, head.raw_target, connection);
            self.handler.borrow_mut().request(request, Reply::now(connection, &exchange))
        };
        connection.consume_unit(end);
        if let Err(error) = &result {
            self.handler.borrow_mut().event(connection, Event::Error(error));
        }
        // A C function that replied has said so in C's way.
        let replied_in_c = !connection.is_responding();
        match exchange.fate.get() {
            Fate::Deferred => {
                self.due = true;
                connection.set_appetite(APPETITE_WHILE_DUE);
                Step::Wait
            }
            Fate::Upgraded => {
                connection.set_responding(false);
                Step::Again
            }
            Fate::Open if !replied_in_c => {
                self.send(connection, internal_error(exchange.terms.get()));
                Step::Again
            }
            Fate::Open | Fate::Sent => {
                self.finish(connection, !exchange.terms.get().keep_alive);
                Step::Again
            }
        }
    }

    /// Sends a reply that was made elsewhere.
    fn send(&mut self, connection: &Connection<'_>, late: Late) {
        let close = late.close || self.closing;
        if connection.takes_output() {
            connection.entry.collect_send();
            let mut output = connection.entry.output.borrow_mut();
            output.gather(&late.head);
            output.gather(Persistence::of(!close, self.minor).end());
            output.push(late.body);
        }
        self.finish(connection, close);
    }

    /// A request is answered: on to the next, or to the end.
    fn finish(&mut self, connection: &Connection<'_>, close: bool) {
        connection.set_responding(false);
        if !close {
            return;
        }
        // A peer that asked to close sends no more, unless it pipelined. Any other may: bytes that nobody reads would
        // have the system reset the connection, and the reply be lost.
        if self.peer_closes && connection.received().is_empty() {
            connection.drain();
        } else {
            connection.drain_and_linger();
        }
    }

    /// Answers what is no request, tells the handler, and closes.
    fn refuse(&mut self, connection: &Connection<'_>, refusal: Refusal) -> Step {
        self.stage = Stage::start();
        // A refused head is not known to be one: its first bytes have to do.
        let head_only = connection.received().starts_with(b"HEAD ");
        let body = Payload::from(format!("{}\n", refusal.reason));
        {
            let mut date = self.service.date.borrow_mut();
            let head = ReplyHead {
                status: refusal.status,
                headers: b"",
                content_type: Some(TEXT),
                length: Some(body.len()),
                date: Some(date.at(connection.clock().unix_seconds())),
                persistence: Some(Persistence::Close),
            };
            connection.entry.collect_send();
            let mut output = connection.entry.output.borrow_mut();
            output.gather_with(head.size_hint(), |out| head.write(out));
            if !head_only {
                output.push(body);
            }
        }
        let error = Error::Refused { status: refusal.status, reason: refusal.reason };
        self.handler.borrow_mut().event(connection, Event::Error(&error));
        connection.consume_unit(usize::MAX);
        connection.drain_and_linger();
        Step::Wait
    }
}

impl<H: Handler> Protocol for Server<H> {
    fn opened(&mut self, connection: &Connection<'_>) {
        connection.set_appetite(usize::MAX);
        connection.set_framed();
        self.handler.borrow_mut().event(connection, Event::Accept);
    }

    fn receive(&mut self, connection: &Connection<'_>) -> Step {
        if self.due {
            return Step::Wait;
        }
        let input = connection.received();
        match self.stage {
            Stage::Head(_) => self.next_request(connection, input),
            Stage::Sized { head, body } if input.len() < head + body => Step::Wait,
            Stage::Sized { head, body } => self.handle_again(connection, input, head + body),
            Stage::Chunked { .. } => self.next_chunks(connection, input),
        }
    }

    fn decode(&mut self, input: &mut [u8]) -> usize {
        let Stage::Chunked { head, decoder, raw_end } = &mut self.stage else { return input.len() };
        let left = *head + decoder.decode(&mut input[*head..]);
        *raw_end = left;
        left
    }

    fn ended(&mut self, connection: &Connection<'_>) {
        if self.due {
            // The peer has only ended its direction: it still gets this reply and those to what it has sent behind the
            // request (hazard 32). `late` has the end told again.
            return;
        }
        if !matches!(connection.received(), b"" | b"\r" | b"\r\n") {
            // What is not all there is no message (hazard 18).
            self.handler.borrow_mut().event(connection, Event::Error(&Error::Truncated));
        }
        connection.drain();
    }

    fn written(&mut self, connection: &Connection<'_>) {
        self.handler.borrow_mut().event(connection, Event::Write);
    }

    fn late(&mut self, connection: &Connection<'_>, late: Late) {
        // A reply for an earlier request cannot be due any more.
        if self.due && late.sequence == self.sequence {
            self.due = false;
            connection.set_appetite(usize::MAX);
            self.send(connection, late);
            connection.offer_again();
        }
    }

    fn wakeup(&mut self, connection: &Connection<'_>, payload: &[u8]) {
        self.handler.borrow_mut().event(connection, Event::Wakeup(payload));
    }

    fn user(&mut self, connection: &Connection<'_>, number: u32) {
        self.handler.borrow_mut().event(connection, Event::User(number));
    }

    fn failed(&mut self, connection: &Connection<'_>, error: &Error) {
        self.handler.borrow_mut().event(connection, Event::Error(error));
    }

    fn shutdown(&mut self, connection: &Connection<'_>) {
        self.closing = true;
        // The beginning of a head is no request yet.
        if !self.due && matches!(self.stage, Stage::Head(_)) {
            if connection.received().is_empty() {
                connection.drain();
            } else {
                connection.drain_and_linger();
            }
        }
    }

    fn closed(&mut self, connection: &Connection<'_>) {
        self.handler.borrow_mut().event(connection, Event::Close);
    }
}

/// Tells a peer that waits for it to send the body, unless some of that is here already.
fn ask_to_continue(connection: &Connection<'_>, head: &Head<'_, '_>, input: &[u8]) {
    if head.expects_continue && input.len() == head.len {
        // Behind a reply that C code has made.
        connection.entry.collect_send();
        connection.entry.output.borrow_mut().gather(b"HTTP/1.1 100 Continue\r\n\r\n");
    }
}

impl<H> std::fmt::Debug for Server<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("stage", &self.stage).field("due", &self.due).finish_non_exhaustive()
    }
}
