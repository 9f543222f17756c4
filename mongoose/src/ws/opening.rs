//! The client's side of the opening handshake.

use std::fmt;

use super::accept::websocket_accept;
use super::connection::Shared;
use super::link::Link;
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

/// A connection before the server has agreed.
pub(super) struct Opening<H> {
    /// Goes to who takes over.
    handler: Option<H>,
    request: Request,
    limits: Limits,
    pieces: bool,
    scan: ResponseScan,
    key: String,
    folded: bool,
}

impl<H: Handler> Opening<H> {
    pub(super) fn boxed(handler: H, request: Request, limits: Limits, pieces: bool) -> Box<dyn Protocol> {
        let mut key = [0; 16];
        random_bytes(&mut key);
        Box::new(Self {
            handler: Some(handler),
            request,
            limits,
            pieces,
            scan: ResponseScan::default(),
            key: base64::encode(key),
            folded: false,
        })
    }

    fn tell(&mut self, connection: &engine::Connection<'_>, event: Event<'_>) {
        let Some(handler) = &mut self.handler else { return };
        let shared = Shared::new(Role::Client, Limits::default(), None);
        shared.over.set(true);
        // It is at its end whatever the handler says.
        let _ = handler.event(&Connection::new(connection.clone(), shared), event);
    }

    fn give_up(
        &mut self,
        connection: &engine::Connection<'_>,
        status: Option<u16>,
        reason: &'static str,
    ) -> Step {
        self.tell(connection, Event::Error(&Error::Handshake { status, reason }));
        connection.consume_unit(usize::MAX);
        connection.close();
        Step::Wait
    }

    /// The server has agreed.
    fn succeed(&mut self, connection: &engine::Connection<'_>, protocol: Option<&str>, len: usize) -> Step {
        let Some(handler) = self.handler.take() else { return Step::Wait };
        connection.consume_unit(len);
        let shared = Shared::new(Role::Client, self.limits.clone(), protocol.map(Into::into));
        if connection.set_protocol(Link::boxed(handler, &shared, self.pieces)).is_ok() {
            connection.set_shared(shared);
            connection.set_websocket();
        }
        Step::Again
    }
}

impl<H: Handler> Protocol for Opening<H> {
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
        self.tell(connection, Event::Error(&Error::Deadline { phase: "read the head" }));
        connection.close();
    }

    fn failed(&mut self, connection: &engine::Connection<'_>, error: &Error) {
        self.tell(connection, Event::Error(error));
    }

    fn closed(&mut self, connection: &engine::Connection<'_>) {
        self.tell(connection, Event::Close(CloseFrame::new(CloseCode::ABNORMAL, "")));
    }
}

impl<H> fmt::Debug for Opening<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening").field("target", &self.request.target).finish_non_exhaustive()
    }
}
