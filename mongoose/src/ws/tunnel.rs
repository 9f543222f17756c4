//! A protocol inside a WebSocket: its bytes in binary frames, wherever they are cut.

use std::any::Any;

use super::outgoing::{push_frame, seals};
use crate::Error;
use crate::engine::{Connection, Late, Protocol, Step};
use crate::gate::ws::{Opcode, Role, StreamDecoder, StreamEnd, Violation, close_payload};

/// Carries a protocol that knows nothing of it: what that is shown was taken out of frames, and what it sends is put into
/// them.
pub(super) struct Tunnel {
    role: Role,
    inner: Box<dyn Protocol>,
    decoder: StreamDecoder,
    /// How many of the received bytes were taken out of their frames.
    plain: usize,
    /// The inner protocol was told that the connection is there.
    opened: bool,
}

impl Tunnel {
    pub(super) fn boxed(role: Role, inner: Box<dyn Protocol>) -> Box<dyn Protocol> {
        Box::new(Self { role, inner, decoder: StreamDecoder::new(role), plain: 0, opened: false })
    }

    /// Says that the connection is there, once; whether it did.
    fn open(&mut self, connection: &Connection<'_>) -> bool {
        if self.opened {
            return false;
        }
        self.opened = true;
        connection.set_framed();
        connection.set_envelope(seals(self.role));
        self.inner.opened(connection);
        true
    }

    fn write(&self, connection: &Connection<'_>, opcode: Opcode, payload: Vec<u8>) {
        push_frame(&mut connection.entry.output.borrow_mut(), self.role, opcode, payload.into());
        connection.touch();
    }

    /// The peer has said all that counts.
    fn finish(&mut self, connection: &Connection<'_>, end: StreamEnd) {
        if let StreamEnd::Broken(Violation { code, reason }) = end {
            self.inner.failed(connection, &Error::WebSocket { code, reason });
            if connection.takes_output() && connection.take_envelope() {
                self.write(connection, Opcode::Close, close_payload(code, reason));
            }
        }
        // Where nothing was said yet, a close frame goes out before.
        connection.drain_and_linger();
    }
}

impl Protocol for Tunnel {
    fn receive(&mut self, connection: &Connection<'_>) -> Step {
        if self.open(connection) {
            return Step::Again;
        }
        if connection.received().len() > self.plain {
            return Step::Decode;
        }
        if let Some(payload) = self.decoder.take_ping()
            && connection.takes_output()
        {
            self.write(connection, Opcode::Pong, payload);
        }
        if self.plain > 0 {
            let step = self.inner.receive(connection);
            self.plain = connection.received().len();
            if step == Step::Again && self.plain > 0 {
                return step;
            }
        }
        // Nothing is offered where nothing is left: what the end says is said now.
        if let Some(end) = self.decoder.end() {
            connection.consume_unit(usize::MAX);
            self.plain = 0;
            self.finish(connection, end);
        }
        Step::Wait
    }

    fn decode(&mut self, input: &mut [u8]) -> usize {
        self.plain += self.decoder.decode(&mut input[self.plain..]);
        self.plain
    }

    fn ended(&mut self, connection: &Connection<'_>) {
        self.open(connection);
        if self.decoder.is_inside() {
            self.inner.failed(connection, &Error::Truncated);
        }
        self.inner.ended(connection);
    }

    fn cut_off(&mut self, connection: &Connection<'_>) {
        self.open(connection);
        self.inner.cut_off(connection);
    }

    fn written(&mut self, connection: &Connection<'_>) {
        self.open(connection);
        self.inner.written(connection);
    }

    fn expired(&mut self, connection: &Connection<'_>) {
        self.inner.expired(connection);
    }

    fn pull(&mut self, connection: &Connection<'_>) {
        if !self.opened {
            // The successor of a handshake is pulled, so that it can begin though nothing has come.
            connection.set_pulling(false);
            self.open(connection);
        } else {
            self.inner.pull(connection);
        }
    }

    fn late(&mut self, connection: &Connection<'_>, late: Late) {
        self.inner.late(connection, late);
    }

    fn wakeup(&mut self, connection: &Connection<'_>, payload: &[u8]) {
        self.open(connection);
        self.inner.wakeup(connection, payload);
    }

    fn user(&mut self, connection: &Connection<'_>, number: u32) {
        self.open(connection);
        self.inner.user(connection, number);
    }

    fn failed(&mut self, connection: &Connection<'_>, error: &Error) {
        self.open(connection);
        self.inner.failed(connection, error);
    }

    fn shutdown(&mut self, connection: &Connection<'_>) {
        self.inner.shutdown(connection);
    }

    fn closed(&mut self, connection: &Connection<'_>) {
        self.inner.closed(connection);
    }

    fn take_part(&mut self) -> Option<Box<dyn Any>> {
        self.inner.take_part()
    }
}
