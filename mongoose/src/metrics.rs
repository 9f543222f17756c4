//! What a manager counts, for the `metrics` crate (feature `metrics`): whatever recorder the program installs has it.
//!
//! | name | kind | what it is |
//! |---|---|---|
//! | `mongoose_connections` | gauge | [`Stats::connections`] |
//! | `mongoose_queued` | gauge | [`Handle::queued`](crate::Handle::queued): what other threads asked for and the loop has not taken up |
//! | `mongoose_accepted_total` | counter | [`Stats::accepted`] |
//! | `mongoose_turned_away_total` | counter | [`Stats::turned_away`] |
//! | `mongoose_denied_total` | counter | [`Stats::denied`] |
//! | `mongoose_requests_total` | counter | [`Stats::requests`] |
//! | `mongoose_errors_total` | counter | [`Stats::errors`] |
//! | `mongoose_polls_total` | counter | [`Stats::polls`] |
//! | `mongoose_received_bytes_total` | counter | [`Stats::received`] |
//! | `mongoose_sent_bytes_total` | counter | [`Stats::sent`] |
//! | `mongoose_undelivered_total` | counter | [`Stats::undelivered`] |
//! | `mongoose_dropped_events_total` | counter | [`Stats::dropped_events`] |
//!
//! The loop counts all of it whether anybody asks or not, so it costs what [`Metrics::update`] does, as often as that is
//! called. The example `metrics` shows it to Prometheus.

use std::fmt;

use ::metrics::{Counter, Gauge, Label, counter, describe_counter, describe_gauge, gauge};

use crate::{Registry, Stats};

/// The metrics of one manager.
///
/// ```
/// use std::time::Duration;
/// use mongoose::metrics::Metrics;
/// use mongoose::{Manager, Registry};
///
/// let manager = Manager::new()?;
/// let metrics = Metrics::new(&[("worker", "0")]);
/// manager.every(Duration::from_secs(1), move |registry: &Registry| metrics.update(registry))?.detach();
/// # Ok::<(), mongoose::Error>(())
/// ```
pub struct Metrics {
    connections: Gauge,
    queued: Gauge,
    counters: Vec<(Counter, Find)>,
}

/// Where a counter's value is.
type Find = fn(&Stats) -> u64;

/// A counter's name, what is said of it, and its value.
type Counted = (&'static str, &'static str, Find);

const COUNTED: [Counted; 10] = [
    ("mongoose_accepted_total", "connections that listeners accepted", |stats| stats.accepted),
    ("mongoose_turned_away_total", "connections past the limit", |stats| stats.turned_away),
    ("mongoose_denied_total", "connections that an access list denied", |stats| stats.denied),
    ("mongoose_requests_total", "HTTP requests that were handed to handlers", |stats| stats.requests),
    ("mongoose_errors_total", "failures of connections, and errors of HTTP", |stats| stats.errors),
    ("mongoose_polls_total", "turns of the loop", |stats| stats.polls),
    ("mongoose_received_bytes_total", "bytes received", |stats| stats.received),
    ("mongoose_sent_bytes_total", "bytes sent", |stats| stats.sent),
    ("mongoose_undelivered_total", "messages whose connection was gone", |stats| stats.undelivered),
    ("mongoose_dropped_events_total", "events of C's past those that are kept", |stats| stats.dropped_events),
];

impl Metrics {
    /// Registers them with the recorder that the program has installed, under these labels: where there are several
    /// managers, each needs some of its own.
    pub fn new(labels: &[(&'static str, &str)]) -> Self {
        let labels: Vec<Label> =
            labels.iter().map(|&(name, value)| Label::new(name, value.to_owned())).collect();
        describe_gauge!("mongoose_connections", "connections that are there, listeners included");
        describe_gauge!("mongoose_queued", "what other threads asked for and the loop has not taken up");
        let counters = COUNTED.iter().map(|&(name, about, of)| {
            describe_counter!(name, about);
            (counter!(name, labels.clone()), of)
        });
        Self {
            connections: gauge!("mongoose_connections", labels.clone()),
            queued: gauge!("mongoose_queued", labels.clone()),
            counters: counters.collect(),
        }
    }

    /// Has the recorder know what the manager has counted by now.
    pub fn update(&self, registry: &Registry) {
        let stats = registry.stats();
        self.connections.set(stats.connections as f64);
        self.queued.set(registry.handle().queued() as f64);
        for (counter, of) in &self.counters {
            counter.absolute(of(&stats));
        }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
