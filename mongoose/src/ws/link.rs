//! What speaks WebSocket on a connection, at either end.

use std::rc::Rc;

use super::connection::Shared;
use super::{CloseCode, CloseFrame, Connection, Event, Handler, Limits, Message, Piece};
use crate::Error;
use crate::engine::{self, Protocol, Step};
use crate::gate::ws::{
    Assembler, Bounds, Found, Kind, Opcode, Role, Unit, Violation, close_payload, parse_close,
};

/// One WebSocket after its handshake.
pub(super) struct Link<H> {
    handler: H,
    shared: Rc<Shared>,
    assembler: Assembler,
    /// The handler was told that it is open.
    opened: bool,
    /// Something has come since the deadline was set.
    heard: bool,
    /// A ping asks whether the peer is there.
    asked: bool,
    /// The peer's close frame.
    theirs: Option<(CloseCode, Box<str>)>,
}

impl<H: Handler> Link<H> {
    pub(super) fn boxed(handler: H, shared: &Rc<Shared>, pieces: bool) -> Box<dyn Protocol> {
        let Limits { frame, message, .. } = shared.limits;
        Box::new(Self {
            handler,
            assembler: Assembler::new(shared.role, Bounds { frame, message, pieces }),
            shared: Rc::clone(shared),
            opened: false,
            heard: false,
            asked: false,
            theirs: None,
        })
    }

    /// An error of the handler's own comes back to it as an event, once, and closes.
    fn tell(&mut self, connection: &engine::Connection<'_>, event: Event<'_>) {
        let websocket = Connection::new(connection.clone(), Rc::clone(&self.shared));
        if let Err(error) = self.handler.event(&websocket, event)
            && !matches!(event, Event::Error(_) | Event::Close(_))
            // Who has closed may still be told something, and cannot answer it.
            && !(self.shared.closing.get() && matches!(error, Error::Closed))
        {
            self.fail(connection, CloseCode::INTERNAL_ERROR, "", &error);
        }
    }

    /// Tells the peer by a code and the handler by an error that this is the end.
    fn fail(&mut self, connection: &engine::Connection<'_>, code: CloseCode, reason: &str, error: &Error) {
        let websocket = Connection::new(connection.clone(), Rc::clone(&self.shared));
        // Unless the peer was told another one before.
        let _ = websocket.begin_close(&close_payload(code.0, reason));
        // It has been told; there is nobody else.
        let _ = self.handler.event(&websocket, Event::Error(error));
        connection.drain_and_linger();
    }

    fn violated(&mut self, connection: &engine::Connection<'_>, violation: Violation) {
        let Violation { code, reason } = violation;
        self.fail(connection, CloseCode(code), reason, &Error::WebSocket { code, reason });
    }

    /// Says that it is open, once; whether it did.
    fn open(&mut self, connection: &engine::Connection<'_>) -> bool {
        if self.opened {
            return false;
        }
        self.opened = true;
        connection.set_framed();
        connection.set_appetite(usize::MAX);
        if !self.shared.closing.get() {
            connection.set_deadline(Some(self.shared.limits.ping_time));
        }
        self.tell(connection, Event::Open);
        true
    }

    /// Whether an echo would find no room behind what waits: then the peer has to read that first.
    fn is_too_much(&self, connection: &engine::Connection<'_>, unit: Unit) -> bool {
        let (Unit::Message { start, end, .. }
        | Unit::Piece { start, end, .. }
        | Unit::Control { opcode: Opcode::Ping, start, end }) = unit
        else {
            return false;
        };
        let waiting = connection.queued();
        waiting > 0 && waiting.saturating_add(end - start) > self.shared.limits.output
    }

    /// Hands a unit over.
    fn hand_over(&mut self, connection: &engine::Connection<'_>, unit: Unit, input: &[u8]) {
        match unit {
            Unit::Message { kind: Kind::Binary, start, end } => {
                self.tell(connection, Event::Message(Message::Binary(&input[start..end])));
            }
            Unit::Message { kind: Kind::Text, start, end } => match std::str::from_utf8(&input[start..end]) {
                Ok(text) => self.tell(connection, Event::Message(Message::Text(text))),
                Err(_) => self.violated(connection, Violation { code: 1007, reason: "a text is not UTF-8" }),
            },
            Unit::Piece { kind, start, end, first, last } => {
                let bytes = &input[start..end];
                let data = match kind {
                    Kind::Binary => Message::Binary(bytes),
                    Kind::Text => Message::Text(
                        std::str::from_utf8(bytes).expect("text is cut behind what was checked"),
                    ),
                };
                self.tell(connection, Event::Piece(Piece::new(data, first, last)));
            }
            Unit::Control { opcode, start, end } => {
                self.control(connection, opcode, &input[start..end]);
            }
            Unit::Broken(violation) => self.violated(connection, violation),
        }
    }

    fn control(&mut self, connection: &engine::Connection<'_>, opcode: Opcode, payload: &[u8]) {
        match opcode {
            Opcode::Close => self.take_close(connection, payload),
            Opcode::Pong => self.tell(connection, Event::Pong(payload)),
            _ => {
                if !self.shared.closing.get() && connection.takes_output() {
                    let websocket = Connection::new(connection.clone(), Rc::clone(&self.shared));
                    websocket.write(Opcode::Pong, true, payload.into());
                }
                self.tell(connection, Event::Ping(payload));
            }
        }
    }

