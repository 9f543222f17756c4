//! The server's side of one connection: from the handler's replies to the wire, and what is overdue.

use std::rc::Rc;

use super::Handler;
use super::deferred::{LateBody, LateReply, Terms};
use super::exchange::{Exchange, Fate};
use super::outgoing::{Heartbeat, Outgoing, Pulled};
use super::reply::plain;
use super::reply_head::{Persistence, ReplyHead, TEXT, Transfer};
use super::request_span::RequestSpan;
#[cfg(feature = "tower")]
use super::responder::Responder;
use super::server::{APPETITE, Server, Service, Stage};
use crate::Error;
use crate::engine::{Connection, Payload, Protocol, Step};
use crate::gate::http::Refusal;

/// What of a reply is still to come.
#[derive(Debug)]
pub(super) enum Answer {
    /// All is written, or nothing asked.
    Done,
    /// It was put off.
    Deferred(Terms),
    /// It is being made on the loop.
    #[cfg(feature = "tower")]
    Making { responder: Box<dyn Responder>, terms: Terms },
    /// Its body is made while it is sent.
    Streamed { body: Box<Outgoing>, close: bool },
}

impl Answer {
    #[inline]
    pub(super) fn is_due(&self) -> bool {
        !matches!(self, Self::Done)
    }

    pub(super) fn is_streamed(&self) -> bool {
        matches!(self, Self::Streamed { .. })
    }

    /// Of a stream without an end.
    pub(super) fn heartbeat(&self) -> Option<Heartbeat> {
        match self {
            Self::Streamed { body, .. } => body.heartbeat,
            _ => None,
        }
    }
}

/// What a connection's deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    /// The next request: its deadline is the same for all that are answered in a turn.
    Idle,
    /// The rest of a head.
    Head,
    /// The rest of a body.
    Body,
    /// A deferred reply.
    Reply,
    /// Something to stream.
    Heartbeat,
    /// Only for the peer to read.
    Nothing,
}

impl<H: Handler> Server<H> {
    /// Sets the deadline for what is waited for next.
    #[inline]
    pub(super) fn wait_for(&mut self, connection: &Connection<'_>, waiting: Waiting) {
        let limits = &self.service.limits;
        connection.set_deadline(match waiting {
            Waiting::Idle => Some(limits.idle_time),
            Waiting::Head => Some(limits.head_time),
            Waiting::Body => Some(limits.body_time),
            Waiting::Reply => Some(limits.reply_time),
            Waiting::Heartbeat => self.answer.heartbeat().map(|heartbeat| heartbeat.every),
            Waiting::Nothing => None,
        });
        self.waiting = waiting;
    }

    /// Goes on after a handler returned.
    #[inline(always)]
    pub(super) fn conclude(
        &mut self,
        connection: &Connection<'_>,
        result: Result<(), Error>,
        exchange: &Exchange,
    ) -> Step {
        if let Err(error) = &result {
            self.report(connection, error);
        }
        let terms = exchange.terms.get();
        match exchange.fate.get() {
            Fate::Sent => {
                self.finish(connection, !terms.keep_alive);
                Step::Again
            }
            fate => self.conclude_unsent(connection, terms, fate, exchange, &result),
        }
    }

    /// The same, where the reply is not whole.
    fn conclude_unsent(
        &mut self,
        connection: &Connection<'_>,
        terms: Terms,
        fate: Fate,
        exchange: &Exchange,
        result: &Result<(), Error>,
    ) -> Step {
        match fate {
            Fate::Deferred => {
                self.answer = Answer::Deferred(terms);
                connection.set_appetite(APPETITE);
                self.wait_for(connection, Waiting::Reply);
                Step::Wait
            }
            Fate::Streamed => {
                let body = exchange.take_body();
                let done = body.is_none_or(|body| self.begin_stream(connection, body, !terms.keep_alive));
                if done { Step::Again } else { Step::Wait }
            }
            #[cfg(feature = "tower")]
            Fate::Making => {
                if let Some(responder) = exchange.take_responder() {
                    self.answer = Answer::Making { responder, terms };
                }
                connection.set_appetite(APPETITE);
                self.wait_for(connection, Waiting::Reply);
                Step::Wait
            }
            Fate::Upgraded => {
                self.span = RequestSpan::none();
                connection.set_responding(false);
                Step::Again
            }
            // A C function replied, and has said so in C's way.
            Fate::Sent | Fate::Open | Fate::Receiving if !connection.is_responding() => {
                self.finish(connection, !terms.keep_alive);
                Step::Again
            }
            Fate::Sent | Fate::Open | Fate::Receiving => {
                let status = result.as_ref().map_or_else(Error::status, |()| 500);
                self.send(connection, plain(terms, status));
                Step::Again
            }
        }
    }

