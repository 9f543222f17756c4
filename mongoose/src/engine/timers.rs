//! Timers and deadlines in one heap, which sets how long the selector waits.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use super::lookup::LookupKey;
use super::{ConnectionId, Registry};

/// What happens when a timer is due.
pub(super) enum Action {
    /// The user's.
    Call(Box<dyn FnMut(&Registry)>),
    /// A lingering connection has waited long enough.
    Close(ConnectionId),
    /// A listener tries again.
    Accept(ConnectionId),
    /// A connection's deadline may have passed.
    Deadline(ConnectionId),
    /// A lookup takes too long.
    Lookup(LookupKey),
}

/// Names a timer; stale once that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TimerKey {
    slot: u32,
    generation: u32,
}

/// Adding, firing and cancelling cost O(log n) at most; what is cancelled leaves the heap at the latest when half of it
/// is such.
#[derive(Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Waiting>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    live: usize,
    /// Timers due at the same instant fire in the order they were set.
    sequence: u64,
}

/// A timer in the heap: the one that is due first is the greatest.
struct Waiting {
    due: Instant,
    sequence: u64,
    key: TimerKey,
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        #[cfg(test)]
        tests::count_comparison();
        (other.due, other.sequence).cmp(&(self.due, self.sequence))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Waiting {}

struct Slot {
    generation: u32,
    timer: Option<State>,
}

struct State {
    due: Instant,
    period: Option<Duration>,
    /// Out while it runs.
    action: Option<Action>,
}

impl Timers {
    pub(super) fn add(&mut self, due: Instant, period: Option<Duration>, action: Action) -> TimerKey {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { generation: 0, timer: None });
            (self.slots.len() - 1) as u32
        });
        let entry = &mut self.slots[slot as usize];
        entry.timer = Some(State { due, period, action: Some(action) });
        let key = TimerKey { slot, generation: entry.generation };
        self.live += 1;
        self.push(due, key);
        key
    }

    /// Takes a timer out. What it would have done is answered, for the caller to drop with no borrow held.
    pub(super) fn remove(&mut self, key: TimerKey) -> Option<Action> {
        let slot = self.slots.get_mut(key.slot as usize).filter(|slot| slot.generation == key.generation)?;
        let state = slot.timer.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(key.slot);
        self.live -= 1;
        if self.heap.len() > 64 && self.heap.len() > 2 * self.live {
            let slots = &self.slots;
            self.heap.retain(|waiting| is_current(slots, waiting));
        }
        state.action
    }

    pub(super) fn contains(&self, key: TimerKey) -> bool {
        self.slots
            .get(key.slot as usize)
            .is_some_and(|slot| slot.generation == key.generation && slot.timer.is_some())
    }

    /// When the next timer is due.
    pub(super) fn next_due(&mut self) -> Option<Instant> {
        loop {
            let first = self.heap.peek()?;
            if is_current(&self.slots, first) {
                return Some(first.due);
            }
            self.heap.pop();
        }
    }

    /// Takes the timers due by `now` off the heap. Each then goes through [`start`](Self::start), or back by
    /// [`put_back`](Self::put_back).
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<TimerKey> {
        let mut due_keys = Vec::new();
        while let Some(due) = self.next_due() {
            if due > now {
                break;
            }
            due_keys.extend(self.heap.pop().map(|first| first.key));
        }
        due_keys
    }

    /// Has a timer wait again at the instant it was due: it could not be run.
    pub(super) fn put_back(&mut self, key: TimerKey) {
        if let Some(due) = self.state(key).map(|state| state.due) {
            self.push(due, key);
        }
    }

    /// What a due timer does; `None` when it was cancelled meanwhile.
    pub(super) fn start(&mut self, key: TimerKey) -> Option<Action> {
        self.state(key)?.action.take()
    }

    /// Sets a repeating timer again, at the first tick after `now`; any other is gone. What is not kept is answered.
    pub(super) fn finish(&mut self, key: TimerKey, action: Action, now: Instant) -> Option<Action> {
        let Some(state) = self.state(key) else { return Some(action) };
        let Some(period) = state.period else {
            state.action = Some(action);
            return self.remove(key);
        };
        let late = now.saturating_duration_since(state.due);
        let skipped = late.as_nanos() / period.as_nanos().max(1);
        let ahead = period.saturating_mul(u32::try_from(skipped + 1).unwrap_or(u32::MAX));
        state.due = state.due.checked_add(ahead).unwrap_or(now + period);
        state.action = Some(action);
        let due = state.due;
        self.push(due, key);
        None
    }

    /// Empties everything, for the caller to drop with no borrow held.
    pub(super) fn take_all(&mut self) -> Vec<Action> {
        self.heap.clear();
        let keys: Vec<_> = (0u32..)
            .zip(&self.slots)
            .filter(|(_, slot)| slot.timer.is_some())
            .map(|(index, slot)| TimerKey { slot: index, generation: slot.generation })
            .collect();
        keys.into_iter().filter_map(|key| self.remove(key)).collect()
    }

    fn push(&mut self, due: Instant, key: TimerKey) {
        self.sequence += 1;
        self.heap.push(Waiting { due, sequence: self.sequence, key });
    }

    fn state(&mut self, key: TimerKey) -> Option<&mut State> {
        self.slots
            .get_mut(key.slot as usize)
            .filter(|slot| slot.generation == key.generation)
            .and_then(|slot| slot.timer.as_mut())
    }
}

