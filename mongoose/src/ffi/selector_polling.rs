//! Readiness by the `polling` crate, level-triggered: wherever the system is not Linux.

use std::cell::RefCell;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

use polling::{Event, Events, PollMode, Poller};

use crate::engine::{Interest, Ready};

/// A set of descriptors and the means to wake whoever waits for them.
pub(crate) struct Selector {
    poller: Arc<Poller>,
    events: RefCell<Events>,
}

impl Selector {
    /// Whether a signal ends a wait: see [`watch_signals`](Self::watch_signals).
    pub(super) const WAKES_ON_SIGNAL: bool = false;

    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { poller: Arc::new(Poller::new()?), events: RefCell::new(Events::new()) })
    }

    /// Whoever holds one can end a wait, from any thread.
    pub(crate) fn notifier(&self) -> Notifier {
        Notifier { poller: Arc::clone(&self.poller) }
    }

    pub(crate) fn add(&self, source: BorrowedFd<'_>, token: u64, interest: Interest) -> io::Result<()> {
        // SAFETY: invariant 8: a source is removed before it is closed.
        unsafe { self.poller.add_with_mode(&source, event(token, interest), PollMode::Level) }
    }

    pub(crate) fn modify(&self, source: BorrowedFd<'_>, token: u64, interest: Interest) -> io::Result<()> {
        self.poller.modify_with_mode(source, event(token, interest), PollMode::Level)
    }

    pub(crate) fn remove(&self, source: BorrowedFd<'_>) -> io::Result<()> {
        self.poller.delete(source)
    }

    /// No descriptor here can be written to in a signal handler.
    pub(super) fn signal_source() -> io::Result<i32> {
        Ok(-1)
    }

    /// The loop looks every tenth of a second instead.
    pub(super) fn watch_signals(&self, _source: i32) -> io::Result<()> {
        Ok(())
    }

    /// Waits until something is ready, the notifier fired or the time is over (`None`: for ever).
    ///
    /// An interrupted wait is an early one without events.
    pub(crate) fn wait(&self, ready: &mut Vec<Ready>, timeout: Option<Duration>) -> io::Result<()> {
        let mut events = self.events.borrow_mut();
        events.clear();
        match self.poller.wait(&mut events, timeout) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        for event in events.iter() {
            ready.push(Ready {
                token: event.key as u64,
                readable: event.readable,
                hangup: event.is_interrupt() || event.is_err().unwrap_or(false),
            });
        }
        Ok(())
    }
}

impl std::fmt::Debug for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Selector").field("poller", &self.poller).finish_non_exhaustive()
    }
}

/// Ends the wait of one selector.
#[derive(Clone, Debug)]
pub(crate) struct Notifier {
    poller: Arc<Poller>,
}

impl Notifier {
    pub(crate) fn notify(&self) {
        // Fails only when the system is out of memory for an event; the next wait is bounded by its time-out then.
        let _ = self.poller.notify();
    }
}

fn event(token: u64, interest: Interest) -> Event {
    Event::new(token as usize, interest.read, interest.write)
}
