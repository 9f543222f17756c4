//! From what arrives on a connection to who gets it.

use std::rc::Rc;
use std::time::Duration;

use super::exchange::{Exchange, Receiver};
use super::gzip::{self, Gunzip};
use super::link::{Link, Phase, Sending, Stage, span_of};
use super::outbound::Outbound;
use super::redirect::is_redirect;
use super::{Download, Response};
use crate::engine::{Connection, Step};
use crate::ffi::MessageFields;
use crate::gate::http::{Chunked, Progress, ResponseFraming, ResponseHead, ResponseScan, Scanned, scratch};
use crate::http::arriving::{Arriving, Available};
use crate::{Error, Limits};

/// How many bytes of a body that is taken in pieces may be held while its receiver pauses.
const APPETITE: usize = 64 << 10;

pub(super) const BODY_TOO_LARGE: &str = "a body past the limit";

impl Link {
    /// Looks for the end of the head.
    pub(super) fn next_head(&mut self, connection: &Connection<'_>, input: &[u8]) -> Step {
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
        span_of(&self.line).status(head.status);
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
                self.stage = Stage::Chunked { head: head.len, decoder };
                self.next_chunks(connection, input)
            }
            ResponseFraming::Close => {
                self.stage = Stage::Close { head: head.len };
                self.next_of_close(connection, input, head.len, limits)
            }
        }
    }

    pub(super) fn next_chunks(&mut self, connection: &Connection<'_>, input: &[u8]) -> Step {
        let Stage::Chunked { head, decoder } = &self.stage else {
            unreachable!("called in this stage alone")
        };
        match decoder.progress() {
            Progress::More if input.len() > head + decoder.body() => Step::Decode,
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

    pub(super) fn next_of_close(
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
    pub(super) fn deliver_again(&mut self, connection: &Connection<'_>, input: &[u8], end: usize) -> Step {
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
        let unpacked = match self.gunzip(&exchange.request, head) {
            Some(gunzip) => match gunzip.whole(&message[head.len..], exchange.request.limits.body) {
                Ok(decoded) => Some(decoded),
                Err(reason) => return self.give_up(connection, Some(exchange), Error::Response { reason }),
            },
            None => None,
        };
        let body = unpacked.as_deref().unwrap_or(&message[head.len..]);
        // Before the handler runs: what it asks for next may go over the same connection.
        let all = connection.received().len() == end;
        let stays = self.settle(connection, head.keep_alive && all && !exchange.request.close);
        exchange.finish();
        if !exchange.is_cancelled() {
            let Exchange { request, receiver, span, .. } = *exchange;
            if let Receiver::Whole(handler) = receiver {
                let url = request.url.as_str();
                self.show(connection, head, message, body, url, |response| {
                    let response = response.decoded(unpacked.is_some());
                    span.in_scope(|| handler(Ok(response)));
                });
            }
        }
        self.end_unit(connection, stays.then_some(end))
    }

    /// What decodes the body, where it came compressed because that was asked for.
    fn gunzip(&self, request: &Outbound, head: &ResponseHead<'_, '_>) -> Option<Gunzip> {
        let mut encodings =
            head.headers.iter().filter(|header| header.name.eq_ignore_ascii_case("content-encoding"));
        match (request.gzip, encodings.next(), encodings.next()) {
            (true, Some(only), None) => Gunzip::of(only.value),
            _ => None,
        }
    }

    /// Fills the message, and shows it as a response.
    fn show<R>(
        &self,
        connection: &Connection<'_>,
        head: &ResponseHead<'_, '_>,
        message: &[u8],
        body: &[u8],
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
            body,
            head: &message[..head.len],
            message,
        };
        let shared = Rc::clone(&self.shared);
        let mut slot = shared.message.borrow_mut();
        let view = slot.fill(fields, head.headers.iter().map(|header| (header.name, header.value)));
        call(Response::new(view, head.status, url, connection))
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
            let Exchange { request, receiver, span, .. } = *exchange;
            span.status(head.status);
            let (url, message) = (request.url.as_str(), &input[..head.len]);
            self.show(connection, head, message, b"", url, |response| {
                span.in_scope(|| match receiver {
                    Receiver::Whole(handler) => handler(Ok(response)),
                    Receiver::Pieces(mut download) => match download.head(response) {
                        Ok(()) => download.end(connection),
                        Err(error) => download.failed(&error),
                    },
                });
            });
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
        let (span, gunzip) = (&exchange.span, self.gunzip(&exchange.request, head));
        let result = self.show(connection, head, message, b"", url, |response| {
            span.in_scope(|| download.head(response.decoded(gunzip.is_some())))
        });
        connection.consume_unit(head.len);
        self.stage = Stage::Pieces {
            arriving: Arriving::of_response(head.framing, limits),
            keep_alive: head.keep_alive,
            gunzip: gunzip.map(Box::new),
        };
        connection.set_appetite(APPETITE);
        self.go_on(connection, exchange, result)
    }

    /// Hands over what has come of a body.
    pub(super) fn next_piece(&mut self, connection: &Connection<'_>, input: &[u8]) -> Step {
        let Stage::Pieces { arriving, gunzip, .. } = &mut self.stage else {
            unreachable!("called in this stage alone")
        };
        let count = match arriving.available(input) {
            Available::Encoded => return Step::Decode,
            Available::Bytes(count) if gunzip.is_some() => count.min(gzip::STEP),
            Available::Bytes(count) => count,
        };
        let Some(mut exchange) = self.line.exchange.take() else { return Step::Wait };
        let mut result = Ok(());
        if count > 0
            && let Receiver::Pieces(download) = &mut exchange.receiver
        {
            arriving.take(count);
            result = exchange.span.in_scope(|| match gunzip {
                None => download.data(connection, &input[..count]),
                Some(gunzip) => hand_over(&mut **download, connection, gunzip.decode(&input[..count])),
            });
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
        let Stage::Pieces { arriving, keep_alive, .. } = &self.stage else {
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

    pub(super) fn end_pieces(
        &mut self,
        connection: &Connection<'_>,
        mut exchange: Box<Exchange>,
        usable: bool,
    ) -> Step {
        if let Stage::Pieces { gunzip, .. } = &mut self.stage
            && let Some(gunzip) = gunzip.take()
            && let Receiver::Pieces(download) = &mut exchange.receiver
            && let Err(error) =
                exchange.span.in_scope(|| hand_over(&mut **download, connection, gunzip.finish()))
        {
            return self.give_up(connection, Some(exchange), error);
        }
        // Nobody is left who would.
        connection.resume();
        let stays = self.settle(connection, usable && !exchange.request.close);
        exchange.finish();
        if let Receiver::Pieces(mut download) = exchange.receiver {
            exchange.span.in_scope(|| download.end(connection));
        }
        self.end_unit(connection, stays.then_some(0))
    }

    fn refuse(&mut self, connection: &Connection<'_>, reason: &'static str) -> Step {
        let exchange = self.line.exchange.take();
        self.give_up(connection, exchange, Error::Response { reason })
    }
}

/// Hands over what was decoded.
fn hand_over(
    download: &mut dyn Download,
    connection: &Connection<'_>,
    decoded: Result<Vec<u8>, &'static str>,
) -> Result<(), Error> {
    let decoded = decoded.map_err(|reason| Error::Response { reason })?;
    decoded.chunks(APPETITE).try_for_each(|piece| download.data(connection, piece))
}
