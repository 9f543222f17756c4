//! The user's hold on a timer.

use std::fmt;
use std::rc::Weak;

use super::core::Core;
use super::timers::TimerKey;

/// A timer that runs as long as this lives: dropping it cancels it, [`detach`](Self::detach) lets it run on.
///
/// It fires on the loop's thread, on time: the next one due sets how long [`poll`](crate::Manager::poll) waits (C's
/// [`mg_timer_add`](mongoose_sys::mg_timer_add) fires when a poll happens to return).
#[must_use = "dropping a timer cancels it: keep it, or call `detach`"]
pub struct Timer {
    core: Weak<Core>,
    key: TimerKey,
    detached: bool,
}

impl Timer {
    pub(super) fn new(core: Weak<Core>, key: TimerKey) -> Self {
        Self { core, key, detached: false }
    }

    /// Cancels the timer. In its own call too: that ends, and is the last.
    pub fn cancel(self) {}

    /// Lets the timer run without being held: a repeating one as long as the manager lives.
    pub fn detach(mut self) {
        self.detached = true;
    }

    /// Whether it will fire, or is firing.
    pub fn is_active(&self) -> bool {
        self.core.upgrade().is_some_and(|core| core.timers.borrow().contains(self.key))
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if self.detached {
            return;
        }
        if let Some(core) = self.core.upgrade() {
            let action = core.timers.borrow_mut().remove(self.key);
            drop(action);
        }
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer").field("active", &self.is_active()).finish_non_exhaustive()
    }
}
