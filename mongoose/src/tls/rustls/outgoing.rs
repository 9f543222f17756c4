//! Records on their way out.

use std::io::{self, ErrorKind, Write};
use std::mem;

use super::spare;

/// More than a record may be longer than what it says, with another that rustls puts in front of it: new keys.
pub(super) const SEALED_MORE: usize = 512;

#[derive(Debug, Default)]
pub(super) struct Outgoing {
    /// Borrowed for as long as something waits.
    bytes: Vec<u8>,
    sent: usize,
    end: usize,
}

impl Outgoing {
    /// Has `write` append at most `most` bytes: it answers how many, or none if it cannot. Whether it could.
    pub(super) fn append(&mut self, most: usize, write: impl FnOnce(&mut [u8]) -> Option<usize>) -> bool {
        if self.bytes.is_empty() {
            self.bytes = spare::take();
        }
        if self.bytes.len() < self.end + most {
            self.bytes.resize(self.end + most, 0);
        }
        let written = write(&mut self.bytes[self.end..]);
        self.end += written.unwrap_or_default();
        written.is_some()
    }

    /// Sends what the socket takes, all of it or until it fails.
    pub(super) fn write_to(&mut self, socket: &mut impl Write) -> io::Result<()> {
        while !self.is_empty() {
            match socket.write(&self.bytes[self.sent..self.end]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if !self.bytes.is_empty() {
            spare::give(mem::take(self).bytes);
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sent == self.end
    }
}
