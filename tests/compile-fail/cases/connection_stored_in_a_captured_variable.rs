//! Invariant 4: what outlives an event is an id.

use mongoose::{Connection, Event};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let mut kept: Vec<Connection<'_>> = Vec::new();
    let serve = move |connection: &Connection<'_>, _: Event<'_>| {
        kept.push(connection.clone());
        Ok(())
    };
    manager.tcp("tcp://127.0.0.1:0", serve).unwrap();
}
