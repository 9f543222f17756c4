//! The client's side of the opening handshake.

use std::any::Any;
use std::fmt;

use super::accept::websocket_accept;
use super::connection::Shared;
use super::link::Link;
use super::tunnel::Tunnel;
use super::{CloseCode, CloseFrame, Connection, Event, Handler, Limits};
use crate::engine::{self, Protocol, Step};
use crate::ffi::random_bytes;
use crate::gate::http::{ResponseScan, Scanned, scratch, unfold};
use crate::gate::ws::{Role, check_answer};
use crate::{Error, base64};

/// What is sent.
pub(super) struct Request {
    pub(super) target: String,
    pub(super) host: String,
    /// Whole lines, checked.
    pub(super) headers: Vec<u8>,
    pub(super) protocols: Vec<String>,
}

impl Request {
    fn write(&self, key: &str, out: &mut Vec<u8>) {
        let Self { target, host, headers, protocols } = self;
        let head = format!(
            "GET {target} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        );
        out.extend_from_slice(head.as_bytes());
        if !protocols.is_empty() {
            out.extend_from_slice(format!("Sec-WebSocket-Protocol: {}\r\n", protocols.join(", ")).as_bytes());
        }
        out.extend_from_slice(headers);
        out.extend_from_slice(b"\r\n");
    }
}

/// Who is told what becomes of the handshake, and takes over after it.
pub(super) trait Opener {
    /// Whether the server has to choose a subprotocol.
    const NAMED: bool;

