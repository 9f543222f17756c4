//! A piece of an upload lies in the receive buffer: what is kept of it has to be copied.

use mongoose::http::{Reply, Upload};
use mongoose::{Connection, Error};

struct Keeping<'p>(Vec<&'p [u8]>);

impl<'p: 'static> Upload for Keeping<'p> {
    fn data(&mut self, _: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
        self.0.push(piece);
        Ok(())
    }

    fn end(&mut self, reply: Reply<'_>) -> Result<(), Error> {
        reply.empty()
    }
}

fn main() {}
