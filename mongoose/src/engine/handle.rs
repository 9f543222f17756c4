//! What other threads hold of a manager.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ThreadId;

use super::lookup::LookupKey;
use super::mailbox::Mailbox;
use super::{ConnectionId, Payload, Registry};
use crate::Error;
use crate::ffi::Notifier;

/// Reaches a [`Manager`](crate::Manager) from any thread: posts closures, sends bytes, stops the loop.
///
/// Nothing here blocks but for a short lock, nothing has a size limit, and the loop wakes at once. `Ok` means queued:
/// it happens unless the manager is dropped first. What becomes of it is told to the completion of
/// [`send_then`](Self::send_then), and counted in [`Stats::undelivered`](crate::Stats::undelivered). C's counterpart is
/// [`mg_wakeup`](mongoose_sys::mg_wakeup), which drops and cuts messages (hazard 11) and is not used.
///
/// ```
/// let mut manager = mongoose::Manager::new()?;
/// let handle = manager.handle();
/// std::thread::spawn(move || handle.post(|registry| registry.handle().stop()));
/// manager.run()?;
/// # Ok::<(), mongoose::Error>(())
/// ```
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
}

/// What is asked of the loop.
pub(crate) enum Task {
    Call(Box<dyn FnOnce(&Registry) + Send>),
    Send {
        id: ConnectionId,
        bytes: Payload<'static>,
        done: Option<Completion>,
    },
    Wakeup {
        id: ConnectionId,
        payload: Vec<u8>,
    },
    Late {
        id: ConnectionId,
        late: Late,
    },
    /// There is something to pull again.
    Nudge {
        id: ConnectionId,
    },
    LookedUp {
        key: LookupKey,
        result: std::io::Result<Vec<std::net::SocketAddr>>,
    },
}

impl Task {
    /// Has what belongs to the user one by one: two panics in one drop would end the process.
    pub(super) fn into_parts(self) -> impl Iterator<Item = Self> {
        let (task, rest) = match self {
            Self::Send { id, bytes, done: Some(done) } => (
                Self::Send { id, bytes, done: None },
                Some(Self::Send { id, bytes: Payload::from_static(b""), done: Some(done) }),
            ),
            other => (other, None),
        };
        std::iter::once(task).chain(rest)
    }
}

/// Told what became of bytes that another thread sent.
pub(crate) type Completion = Box<dyn FnOnce(Result<(), Error>) + Send>;

/// A reply from another thread, in a form that its protocol knows.
pub(crate) type Late = Box<dyn Any + Send>;

/// What the loop and the threads that hold a handle share.
pub(crate) struct Shared {
    mailbox: Mailbox<Task>,
    stop: AtomicBool,
    notifier: Notifier,
    /// The loop's thread.
    home: ThreadId,
}

impl Shared {
    pub(super) fn new(notifier: Notifier) -> Self {
        Self {
            mailbox: Mailbox::new(),
            stop: AtomicBool::new(false),
            notifier,
            home: std::thread::current().id(),
        }
    }

    /// Moves what is queued behind `tasks`.
    pub(super) fn take(&self, tasks: &mut VecDeque<Task>) {
        self.mailbox.take(tasks);
    }

    /// Takes no more; answers what was queued, for the caller to drop with no lock held.
    pub(super) fn close(&self) -> VecDeque<Task> {
        self.mailbox.close()
    }

    /// Whether the loop was asked to stop; asking again answers false.
    pub(super) fn take_stop(&self) -> bool {
        self.stop.swap(false, Ordering::AcqRel)
    }
}

impl Handle {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Runs a closure on the loop's thread, after everything this thread posted before.
    ///
    /// # Errors
    /// [`Error::Gone`] when the manager was dropped; the closure is dropped without having run.
    pub fn post(&self, call: impl FnOnce(&Registry) + Send + 'static) -> Result<(), Error> {
        self.task(Task::Call(Box::new(call)))
    }