    /// The server has agreed.
    fn succeed(self, connection: &engine::Connection<'_>, protocol: Option<&str>) -> Result<(), Error>;

    fn failed(&mut self, connection: &engine::Connection<'_>, error: &Error);

    fn shutdown(&mut self, connection: &engine::Connection<'_>) {
        connection.drain();
    }

    fn closed(&mut self, connection: &engine::Connection<'_>);

    fn take_part(&mut self) -> Option<Box<dyn Any>> {
        None
    }
}

/// A handler of messages.
pub(super) struct Talk<H> {
    pub(super) handler: H,
    pub(super) limits: Limits,
    pub(super) pieces: bool,
}

impl<H: Handler> Talk<H> {
    fn tell(&mut self, connection: &engine::Connection<'_>, event: Event<'_>) {
        let shared = Shared::new(Role::Client, Limits::default(), None);
        shared.over.set(true);
        // It is at its end whatever the handler says.
        let _ = self.handler.event(&Connection::new(connection.clone(), shared), event);
    }
}

impl<H: Handler> Opener for Talk<H> {
    const NAMED: bool = false;

    fn succeed(self, connection: &engine::Connection<'_>, protocol: Option<&str>) -> Result<(), Error> {
        let shared = Shared::new(Role::Client, self.limits, protocol.map(Into::into));
        connection.set_protocol(Link::boxed(self.handler, &shared, self.pieces))?;
        connection.set_shared(shared);
        Ok(())
    }

    fn failed(&mut self, connection: &engine::Connection<'_>, error: &Error) {
        self.tell(connection, Event::Error(error));
    }

    fn closed(&mut self, connection: &engine::Connection<'_>) {
        self.tell(connection, Event::Close(CloseFrame::new(CloseCode::ABNORMAL, "")));
    }
}

/// A protocol that is to be carried.
impl Opener for Box<dyn Protocol> {
    const NAMED: bool = true;

    fn succeed(self, connection: &engine::Connection<'_>, _: Option<&str>) -> Result<(), Error> {
        connection.set_protocol(Tunnel::boxed(Role::Client, self))
    }

    fn failed(&mut self, connection: &engine::Connection<'_>, error: &Error) {
        (**self).failed(connection, error);
    }

    fn shutdown(&mut self, connection: &engine::Connection<'_>) {
        (**self).shutdown(connection);
    }

    fn closed(&mut self, connection: &engine::Connection<'_>) {
        (**self).closed(connection);
    }

    fn take_part(&mut self) -> Option<Box<dyn Any>> {
        (**self).take_part()
    }
}

/// A connection before the server has agreed.
pub(super) struct Opening<O> {
    /// Until it takes over.
    opener: Option<O>,
    request: Request,
    scan: ResponseScan,
    key: String,
    folded: bool,
}

impl<O: Opener + 'static> Opening<O> {
    pub(super) fn boxed(opener: O, request: Request) -> Box<dyn Protocol> {
        let mut key = [0; 16];
        random_bytes(&mut key);
        Box::new(Self {
            opener: Some(opener),
            request,
            scan: ResponseScan::default(),
            key: base64::encode(key),
            folded: false,
        })
    }

    fn give_up(
        &mut self,
        connection: &engine::Connection<'_>,
        status: Option<u16>,
        reason: &'static str,
    ) -> Step {
        self.failed(connection, &Error::Handshake { status, reason });
        connection.consume_unit(usize::MAX);
        connection.close();
        Step::Wait
    }

    /// The server has agreed.
    fn succeed(&mut self, connection: &engine::Connection<'_>, protocol: Option<&str>, len: usize) -> Step {
        if O::NAMED && protocol.is_none() {
            return self.give_up(connection, Some(101), "it does not speak the subprotocol");
        }
        let Some(opener) = self.opener.take() else { return Step::Wait };
        connection.consume_unit(len);
        if opener.succeed(connection, protocol).is_ok() {
            connection.set_websocket();
        }
        Step::Again
    }
}

impl<O: Opener + 'static> Protocol for Opening<O> {
    fn opened(&mut self, connection: &engine::Connection<'_>) {
        connection.set_framed();
        connection.set_appetite(usize::MAX);
        connection.set_deadline(Some(connection.limits().head_time));
        let (request, key) = (&self.request, &self.key);
        connection.entry.output.borrow_mut().gather_with(512, |out| request.write(key, out));
        connection.touch();
    }

    fn receive(&mut self, connection: &engine::Connection<'_>) -> Step {
        let input = connection.received();
        let mut room = scratch();
        let head = match self.scan.parse(input, connection.limits(), false, &mut room) {
            Ok(Scanned::Head(head)) => head,
            Ok(Scanned::Partial) => return Step::Wait,
            Ok(Scanned::Folded) if !self.folded => return Step::Decode,
            Ok(Scanned::Folded) => return self.give_up(connection, None, "a folded header"),
            Err(reason) => return self.give_up(connection, None, reason),
        };
        match head.status {
            101 if head.minor == 0 => self.give_up(connection, Some(101), "it is HTTP/1.0"),
            101 => {
                let headers = head.headers.iter().map(|header| (header.name, header.value));
                match check_answer(headers, &websocket_accept(&self.key), &self.request.protocols) {
                    Ok(answer) => self.succeed(connection, answer.protocol, head.len),
                    Err(reason) => self.give_up(connection, Some(101), reason),
                }
            }
            // Interim: another follows.
            100..=199 => {
                connection.consume_unit(head.len);
                self.scan = ResponseScan::default();
                Step::Again
            }
            status => self.give_up(connection, Some(status), "its status is not 101"),
        }
    }

    fn decode(&mut self, input: &mut [u8]) -> usize {
        unfold(input);
        self.folded = true;
        input.len()
    }

    fn ended(&mut self, connection: &engine::Connection<'_>) {
        self.give_up(connection, None, "it ended the connection");
    }

    fn cut_off(&mut self, connection: &engine::Connection<'_>) {
        self.ended(connection);
    }

    fn expired(&mut self, connection: &engine::Connection<'_>) {
        self.failed(connection, &Error::Deadline { phase: "read the head" });
        connection.close();
    }

    fn failed(&mut self, connection: &engine::Connection<'_>, error: &Error) {
        if let Some(opener) = &mut self.opener {
            opener.failed(connection, error);
        }
    }

    fn shutdown(&mut self, connection: &engine::Connection<'_>) {
        match &mut self.opener {
            Some(opener) => opener.shutdown(connection),
            None => connection.drain(),
        }
    }

    fn closed(&mut self, connection: &engine::Connection<'_>) {
        if let Some(opener) = &mut self.opener {
            opener.closed(connection);
        }
    }

    fn take_part(&mut self) -> Option<Box<dyn Any>> {
        self.opener.as_mut()?.take_part()
    }
}

impl<O> fmt::Debug for Opening<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening").field("target", &self.request.target).finish_non_exhaustive()
    }
}
