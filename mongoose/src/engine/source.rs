//! Bodies that are made while they are sent.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use super::{ConnectionId, Payload};
use crate::Error;

/// Where a streamed body comes from: asked on the loop for its next piece whenever there is room, so that a peer that
/// reads slowly holds no more than some 64 KB and a piece.
///
/// ```
/// use mongoose::http::{BodySource, Piece};
///
/// /// A line for each number.
/// struct Numbers(std::ops::Range<u32>);
///
/// impl BodySource for Numbers {
///     fn next(&mut self) -> Result<Piece, mongoose::Error> {
///         Ok(self.0.next().map_or(Piece::End, |number| Piece::Data(format!("{number}\n").into())))
///     }
/// }
///
/// # let manager = mongoose::Manager::new()?;
/// use mongoose::http::{Reply, Request};
/// manager.http("http://127.0.0.1:0", |_: Request<'_>, reply: Reply<'_>| reply.stream(Numbers(0..1_000_000)))?;
/// # Ok::<(), mongoose::Error>(())
/// ```
pub trait BodySource: Send + 'static {
    /// The next piece. It must not block for long: everybody else waits meanwhile.
    ///
    /// # Errors
    /// Whatever makes the rest impossible: the connection is closed without the mark of a whole body, so that the peer
    /// sees that it is truncated, and the error goes to the handler. Only HTTP/1.0 without a
    /// [`length`](crate::http::Reply::length) has no such mark.
    fn next(&mut self) -> Result<Piece, Error>;

    /// It is about to be asked first, for this connection: the one to [nudge](crate::Handle::nudge) after
    /// [`Piece::Wait`]. Does nothing by default.
    fn attached(&mut self, connection: ConnectionId) {
        let _ = connection;
    }
}

impl<F> BodySource for F
where
    F: FnMut() -> Result<Piece, Error> + Send + 'static,
{
    fn next(&mut self) -> Result<Piece, Error> {
        self()
    }
}

/// What a [`BodySource`] has to give.
#[derive(Debug)]
#[non_exhaustive]
pub enum Piece {
    /// Some bytes. None at all is allowed, and asks again at once.
    Data(Payload<'static>),
    /// A part of a file, sent from there without a copy where the system can.
    File {
        /// The file. Its own position is neither used nor changed.
        file: Arc<File>,
        /// Where the part begins, in bytes.
        offset: u64,
        /// How many bytes it has. A file that turns out shorter truncates the body.
        len: u64,
    },
    /// Nothing yet. Asked again once [`Handle::nudge`](crate::Handle::nudge) was called for the connection.
    Wait,
    /// The body is whole.
    End,
}

/// Pieces of what a reader gives.
pub(crate) struct ReaderSource<R>(pub(crate) R);

impl<R: Read + Send + 'static> BodySource for ReaderSource<R> {
    fn next(&mut self) -> Result<Piece, Error> {
        let mut piece = vec![0; super::connection::PULL_BELOW];
        loop {
            match self.0.read(&mut piece) {
                Ok(0) => return Ok(Piece::End),
                Ok(count) => {
                    piece.truncate(count);
                    return Ok(Piece::Data(piece.into()));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::handler(error)),
            }
        }
    }
}

impl<R> fmt::Debug for ReaderSource<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReaderSource").finish_non_exhaustive()
    }
}
