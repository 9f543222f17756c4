//! Invariant 3: the payload of an event is lent.

use mongoose::{Connection, Event};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let mut kept: Vec<&[u8]> = Vec::new();
    let serve = move |_: &Connection<'_>, event: Event<'_>| {
        if let Event::Wakeup(payload) = event {
            kept.push(payload);
        }
        Ok(())
    };
    manager.tcp("tcp://127.0.0.1:0", serve).unwrap();
}
