//! Bytes sent through a handle wait for the loop, so they are owned, shared or static.

use mongoose::{ConnectionId, Error, Handle};

fn greet(handle: &Handle, id: ConnectionId, name: &str) -> Result<(), Error> {
    handle.send(id, name)
}

fn main() {
    let _ = greet;
}
