//! Prints the addresses of a host: `cargo run --example resolve -- localhost`, by a name server of choice with
//! `--server udp://HOST:PORT` behind it.
//!
//! Exits with 0, or with 1 after a line that begins with ERROR.

use std::cell::Cell;
use std::net::{SocketAddr, ToSocketAddrs};
use std::process::ExitCode;
use std::rc::Rc;

use mongoose::{Dns, Error, Manager, Registry};

/// Whether there are some.
fn resolve(name: &str, dns: Dns) -> Result<bool, Error> {
    let mut manager = Manager::new()?;
    manager.set_dns(dns);
    let found = Rc::new(Cell::new(false));
    let note = Rc::clone(&found);
    let lookup =
        manager.resolve(name, move |registry: &Registry, result: Result<Vec<SocketAddr>, Error>| {
            match result {
                Ok(addresses) => {
                    addresses.iter().for_each(|address| println!("{}", address.ip()));
                    note.set(true);
                }
                Err(error) => println!("ERROR {error}"),
            }
            registry.handle().stop();
        })?;
    manager.run()?;
    drop(lookup);
    Ok(found.get())
}

/// Whom to ask about what, by the command line.
fn options() -> Result<(String, Dns), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [name] => Ok((name.to_owned(), Dns::system())),
        [name, "--server", url] => {
            let host = url.strip_prefix("udp://").ok_or("a server is udp://HOST:PORT")?;
            let mut addresses = host.to_socket_addrs().map_err(|error| format!("{url}: {error}"))?;
            let server = addresses.next().ok_or("the server has no address")?;
            Ok((name.to_owned(), Dns::server(server)))
        }
        _ => Err("usage: resolve NAME [--server udp://HOST:PORT]".to_owned()),
    }
}

fn main() -> ExitCode {
    let resolved = options().and_then(|(name, dns)| resolve(&name, dns).map_err(|error| error.to_string()));
    match resolved {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("ERROR {error}");
            ExitCode::FAILURE
        }
    }
}
