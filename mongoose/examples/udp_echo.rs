//! Sends back what it receives: `cargo run --release --example udp_echo -- udp://127.0.0.1:7002`.
//!
//! Do not put such a thing on the internet: senders' addresses are easily forged.

use mongoose::{Error, Manager, udp};

fn echo(socket: &udp::Socket<'_>, event: udp::Event<'_>) -> Result<(), Error> {
    match event {
        // An error is given back as the event below; it ends neither the program nor the socket.
        udp::Event::Datagram(datagram) => socket.send_to(datagram.bytes, datagram.from)?,
        udp::Event::Error(error) => eprintln!("{error}"),
        _ => {}
    }
    Ok(())
}

fn main() -> Result<(), Error> {
    let url = std::env::args().nth(1).unwrap_or("udp://127.0.0.1:7002".to_owned());
    let mut manager = Manager::new()?;
    let socket = manager.udp(&url, echo)?;
    eprintln!("listening on udp://{}", socket.local_addr());
    manager.run_until_signal()
}
