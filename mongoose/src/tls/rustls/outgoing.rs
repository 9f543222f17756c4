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
                Err(error) => {
                    if error.kind() != ErrorKind::WouldBlock {
                        self.give_back();
                    }
                    return Err(error);
                }
            }
        }
        if !self.bytes.is_empty() {
            spare::give(mem::take(self).bytes);
        }
        Ok(())
    }

    /// Keeps what is left in a place of its own: a thousand peers that are gone at once would hold a buffer each, for a
    /// few bytes that nobody gets, until all of them are reaped.
    fn give_back(&mut self) {
        let left = self.bytes[self.sent..self.end].to_vec();
        (self.sent, self.end) = (0, left.len());
        spare::give(mem::replace(&mut self.bytes, left));
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sent == self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Gone;

    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_nobody_gets_holds_no_buffer() {
        let mut outgoing = Outgoing::default();
        assert!(outgoing.append(100, |room| {
            room[..3].copy_from_slice(b"abc");
            Some(3)
        }));
        assert_eq!(outgoing.write_to(&mut Gone).expect_err("nobody is there").kind(), ErrorKind::BrokenPipe);
        assert!(!outgoing.is_empty(), "it has not left");
        assert!(outgoing.capacity() < 100, "{}", outgoing.capacity());
        let mut written = Vec::new();
        outgoing.write_to(&mut written).expect("a vector");
        assert_eq!(written, b"abc");
    }
}
