//! What all workers count together.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// What `/stats` tells.
#[derive(Clone)]
pub struct Counters {
    started: Instant,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    opened: AtomicU64,
    closed: AtomicU64,
    requests: AtomicU64,
}

impl Counters {
    pub fn new() -> Self {
        Self { started: Instant::now(), counts: Arc::default() }
    }

    pub fn started(&self) -> Instant {
        self.started
    }

    pub fn opened(&self) {
        self.counts.opened.fetch_add(1, Ordering::Relaxed);
    }

    pub fn closed(&self) {
        self.counts.closed.fetch_add(1, Ordering::Relaxed);
    }

    pub fn request(&self) {
        self.counts.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub fn to_json(&self) -> String {
        let closed = self.counts.closed.load(Ordering::Relaxed);
        let opened = self.counts.opened.load(Ordering::Relaxed);
        format!(
            "{{\"connections\":{},\"accepted\":{opened},\"requests\":{},\"uptime_seconds\":{}}}\n",
            opened.saturating_sub(closed),
            self.counts.requests.load(Ordering::Relaxed),
            self.started.elapsed().as_secs()
        )
    }
}
