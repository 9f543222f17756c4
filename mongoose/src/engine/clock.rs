//! One look at the clocks a turn.

use std::cell::Cell;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The time at which the current turn of the loop began to work.
#[derive(Debug)]
pub(crate) struct Clock {
    now: Cell<Instant>,
    unix_seconds: Cell<u64>,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self { now: Cell::new(Instant::now()), unix_seconds: Cell::new(unix_seconds()) }
    }

    pub(super) fn look(&self) {
        self.now.set(Instant::now());
        self.unix_seconds.set(unix_seconds());
    }

    /// Monotonic.
    pub(crate) fn now(&self) -> Instant {
        self.now.get()
    }

    /// Seconds since 1970 by the system's clock, for dates.
    pub(crate) fn unix_seconds(&self) -> u64 {
        self.unix_seconds.get()
    }
}

/// Now; 0 for a clock before 1970.
pub(crate) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
