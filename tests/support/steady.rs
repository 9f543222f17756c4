//! Sockets that go on after a process was stopped and continued: where they have a time-out, calls of theirs answer
//! EINTR then (signal(7)).

use std::io::{self, ErrorKind, Read, Write};

/// Calls until it is not interrupted.
pub fn steadily<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

/// A stream that is never interrupted, for what takes that for an error.
#[derive(Debug)]
pub struct Steady<S>(pub S);

impl<S: Read> Read for Steady<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        steadily(|| self.0.read(buffer))
    }
}

impl<S: Write> Write for Steady<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        steadily(|| self.0.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        steadily(|| self.0.flush())
    }
}
