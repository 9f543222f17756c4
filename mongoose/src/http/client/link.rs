//! The client's side of one connection: from a request to its response, and on to the next.

use std::any::Any;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use super::Shared;
use super::exchange::Exchange;
use super::gzip::Gunzip;
use super::line::Line;
use super::outbound::Body;
use crate::engine::{Connection, Protocol, Step};
use crate::gate::http::{Chunked, ResponseScan, unfold};
use crate::http::arriving::Arriving;
use crate::http::outgoing::{Outgoing, Pulled};
use crate::http::request_span::RequestSpan;
use crate::{Error, Limits};

/// How long a body waits for 100 before it is sent without being asked for.
const CONTINUE_TIME: Duration = Duration::from_secs(1);

/// What speaks on the connection.
pub(super) struct Link {
    pub(super) shared: Rc<Shared>,
    pub(super) line: Rc<Line>,
    pub(super) stage: Stage,
    pub(super) sending: Sending,
    /// Bytes of the heads of interim responses to this request.
    pub(super) interim: usize,
    /// Something came since the request was begun.
    heard: bool,
    /// No other request after this one.
    closing: bool,
}

/// How much of the response is known.
#[derive(Debug)]
pub(super) enum Stage {
    /// No request was sent.
    Idle,
    Head(ResponseScan),
    /// The body is not all there.
    Sized {
        head: usize,
        body: usize,
    },
    Chunked {
        head: usize,
        decoder: Box<Chunked>,
    },
    /// The body ends with the connection.
    Close {
        head: usize,
    },
    /// The head was handed over, the body is as it comes.
    Pieces {
        arriving: Arriving,
        keep_alive: bool,
        gunzip: Option<Box<Gunzip>>,
    },
}

/// What of the request is still to be sent.
#[derive(Debug)]
pub(super) enum Sending {
    Done,
    /// The body waits for 100.
    Held,
    Body(Box<Outgoing>),
}

/// What a deadline is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    Continue,
    Head,
    Body,
}

impl Link {
    pub(super) fn boxed(shared: &Rc<Shared>, line: &Rc<Line>) -> Box<dyn Protocol> {
        Box::new(Self {
            shared: Rc::clone(shared),
            line: Rc::clone(line),
            stage: Stage::Idle,
            sending: Sending::Done,
            interim: 0,
            heard: false,
            closing: false,
        })
    }

    /// Sends the request that waits, as far as that goes at once.
    fn begin(&mut self, connection: &Connection<'_>) {
        let Some(exchange) = self.line.exchange.take() else { return };
        if exchange.is_cancelled() {
            connection.close();
            return;
        }
        self.stage = Stage::Head(ResponseScan::default());
        self.heard = false;
        self.interim = 0;
        let request = &exchange.request;
        let hint = request.size_hint();
        connection.entry.output.borrow_mut().gather_with(hint, |out| request.write_head(out));
        connection.touch();
        let held = request.holds_body();
        *self.line.exchange.borrow_mut() = Some(exchange);
        if held {
            self.sending = Sending::Held;
            self.arm(connection, Phase::Continue);
        } else {
            self.begin_body(connection);
        }
    }

    pub(super) fn begin_body(&mut self, connection: &Connection<'_>) {
        self.sending = Sending::Done;
        if let Some(exchange) = self.line.exchange.borrow_mut().as_mut() {
            let transfer = exchange.request.transfer();
            match &mut exchange.request.body {
                Body::Empty => {}
                Body::Whole(payload) => connection.append(payload.clone()),
                Body::Streamed { source, .. } => {
                    if let Some(source) = source.take() {
                        self.sending = Sending::Body(Box::new(Outgoing::boxed(source, transfer)));
                        connection.set_pulling(true);
                    }
                }
            }
        }
        self.arm(connection, Phase::Head);
    }

    /// Sets the deadline for what is waited for: that of the whole, when it comes first.
    pub(super) fn arm(&self, connection: &Connection<'_>, phase: Phase) {
        let exchange = self.line.exchange.borrow();
        let Some(exchange) = exchange.as_ref() else { return };
        let time = match phase {
            Phase::Continue => CONTINUE_TIME,
            Phase::Head => exchange.request.limits.head_time,
            Phase::Body => exchange.request.limits.body_time,
        };
        let now = connection.clock().now();
        let left = exchange.until.map_or(time, |until| time.min(until.saturating_duration_since(now)));
        connection.set_deadline(Some(left));
    }

