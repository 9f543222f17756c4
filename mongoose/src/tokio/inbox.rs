//! What a peer sends, on its way from the loop to the task that takes it.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::{Connection, ConnectionId, Error, Handle};

/// Bytes that may wait to be taken, give or take a piece: past it the connection is not read.
pub(super) const QUEUED_MAX: usize = 64 << 10;

/// What each thing that waits counts besides its bytes: many empty ones take memory too.
const OVERHEAD: usize = 64;

/// The loop's end. Dropping it is [`Error::Closed`] to who takes.
pub(crate) struct Feeder<T: Send + 'static>(Arc<Shared<T>>);

/// The task's end.
pub(crate) struct Inbox<T: Send + 'static>(Arc<Shared<T>>);

struct Shared<T> {
    state: Mutex<State<T>>,
    handle: Handle,
}

struct State<T> {
    /// With the size of each.
    items: VecDeque<(T, usize)>,
    queued: usize,
    /// How it ended, once it has.
    end: Option<Result<(), Error>>,
    /// Who waits for more.
    reader: Option<Waker>,
    /// The connection that is not read until there is room.
    paused: Option<ConnectionId>,
    /// Nobody takes anything any more.
    gone: bool,
}

pub(crate) fn inbox<T: Send + 'static>(handle: Handle) -> (Feeder<T>, Inbox<T>) {
    let state =
        State { items: VecDeque::new(), queued: 0, end: None, reader: None, paused: None, gone: false };
    let shared = Arc::new(Shared { state: Mutex::new(state), handle });
    (Feeder(Arc::clone(&shared)), Inbox(shared))
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + 'static> Feeder<T> {
    /// Queues what came on a connection, and has that not read while much waits.
    ///
    /// # Errors
    /// [`Error::Closed`] when nobody will take it.
    pub(crate) fn push(&self, connection: &Connection<'_>, item: T, size: usize) -> Result<(), Error> {
        let mut state = self.0.lock();
        if state.gone {
            drop(state);
            return Err(Error::Closed);
        }
        let size = size.saturating_add(OVERHEAD);
        state.queued = state.queued.saturating_add(size);
        state.items.push_back((item, size));
        self.wake(state, Some(connection));
        Ok(())
    }

    /// Has a connection that takes the place of another not read, where much waits that came on that.
    pub(crate) fn moved_to(&self, connection: &Connection<'_>) {
        self.wake(self.0.lock(), Some(connection));
    }

    /// Nothing follows. What it was told first counts.
    pub(crate) fn end(&self, end: Result<(), Error>) {
        let mut state = self.0.lock();
        state.end.get_or_insert(end);
        self.wake(state, None);
    }

    fn wake(&self, mut state: MutexGuard<'_, State<T>>, from: Option<&Connection<'_>>) {
        if let Some(connection) = from.filter(|_| state.queued > QUEUED_MAX) {
            state.paused = Some(connection.id());
            connection.pause();
        }
        let reader = state.reader.take();
        drop(state);
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

impl<T: Send + 'static> Drop for Feeder<T> {
    fn drop(&mut self) {
        self.end(Err(Error::Closed));
    }
}

impl<T: Send + 'static> Inbox<T> {
    /// The next, once there is one. `None`: nothing follows, and all is well. An error is told once, behind what came
    /// before it.
    pub(crate) async fn next(&mut self) -> Result<Option<T>, Error> {
        poll_fn(|context| self.poll(context)).await
    }

    /// As [`next`](Self::next), for who polls.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<T>, Error>> {
        let mut state = self.0.lock();
        if let Some((item, size)) = state.items.pop_front() {
            state.queued -= size;
            let paused = if state.queued <= QUEUED_MAX / 2 { state.paused.take() } else { None };
            drop(state);
            if let Some(id) = paused {
                self.resume(id);
            }
            return Poll::Ready(Ok(Some(item)));
        }
        match state.end.take() {
            Some(end) => {
                state.end = Some(Ok(()));
                Poll::Ready(end.map(|()| None))
            }
            None => {
                let before = state.reader.replace(context.waker().clone());
                drop(state);
                // It may be anybody's.
                drop(before);
                Poll::Pending
            }
        }
    }

    /// Has a connection read again, unless it is full once more by then. A manager that is gone reads nothing.
    fn resume(&self, id: ConnectionId) {
        let shared = Arc::clone(&self.0);
        let _ = self.0.handle.post(move |registry| {
            if shared.lock().paused.is_none()
                && let Ok(connection) = registry.connection(id)
            {
                connection.resume();
            }
        });
    }
}

impl<T: Send + 'static> Drop for Inbox<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.gone = true;
        state.queued = 0;
        let (items, paused) = (mem::take(&mut state.items), state.paused.take());
        let reader = state.reader.take();
        drop(state);
        drop((items, reader));
        // So that the next that comes finds nobody.
        if let Some(id) = paused {
            self.resume(id);
        }
    }
}

impl<T: Send + 'static> fmt::Debug for Inbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("queued", &self.0.lock().queued).finish_non_exhaustive()
    }
}