    /// Sends a reply that was made elsewhere.
    pub(super) fn send(&mut self, connection: &Connection<'_>, late: LateReply) {
        let close = late.close || self.closing;
        let open = connection.takes_output();
        if open {
            self.span.status(late.status);
            connection.entry.collect_send();
            let mut output = connection.entry.output.borrow_mut();
            output.gather(&late.head);
            output.gather(Persistence::of(!close, self.minor).end());
        }
        match late.body {
            LateBody::Whole(body) => {
                if open {
                    connection.entry.output.borrow_mut().push(body);
                }
                self.finish(connection, close);
            }
            // Nor its body without its head.
            LateBody::Streamed(_) if !open => self.finish(connection, close),
            LateBody::Streamed(body) => {
                self.begin_stream(connection, Box::new(body), close);
            }
        }
    }

    /// Begins with a body that is made while it is sent. Whether it is done already.
    fn begin_stream(&mut self, connection: &Connection<'_>, body: Box<Outgoing>, close: bool) -> bool {
        self.answer = Answer::Streamed { body, close };
        connection.set_appetite(APPETITE);
        connection.set_pulling(true);
        self.wait_for(connection, Waiting::Nothing);
        // What is there at once leaves with the head.
        self.pull_body(connection)
    }

    /// Moves what there is of a streamed body to the output. Whether it is done.
    pub(super) fn pull_body(&mut self, connection: &Connection<'_>) -> bool {
        let Answer::Streamed { body, .. } = &mut self.answer else { return false };
        let pulled = self.span.in_scope(|| body.pull(connection));
        let endless = body.heartbeat.is_some();
        match pulled {
            Pulled::More => {
                connection.touch();
                return false;
            }
            // A stream without an end ends when the loop does.
            Pulled::Asleep if endless && self.closing => {
                body.end(connection);
                self.stream_done(connection);
            }
            Pulled::Asleep => {
                connection.set_pulling(false);
                connection.touch();
                if endless {
                    self.wait_for(connection, Waiting::Heartbeat);
                }
                return false;
            }
            Pulled::Done => self.stream_done(connection),
            Pulled::Broken(error) => {
                self.answer = Answer::Done;
                connection.set_pulling(false);
                self.span.failed();
                self.report(connection, &error);
                self.span = RequestSpan::none();
                // What was made still leaves; without the mark of a whole body, the peer sees that it is not.
                connection.set_responding(false);
                connection.drain_broken();
            }
        }
        true
    }

    fn stream_done(&mut self, connection: &Connection<'_>) {
        let answer = std::mem::replace(&mut self.answer, Answer::Done);
        connection.set_pulling(false);
        connection.set_appetite(usize::MAX);
        self.finish(connection, matches!(answer, Answer::Streamed { close: true, .. }) || self.closing);
    }

    /// A request is answered: on to the next, or to the end.
    #[inline(always)]
    pub(super) fn finish(&mut self, connection: &Connection<'_>, close: bool) {
        connection.set_responding(false);
        self.span = RequestSpan::none();
        if close {
            self.end(connection);
        } else {
            connection.set_deadline_at(self.service.idle_until(connection.clock().now()));
            self.waiting = Waiting::Idle;
        }
    }

    /// No further request is answered.
    fn end(&mut self, connection: &Connection<'_>) {
        self.wait_for(connection, Waiting::Nothing);
        // A peer that asked to close sends no more, unless it pipelined. Any other may: bytes that nobody reads would
        // have the system reset the connection, and the reply be lost.
        let unread = self.fail_upload(&Error::Closed) || !connection.received().is_empty();
        if self.peer_closes && !unread {
            connection.drain();
        } else {
            connection.drain_and_linger();
        }
    }

