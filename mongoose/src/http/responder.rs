//! Replies that are made on the loop in steps, while the request's body still comes.

use std::fmt;
use std::task::Poll;

use super::answering::{Answer, Waiting};
use super::arriving::Arriving;
use super::deferred::Terms;
use super::exchange::Exchange;
use super::feed::Feed;
use super::server::{APPETITE, Server, Stage, tell_to_continue};
use super::upload::{Incoming, Receiver};
use super::{Handler, Reply};
use crate::Error;
use crate::engine::{Connection, Step};
use crate::gate::http::Framing;

/// Makes one reply. It is dropped when nobody waits for that any more.
pub(crate) trait Responder {
    /// Goes on: answers by `reply`, or lets go of it and is asked again once the connection was
    /// [nudged](crate::Handle::nudge).
    fn poll(&mut self, reply: Reply<'_>) -> Poll<Result<(), Error>>;

    /// Whether it goes on when the peer has ended its direction: it may wait for the reply, or be gone.
    fn outlives_peer(&self) -> bool;
}

impl fmt::Debug for dyn Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Responder")
    }
}

impl<H: Handler> Server<H> {
    /// Goes on after a nudge. Whether that was all.
    pub(super) fn go_on(&mut self, connection: &Connection<'_>) -> bool {
        let Answer::Making { responder, terms } = &mut self.answer else {
            self.look_at_feed(connection);
            return false;
        };
        connection.set_pulling(false);
        let terms = Terms { keep_alive: terms.keep_alive && !self.closing, ..*terms };
        let exchange = Exchange::new(terms, &self.span);
        let reply = Reply::now(connection, &exchange, &self.service.date);
        let polled = self.span.in_scope(|| responder.poll(reply));
        if let Poll::Ready(result) = polled {
            self.answer = Answer::Done;
            connection.set_appetite(usize::MAX);
            self.conclude(connection, result, &exchange);
            connection.offer_again();
        }
        self.look_at_feed(connection);
        true
    }

    /// Begins to hand a body over. Its reply is made meanwhile, or is there already.
    pub(super) fn begin_feed(
        &mut self,
        connection: &Connection<'_>,
        framing: Framing,
        feed: Feed,
        result: Result<(), Error>,
        exchange: &Exchange,
    ) -> Step {
        let body = Arriving::of_request(framing, &self.service.limits);
        let incoming = Incoming { receiver: Receiver::Feed(feed), body, received: 0 };
        self.stage = Stage::Upload(Box::new(incoming), exchange.terms.get());
        self.conclude(connection, result, exchange);
        self.look_at_feed(connection);
        Step::Again
    }

    /// The body is whole.
    pub(super) fn end_feed(&mut self, connection: &Connection<'_>, feed: Feed) -> Step {
        feed.end(Ok(()));
        // Nobody is left who would.
        connection.resume();
        match self.answer {
            Answer::Making { .. } | Answer::Deferred(_) => self.wait_for(connection, Waiting::Reply),
            Answer::Streamed { .. } => self.wait_for(connection, Waiting::Nothing),
            Answer::Done => {
                connection.set_appetite(usize::MAX);
                self.finish(connection, self.closing);
            }
        }
        Step::Again
    }

    /// Sees what became of the reader of a body.
    pub(super) fn look_at_feed(&mut self, connection: &Connection<'_>) {
        let Stage::Upload(incoming, _) = &self.stage else { return };
        let Receiver::Feed(feed) = &incoming.receiver else { return };
        let making = matches!(self.answer, Answer::Making { .. });
        // Behind the head of the reply it would be taken for a part of that.
        if making && incoming.received == 0 && connection.received().is_empty() && feed.take_wish() {
            tell_to_continue(connection);
        }
        if matches!(self.answer, Answer::Done) && feed.is_gone() {
            if feed.is_left_behind() {
                connection.set_appetite(usize::MAX);
                self.finish(connection, true);
                return;
            }
            connection.resume();
        }
        connection.set_appetite(APPETITE);
        self.wait_for_feed(connection);
    }

    /// Sets the deadline of a body that is handed over while its reply is made: the peer's, unless it is not its turn.
    pub(super) fn wait_for_feed(&mut self, connection: &Connection<'_>) {
        let Stage::Upload(incoming, _) = &self.stage else { return };
        let Receiver::Feed(_) = &incoming.receiver else { return };
        let received = incoming.received;
        let waiting = match self.answer {
            _ if !connection.is_paused() => Waiting::Body,
            Answer::Making { .. } | Answer::Deferred(_) => Waiting::Reply,
            Answer::Streamed { .. } | Answer::Done => Waiting::Nothing,
        };
        if self.waiting != waiting {
            self.body_seen = received;
            self.wait_for(connection, waiting);
        }
    }

    /// The peer has ended its direction. Whether all is said about that.
    pub(super) fn peer_left(&mut self, connection: &Connection<'_>) -> bool {
        let truncated = matches!(self.stage, Stage::Upload(..));
        match &self.answer {
            Answer::Making { responder, .. } if !truncated && responder.outlives_peer() => true,
            Answer::Making { .. } => {
                self.answer = Answer::Done;
                if self.fail_upload(&Error::Truncated) {
                    self.report(connection, &Error::Truncated);
                }
                connection.drain();
                true
            }
            Answer::Streamed { .. } if truncated => self.give_up_feed(connection, &Error::Truncated),
            _ => false,
        }
    }

    /// Gives up on a body whose reply has begun, and that therefore cannot be refused any more. `false`: it can, and
    /// nobody makes a reply.
    pub(super) fn give_up_feed(&mut self, connection: &Connection<'_>, error: &Error) -> bool {
        if matches!(self.answer, Answer::Making { .. }) {
            self.answer = Answer::Done;
            return false;
        }
        let is_feed = matches!(&self.stage, Stage::Upload(incoming, _) if matches!(incoming.receiver, Receiver::Feed(_)));
        if !is_feed {
            return false;
        }
        self.fail_upload(error);
        self.report(connection, error);
        connection.consume_unit(usize::MAX);
        self.closing = true;
        if matches!(self.answer, Answer::Done) {
            // Its bytes are no requests.
            self.peer_closes = false;
            connection.set_appetite(usize::MAX);
            self.finish(connection, true);
        } else {
            self.wait_for(connection, Waiting::Nothing);
        }
        true
    }
}