fn is_current(slots: &[Slot], waiting: &Waiting) -> bool {
    slots
        .get(waiting.key.slot as usize)
        .filter(|slot| slot.generation == waiting.key.generation)
        .and_then(|slot| slot.timer.as_ref())
        .is_some_and(|timer| timer.due == waiting.due)
}

impl std::fmt::Debug for Timers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Timers").field("live", &self.live).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local!(static COMPARISONS: Cell<usize> = const { Cell::new(0) });

    pub(super) fn count_comparison() {
        COMPARISONS.set(COMPARISONS.get() + 1);
    }

    fn action() -> Action {
        Action::Call(Box::new(|_| {}))
    }

    #[test]
    fn fires_in_order_of_due_time_then_of_setting() {
        let start = Instant::now();
        let mut timers = Timers::default();
        let late = timers.add(start + Duration::from_secs(2), None, action());
        let first = timers.add(start + Duration::from_secs(1), None, action());
        let second = timers.add(start + Duration::from_secs(1), None, action());
        assert_eq!(timers.next_due(), Some(start + Duration::from_secs(1)));
        assert_eq!(timers.take_due(start + Duration::from_secs(1)), [first, second]);
        assert_eq!(timers.take_due(start + Duration::from_secs(9)), [late]);
    }

    #[test]
    fn a_repeating_timer_skips_missed_ticks_and_keeps_its_phase() {
        let start = Instant::now();
        let period = Duration::from_millis(10);
        let mut timers = Timers::default();
        let key = timers.add(start + period, Some(period), action());
        let now = start + Duration::from_millis(57);
        assert_eq!(timers.take_due(now), [key]);
        let running = timers.start(key).expect("due");
        assert!(timers.finish(key, running, now).is_none());
        assert_eq!(timers.next_due(), Some(start + Duration::from_millis(60)));
    }

    #[test]
    fn a_cancelled_timer_is_gone_and_its_key_stale() {
        let start = Instant::now();
        let mut timers = Timers::default();
        let key = timers.add(start, None, action());
        assert!(timers.remove(key).is_some());
        let again = timers.add(start + Duration::from_secs(1), None, action());
        assert!(!timers.contains(key) && timers.contains(again));
        assert!(timers.remove(key).is_none());
        assert_eq!(timers.next_due(), Some(start + Duration::from_secs(1)));
    }

    #[test]
    fn cancelling_many_does_not_leave_them_in_the_heap() {
        let mut timers = Timers::default();
        let now = Instant::now();
        let keys: Vec<_> =
            (0..10_000).map(|n| timers.add(now + Duration::from_millis(n), None, action())).collect();
        for key in &keys[..9_990] {
            timers.remove(*key);
        }
        assert!(timers.heap.len() <= 64, "{} left", timers.heap.len());
        assert_eq!(timers.next_due(), Some(now + Duration::from_millis(9_990)));
    }

    #[test]
    fn a_million_timers_cost_a_logarithm_each() {
        let scale =
            std::env::var("TEST_SCALE").ok().and_then(|scale| scale.parse::<f64>().ok()).unwrap_or(1.0);
        let count = ((1e6 * scale) as usize).max(1000);
        let logarithm = count.ilog2() as usize + 1;
        let assert_cheap = |what: &str, comparisons_each: usize| {
            let comparisons = COMPARISONS.take();
            assert!(comparisons <= count * comparisons_each, "{what}: {comparisons} comparisons for {count}");
        };
        let start = Instant::now();
        // All over the next 18 hours, and no two in order.
        let due =
            |n: usize| start + Duration::from_millis((n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 38);
        let period = Some(Duration::from_secs(1 << 20));
        let mut timers = Timers::default();
        let keys: Vec<_> = (0..count).map(|n| timers.add(due(n), period, action())).collect();
        assert_cheap("adding in any order", logarithm);
        for key in keys.iter().step_by(2) {
            assert!(timers.remove(*key).is_some());
        }
        for n in (0..count).step_by(2) {
            timers.add(due(n), period, action());
        }
        assert_cheap("cancelling and adding again", logarithm);
        let mut now = start;
        let mut fired = 0;
        while fired < count {
            now += Duration::from_secs(60);
            for key in timers.take_due(now) {
                let running = timers.start(key).expect("due");
                assert!(timers.finish(key, running, now).is_none(), "it repeats");
                fired += 1;
            }
        }
        assert_cheap("firing and setting again", 3 * logarithm);
        assert!(timers.heap.len() <= 2 * count, "{} in the heap", timers.heap.len());
        let first = timers.next_due().expect("all repeat");
        for n in 0..count {
            // Each before all others.
            timers.add(first - Duration::from_nanos(n as u64), None, action());
        }
        assert_cheap("adding what is due first", logarithm + 2);
        drop(timers.take_all());
        assert_cheap("cancelling all", 4);
    }
}