    pub(super) fn limits(&self) -> Rc<Limits> {
        match self.line.exchange.borrow().as_ref() {
            Some(exchange) => Rc::clone(&exchange.request.limits),
            None => Rc::clone(&self.shared.limits),
        }
    }

    /// Makes the connection ready for another request, or decides that it is not to have one.
    pub(super) fn settle(&mut self, connection: &Connection<'_>, usable: bool) -> bool {
        let sent = matches!(self.sending, Sending::Done) && connection.queued() == 0;
        self.stage = Stage::Idle;
        self.sending = Sending::Done;
        connection.set_pulling(false);
        if !usable || !sent || self.closing || !connection.takes_output() {
            return false;
        }
        self.line.used.set(true);
        connection.set_appetite(usize::MAX);
        connection.set_deadline(Some(self.shared.limits.idle_time));
        let gone = self.shared.pool.borrow_mut().put(Rc::clone(&self.line));
        match gone {
            Some(gone) if Rc::ptr_eq(&gone, &self.line) => false,
            Some(gone) => {
                if let Some(id) = gone.id() {
                    self.shared.dialer.close(id);
                }
                true
            }
            None => true,
        }
    }

    /// Is done with so many received bytes; `None`: with the connection.
    pub(super) fn end_unit(&mut self, connection: &Connection<'_>, end: Option<usize>) -> Step {
        connection.consume_unit(end.unwrap_or(usize::MAX));
        if end.is_none() {
            connection.close();
        }
        Step::Wait
    }

    /// Tells the receiver that there will be no whole response, and closes.
    pub(super) fn give_up(
        &mut self,
        connection: &Connection<'_>,
        exchange: Option<Box<Exchange>>,
        error: Error,
    ) -> Step {
        self.settle(connection, false);
        self.end_unit(connection, None);
        if let Some(exchange) = exchange {
            exchange.fail(error);
        }
        Step::Wait
    }

    /// The connection is lost. What was not sent at all goes over another one; what was sent over a connection that the
    /// server had every right to close goes once more, if that does no harm.
    fn lose(&mut self, connection: &Connection<'_>, error: Error) {
        let unsent = matches!(self.stage, Stage::Idle);
        self.settle(connection, false);
        self.shared.pool.borrow_mut().remove(&self.line);
        let Some(mut exchange) = self.line.exchange.take() else { return };
        let closed = matches!(error, Error::Truncated | Error::Io { .. });
        let harmless = closed && !self.heard && !exchange.repeated && exchange.request.may_be_repeated();
        if self.line.used.get() && (unsent || harmless) && !exchange.is_cancelled() {
            exchange.repeated |= !unsent;
            self.shared.start_or_fail(exchange);
        } else {
            exchange.fail(error);
        }
    }
}

impl Protocol for Link {
    fn opened(&mut self, connection: &Connection<'_>) {
        connection.set_appetite(usize::MAX);
        connection.set_framed();
        self.begin(connection);
    }

    fn receive(&mut self, connection: &Connection<'_>) -> Step {
        let input = connection.received();
        match self.stage {
            // Nobody asked: what comes before the next request would be taken for its response.
            Stage::Idle => self.end_unit(connection, None),
            Stage::Head(_) => {
                self.heard = true;
                self.next_head(connection, input)
            }
            Stage::Sized { head, body } if input.len() < head + body => {
                self.arm(connection, Phase::Body);
                Step::Wait
            }
            Stage::Sized { head, body } => self.deliver_again(connection, input, head + body),
            Stage::Chunked { .. } => self.next_chunks(connection, input),
            Stage::Close { head } => {
                let limits = self.limits();
                self.next_of_close(connection, input, head, &limits)
            }
            Stage::Pieces { .. } => self.next_piece(connection, input),
        }
    }

    fn decode(&mut self, input: &mut [u8]) -> usize {
        match &mut self.stage {
            Stage::Head(_) => {
                unfold(input);
                input.len()
            }
            Stage::Chunked { head, decoder } => *head + decoder.decode(&mut input[*head..]),
            Stage::Pieces { arriving, .. } => arriving.decode(input),
            _ => input.len(),
        }
    }

