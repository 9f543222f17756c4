//! What a manager counts.

use std::cell::Cell;

/// What a manager did since it was made, and holds now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Connections that are there now, listeners included.
    pub connections: u64,
    /// Connections that listeners accepted.
    pub accepted: u64,
    /// Connections past [`Limits::connections`](crate::Limits::connections).
    pub turned_away: u64,
    /// Connections that an [access list](crate::AccessList) denied.
    pub denied: u64,
    /// HTTP requests that were handed to handlers. Those that were refused before are not among them.
    pub requests: u64,
    /// Failures of connections that their handlers were told of, and errors that HTTP handlers were.
    pub errors: u64,
    /// Turns of the loop.
    pub polls: u64,
    /// Bytes received.
    pub received: u64,
    /// Bytes that the system took to send.
    pub sent: u64,
    /// Messages from other threads whose connection was gone.
    pub undelivered: u64,
    /// Events that C fired inside one call past the 1,024 that are kept.
    pub dropped_events: u64,
}

/// The same, while counting.
#[derive(Debug, Default)]
pub(super) struct Counters {
    opened: Cell<u64>,
    closed: Cell<u64>,
    accepted: Cell<u64>,
    turned_away: Cell<u64>,
    denied: Cell<u64>,
    requests: Cell<u64>,
    errors: Cell<u64>,
    polls: Cell<u64>,
    received: Cell<u64>,
    sent: Cell<u64>,
    undelivered: Cell<u64>,
}

fn add(cell: &Cell<u64>, count: usize) {
    cell.set(cell.get().wrapping_add(count as u64));
}

impl Counters {
    pub(super) fn opened(&self) {
        add(&self.opened, 1);
    }

    pub(super) fn closed(&self) {
        add(&self.closed, 1);
    }

    pub(super) fn accepted(&self) {
        add(&self.accepted, 1);
    }

    pub(super) fn turned_away(&self) {
        add(&self.turned_away, 1);
    }

    pub(super) fn denied(&self) {
        add(&self.denied, 1);
    }

    pub(super) fn requested(&self) {
        add(&self.requests, 1);
    }

    pub(super) fn failed(&self) {
        add(&self.errors, 1);
    }

    pub(super) fn polled(&self) {
        add(&self.polls, 1);
    }

    pub(super) fn received(&self, count: usize) {
        add(&self.received, count);
    }

    pub(super) fn sent(&self, count: usize) {
        add(&self.sent, count);
    }

    pub(super) fn sent_so_far(&self) -> u64 {
        self.sent.get()
    }

    pub(super) fn undelivered(&self) {
        add(&self.undelivered, 1);
    }

    pub(super) fn stats(&self, dropped_events: u64) -> Stats {
        Stats {
            connections: self.opened.get() - self.closed.get(),
            accepted: self.accepted.get(),
            turned_away: self.turned_away.get(),
            denied: self.denied.get(),
            requests: self.requests.get(),
            errors: self.errors.get(),
            polls: self.polls.get(),
            received: self.received.get(),
            sent: self.sent.get(),
            undelivered: self.undelivered.get(),
            dropped_events,
        }
    }
}
