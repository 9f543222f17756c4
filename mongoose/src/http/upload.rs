//! Request bodies that are handed over while they arrive.

use std::fmt;

use super::Reply;
use super::arriving::Arriving;
#[cfg(feature = "tower")]
use super::feed::Feed;
use crate::{Connection, Error};

/// How a request's body reaches the handler: what [`Handler::body_mode`](super::Handler::body_mode) answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyMode {
    /// Whole, up to [`Limits::body`](crate::Limits::body): `request` is called once it is all there.
    #[default]
    Buffered,
    /// Whole, up to so many bytes.
    UpTo(usize),
    /// In pieces: `request` is called as soon as the head is there, with an empty body, and goes on with
    /// [`Reply::receive`]. A reply that it makes instead closes the connection, because the body was not wanted.
    Streamed,
}

/// Takes a request's body in pieces, of any length and at constant memory: see [`Reply::receive`].
///
/// ```
/// use mongoose::{Connection, Error, http};
///
/// /// Counts the bytes of an upload.
/// struct Counter(u64);
///
/// impl http::Upload for Counter {
///     fn data(&mut self, _: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
///         self.0 += piece.len() as u64;
///         Ok(())
///     }
///
///     fn end(&mut self, reply: http::Reply<'_>) -> Result<(), Error> {
///         reply.text(format!("{} bytes\n", self.0))
///     }
/// }
///
/// struct Uploads;
///
/// impl http::Handler for Uploads {
///     fn body_mode(&mut self, _: &http::Request<'_>) -> http::BodyMode {
///         http::BodyMode::Streamed
///     }
///
///     fn request(&mut self, request: http::Request<'_>, reply: http::Reply<'_>) -> Result<(), Error> {
///         match request.method() {
///             "POST" => reply.receive(Counter(0)),
///             _ => reply.status(405).empty(),
///         }
///     }
/// }
///
/// let manager = mongoose::Manager::new()?;
/// manager.http("http://127.0.0.1:0", Uploads)?;
/// # Ok::<(), Error>(())
/// ```
pub trait Upload: 'static {
    /// Takes the next piece, of some 64 KB at most. [`pause`](Connection::pause) stops reading until somebody calls
    /// [`resume`](Connection::resume): what the peer sends meanwhile waits with the system.
    ///
    /// # Errors
    /// Whatever makes the rest of the body useless: the peer gets the status that
    /// [`Handler::request`](super::Handler::request) gives it, and the connection closes. [`failed`](Self::failed) is
    /// told.
    fn data(&mut self, connection: &Connection<'_>, piece: &[u8]) -> Result<(), Error>;

    /// The body is whole: answers the request. It may come while reading is paused, and ends that.
    ///
    /// # Errors
    /// As [`Handler::request`](super::Handler::request).
    fn end(&mut self, reply: Reply<'_>) -> Result<(), Error>;

    /// The body will never be whole: the peer closed or was too slow, the body is malformed, or `data` failed. Does
    /// nothing by default. After [`end`](Self::end) it is not called, nor where the upload is dropped because
    /// [another handler](Connection::set_handler) took the connection over, or because the connection's code panicked.
    fn failed(&mut self, error: &Error) {
        let _ = error;
    }
}

/// A body that arrives, and who takes it.
pub(super) struct Incoming {
    pub(super) receiver: Receiver,
    pub(super) body: Arriving,
    /// What came so far, decoded.
    pub(super) received: u64,
}

/// Who takes a body.
pub(super) enum Receiver {
    /// The reply follows it.
    Upload(Box<dyn Upload>),
    /// The reply is made meanwhile.
    #[cfg(feature = "tower")]
    Feed(Feed),
}

impl Receiver {
    pub(super) fn data(&mut self, connection: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
        match self {
            Self::Upload(upload) => upload.data(connection, piece),
            #[cfg(feature = "tower")]
            Self::Feed(feed) => {
                feed.data(connection, piece);
                Ok(())
            }
        }
    }

    pub(super) fn failed(&mut self, error: &Error) {
        match self {
            Self::Upload(upload) => upload.failed(error),
            #[cfg(feature = "tower")]
            Self::Feed(feed) => feed.end(Err(error.own())),
        }
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("body", &self.body).finish_non_exhaustive()
    }
}
