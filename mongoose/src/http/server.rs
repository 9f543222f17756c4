//! The server's side of one connection: from the gate's units to the handler.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::answering::{Answer, Waiting};
use super::arriving::{Arriving, Available};
use super::date::DateCache;
use super::deferred::{LateReply, Terms};
use super::exchange::Exchange;
use super::request_span::RequestSpan;
use super::upload::{Incoming, Receiver};
use super::{BodyMode, Handler, Reply, Request, Upload};
use crate::engine::{Connection, Late, Protocol, Step, trace_error};
use crate::ffi::{HttpMessage, MessageFields};
use crate::gate::http::{Chunked, Framing, Head, HeadScan, Progress, Refusal, scratch};
use crate::{Error, Event, Limits};

/// Received bytes that may wait behind a request whose reply is due, or ahead of an upload's handler.
pub(super) const APPETITE: usize = 64 << 10;

/// What a byte of a body that came gives to the others: a second for each 1,000.
const TIME_OF_A_BYTE: Duration = Duration::from_millis(1);

/// What the connections of one listener share.
#[derive(Debug)]
pub(crate) struct Service {
    pub(super) limits: Limits,
    /// Handlers never nest, so one message serves all (invariant 5).
    message: RefCell<HttpMessage>,
    pub(super) date: RefCell<DateCache>,
    /// Until when a connection may idle that is answered at an instant: the same for all of a turn.
    idle: Cell<(Instant, Option<Instant>)>,
}

impl Service {
    pub(crate) fn new(limits: &Limits) -> Rc<Self> {
        let date = RefCell::new(DateCache::new());
        let now = Instant::now();
        let idle = Cell::new((now, now.checked_add(limits.idle_time)));
        Rc::new(Self { limits: limits.clone(), message: RefCell::new(HttpMessage::new()), date, idle })
    }

    #[inline]
    pub(super) fn idle_until(&self, now: Instant) -> Option<Instant> {
        let (at, until) = self.idle.get();
        if at == now {
            return until;
        }
        let until = now.checked_add(self.limits.idle_time);
        self.idle.set((now, until));
        until
    }
}

/// One connection.
pub(crate) struct Server<H> {
    pub(super) service: Rc<Service>,
    pub(super) handler: Rc<RefCell<H>>,
    pub(super) stage: Stage,
    /// What of the reply to the request at hand is still to come.
    pub(super) answer: Answer,
    /// What the deadline is for.
    pub(super) waiting: Waiting,
    /// How many bytes of the body at hand had their effect on its deadline.
    pub(super) body_seen: u64,
    /// Counts requests, so that a late reply finds its own.
    pub(super) sequence: u64,
    /// No further request after the one at hand.
    pub(super) closing: bool,
    /// The peer said so of the request at hand.
    pub(super) peer_closes: bool,
    /// Of the request at hand: 0 or 1, of HTTP/1.x.
    pub(super) minor: u8,
    pub(super) span: RequestSpan,
}

/// How much of the next request is known.
#[derive(Debug)]
pub(super) enum Stage {
    Head(HeadScan),
    /// The body is not all there.
    Sized {
        head: usize,
        body: usize,
    },
    Chunked {
        head: usize,
        decoder: Box<Chunked>,
    },
    /// The head was handled; the body is handed over as it comes.
    Upload(Box<Incoming>, Terms),
}

