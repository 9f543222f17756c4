//! Invariant 3: received bytes move once the handler has returned.

use mongoose::{Connection, Event};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let mut kept: Vec<&[u8]> = Vec::new();
    let serve = move |connection: &Connection<'_>, _: Event<'_>| {
        kept.push(connection.received());
        Ok(())
    };
    manager.tcp("tcp://127.0.0.1:0", serve).unwrap();
}