    /// Sends bytes, however many, to the peer of a connection.
    ///
    /// Should the connection be gone or its output be full when the loop comes to it, they are dropped and counted in
    /// [`Stats::undelivered`](crate::Stats::undelivered); use [`send_then`](Self::send_then) to be told.
    ///
    /// # Errors
    /// [`Error::Gone`] when the manager was dropped.
    pub fn send(&self, id: ConnectionId, bytes: impl Into<Payload<'static>>) -> Result<(), Error> {
        self.task(Task::Send { id, bytes: bytes.into(), done: None })
    }

    /// Like [`send`](Self::send), and calls `done` on the loop's thread with what became of it.
    ///
    /// # Errors
    /// [`Error::Gone`] when the manager was dropped; `done` is dropped without having run.
    pub fn send_then(
        &self,
        id: ConnectionId,
        bytes: impl Into<Payload<'static>>,
        done: impl FnOnce(Result<(), Error>) + Send + 'static,
    ) -> Result<(), Error> {
        self.task(Task::Send { id, bytes: bytes.into(), done: Some(Box::new(done)) })
    }

    /// Delivers a payload of any size to a connection's handler, as [`Event::Wakeup`](crate::Event::Wakeup). Should the
    /// connection be gone, or one that was accepted and whose handshake of TLS is not done, so that its handler does not
    /// know of it yet, it is counted in [`Stats::undelivered`](crate::Stats::undelivered).
    ///
    /// # Errors
    /// [`Error::Gone`] when the manager was dropped.
    #[doc(alias = "mg_wakeup")]
    pub fn wakeup(&self, id: ConnectionId, payload: impl Into<Vec<u8>>) -> Result<(), Error> {
        self.task(Task::Wakeup { id, payload: payload.into() })
    }

    /// Has the [`BodySource`](crate::http::BodySource) of a connection's reply asked again, after it had nothing to give.
    /// For a connection without one, or that is gone, it does nothing.
    ///
    /// # Errors
    /// [`Error::Gone`] when the manager was dropped.
    pub fn nudge(&self, id: ConnectionId) -> Result<(), Error> {
        self.task(Task::Nudge { id })
    }

    /// How much was asked of the loop, by whatever thread, that it has not taken up yet. A loop takes up all of it each
    /// turn: a number that grows says that it is busy, or that nobody polls it.
    ///
    /// ```
    /// let mut manager = mongoose::Manager::new()?;
    /// let handle = manager.handle();
    /// handle.post(|_| {})?;
    /// assert_eq!(handle.queued(), 1);
    /// manager.poll(std::time::Duration::ZERO)?;
    /// assert_eq!(handle.queued(), 0);
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    pub fn queued(&self) -> usize {
        self.shared.mailbox.len()
    }

    /// Has [`run`](crate::Manager::run) return, the one that runs or the next.
    ///
    /// Async-signal-safe on Linux, and the only method that is: two atomic stores and a `write`. The others take a lock,
    /// which the thread that the signal interrupted may hold, and allocate.
    pub fn stop(&self) {
        self.shared.stop.store(true, Ordering::Release);
        self.shared.notifier.notify();
    }

    /// Whether this is the loop's own thread: waiting here for the loop would be for ever.
    pub(crate) fn is_home(&self) -> bool {
        std::thread::current().id() == self.shared.home
    }

    pub(crate) fn task(&self, task: Task) -> Result<(), Error> {
        // The rejected task is dropped here, with no lock held: that may run user code.
        let pushed = self.shared.mailbox.push(task, || self.shared.notifier.notify());
        pushed.map_err(|_task| Error::Gone)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Call(_) => "Call",
            Self::Send { .. } => "Send",
            Self::Wakeup { .. } => "Wakeup",
            Self::Late { .. } => "Late",
            Self::Nudge { .. } => "Nudge",
            Self::LookedUp { .. } => "LookedUp",
        })
    }
}
