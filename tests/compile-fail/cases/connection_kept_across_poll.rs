//! Invariant 4: polling may end a connection; its id stays.

use std::time::Duration;

use mongoose::{ConnectionId, Error, Manager};

fn greet(manager: &mut Manager, id: ConnectionId) -> Result<(), Error> {
    let connection = manager.connection(id)?;
    manager.poll(Duration::ZERO)?;
    connection.send("hello")
}

fn main() {
    let _ = greet;
}
