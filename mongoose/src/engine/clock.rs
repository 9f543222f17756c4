//! One look at the clocks a turn.

use std::cell::Cell;
use std::time::{Instant, SystemTime};

/// The time at which the current turn of the loop began to work.
#[derive(Debug)]
pub(crate) struct Clock {
    now: Cell<Instant>,
    wall: Cell<SystemTime>,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self { now: Cell::new(Instant::now()), wall: Cell::new(SystemTime::now()) }
    }

    pub(super) fn look(&self) {
        self.now.set(Instant::now());
        self.wall.set(SystemTime::now());
    }

    /// Monotonic.
    pub(super) fn now(&self) -> Instant {
        self.now.get()
    }

    /// The system's, for dates.
    pub(crate) fn wall(&self) -> SystemTime {
        self.wall.get()
    }
}