    /// Answers what is no request, tells the handler, and closes.
    pub(super) fn refuse(&mut self, connection: &Connection<'_>, refusal: Refusal) -> Step {
        let error = Error::Refused { status: refusal.status, reason: refusal.reason };
        #[cfg(feature = "tower")]
        if self.give_up_feed(connection, &error) {
            return Step::Wait;
        }
        // A refused head is not known to be one: its first bytes have to do.
        let head_only = !self.fail_upload(&error) && connection.received().starts_with(b"HEAD ");
        self.stage = Stage::start();
        self.wait_for(connection, Waiting::Nothing);
        self.span.status(refusal.status);
        refuse(connection, &self.service, refusal, head_only);
        self.report(connection, &error);
        self.span = RequestSpan::none();
        connection.consume_unit(usize::MAX);
        Step::Wait
    }

    /// Tells the receiver of an upload, where there is one, that it will not be whole.
    pub(super) fn fail_upload(&mut self, error: &Error) -> bool {
        if !matches!(self.stage, Stage::Upload(..)) {
            return false;
        }
        if let Stage::Upload(mut incoming, _) = std::mem::replace(&mut self.stage, Stage::start()) {
            self.span.in_scope(|| incoming.receiver.failed(error));
        }
        true
    }

    /// What was waited for did not come in time.
    pub(super) fn time_is_up(&mut self, connection: &Connection<'_>) {
        if !connection.takes_output() {
            // It is on its way to its end, and nothing more can be said.
            return;
        }
        match self.waiting {
            Waiting::Nothing => {}
            Waiting::Idle if connection.queued() > 0 => {
                // The peer is busy with the reply. Whether it reads any is another deadline's business.
                self.wait_for(connection, self.waiting);
            }
            Waiting::Idle => connection.drain(),
            Waiting::Head if connection.received().is_empty() => connection.drain(),
            Waiting::Head => {
                self.refuse(connection, Refusal::new(408, "the head took too long"));
            }
            Waiting::Body if connection.is_paused() => {
                // Not the peer's fault.
                self.wait_for(connection, self.waiting);
            }
            Waiting::Body => {
                self.refuse(connection, Refusal::new(408, "the body took too long"));
            }
            Waiting::Reply => {
                let terms = match &self.answer {
                    Answer::Deferred(terms) => *terms,
                    #[cfg(feature = "tower")]
                    Answer::Making { terms, .. } => *terms,
                    Answer::Done | Answer::Streamed { .. } => return,
                };
                self.answer = Answer::Done;
                // Of a body that is not all there, the rest is not wanted.
                self.closing |= matches!(self.stage, Stage::Upload(..));
                connection.set_appetite(usize::MAX);
                let error = Error::Deadline { phase: "reply" };
                self.report(connection, &error);
                self.send(connection, plain(terms, 504));
                connection.offer_again();
            }
            Waiting::Heartbeat => {
                if let Answer::Streamed { body, .. } = &mut self.answer {
                    body.beat(connection);
                    connection.touch();
                }
                self.wait_for(connection, self.waiting);
            }
        }
    }
}

/// Sends a reply to what is no request, and closes.
fn refuse(connection: &Connection<'_>, service: &Service, refusal: Refusal, head_only: bool) {
    let body = Payload::from(format!("{}\n", refusal.reason));
    let mut date = service.date.borrow_mut();
    let head = ReplyHead {
        status: refusal.status,
        headers: b"",
        content_type: Some(TEXT),
        transfer: Transfer::Length(body.len() as u64),
        date: Some(date.at(connection.clock().unix_seconds())),
        persistence: Some(Persistence::Close),
    };
    connection.entry.collect_send();
    let mut output = connection.entry.output.borrow_mut();
    output.gather_with(head.size_hint(), |out| head.write(out));
    if !head_only {
        output.push(body);
    }
    drop(output);
    connection.drain_and_linger();
}

/// Turns a connection away that is past the listener's limit.
#[derive(Debug)]
pub(crate) struct Overloaded {
    service: Rc<Service>,
}

impl Overloaded {
    pub(crate) fn boxed(service: &Rc<Service>) -> Box<dyn Protocol> {
        Box::new(Self { service: Rc::clone(service) })
    }
}

impl Protocol for Overloaded {
    fn opened(&mut self, connection: &Connection<'_>) {
        refuse(connection, &self.service, Refusal::new(503, "too many connections"), false);
    }

    fn receive(&mut self, _connection: &Connection<'_>) -> Step {
        Step::Wait
    }

    fn failed(&mut self, _connection: &Connection<'_>, _error: &Error) {}

    fn closed(&mut self, _connection: &Connection<'_>) {}
}
