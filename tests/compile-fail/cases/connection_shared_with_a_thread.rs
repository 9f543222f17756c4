//! Invariant 1: nor are its connections; `ConnectionId` and `Handle` are for that.

#[path = "../crossing.rs"]
mod crossing;

use mongoose::{Connection, Event};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let serve = |connection: &Connection<'_>, _: Event<'_>| {
        crossing::crossing(connection).send("from elsewhere").unwrap();
        Ok(())
    };
    manager.tcp("tcp://127.0.0.1:0", serve).unwrap();
}
