//! Invariant 3: a thread may outlive the event, and received bytes do not.

use mongoose::{Connection, Event};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let serve = |connection: &Connection<'_>, _: Event<'_>| {
        let bytes = connection.received();
        std::thread::spawn(move || bytes.len());
        Ok(())
    };
    manager.tcp("tcp://127.0.0.1:0", serve).unwrap();
}
