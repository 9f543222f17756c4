//! Asks a time server: `cargo run --example sntp -- udp://time.cloudflare.com`.
//!
//! Prints the milliseconds since 1970, and how it knows on standard error. Exits with 1 when there is no answer.

use std::cell::Cell;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use mongoose::{Error, Manager, Registry, sntp};

fn ask(url: &str) -> Result<bool, Error> {
    let mut manager = Manager::new()?;
    let told = Rc::new(Cell::new(false));
    let note = Rc::clone(&told);
    let within = Duration::from_secs(5);
    let query =
        manager.sntp(url, within, move |registry: &Registry, answer: Result<sntp::Time, Error>| {
            match answer {
                Ok(reply) => {
                    println!("{}", reply.unix_millis());
                    let (offset, round_trip) = (reply.offset / 1000, reply.round_trip);
                    eprintln!("{offset} us ahead of us, {round_trip:?} away, stratum {}", reply.stratum);
                    note.set(true);
                }
                Err(error) => eprintln!("{error}"),
            }
            registry.handle().stop();
        })?;
    manager.run()?;
    drop(query);
    Ok(told.get())
}

fn main() -> ExitCode {
    let Some(url) = std::env::args().nth(1) else {
        eprintln!("usage: sntp udp://HOST[:PORT]");
        return ExitCode::FAILURE;
    };
    match ask(&url) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
