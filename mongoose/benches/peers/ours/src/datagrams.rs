//! The mongoose crate with UDP, as a peer of the bench: `peer-ours-datagrams PORT`. It sends back what comes.

use mongoose::{Manager, udp};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).ok_or("usage: peer-ours-datagrams PORT")?;
    let mut manager = Manager::new()?;
    manager.udp(&format!("udp://127.0.0.1:{port}"), |socket: &udp::Socket<'_>, event: udp::Event<'_>| {
        match event {
            udp::Event::Datagram(datagram) => socket.send_to(datagram.bytes, datagram.from),
            _ => Ok(()),
        }
    })?;
    Ok(manager.run()?)
}