    fn ended(&mut self, connection: &Connection<'_>) {
        match &self.stage {
            Stage::Close { .. } => {
                let input = connection.received();
                self.deliver_again(connection, input, input.len());
            }
            Stage::Pieces { arriving: Arriving::Close, .. } => {
                if let Some(exchange) = self.line.exchange.take() {
                    self.end_pieces(connection, exchange, false);
                }
            }
            _ => {
                // What is not all there is no message (hazard 18).
                self.lose(connection, Error::Truncated);
                connection.close();
            }
        }
    }

    /// The end of the connection is no end of a body: anybody on the way can make it.
    fn cut_off(&mut self, connection: &Connection<'_>) {
        self.lose(connection, Error::Truncated);
        connection.close();
    }

    fn pull(&mut self, connection: &Connection<'_>) {
        if matches!(self.stage, Stage::Idle) {
            connection.set_pulling(false);
            self.begin(connection);
        }
        let Sending::Body(body) = &mut self.sending else {
            connection.set_pulling(false);
            return;
        };
        let span = span_of(&self.line);
        match span.in_scope(|| body.pull(connection)) {
            Pulled::More => connection.touch(),
            Pulled::Asleep => {
                connection.set_pulling(false);
                connection.touch();
            }
            Pulled::Done => {
                connection.set_pulling(false);
                connection.touch();
                self.sending = Sending::Done;
                if matches!(self.stage, Stage::Head(_)) {
                    self.arm(connection, Phase::Head);
                }
            }
            Pulled::Broken(error) => {
                let exchange = self.line.exchange.take();
                self.give_up(connection, exchange, error);
            }
        }
    }

    fn expired(&mut self, connection: &Connection<'_>) {
        if matches!(self.stage, Stage::Idle) {
            // One that was given meanwhile is about to be sent, and has a deadline of its own then.
            if self.line.exchange.borrow().is_none() {
                connection.close();
            }
            return;
        }
        let over = self.line.exchange.borrow().as_ref().and_then(|exchange| exchange.time_left())
            == Some(Duration::ZERO);
        let sending = !matches!(self.sending, Sending::Done) || connection.queued() > 0;
        let phase = match self.stage {
            _ if over => "finish",
            Stage::Head(_) if matches!(self.sending, Sending::Held) => return self.begin_body(connection),
            // The server may wait for all of it. Whether it takes any is another deadline's business.
            Stage::Head(_) if sending => return self.arm(connection, Phase::Head),
            Stage::Head(_) => "read the head",
            // Not the server's fault.
            _ if connection.is_paused() => return self.arm(connection, Phase::Body),
            _ => "read the body",
        };
        let exchange = self.line.exchange.take();
        self.give_up(connection, exchange, Error::Deadline { phase });
    }

    fn failed(&mut self, connection: &Connection<'_>, error: &Error) {
        self.lose(connection, error.own());
    }

    fn shutdown(&mut self, connection: &Connection<'_>) {
        self.closing = true;
        if matches!(self.stage, Stage::Idle) && self.line.exchange.borrow().is_none() {
            connection.drain();
        }
    }

    fn closed(&mut self, connection: &Connection<'_>) {
        let error = self.shared.dialer.check_open().err().unwrap_or(Error::Closed);
        self.lose(connection, error);
    }

    fn take_part(&mut self) -> Option<Box<dyn Any>> {
        match std::mem::replace(&mut self.sending, Sending::Done) {
            Sending::Body(body) => Some(body),
            Sending::Done | Sending::Held => None,
        }
    }
}

/// What the request is in that a connection is there for.
pub(super) fn span_of(line: &Line) -> RequestSpan {
    line.exchange.borrow().as_ref().map_or_else(RequestSpan::none, |exchange| exchange.span.clone())
}

/// The last word, where the engine drops it without one: after a panic, or because another protocol took over.
impl Drop for Link {
    fn drop(&mut self) {
        self.shared.pool.borrow_mut().remove(&self.line);
        if let Some(exchange) = self.line.exchange.take() {
            exchange.fail(Error::Closed);
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("line", &self.line).field("stage", &self.stage).finish_non_exhaustive()
    }
}
