//! A chat over plain TCP, one line a message: `cargo run --release --example chat -- tcp://127.0.0.1:7001`, then
//! `nc 127.0.0.1 7001` as often as you like. The first line is the name.

use std::collections::BTreeMap;

use mongoose::{Connection, ConnectionId, Error, Event, Handler, Limits, Manager, Registry};

/// Bytes in a line.
const LINE_MAX: usize = 1024;

/// Everybody who has a name. One handler for all connections: one thread, no lock.
#[derive(Default)]
struct Chat {
    names: BTreeMap<ConnectionId, String>,
}

impl Chat {
    fn line(&mut self, connection: &Connection<'_>, line: &str) -> Result<(), Error> {
        if let Some(name) = self.names.get(&connection.id()) {
            let message = format!("{name}: {line}\n");
            self.tell(connection.registry(), connection.id(), &message);
        } else if line.is_empty() || self.names.values().any(|name| name == line) {
            connection.send("* that name will not do, another?\n")?;
        } else {
            let others: Vec<_> = self.names.values().map(String::as_str).collect();
            connection.send(format!("* hello {line}; here are: {}\n", others.join(", ")))?;
            self.names.insert(connection.id(), line.to_owned());
            self.tell(connection.registry(), connection.id(), &format!("* {line} has come\n"));
        }
        Ok(())
    }

    /// Sends to all but one.
    fn tell(&self, registry: &Registry, but: ConnectionId, message: &str) {
        for id in self.names.keys().filter(|id| **id != but) {
            let Ok(connection) = registry.connection(*id) else { continue };
            if let Err(Error::OutputFull { .. }) = connection.send(message) {
                // They have not read for long. The others are not to wait for them.
                connection.close();
            }
        }
    }
}

impl Handler for Chat {
    fn event(&mut self, connection: &Connection<'_>, event: Event<'_>) -> Result<(), Error> {
        match event {
            Event::Accept => connection.send("* your name?\n"),
            Event::Read => {
                let mut rest = connection.received();
                while let Some(end) =
                    rest.iter().position(|byte| *byte == b'\n').filter(|end| *end < LINE_MAX)
                {
                    let line: String = String::from_utf8_lossy(&rest[..end]).trim().to_owned();
                    // Control characters would do things to the others' terminals.
                    self.line(connection, &line.replace(char::is_control, "?"))?;
                    rest = &rest[end + 1..];
                }
                if rest.len() >= LINE_MAX {
                    connection.send("* that line is too long\n")?;
                    connection.drain();
                }
                connection.consume(connection.received().len() - rest.len());
                Ok(())
            }
            Event::Close => {
                if let Some(name) = self.names.remove(&connection.id()) {
                    self.tell(connection.registry(), connection.id(), &format!("* {name} has gone\n"));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn main() -> Result<(), Error> {
    let url = std::env::args().nth(1).unwrap_or("tcp://127.0.0.1:7001".to_owned());
    let mut limits = Limits::default();
    limits.output = 64 << 10;
    let mut manager = Manager::new()?;
    let listener = manager.listener(&url).limits(limits).tcp(Chat::default())?;
    eprintln!("listening on tcp://{}", listener.local_addr());
    manager.run_until_signal()
}
