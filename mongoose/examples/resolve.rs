//! Prints the addresses of a host: `cargo run --example resolve -- localhost`.
//!
//! Exits with 0, or with 1 after a line that begins with ERROR.

use std::cell::Cell;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::rc::Rc;

use mongoose::{Error, Manager, Registry};

fn resolve(name: &str) -> Result<bool, Error> {
    let mut manager = Manager::new()?;
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

fn main() -> ExitCode {
    let Some(name) = std::env::args().nth(1) else {
        println!("ERROR usage: resolve NAME");
        return ExitCode::FAILURE;
    };
    match resolve(&name) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("ERROR {error}");
            ExitCode::FAILURE
        }
    }
}