    /// The peer closes: answers with its code, unless it is that which answers. Then the server ends the connection, and
    /// the client waits for that (RFC 6455 section 7.1.1).
    fn take_close(&mut self, connection: &engine::Connection<'_>, payload: &[u8]) {
        let (code, reason) = match parse_close(payload) {
            Ok(Some((code, reason))) => (CloseCode(code), reason),
            Ok(None) => (CloseCode::NO_STATUS, ""),
            Err(violation) => return self.violated(connection, violation),
        };
        self.theirs = Some((code, reason.into()));
        let websocket = Connection::new(connection.clone(), Rc::clone(&self.shared));
        // Fails where we have closed first.
        let _ = websocket.begin_close(&payload[..payload.len().min(2)]);
        match self.shared.role {
            Role::Server => connection.drain_and_linger(),
            Role::Client => connection.set_deadline(Some(self.shared.limits.close_time)),
        }
    }
}

impl<H: Handler> Protocol for Link<H> {
    fn receive(&mut self, connection: &engine::Connection<'_>) -> Step {
        if self.open(connection) {
            return Step::Again;
        }
        self.heard = true;
        if self.asked && !self.shared.closing.get() {
            self.asked = false;
            connection.set_deadline(Some(self.shared.limits.ping_time));
        }
        let input = connection.received();
        if self.theirs.is_some() {
            // Nothing may follow a close frame.
            connection.consume_unit(usize::MAX);
            return Step::Wait;
        }
        match self.assembler.next(input) {
            Found::Encoded => Step::Decode,
            Found::Nothing => {
                connection.expect(self.assembler.needs());
                Step::Wait
            }
            Found::Unit(unit) if self.is_too_much(connection, unit) => {
                connection.set_appetite(0);
                connection.wait_for_room();
                Step::Wait
            }
            Found::Unit(unit) => {
                self.hand_over(connection, unit, input);
                connection.consume_unit(self.assembler.finish(unit));
                Step::Again
            }
        }
    }

    fn decode(&mut self, input: &mut [u8]) -> usize {
        self.assembler.decode(input)
    }

    fn pull(&mut self, connection: &engine::Connection<'_>) {
        connection.set_pulling(false);
        self.open(connection);
    }

    fn ended(&mut self, connection: &engine::Connection<'_>) {
        self.open(connection);
        if self.theirs.is_none() && self.assembler.is_inside(connection.received()) {
            self.tell(connection, Event::Error(&Error::Truncated));
        }
        connection.drain();
    }

    /// The closing handshake says whether that was all.
    fn cut_off(&mut self, connection: &engine::Connection<'_>) {
        self.ended(connection);
    }

    fn written(&mut self, connection: &engine::Connection<'_>) {
        self.open(connection);
        connection.set_appetite(usize::MAX);
        if !self.shared.closing.get() {
            self.tell(connection, Event::Write);
        }
    }

    fn expired(&mut self, connection: &engine::Connection<'_>) {
        self.open(connection);
        let Limits { ping_time, pong_time, .. } = self.shared.limits;
        if self.shared.closing.get() {
            if self.theirs.is_none() {
                self.tell(connection, Event::Error(&Error::Deadline { phase: "close" }));
            }
            connection.close();
        } else if std::mem::take(&mut self.heard) || connection.is_paused() || connection.queued() > 0 {
            // It is there; or it is not its fault that we do not hear; or it has to take first what waits for it, and
            // how long that may go without progress is the engine's to say.
            self.asked = false;
            connection.set_deadline(Some(ping_time));
        } else if self.asked {
            let error = Error::Deadline { phase: "pong" };
            self.fail(connection, CloseCode::INTERNAL_ERROR, "no pong came in time", &error);
        } else {
            self.asked = true;
            let websocket = Connection::new(connection.clone(), Rc::clone(&self.shared));
            if connection.takes_output() {
                websocket.write(Opcode::Ping, true, b"".into());
            }
            connection.set_deadline(Some(pong_time));
        }
    }

    fn wakeup(&mut self, connection: &engine::Connection<'_>, payload: &[u8]) {
        self.open(connection);
        self.tell(connection, Event::Wakeup(payload));
    }

    fn user(&mut self, connection: &engine::Connection<'_>, number: u32) {
        self.open(connection);
        self.tell(connection, Event::User(number));
    }

    fn failed(&mut self, connection: &engine::Connection<'_>, error: &Error) {
        self.open(connection);
        self.tell(connection, Event::Error(error));
    }

    /// The peer is told, and has [some time](Limits::close_time) to answer.
    fn shutdown(&mut self, connection: &engine::Connection<'_>) {
        let websocket = Connection::new(connection.clone(), Rc::clone(&self.shared));
        // Fails where it closes already.
        let _ = websocket.close(CloseCode::GOING_AWAY, "");
    }

    fn closed(&mut self, connection: &engine::Connection<'_>) {
        self.shared.over.set(true);
        let theirs = self.theirs.take();
        let close = match &theirs {
            Some((code, reason)) => CloseFrame::new(*code, reason),
            None => CloseFrame::new(CloseCode::ABNORMAL, ""),
        };
        self.tell(connection, Event::Close(close));
    }
}

impl<H> Drop for Link<H> {
    fn drop(&mut self) {
        // Also where another protocol has taken over.
        self.shared.over.set(true);
    }
}

impl<H> std::fmt::Debug for Link<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("shared", &self.shared).finish_non_exhaustive()
    }
}
