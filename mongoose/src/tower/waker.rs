//! Wakers that have the loop look at a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};

use crate::{Connection, ConnectionId, Handle};

/// What wakes the future of one request, and then the body of its response.
#[derive(Clone, Debug)]
pub(super) struct Alarm {
    nudge: Arc<Nudge>,
    waker: Waker,
}

#[derive(Debug)]
struct Nudge {
    handle: Handle,
    id: ConnectionId,
    /// It is on its way: however often it is woken meanwhile, one is queued.
    rung: AtomicBool,
}

impl Alarm {
    pub(super) fn new(connection: &Connection<'_>) -> Self {
        let (handle, id) = (connection.handle(), connection.id());
        let nudge = Arc::new(Nudge { handle, id, rung: AtomicBool::new(false) });
        Self { waker: Arc::clone(&nudge).into(), nudge }
    }

    /// The waker, for a poll that begins: what is woken from now on is news.
    pub(super) fn set(&self) -> &Waker {
        self.nudge.rung.store(false, Ordering::SeqCst);
        &self.waker
    }
}

impl Wake for Nudge {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.rung.swap(true, Ordering::SeqCst) {
            // With the manager the future is gone, too.
            let _ = self.handle.nudge(self.id);
        }
    }
}
