//! Bodies that other threads write.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::engine::{BodySource, Connection, Payload, Piece};
use crate::{ConnectionId, Error, Handle};

/// Writes the body of a reply or a request, from any thread: [`Reply::channel`](super::Reply::channel) and
/// [`channel`] give one.
///
/// What was written and has not left is bounded, so a peer that does not read holds no more than that. The body is whole
/// once [`finish`](Self::finish) was called; a sender that is dropped before, say by a panic or by `?`, closes the
/// connection without the mark of a whole body.
///
/// ```
/// # let manager = mongoose::Manager::new()?;
/// use std::io::Write;
/// use mongoose::http::{Reply, Request};
///
/// manager.http("http://127.0.0.1:0", |_: Request<'_>, reply: Reply<'_>| {
///     let mut body = reply.channel(1 << 20)?;
///     std::thread::spawn(move || -> std::io::Result<()> {
///         for line in 0..1000 {
///             writeln!(body, "line {line}")?; // waits while a megabyte is not read
///         }
///         body.finish();
///         Ok(())
///     });
///     Ok(())
/// })?;
/// # Ok::<(), mongoose::Error>(())
/// ```
#[must_use = "dropping it truncates the body"]
pub struct BodySender {
    channel: Arc<Channel>,
}

struct Channel {
    state: Mutex<State>,
    /// There is room again, or nobody to make any.
    room: Condvar,
    limit: usize,
    handle: Handle,
    /// Unset before the body is being sent.
    id: OnceLock<ConnectionId>,
}

#[derive(Default)]
struct State {
    pieces: VecDeque<Payload<'static>>,
    queued: usize,
    end: Option<End>,
    /// The connection has nobody to take more.
    gone: bool,
    /// The loop found nothing, and has to be told when there is something.
    asleep: bool,
    /// Connections that are paused until there is room: one, unless many forward what they got.
    paused: Vec<(Handle, ConnectionId)>,
    /// Tasks that wait for room.
    writers: Vec<Waker>,
}

/// How a sender ended.
#[derive(Clone, Copy)]
enum End {
    Whole,
    Truncated,
}

/// The body that a [`BodySender`] writes: [`channel`] gives one, for [`Reply::stream`](super::Reply::stream) or
/// [`RequestBuilder::stream`](super::RequestBuilder::stream).
#[must_use = "dropping it tells the sender that the peer is gone"]
pub struct BodyReceiver {
    channel: Arc<Channel>,
}

/// Makes a body that any thread may write, before or after there is a reply or a request for it. `handle` is that of the
/// manager that sends it; `limit` is how many bytes may wait in the sender.
///
/// ```
/// use mongoose::{Error, Manager, http};
///
/// let mut manager = Manager::new()?;
/// let server = manager.http("http://127.0.0.1:0", |request: http::Request<'_>, reply: http::Reply<'_>| {
///     reply.body(request.body())
/// })?;
///
/// let (sender, body) = http::channel(manager.handle(), 1 << 20);
/// let handle = manager.handle();
/// http::Client::new(&manager)
///     .post(&format!("http://{}/", server.local_addr()))
///     .stream(body)
///     .send(move |result: Result<http::Response<'_>, Error>| {
///         assert_eq!(result.expect("an answer").body(), b"one, two");
///         handle.stop();
///     })?;
/// std::thread::spawn(move || -> Result<(), Error> {
///     sender.send_wait("one, ")?;
///     sender.send_wait("two")?;
///     sender.finish();
///     Ok(())
/// });
/// manager.run()?;
/// # Ok::<(), Error>(())
/// ```
pub fn channel(handle: Handle, limit: usize) -> (BodySender, BodyReceiver) {
    let (state, id) = (Mutex::default(), OnceLock::new());
    let channel = Arc::new(Channel { state, room: Condvar::new(), limit, handle, id });
    (BodySender { channel: Arc::clone(&channel) }, BodyReceiver { channel })
}

