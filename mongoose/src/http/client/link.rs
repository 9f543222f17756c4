//! The client's side of one connection: from a request to its response, and on to the next.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use super::arriving::{Arriving, Available};
use super::exchange::{Exchange, Receiver, own};
use super::outbound::Body;
use super::redirect::is_redirect;
use super::{Response, Shared};
use crate::engine::{Connection, Protocol, Step};
use crate::ffi::MessageFields;
use crate::gate::http::{
    Chunked, Progress, ResponseFraming, ResponseHead, ResponseScan, Scanned, scratch, unfold,
};
use crate::http::outgoing::{Outgoing, Pulled};
use crate::net::Endpoint;
use crate::{ConnectionId, Error, Limits};

/// How long a body waits for 100 before it is sent without being asked for.
const CONTINUE_TIME: Duration = Duration::from_secs(1);

/// How many bytes of a body that is taken in pieces may be held while its receiver pauses.
const APPETITE: usize = 64 << 10;

/// A connection, as the pool knows it.
pub(super) struct Line {
    endpoint: Endpoint,
    id: Cell<Option<ConnectionId>>,
    exchange: RefCell<Option<Box<Exchange>>>,
    /// It has carried a request before: the server may close it at any moment.
    used: Cell<bool>,
}

impl Line {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, id: Cell::new(None), exchange: RefCell::new(None), used: Cell::new(false) }
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// `None` before it is begun.
    pub(super) fn id(&self) -> Option<ConnectionId> {
        self.id.get()
    }

    /// Notes that the connection is being made, for an exchange.
    pub(super) fn begin(&self, id: ConnectionId, exchange: Box<Exchange>) {
        self.id.set(Some(id));
        self.give(exchange);
    }

    /// Has the connection carry an exchange, as soon as it is there and pulled.
    pub(super) fn give(&self, exchange: Box<Exchange>) {
        if let Some(id) = self.id.get() {
            exchange.ride(id);
        }
        *self.exchange.borrow_mut() = Some(exchange);
    }
}

/// What speaks on the connection.
pub(super) struct Link {
    shared: Rc<Shared>,
    line: Rc<Line>,
    stage: Stage,
    sending: Sending,
    /// Bytes of the heads of interim responses to this request.
    interim: usize,
    /// Something came since the request was begun.
    heard: bool,
    /// No other request after this one.
    closing: bool,
}

/// How much of the response is known.
#[derive(Debug)]
enum Stage {
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
        raw_end: usize,
    },
    /// The body ends with the connection.
    Close {
        head: usize,
    },
    /// The head was handed over, the body is as it comes.
    Pieces {
        arriving: Arriving,
        keep_alive: bool,
    },
}

/// What of the request is still to be sent.
#[derive(Debug)]
enum Sending {
    Done,
    /// The body waits for 100.
    Held,
    Body(Box<Outgoing>),
}

/// What a deadline is for.
#[derive(Clone, Copy, Debug)]
enum Phase {
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

    fn begin_body(&mut self, connection: &Connection<'_>) {
        self.sending = Sending::Done;
        if let Some(exchange) = self.line.exchange.borrow_mut().as_mut() {
            let transfer = exchange.request.transfer();
            match &mut exchange.request.body {
                Body::Empty => {}
                Body::Whole(payload) => connection.append(payload.clone()),
                Body::Source { source, .. } => {
                    if let Some(mut source) = source.take() {
                        let body = Outgoing::new(move || source.next(), transfer);
                        self.sending = Sending::Body(Box::new(body));
                        connection.set_pulling(true);
                    }
                }
            }
        }
        self.arm(connection, Phase::Head);
    }

