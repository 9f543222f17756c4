//! WebSocket.

use mongoose::http::{Reply, Request};
use mongoose::{Error, ws};

use crate::counters::Counters;

/// Bytes in a message: suites send 16 MiB.
const MESSAGE_MAX: usize = 64 << 20;

/// Sends back what comes.
pub fn echo(request: Request<'_>, reply: Reply<'_>, counters: &Counters) -> Result<(), Error> {
    let mut limits = ws::Limits::default();
    limits.message = MESSAGE_MAX;
    limits.frame = MESSAGE_MAX;
    let counters = counters.clone();
    ws::upgrade(request, reply).limits(limits).accept(
        move |peer: &ws::Connection<'_>, event: ws::Event<'_>| match event {
            ws::Event::Message(message) => peer.send(message),
            ws::Event::Close(_) => {
                counters.closed();
                Ok(())
            }
            _ => Ok(()),
        },
    )
}
