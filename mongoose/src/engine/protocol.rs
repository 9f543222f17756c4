//! The seam between the engine, which knows no protocol, and the protocols, which touch no socket.

use std::any::Any;
use std::net::SocketAddr;

use super::{Connection, Late, Output, Payload};
use crate::Error;

/// What one connection speaks. Every method but [`decode`](Self::decode) may call the user's handler; none is entered
/// while another of the same manager runs (invariant 5).
pub(crate) trait Protocol {
    /// The connection is there: accepted, or connected.
    fn opened(&mut self, _connection: &Connection<'_>) {}

    /// Bytes have arrived, or may be looked at again: takes at most one unit, and consumes it.
    fn receive(&mut self, connection: &Connection<'_>) -> Step;

    /// A datagram has arrived, on a socket of those.
    fn datagram(&mut self, _connection: &Connection<'_>, _bytes: &[u8], _from: SocketAddr) {}

    /// Decodes unconsumed bytes in place where [`Step::Decode`] asked for it; answers how many are left. No user code.
    fn decode(&mut self, _input: &mut [u8]) -> usize {
        unreachable!("only a protocol that asks to decode is asked to")
    }

    /// The peer ended its direction. All it sent has been offered to [`receive`](Self::receive).
    fn ended(&mut self, connection: &Connection<'_>) {
        connection.drain();
    }

    /// The peer's bytes end without TLS's word that they are all. What was sent has been offered to
    /// [`receive`](Self::receive). The default reports that, and closes.
    fn cut_off(&mut self, connection: &Connection<'_>) {
        self.failed(connection, &Error::Truncated);
        connection.close();
    }

    /// All that waited to be sent has left, after some of it had to wait.
    fn written(&mut self, _connection: &Connection<'_>) {}

    /// The deadline it had [set](Connection::set_deadline) has passed. The default reports it, and closes.
    fn expired(&mut self, connection: &Connection<'_>) {
        self.failed(connection, &Error::Deadline { phase: "finish" });
        connection.close();
    }

    /// There is room for more output; called while the protocol asked for it by
    /// [`set_pulling`](Connection::set_pulling).
    fn pull(&mut self, connection: &Connection<'_>) {
        connection.set_pulling(false);
    }

    /// A reply from another thread.
    fn late(&mut self, _connection: &Connection<'_>, _late: Late) {}

    /// A payload from another thread.
    fn wakeup(&mut self, _connection: &Connection<'_>, _payload: &[u8]) {}

    /// C code fired an event of the user's own.
    fn user(&mut self, _connection: &Connection<'_>, _number: u32) {}

    /// Something failed. The connection closes after this, unless C or the user only said so.
    fn failed(&mut self, connection: &Connection<'_>, error: &Error);

    /// The loop ends soon: finish what is in flight and drain. The default closes after what waits has left.
    fn shutdown(&mut self, connection: &Connection<'_>) {
        connection.drain();
    }

    /// The last call.
    fn closed(&mut self, connection: &Connection<'_>);

    /// Gives up something of the user's that it holds besides a handler, while there is any: it is about to be dropped,
    /// and two panics in one drop would end the process. No user code.
    fn take_part(&mut self) -> Option<Box<dyn Any>> {
        None
    }
}

/// What a protocol made of the bytes it was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It waits: for more bytes, or for a reply.
    Wait,
    /// A unit is done: offer what follows.
    Again,
    /// Call [`Protocol::decode`], then offer again.
    Decode,
}

/// What a protocol's bytes are wrapped in on their way out, where another lies between it and the transport.
pub(crate) trait Envelope {
    /// Appends bytes, wrapped.
    fn seal(&self, payload: Payload<'_>, output: &mut Output);

    /// Appends what tells the peer that these were all.
    fn end(&self, output: &mut Output);
}

/// Makes the protocol of an accepted connection, or has it closed. May be the user's code.
pub(crate) type Acceptor = Box<dyn FnMut(Admission) -> Option<Box<dyn Protocol>>>;

/// Whether a listener has room for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Welcome,
    /// It is past [`Limits::connections`](crate::Limits::connections): to be turned away in the protocol's own words.
    Full,
}
