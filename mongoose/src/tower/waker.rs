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
    /// One for a request of a connection: made of one that is spare, if nobody has a waker of that any more.
    pub(super) fn renewed(spare: Option<Self>, connection: &Connection<'_>) -> Self {
        let id = connection.id();
        let nudge = spare.and_then(|Self { mut nudge, waker }| {
            drop(waker);
            let unique = Arc::get_mut(&mut nudge).filter(|unique| unique.id.is_beside(id))?;
            unique.id = id;
            unique.rung = AtomicBool::new(false);
            Some(nudge)
        });
        let nudge = nudge.unwrap_or_else(|| {
            Arc::new(Nudge { handle: connection.handle(), id, rung: AtomicBool::new(false) })
        });
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
