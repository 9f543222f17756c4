//! Invariant 1: nor are its connections; `ConnectionId` and `Handle` are for that.

use mongoose::{Connection, Event};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let serve = |connection: &Connection<'_>, _: Event<'_>| {
        std::thread::scope(|scope| {
            scope.spawn(|| connection.send("from elsewhere"));
        });
        Ok(())
    };
    manager.tcp("tcp://127.0.0.1:0", serve).unwrap();
}