impl Stage {
    pub(super) fn start() -> Self {
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
            answer: Answer::Done,
            waiting: Waiting::Head,
            body_seen: 0,
            sequence: 0,
            closing: false,
            peer_closes: false,
            minor: 1,
            span: RequestSpan::none(),
        })
    }

    /// Looks for the end of the next request.
    fn next_request(&mut self, connection: &Connection<'_>, input: &[u8]) -> Step {
        let Stage::Head(scan) = &mut self.stage else { unreachable!("called in this stage alone") };
        let mut room = scratch();
        let head = match scan.parse(input, &self.service.limits, &mut room) {
            Ok(Some(head)) => head,
            Ok(None) => {
                if self.waiting == Waiting::Idle {
                    self.wait_for(connection, Waiting::Head);
                }
                return Step::Wait;
            }
            Err(refusal) => return self.refuse(connection, refusal),
        };
        self.span = RequestSpan::begin(connection, &head, self.sequence + 1);
        match head.framing {
            Framing::Length(0) => self.handle(connection, &head, &input[..head.len], head.len),
            _ => self.begin_body(connection, &head, input),
        }
    }

    /// Has the handler choose how a body comes, and begins with it.
    fn begin_body(&mut self, connection: &Connection<'_>, head: &Head<'_, '_>, input: &[u8]) -> Step {
        let end = match head.framing {
            Framing::Length(body) if input.len() - head.len >= body => Some(head.len + body),
            _ => None,
        };
        let mode =
            self.with_request(connection, head, &input[..end.unwrap_or(head.len)], |handler, request| {
                handler.body_mode(&request)
            });
        let mut limits = self.service.limits.clone();
        match mode {
            BodyMode::Buffered => {}
            BodyMode::UpTo(bytes) => limits.body = bytes,
            BodyMode::Streamed => return self.begin_upload(connection, head, input),
        }
        match head.framing {
            Framing::Length(body) if body > limits.body => {
                return self.refuse(connection, Refusal::new(413, "a body past the limit"));
            }
            Framing::Length(body) => {
                if let Some(end) = end {
                    return self.handle(connection, head, &input[..end], end);
                }
                self.stage = Stage::Sized { head: head.len, body };
                connection.expect(head.len + body);
            }
            Framing::Chunked => {
                let decoder = Box::new(Chunked::new(&limits));
                self.stage = Stage::Chunked { head: head.len, decoder };
            }
        }
        ask_to_continue(connection, head, input);
        self.wait_for_body(connection);
        match self.stage {
            Stage::Chunked { .. } => self.next_chunks(connection, input),
            _ => Step::Wait,
        }
    }

    /// Has a request handled before its body is there.
    fn begin_upload(&mut self, connection: &Connection<'_>, head: &Head<'_, '_>, input: &[u8]) -> Step {
        let terms = self.begin_answer(connection, head);
        // Unless the body is wanted, it is in the way of what comes behind it.
        let unwanted = Terms { keep_alive: false, ..terms };
        let exchange = Exchange::new(unwanted, &self.span);
        #[cfg(feature = "tower")]
        exchange.keep_alive_if_read.set(terms.keep_alive);
        let result = self.ask(connection, head, &input[..head.len], &exchange);
        connection.consume_unit(head.len);
        #[cfg(feature = "tower")]
        if let Some(feed) = exchange.take_feed() {
            return self.begin_feed(connection, head.framing, feed, result, &exchange);
        }
        if let Some(upload) = exchange.take_upload() {
            if let Err(error) = result {
                return self.abandon(connection, upload, terms, &error);
            }
            ask_to_continue(connection, head, input);
            let body = Arriving::of_request(head.framing, &self.service.limits);
            let incoming = Incoming { receiver: Receiver::Upload(upload), body, received: 0 };
            self.stage = Stage::Upload(Box::new(incoming), terms);
            connection.set_appetite(APPETITE);
            self.wait_for_body(connection);
            return Step::Again;
        }
        self.stage = Stage::start();
        self.closing = true;
        // It may send the body yet: bytes that nobody reads would reset the connection, and the reply be lost.
        self.peer_closes = false;
        self.conclude(connection, result, &exchange)
    }

    /// Hands over what has come of an upload.
    fn next_piece(&mut self, connection: &Connection<'_>, input: &[u8]) -> Step {
        let Stage::Upload(incoming, terms) = &mut self.stage else {
            unreachable!("called in this stage alone")
        };
        let count = match incoming.body.available(input) {
            Available::Encoded => return Step::Decode,
            Available::Bytes(count) => count,
        };
        let mut result = Ok(());
        if count > 0 {
            incoming.body.take(count);
            incoming.received += count as u64;
            result = self.span.in_scope(|| incoming.receiver.data(connection, &input[..count]));
            connection.consume_unit(count);
        }
        let (terms, received, progress) = (*terms, incoming.received, incoming.body.progress());
        match (result, progress) {
            (Ok(()), Progress::More) => {
                self.allow_body(connection, received);
                #[cfg(feature = "tower")]
                self.wait_for_feed(connection);
                Step::Wait
            }
            (Ok(()), Progress::Refused(refusal)) => self.refuse(connection, refusal),
            (result, _) => {
                let Stage::Upload(incoming, _) = std::mem::replace(&mut self.stage, Stage::start()) else {
                    unreachable!("it was so above")
                };
                match (incoming.receiver, result) {
                    (Receiver::Upload(upload), Ok(())) => self.end_upload(connection, upload, terms),
                    (Receiver::Upload(upload), Err(error)) => self.abandon(connection, upload, terms, &error),
                    #[cfg(feature = "tower")]
                    (Receiver::Feed(feed), _) => self.end_feed(connection, feed),
                }
            }
        }
    }

    fn end_upload(&mut self, connection: &Connection<'_>, mut upload: Box<dyn Upload>, terms: Terms) -> Step {
        connection.set_appetite(usize::MAX);
        // Nobody is left who would.
        connection.resume();
        let terms = Terms { keep_alive: terms.keep_alive && !self.closing, ..terms };
        let mut exchange = Exchange::new(terms, &self.span);
        exchange.received = true;
        let reply = Reply::now(connection, &exchange, &self.service.date);
        let result = self.span.in_scope(|| upload.end(reply));
        self.conclude(connection, result, &exchange)
    }

    /// Tells the handler of an error that it did not hear of by the engine.
    pub(super) fn report(&self, connection: &Connection<'_>, error: &Error) {
        connection.registry().count_error();
        self.span.in_scope(|| {
            trace_error(error);
            self.handler.borrow_mut().event(connection, Event::Error(error));
        });
    }

    /// Gives up on a body that its receiver could not use.
    fn abandon(
        &mut self,
        connection: &Connection<'_>,
        mut upload: Box<dyn Upload>,
        terms: Terms,
        error: &Error,
    ) -> Step {
        self.stage = Stage::start();
        self.span.in_scope(|| upload.failed(error));
        self.report(connection, error);
        self.closing = true;
        self.peer_closes = false;
        self.send(connection, super::reply::plain(Terms { keep_alive: false, ..terms }, error.status()));
        Step::Wait
    }

    fn next_chunks(&mut self, connection: &Connection<'_>, input: &[u8]) -> Step {
        let Stage::Chunked { head, decoder } = &self.stage else {
            unreachable!("called in this stage alone")
        };
        match decoder.progress() {
            Progress::More if input.len() > head + decoder.body() => Step::Decode,
            Progress::More => {
                self.allow_body(connection, decoder.body() as u64);
                Step::Wait
            }
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
        let terms = self.begin_answer(connection, head);
        let exchange = Exchange::new(terms, &self.span);
        let mut result = self.ask(connection, head, message, &exchange);
        connection.consume_unit(end);
        let Some(mut upload) = exchange.take_upload() else {
            return self.conclude(connection, result, &exchange);
        };
        let body = &message[head.len..];
        if result.is_ok() && !body.is_empty() {
            result = self.span.in_scope(|| upload.data(connection, body));
        }
        match result {
            Ok(()) => self.end_upload(connection, upload, terms),
            Err(error) => self.abandon(connection, upload, terms, &error),
        }
    }

    /// Notes what the answer has to know of its request.
    fn begin_answer(&mut self, connection: &Connection<'_>, head: &Head<'_, '_>) -> Terms {
        self.sequence += 1;
        connection.registry().count_request();
        self.peer_closes = !head.keep_alive;
        self.minor = head.minor;
        connection.set_responding(true);
        Terms {
            sequence: self.sequence,
            head_only: head.method == "HEAD",
            minor: head.minor,
            keep_alive: head.keep_alive && !self.closing,
        }
    }

    /// Has the handler answer a request.
    #[inline]
    fn ask(
        &self,
        connection: &Connection<'_>,
        head: &Head<'_, '_>,
        message: &[u8],
        exchange: &Exchange,
    ) -> Result<(), Error> {
        self.with_request(connection, head, message, |handler, request| {
            handler.request(request, Reply::now(connection, exchange, &self.service.date))
        })
    }

    /// Shows a request to the handler. `message` is its head, and what is there of its body.
    #[inline]
    fn with_request<R>(
        &self,
        connection: &Connection<'_>,
        head: &Head<'_, '_>,
        message: &[u8],
        call: impl FnOnce(&mut H, Request<'_>) -> R,
    ) -> R {
        let mut slot = self.service.message.borrow_mut();
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
        self.span.in_scope(|| call(&mut self.handler.borrow_mut(), request))
    }

    /// Sets the deadline of a body of which nothing was looked at.
    fn wait_for_body(&mut self, connection: &Connection<'_>) {
        self.body_seen = 0;
        self.wait_for(connection, Waiting::Body);
    }

    /// Moves the deadline of a body of which so much has come. It is never made anew: that would take back what a pause
    /// has put it off by.
    fn allow_body(&mut self, connection: &Connection<'_>, received: u64) {
        let more = u32::try_from(received.saturating_sub(self.body_seen)).unwrap_or(u32::MAX);
        self.body_seen = received;
        connection.put_off_deadline(TIME_OF_A_BYTE.saturating_mul(more));
    }
}

impl<H: Handler> Protocol for Server<H> {
    fn opened(&mut self, connection: &Connection<'_>) {
        connection.set_appetite(usize::MAX);
        connection.set_framed();
        self.wait_for(connection, Waiting::Head);
        self.handler.borrow_mut().event(connection, Event::Accept);
    }

    fn receive(&mut self, connection: &Connection<'_>) -> Step {
        // A body whose reply is made meanwhile goes on.
        if self.answer.is_due() && !matches!(self.stage, Stage::Upload(..)) {
            return Step::Wait;
        }
        let input = connection.received();
        match self.stage {
            Stage::Head(_) => self.next_request(connection, input),
            Stage::Sized { head, body } if input.len() < head + body => {
                self.allow_body(connection, (input.len() - head) as u64);
                Step::Wait
            }
            Stage::Sized { head, body } => self.handle_again(connection, input, head + body),
            Stage::Chunked { .. } => self.next_chunks(connection, input),
            Stage::Upload(..) => self.next_piece(connection, input),
        }
    }

    fn decode(&mut self, input: &mut [u8]) -> usize {
        match &mut self.stage {
            Stage::Chunked { head, decoder } => *head + decoder.decode(&mut input[*head..]),
            Stage::Upload(incoming, _) => incoming.body.decode(input),
            Stage::Head(_) | Stage::Sized { .. } => input.len(),
        }
    }

    fn ended(&mut self, connection: &Connection<'_>) {
        #[cfg(feature = "tower")]
        if self.peer_left(connection) {
            return;
        }
        match &self.answer {
            // Nobody subscribes with half a connection: the peer is gone.
            answer if answer.heartbeat().is_some() => return connection.close(),
            // The peer has only ended its direction: it still gets this reply and those to what it has sent behind the
            // request (hazard 32). `late` has the end told again.
            Answer::Deferred(_) | Answer::Streamed { .. } => return,
            #[cfg(feature = "tower")]
            Answer::Making { .. } => return,
            Answer::Done => {}
        }
        if self.fail_upload(&Error::Truncated) || !matches!(connection.received(), b"" | b"\r" | b"\r\n") {
            // What is not all there is no message (hazard 18).
            self.report(connection, &Error::Truncated);
        }
        connection.drain();
    }

    /// A message says itself where it ends.
    fn cut_off(&mut self, connection: &Connection<'_>) {
        self.ended(connection);
    }

    fn written(&mut self, connection: &Connection<'_>) {
        self.handler.borrow_mut().event(connection, Event::Write);
    }

    fn expired(&mut self, connection: &Connection<'_>) {
        self.time_is_up(connection);
    }

    fn pull(&mut self, connection: &Connection<'_>) {
        #[cfg(feature = "tower")]
        if self.go_on(connection) {
            return;
        }
        if !self.answer.is_streamed() {
            connection.set_pulling(false);
        } else if self.pull_body(connection) {
            connection.offer_again();
            #[cfg(feature = "tower")]
            self.look_at_feed(connection);
        }
    }

    fn late(&mut self, connection: &Connection<'_>, late: Late) {
        let Ok(late) = late.downcast::<LateReply>() else { return };
        // A reply for an earlier request cannot be due any more.
        if matches!(self.answer, Answer::Deferred(_)) && late.sequence == self.sequence {
            self.answer = Answer::Done;
            connection.set_appetite(usize::MAX);
            self.send(connection, *late);
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
        self.fail_upload(error);
        self.handler.borrow_mut().event(connection, Event::Error(error));
    }

    fn shutdown(&mut self, connection: &Connection<'_>) {
        self.closing = true;
        match &self.answer {
            Answer::Streamed { .. } => connection.set_pulling(true),
            Answer::Deferred(_) => {}
            #[cfg(feature = "tower")]
            Answer::Making { .. } => {}
            // The beginning of a head is no request yet.
            Answer::Done if matches!(self.stage, Stage::Head(_)) => {
                if connection.received().is_empty() {
                    connection.drain();
                } else {
                    connection.drain_and_linger();
                }
            }
            Answer::Done => {}
        }
    }

    fn closed(&mut self, connection: &Connection<'_>) {
        self.fail_upload(&Error::Closed);
        self.handler.borrow_mut().event(connection, Event::Close);
    }

    fn take_part(&mut self) -> Option<Box<dyn Any>> {
        if let Stage::Upload(incoming, _) = std::mem::replace(&mut self.stage, Stage::start()) {
            return Some(incoming);
        }
        if let Some(span) = self.span.take() {
            return Some(span);
        }
        match std::mem::replace(&mut self.answer, Answer::Done) {
            Answer::Streamed { body, .. } => Some(body),
            #[cfg(feature = "tower")]
            Answer::Making { responder, .. } => Some(Box::new(responder)),
            Answer::Done | Answer::Deferred(_) => None,
        }
    }
}

/// Tells a peer that waits for it to send the body, unless some of that is here already.
fn ask_to_continue(connection: &Connection<'_>, head: &Head<'_, '_>, input: &[u8]) {
    if head.expects_continue && input.len() == head.len {
        tell_to_continue(connection);
    }
}

/// Tells a peer to send the body.
pub(super) fn tell_to_continue(connection: &Connection<'_>) {
    // Behind a reply that C code has made.
    connection.entry.collect_send();
    connection.entry.output.borrow_mut().gather(b"HTTP/1.1 100 Continue\r\n\r\n");
    connection.touch();
}

impl<H> std::fmt::Debug for Server<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("stage", &self.stage)
            .field("answer", &self.answer)
            .finish_non_exhaustive()
    }
}
