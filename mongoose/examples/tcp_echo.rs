//! Sends back what it receives: `cargo run --release --example tcp_echo -- tcp://127.0.0.1:7000`.
//!
//! A peer that ends its direction still gets all of it: `seq 9 | nc -N 127.0.0.1 7000`.

use mongoose::{Connection, Error, Event, Limits, Manager};

fn echo(connection: &Connection<'_>, event: Event<'_>) -> Result<(), Error> {
    if let Event::Read = event {
        match connection.send(connection.received()) {
            Ok(()) => connection.consume(usize::MAX),
            // They do not read: the bytes stay where they are, and are shown again when there is room.
            Err(Error::OutputFull { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn main() -> Result<(), Error> {
    let url = std::env::args().nth(1).unwrap_or("tcp://127.0.0.1:7000".to_owned());
    let mut limits = Limits::default();
    limits.output = 256 << 10;
    limits.received = 256 << 10;
    let mut manager = Manager::new()?;
    let listener = manager.listener(&url).limits(limits).tcp(echo)?;
    eprintln!("listening on tcp://{}", listener.local_addr());
    manager.run_until_signal()
}