impl Channel {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the loop look, where it waits for that. Releases the lock first.
    fn wake(&self, mut state: MutexGuard<'_, State>) {
        let asleep = mem::take(&mut state.asleep);
        drop(state);
        if asleep && let Some(&id) = self.id.get() {
            // A manager that is gone closed the channel, or is about to.
            let _ = self.handle.nudge(id);
        }
    }

    /// Has the connections that filled it read again.
    fn resume(paused: Vec<(Handle, ConnectionId)>) {
        for (handle, id) in paused {
            // A manager that is gone reads nothing more, and a connection that is gone neither.
            let _ = handle.post(move |registry| {
                if let Ok(connection) = registry.connection(id) {
                    connection.resume();
                }
            });
        }
    }
}

impl State {
    /// Queues a piece. An empty one says nothing, and would count for nothing.
    fn push(&mut self, piece: Payload<'static>) {
        if !piece.is_empty() {
            self.queued += piece.len();
            self.pieces.push_back(piece);
        }
    }

    /// Whether so many bytes more are welcome. An empty channel takes any number: nothing is too large to be sent.
    fn has_room(&self, more: usize, limit: usize) -> bool {
        self.queued == 0 || self.queued.saturating_add(more) <= limit
    }
}

impl BodySender {
    /// Queues the next piece of the body, without waiting.
    ///
    /// # Errors
    /// [`Error::OutputFull`] when others wait already and it would be more than the channel's limit: nothing is queued
    /// then. [`Error::Closed`] when the peer is gone.
    pub fn send(&self, piece: impl Into<Payload<'static>>) -> Result<(), Error> {
        let piece = piece.into();
        let mut state = self.channel.lock();
        if state.gone {
            return Err(Error::Closed);
        }
        if !state.has_room(piece.len(), self.channel.limit) {
            return Err(Error::OutputFull { limit: self.channel.limit });
        }
        state.push(piece);
        self.channel.wake(state);
        Ok(())
    }

