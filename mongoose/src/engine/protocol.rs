//! The seam between the engine, which knows no protocol, and the protocols, which touch no socket.

use super::{Connection, Late};
use crate::Error;

/// What one connection speaks. Every method but [`decode`](Self::decode) may call the user's handler; none is entered
/// while another of the same manager runs (invariant 5).
pub(crate) trait Protocol {
    /// The connection is there: accepted, or connected.
    fn opened(&mut self, _connection: &Connection<'_>) {}

    /// Bytes have arrived, or may be looked at again: takes at most one unit, and consumes it.
    fn receive(&mut self, connection: &Connection<'_>) -> Step;

    /// Decodes unconsumed bytes in place where [`Step::Decode`] asked for it; answers how many are left. No user code.
    fn decode(&mut self, _input: &mut [u8]) -> usize {
        unreachable!("only a protocol that asks to decode is asked to")
    }

    /// The peer ended its direction. All it sent has been offered to [`receive`](Self::receive).
    fn ended(&mut self, connection: &Connection<'_>) {
        connection.drain();
    }

    /// All that waited to be sent has left, after some of it had to wait.
    fn written(&mut self, _connection: &Connection<'_>) {}

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

/// Makes the protocol of an accepted connection. May be the user's code.
pub(crate) type Acceptor = Box<dyn FnMut() -> Box<dyn Protocol>>;
