//! Invariant 2: a registry is lent for an event.

use mongoose::{Connection, Event, Registry};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let mut kept: Vec<&Registry> = Vec::new();
    let serve = move |connection: &Connection<'_>, _: Event<'_>| {
        kept.push(connection.registry());
        Ok(())
    };
    manager.tcp("tcp://127.0.0.1:0", serve).unwrap();
}
