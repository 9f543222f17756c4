//! Invariant 3: a piece of a body is a view of the receive buffer.

use mongoose::http::Download;
use mongoose::{Connection, Error};

struct Keeper<'k>(Vec<&'k [u8]>);

impl Download for Keeper<'static> {
    fn data(&mut self, _: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
        self.0.push(piece);
        Ok(())
    }

    fn end(&mut self, _: &Connection<'_>) {}

    fn failed(&mut self, _: &Error) {}
}

fn main() {}
