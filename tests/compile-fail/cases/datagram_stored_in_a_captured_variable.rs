//! Invariant 3: a datagram is a view of the receive buffer, which the next one overwrites.

use mongoose::udp::{Event, Socket};
use mongoose::{Error, Manager};

fn main() -> Result<(), Error> {
    let manager = Manager::new()?;
    let mut kept = Vec::new();
    manager.udp("udp://127.0.0.1:0", move |_: &Socket<'_>, event: Event<'_>| {
        if let Event::Datagram(datagram) = event {
            kept.push(datagram.bytes);
        }
        Ok(())
    })?;
    Ok(())
}