    /// Queues the next piece, waiting until there is room for it.
    ///
    /// # Errors
    /// [`Error::Closed`] when the peer is gone; [`Error::OutputFull`] where waiting would be for ever: on the loop's own
    /// thread.
    pub fn send_wait(&self, piece: impl Into<Payload<'static>>) -> Result<(), Error> {
        let piece = piece.into();
        let mut state = self.channel.lock();
        while !state.gone && !state.has_room(piece.len(), self.channel.limit) {
            if self.channel.handle.is_home() {
                return Err(Error::OutputFull { limit: self.channel.limit });
            }
            state = self.channel.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.gone {
            return Err(Error::Closed);
        }
        state.push(piece);
        self.channel.wake(state);
        Ok(())
    }

    /// Queues the next piece once there is room for it, for a task that waits meanwhile. Dropping the future queues
    /// nothing.
    ///
    /// # Errors
    /// [`Error::Closed`] when the peer is gone.
    pub async fn send_async(&self, piece: impl Into<Payload<'static>>) -> Result<(), Error> {
        let mut piece = Some(piece.into());
        poll_fn(|context| self.poll_send(context, &mut piece)).await
    }

    fn poll_send(
        &self,
        context: &mut Context<'_>,
        piece: &mut Option<Payload<'static>>,
    ) -> Poll<Result<(), Error>> {
        let mut state = self.channel.lock();
        if state.gone {
            return Poll::Ready(Err(Error::Closed));
        }
        let len = piece.as_ref().map_or(0, Payload::len);
        if state.has_room(len, self.channel.limit) {
            if let Some(piece) = piece.take() {
                state.push(piece);
            }
            self.channel.wake(state);
            return Poll::Ready(Ok(()));
        }
        if state.writers.iter().all(|writer| !writer.will_wake(context.waker())) {
            state.writers.push(context.waker().clone());
        }
        Poll::Pending
    }

    /// Queues a piece that came on another connection, and pauses that while more waits than the channel's limit: what
    /// passes from one to the other takes no more memory than that, and a buffer that was read.
    ///
    /// # Errors
    /// [`Error::Closed`] when the peer is gone.
    pub fn forward(&self, from: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
        let mut state = self.channel.lock();
        if state.gone {
            return Err(Error::Closed);
        }
        state.push(piece.to_vec().into());
        if state.queued > self.channel.limit {
            from.pause();
            if state.paused.iter().all(|(_, id)| *id != from.id()) {
                state.paused.push((from.handle(), from.id()));
            }
        }
        self.channel.wake(state);
        Ok(())
    }

    /// Ends the body: it is whole.
    pub fn finish(self) {
        self.complete();
    }

    /// Bytes that the loop has not taken yet.
    pub fn queued(&self) -> usize {
        self.channel.lock().queued
    }

    /// Whether the peer is gone.
    pub fn is_closed(&self) -> bool {
        self.channel.lock().gone
    }

    /// The connection that it writes to. `None` before the body is being sent.
    pub fn connection_id(&self) -> Option<ConnectionId> {
        self.channel.id.get().copied()
    }

    pub(super) fn complete(&self) {
        self.end(End::Whole);
    }

    fn end(&self, end: End) {
        let mut state = self.channel.lock();
        state.end.get_or_insert(end);
        self.channel.wake(state);
    }
}

/// Waits for room like [`send_wait`](BodySender::send_wait); flushing does nothing.
impl io::Write for BodySender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A piece of the whole room at most, so that large ones leave as they are written.
        let count = bytes.len().min(self.channel.limit.max(1));
        match self.send_wait(bytes[..count].to_vec()) {
            Ok(()) => Ok(count),
            Err(Error::OutputFull { .. }) => Err(io::ErrorKind::WouldBlock.into()),
            Err(_) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for BodySender {
    fn drop(&mut self) {
        self.end(End::Truncated);
    }
}

impl BodySource for BodyReceiver {
    fn attached(&mut self, connection: ConnectionId) {
        // It is sent once.
        let _ = self.channel.id.set(connection);
    }

    fn next(&mut self) -> Result<Piece, Error> {
        let mut state = self.channel.lock();
        if let Some(piece) = state.pieces.pop_front() {
            state.queued -= piece.len();
            let room = state.queued <= self.channel.limit / 2;
            let paused = if room { mem::take(&mut state.paused) } else { Vec::new() };
            let writers = mem::take(&mut state.writers);
            drop(state);
            Channel::resume(paused);
            self.channel.room.notify_all();
            writers.into_iter().for_each(Waker::wake);
            return Ok(Piece::Data(piece));
        }
        match state.end {
            Some(End::Whole) => Ok(Piece::End),
            Some(End::Truncated) => Err(Error::Body("its sender was dropped unfinished")),
            None => {
                state.asleep = true;
                Ok(Piece::Wait)
            }
        }
    }
}

impl Drop for BodyReceiver {
    fn drop(&mut self) {
        let mut state = self.channel.lock();
        state.gone = true;
        state.queued = 0;
        // Dropped with no lock held: that may run the user's code.
        let pieces = mem::take(&mut state.pieces);
        let paused = mem::take(&mut state.paused);
        let writers = mem::take(&mut state.writers);
        drop(state);
        // What it is read for says so.
        Channel::resume(paused);
        self.channel.room.notify_all();
        writers.into_iter().for_each(Waker::wake);
        drop(pieces);
    }
}

impl fmt::Debug for BodySender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodySender").field("connection", &self.channel.id.get()).finish_non_exhaustive()
    }
}

impl fmt::Debug for BodyReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyReceiver").field("connection", &self.channel.id.get()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_pieces_are_not_kept() {
        let mut state = State::default();
        (0..1000).for_each(|_| state.push(Payload::from_static(b"")));
        state.push("x".into());
        assert_eq!((state.pieces.len(), state.queued), (1, 1));
    }
}