    /// Sets the deadline for what is waited for: that of the whole, when it comes first.
    fn arm(&self, connection: &Connection<'_>, phase: Phase) {
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

    fn limits(&self) -> Rc<Limits> {
        match self.line.exchange.borrow().as_ref() {
            Some(exchange) => Rc::clone(&exchange.request.limits),
            None => Rc::clone(&self.shared.limits),
        }
    }

    /// Looks for the end of the head.
    fn next_head(&mut self, connection: &Connection<'_>, input: &[u8]) -> Step {
        let Stage::Head(scan) = &mut self.stage else { unreachable!("called in this stage alone") };
        let (limits, to_head, upgrade) = match self.line.exchange.borrow().as_ref() {
            Some(exchange) => {
                let request = &exchange.request;
                (Rc::clone(&request.limits), request.method == "HEAD", request.upgrade)
            }
            None => return Step::Wait,
        };
        let mut room = scratch();
        let head = match scan.parse(input, &limits, to_head, &mut room) {
            Ok(Scanned::Head(head)) => head,
            Ok(Scanned::Partial) => return Step::Wait,
            Ok(Scanned::Folded) => return Step::Decode,
            Err(reason) => return self.refuse(connection, reason),
        };
        match head.status {
            101 if upgrade => self.upgrade(connection, &head, input),
            101 => self.refuse(connection, "an upgrade that nobody asked for"),
            100..=199 => {
                self.interim += head.len;
                if self.interim > limits.head {
                    return self.refuse(connection, "interim responses past the limit of a head");
                }
                connection.consume_unit(head.len);
                self.stage = Stage::Head(ResponseScan::default());
                if head.status == 100 && matches!(self.sending, Sending::Held) {
                    self.begin_body(connection);
                }
                Step::Again
            }
            _ => self.next_response(connection, &head, input, &limits),
        }
    }

    /// Goes on with the head of a final response.
    fn next_response(
        &mut self,
        connection: &Connection<'_>,
        head: &ResponseHead<'_, '_>,
        input: &[u8],
        limits: &Limits,
    ) -> Step {
        let (follows, pieces) = match self.line.exchange.borrow().as_ref() {
            Some(exchange) => {
                (exchange.request.redirects.is_some(), matches!(exchange.receiver, Receiver::Pieces(_)))
            }
            None => return Step::Wait,
        };
        if follows
            && is_redirect(head.status)
            && let Some(location) =
                head.headers.iter().find(|header| header.name.eq_ignore_ascii_case("location"))
        {
            return self.follow(connection, head, input, location.value);
        }
        if pieces {
            return self.begin_pieces(connection, head, limits);
        }
        match head.framing {
            ResponseFraming::Length(body) if body > limits.body => self.refuse(connection, BODY_TOO_LARGE),
            ResponseFraming::Length(body) if input.len() - head.len >= body => {
                let end = head.len + body;
                self.deliver(connection, head, &input[..end], end)
            }
            ResponseFraming::Length(body) => {
                self.stage = Stage::Sized { head: head.len, body };
                self.arm(connection, Phase::Body);
                Step::Wait
            }
            ResponseFraming::Chunked => {
                let decoder = Box::new(Chunked::new(limits));
                self.stage = Stage::Chunked { head: head.len, decoder, raw_end: head.len };
                self.next_chunks(connection, input)
            }
            ResponseFraming::Close => {
                self.stage = Stage::Close { head: head.len };
                self.next_of_close(connection, input, head.len, limits)
            }
        }
    }

    fn next_chunks(&mut self, connection: &Connection<'_>, input: &[u8]) -> Step {
        let Stage::Chunked { head, decoder, raw_end } = &self.stage else {
            unreachable!("called in this stage alone")
        };
        match decoder.progress() {
            Progress::More if input.len() > *raw_end => Step::Decode,
            Progress::More => {
                self.arm(connection, Phase::Body);
                Step::Wait
            }
            Progress::Done => {
                let end = head + decoder.body();
                self.deliver_again(connection, input, end)
            }
            Progress::Refused(refusal) => self.refuse(connection, refusal.reason),
        }
    }

    fn next_of_close(
        &mut self,
        connection: &Connection<'_>,
        input: &[u8],
        head: usize,
        limits: &Limits,
    ) -> Step {
        if input.len() - head > limits.body {
            return self.refuse(connection, BODY_TOO_LARGE);
        }
        self.arm(connection, Phase::Body);
        Step::Wait
    }

    /// Parses a head once more, now that the body is there: its bytes may have moved since.
    fn deliver_again(&mut self, connection: &Connection<'_>, input: &[u8], end: usize) -> Step {
        let limits = self.limits();
        let to_head = false;
        let mut room = scratch();
        match ResponseScan::default().parse(input, &limits, to_head, &mut room) {
            Ok(Scanned::Head(head)) => self.deliver(connection, &head, &input[..end], end),
            Ok(_) => unreachable!("it was whole and unfolded before"),
            Err(reason) => self.refuse(connection, reason),
        }
    }

    /// Hands a whole response over. `message` is head and decoded body, `end` what it takes of the input.
    fn deliver(
        &mut self,
        connection: &Connection<'_>,
        head: &ResponseHead<'_, '_>,
        message: &[u8],
        end: usize,
    ) -> Step {
        let Some(exchange) = self.line.exchange.take() else { return Step::Wait };
        // Before the handler runs: what it asks for next may go over the same connection.
        let all = connection.received().len() == end;
        let stays = self.settle(connection, head.keep_alive && all && !exchange.request.close);
        exchange.finish();
        if !exchange.is_cancelled() {
            let Exchange { request, receiver, .. } = *exchange;
            if let Receiver::Whole(handler) = receiver {
                self.show(connection, head, message, request.url.as_str(), |response| handler(Ok(response)));
            }
        }
        self.end_unit(connection, stays.then_some(end))
    }

    /// Fills the message, and shows it as a response.
    fn show<R>(
        &self,
        connection: &Connection<'_>,
        head: &ResponseHead<'_, '_>,
        message: &[u8],
        url: &str,
        call: impl FnOnce(Response<'_>) -> R,
    ) -> R {
        // Digits behind "HTTP/1.x ", where C looks for them.
        let status = std::str::from_utf8(&message[9..12]).unwrap_or_default();
        let fields = MessageFields {
            method: if head.minor == 0 { "HTTP/1.0" } else { "HTTP/1.1" },
            uri: status,
            query: "",
            protocol: head.reason,
            body: &message[head.len..],
            head: &message[..head.len],
            message,
        };
        let shared = Rc::clone(&self.shared);
        let mut slot = shared.message.borrow_mut();
        let view = slot.fill(fields, head.headers.iter().map(|header| (header.name, header.value)));
        call(Response::new(view, head.status, url, connection))
    }

    /// Makes the connection ready for another request, or decides that it is not to have one.
    fn settle(&mut self, connection: &Connection<'_>, usable: bool) -> bool {
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
    fn end_unit(&mut self, connection: &Connection<'_>, end: Option<usize>) -> Step {
        connection.consume_unit(end.unwrap_or(usize::MAX));
        if end.is_none() {
            connection.close();
        }
        Step::Wait
    }

    /// Sends the request elsewhere, where a response says so.
    fn follow(
        &mut self,
        connection: &Connection<'_>,
        head: &ResponseHead<'_, '_>,
        input: &[u8],
        location: &[u8],
    ) -> Step {
        let Some(mut exchange) = self.line.exchange.take() else { return Step::Wait };
        // A body that is not all there is not worth waiting for.
        let end = match head.framing {
            ResponseFraming::Length(body) => head.len.checked_add(body).filter(|end| *end == input.len()),
            _ => None,
        };
        let stays = self.settle(connection, head.keep_alive && end.is_some() && !exchange.request.close);
        match exchange.request.redirect(head.status, location) {
            Ok(()) => self.shared.start_or_fail(exchange),
            Err(error) => exchange.fail(error),
        }
        self.end_unit(connection, end.filter(|_| stays))
    }

    /// Gives the connection to who asked for the upgrade: the handler sets another one.
    fn upgrade(&mut self, connection: &Connection<'_>, head: &ResponseHead<'_, '_>, input: &[u8]) -> Step {
        let Some(exchange) = self.line.exchange.take() else { return Step::Wait };
        self.stage = Stage::Idle;
        self.sending = Sending::Done;
        connection.set_pulling(false);
        connection.consume_unit(head.len);
        // Where nobody takes over, that is the end.
        connection.set_deadline(Some(Duration::ZERO));
        exchange.finish();
        if !exchange.is_cancelled() {
            let Exchange { request, receiver, .. } = *exchange;
            let (url, message) = (request.url.as_str(), &input[..head.len]);
            match receiver {
                Receiver::Whole(handler) => {
                    self.show(connection, head, message, url, |response| handler(Ok(response)));
                }
                Receiver::Pieces(mut download) => {
                    match self.show(connection, head, message, url, |response| download.head(response)) {
                        Ok(()) => download.end(connection),
                        Err(error) => download.failed(&error),
                    }
                }
            }
        }
        Step::Wait
    }

    /// Hands over the head of a response whose body is taken in pieces.
    fn begin_pieces(
        &mut self,
        connection: &Connection<'_>,
        head: &ResponseHead<'_, '_>,
        limits: &Limits,
    ) -> Step {
        let Some(mut exchange) = self.line.exchange.take() else { return Step::Wait };
        let Receiver::Pieces(download) = &mut exchange.receiver else { return Step::Wait };
        let message = &connection.received()[..head.len];
        let url = exchange.request.url.as_str();
        let result = self.show(connection, head, message, url, |response| download.head(response));
        connection.consume_unit(head.len);
        let arriving = Arriving::new(head.framing, limits);
        self.stage = Stage::Pieces { arriving, keep_alive: head.keep_alive };
        connection.set_appetite(APPETITE);
        self.go_on(connection, exchange, result)
    }

    /// Hands over what has come of a body.
    fn next_piece(&mut self, connection: &Connection<'_>, input: &[u8]) -> Step {
        let Stage::Pieces { arriving, .. } = &mut self.stage else {
            unreachable!("called in this stage alone")
        };
        let count = match arriving.available(input) {
            Available::Encoded => return Step::Decode,
            Available::Bytes(count) => count,
        };
        let Some(mut exchange) = self.line.exchange.take() else { return Step::Wait };
        let mut result = Ok(());
        if count > 0
            && let Receiver::Pieces(download) = &mut exchange.receiver
        {
            arriving.take(count);
            result = download.data(connection, &input[..count]);
            connection.consume_unit(count);
        }
        self.go_on(connection, exchange, result)
    }

    /// Goes on with a body after its receiver returned.
    fn go_on(
        &mut self,
        connection: &Connection<'_>,
        exchange: Box<Exchange>,
        result: Result<(), Error>,
    ) -> Step {
        let Stage::Pieces { arriving, keep_alive } = &self.stage else {
            unreachable!("called in this stage alone")
        };
        let (progress, keep_alive) = (arriving.progress(), *keep_alive);
        match (result, progress) {
            (Err(error), _) => self.give_up(connection, Some(exchange), error),
            (Ok(()), Progress::Refused(refusal)) => {
                let error = Error::Response { reason: refusal.reason };
                self.give_up(connection, Some(exchange), error)
            }
            _ if exchange.is_cancelled() => self.give_up(connection, Some(exchange), Error::Closed),
            (Ok(()), Progress::More) => {
                *self.line.exchange.borrow_mut() = Some(exchange);
                self.arm(connection, Phase::Body);
                Step::Again
            }
            (Ok(()), Progress::Done) => {
                let rest = connection.received().len();
                self.end_pieces(connection, exchange, keep_alive && rest == 0)
            }
        }
    }

    fn end_pieces(&mut self, connection: &Connection<'_>, exchange: Box<Exchange>, usable: bool) -> Step {
        // Nobody is left who would.
        connection.resume();
        let stays = self.settle(connection, usable && !exchange.request.close);
        exchange.finish();
        if let Receiver::Pieces(mut download) = exchange.receiver {
            download.end(connection);
        }
        self.end_unit(connection, stays.then_some(0))
    }

    fn refuse(&mut self, connection: &Connection<'_>, reason: &'static str) -> Step {
        let exchange = self.line.exchange.take();
        self.give_up(connection, exchange, Error::Response { reason })
    }

    /// Tells the receiver that there will be no whole response, and closes.
    fn give_up(
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

const BODY_TOO_LARGE: &str = "a body past the limit";

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
            Stage::Chunked { head, decoder, raw_end } => {
                let left = *head + decoder.decode(&mut input[*head..]);
                *raw_end = left;
                left
            }
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

    fn pull(&mut self, connection: &Connection<'_>) {
        if matches!(self.stage, Stage::Idle) {
            connection.set_pulling(false);
            self.begin(connection);
        }
        let Sending::Body(body) = &mut self.sending else {
            connection.set_pulling(false);
            return;
        };
        match body.pull(connection) {
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
        self.lose(connection, own(error));
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

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("endpoint", &self.endpoint).field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("line", &self.line).field("stage", &self.stage).finish_non_exhaustive()
    }
}
