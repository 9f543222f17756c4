//! Invariant 3: polling moves received bytes.

use std::time::Duration;

use mongoose::{ConnectionId, Error, Manager};

fn first_byte(manager: &mut Manager, id: ConnectionId) -> Result<u8, Error> {
    let bytes = manager.connection(id)?.received();
    manager.poll(Duration::ZERO)?;
    Ok(bytes[0])
}

fn main() {
    let _ = first_byte;
}
