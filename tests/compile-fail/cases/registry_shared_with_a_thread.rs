//! Invariant 1: nor is its registry.

#[path = "../crossing.rs"]
mod crossing;

use mongoose::{Connection, Event};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let serve = |connection: &Connection<'_>, _: Event<'_>| {
        let registry = connection.registry();
        crossing::crossing(registry).stats();
        Ok(())
    };
    manager.tcp("tcp://127.0.0.1:0", serve).unwrap();
}
