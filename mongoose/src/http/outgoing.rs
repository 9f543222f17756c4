//! A body on its way out that is made while it is sent.

use std::fmt;
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use super::reply_head::Transfer;
use crate::Error;
use crate::engine::{BodySource, Connection, Output, Payload, Piece};

/// Pieces taken from a source in one go.
const PIECES: usize = 64;

const OTHER_LENGTH: &str = "it is not as long as it was said to be";

/// How much of a file is sent before others have their turn, and what is asked of the system at a time.
const FILE_PIECE: usize = 512 << 10;

/// A body and how far it is.
pub(crate) struct Outgoing {
    source: Box<dyn BodySource>,
    /// The source was told its connection.
    attached: bool,
    transfer: Transfer,
    /// What is left of a part of a file.
    file: Option<FilePart>,
    /// What is sent to a peer that is sent nothing else for a while.
    pub(super) heartbeat: Option<Heartbeat>,
}

/// Keeps a stream without an end alive, and finds out that its peer is gone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heartbeat {
    pub(super) every: Duration,
    pub(super) bytes: &'static [u8],
}

struct FilePart {
    file: Arc<File>,
    offset: u64,
    left: u64,
}

/// How a pull went.
#[derive(Debug)]
pub(crate) enum Pulled {
    /// There is more, once there is room.
    More,
    /// There is nothing for now.
    Asleep,
    /// The body is whole.
    Done,
    /// There will be no rest.
    Broken(Error),
}

impl Outgoing {
    pub(crate) fn new(source: impl BodySource, transfer: Transfer) -> Self {
        Self::boxed(Box::new(source), transfer)
    }

    pub(crate) fn boxed(source: Box<dyn BodySource>, transfer: Transfer) -> Self {
        Self { source, attached: false, transfer, file: None, heartbeat: None }
    }

    /// Moves pieces to the output for as long as there is room. Runs the user's code.
    pub(crate) fn pull(&mut self, connection: &Connection<'_>) -> Pulled {
        if !self.attached {
            self.attached = true;
            self.source.attached(connection.id());
        }
        for _ in 0..PIECES {
            if !connection.has_room() {
                return Pulled::More;
            }
            let piece = match self.file.take() {
                Some(part) => Ok(Piece::File { file: part.file, offset: part.offset, len: part.left }),
                None => self.source.next(),
            };
            let written = match piece {
                Ok(Piece::Data(payload)) => self.write(connection, payload),
                Ok(Piece::File { file, offset, len }) => {
                    self.write_file(connection, FilePart { file, offset, left: len })
                }
                Ok(Piece::Wait) => return Pulled::Asleep,
                Ok(Piece::End) => return self.end(connection),
                Err(error) => Err(error),
            };
            if let Err(error) = written {
                return Pulled::Broken(error);
            }
        }
        Pulled::More
    }

    /// Sends what keeps the stream alive.
    pub(super) fn beat(&mut self, connection: &Connection<'_>) {
        if let Some(heartbeat) = self.heartbeat {
            // A heartbeat is no part of a body of a given length, so none has one.
            let _ = self.write(connection, Payload::from_static(heartbeat.bytes));
        }
    }

    /// Ends the body where it is.
    pub(crate) fn end(&mut self, connection: &Connection<'_>) -> Pulled {
        match self.transfer {
            Transfer::Length(0) | Transfer::Unsaid => Pulled::Done,
            Transfer::Length(_) => Pulled::Broken(Error::Body(OTHER_LENGTH)),
            Transfer::Chunked => {
                connection.entry.output.borrow_mut().gather(b"0\r\n\r\n");
                Pulled::Done
            }
        }
    }

    fn write(&mut self, connection: &Connection<'_>, payload: Payload<'static>) -> Result<(), Error> {
        let len = payload.len();
        self.write_framed(connection, len, |output| output.push(payload))
    }

    fn write_file(&mut self, connection: &Connection<'_>, mut part: FilePart) -> Result<(), Error> {
        let len = part.left.min(FILE_PIECE as u64) as usize;
        let (file, offset) = (Arc::clone(&part.file), part.offset);
        // Past the largest offset the system refuses to read.
        part.offset = part.offset.saturating_add(len as u64);
        part.left -= len as u64;
        self.file = (part.left > 0).then_some(part);
        self.write_framed(connection, len, |output| output.push_file(file, offset, len))
    }

    /// Has so many bytes written, with what says so before and behind them.
    fn write_framed(
        &mut self,
        connection: &Connection<'_>,
        len: usize,
        write: impl FnOnce(&mut Output),
    ) -> Result<(), Error> {
        if len == 0 {
            return Ok(());
        }
        connection.entry.collect_send();
        let mut output = connection.entry.output.borrow_mut();
        match &mut self.transfer {
            Transfer::Unsaid => write(&mut output),
            Transfer::Length(left) => {
                *left = left.checked_sub(len as u64).ok_or(Error::Body(OTHER_LENGTH))?;
                write(&mut output);
            }
            Transfer::Chunked => {
                let (line, begin) = chunk_size(len);
                output.gather(&line[begin..]);
                write(&mut output);
                output.gather(b"\r\n");
            }
        }
        Ok(())
    }
}

/// The line that says how long a chunk is, and where it begins: the formatting of the standard library takes ten times as
/// many instructions, which are a quarter of what small chunks cost.
fn chunk_size(len: usize) -> ([u8; 2 * size_of::<usize>() + 2], usize) {
    let mut line = [0; 2 * size_of::<usize>() + 2];
    let (mut begin, mut rest) = (line.len() - 2, len);
    line[begin..].copy_from_slice(b"\r\n");
    loop {
        begin -= 1;
        line[begin] = b"0123456789abcdef"[rest % 16];
        rest /= 16;
        if rest == 0 {
            return (line, begin);
        }
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("transfer", &self.transfer).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::chunk_size;

    #[test]
    fn a_chunk_says_its_size_in_hexadecimal() {
        for len in [0, 1, 9, 10, 15, 16, 255, 4096, 0xdead_beef, usize::MAX] {
            let (line, begin) = chunk_size(len);
            assert_eq!(line[begin..], *format!("{len:x}\r\n").as_bytes());
        }
    }
}
