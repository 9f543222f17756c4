//! A request's body on its way from the loop to whoever reads it while the reply is made, on any thread.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use crate::{Connection, ConnectionId, Error, Handle};

/// Bytes that may wait for the reader, give or take a piece: past it the connection is not read.
const QUEUED_MAX: usize = 64 << 10;

/// Pieces are put together up to this size: of a body that comes byte by byte each would be an allocation.
const PIECE_MIN: usize = 4 << 10;

/// How much of a body that nobody reads is read away, so that the connection stays.
const DISCARDED_MAX: u64 = 64 << 10;

/// The loop's end.
pub(crate) struct Feed(Arc<Pipe>);

/// The reader's end.
pub(crate) struct FeedReader(Arc<Pipe>);

/// What both ends share.
pub(crate) struct Pipe {
    state: Mutex<State>,
    handle: Handle,
    id: ConnectionId,
}

struct State {
    pieces: VecDeque<Vec<u8>>,
    queued: usize,
    /// How it ended, once it has.
    end: Option<Result<(), Error>>,
    /// What is still to come, of a known length.
    left: Option<u64>,
    /// What came after the reader had gone.
    discarded: u64,
    /// Who waits for more.
    reader: Option<Waker>,
    /// The connection is not read for now.
    paused: bool,
    /// There is no reader any more.
    gone: bool,
    expectation: Expectation,
}

/// Whether the peer waits to be told that its body is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expectation {
    None,
    Waits,
    /// The reader has asked for the body.
    Wanted,
}

/// Makes a body that a connection's peer sends: of so many bytes, where that is known.
pub(crate) fn pipe(
    connection: &Connection<'_>,
    length: Option<u64>,
    expects_continue: bool,
) -> (Feed, FeedReader, Arc<Pipe>) {
    let state = State {
        pieces: VecDeque::new(),
        queued: 0,
        end: None,
        left: length,
        discarded: 0,
        reader: None,
        paused: false,
        gone: false,
        expectation: if expects_continue { Expectation::Waits } else { Expectation::None },
    };
    let pipe = Arc::new(Pipe { state: Mutex::new(state), handle: connection.handle(), id: connection.id() });
    (Feed(Arc::clone(&pipe)), FeedReader(Arc::clone(&pipe)), pipe)
}

impl Pipe {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the server look at what has changed.
    fn nudge(&self) {
        // A manager that is gone has nothing to look at.
        let _ = self.handle.nudge(self.id);
    }

    /// Whether the peer is to be told now that its body is wanted.
    pub(crate) fn take_wish(&self) -> bool {
        let mut state = self.lock();
        let wanted = state.expectation == Expectation::Wanted;
        if wanted {
            state.expectation = Expectation::None;
        }
        wanted
    }

    /// Whether nobody reads the rest, which is so much that it is not worth receiving: the connection closes instead.
    pub(crate) fn is_left_behind(&self) -> bool {
        let state = self.lock();
        // Who was not told to go on may send the body or not: what comes next could be either.
        let unsure = state.expectation != Expectation::None;
        let much = state.left.is_none_or(|left| left.saturating_add(state.discarded) > DISCARDED_MAX);
        state.gone && state.end.is_none() && (unsure || much)
    }
}

impl Feed {
    /// Takes a piece, and stops reading when many wait.
    pub(super) fn data(&self, connection: &Connection<'_>, piece: &[u8]) {
        let mut state = self.0.lock();
        if let Some(left) = &mut state.left {
            *left = left.saturating_sub(piece.len() as u64);
        }
        // It is on its way already.
        state.expectation = Expectation::None;
        if state.gone {
            state.discarded += piece.len() as u64;
            if state.discarded > DISCARDED_MAX {
                connection.pause();
            }
            return;
        }
        match state.pieces.back_mut() {
            Some(last) if last.len() + piece.len() <= PIECE_MIN => last.extend_from_slice(piece),
            _ => state.pieces.push_back(piece.to_vec()),
        }
        state.queued += piece.len();
        if state.queued > QUEUED_MAX {
            state.paused = true;
            connection.pause();
        }
        let reader = state.reader.take();
        drop(state);
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// Nothing follows: it is whole, or will never be. What it was told first counts.
    pub(super) fn end(&self, end: Result<(), Error>) {
        let mut state = self.0.lock();
        state.end.get_or_insert(end);
        state.paused = false;
        let reader = state.reader.take();
        drop(state);
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    pub(super) fn is_gone(&self) -> bool {
        self.0.lock().gone
    }

    pub(super) fn is_left_behind(&self) -> bool {
        self.0.is_left_behind()
    }

    pub(super) fn take_wish(&self) -> bool {
        self.0.take_wish()
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.end(Err(Error::Closed));
    }
}

impl FeedReader {
    pub(crate) fn poll(&self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        let pipe = &self.0;
        let mut state = pipe.lock();
        if let Some(piece) = state.pieces.pop_front() {
            state.queued -= piece.len();
            let resumes = state.paused && state.queued <= QUEUED_MAX / 2;
            state.paused &= !resumes;
            drop(state);
            if resumes {
                let id = pipe.id;
                // Not by the nudge alone: that waits until there is room for output.
                let _ = pipe.handle.post(move |registry| {
                    if let Ok(connection) = registry.connection(id) {
                        connection.resume();
                    }
                });
                pipe.nudge();
            }
            return Poll::Ready(Some(Ok(piece.into())));
        }
        match state.end.take() {
            Some(end) => {
                // An error is told once.
                state.end = Some(Ok(()));
                Poll::Ready(end.err().map(Err))
            }
            None => {
                let before = state.reader.replace(context.waker().clone());
                let asks = state.expectation == Expectation::Waits;
                if asks {
                    state.expectation = Expectation::Wanted;
                }
                drop(state);
                // It may be anybody's.
                drop(before);
                if asks {
                    pipe.nudge();
                }
                Poll::Pending
            }
        }
    }

    /// Whether nothing follows.
    pub(crate) fn is_ended(&self) -> bool {
        let state = self.0.lock();
        state.pieces.is_empty() && matches!(state.end, Some(Ok(())))
    }

    /// How many bytes are still to be read, where that is known.
    pub(crate) fn left(&self) -> Option<u64> {
        let state = self.0.lock();
        match state.end {
            Some(_) => Some(state.queued as u64),
            None => state.left.map(|left| left.saturating_add(state.queued as u64)),
        }
    }
}

impl Drop for FeedReader {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.gone = true;
        state.queued = 0;
        let pieces = std::mem::take(&mut state.pieces);
        let reader = state.reader.take();
        let unread = state.end.is_none();
        drop(state);
        drop((pieces, reader));
        if unread {
            self.0.nudge();
        }
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("connection", &self.0.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for FeedReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeedReader").field("connection", &self.0.id).finish_non_exhaustive()
    }
}
