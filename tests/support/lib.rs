//! What the tests share: a server on a thread of its own, a client of raw bytes, and bounded waiting.

mod client;
mod example;
mod process;
mod programs;
mod random;
pub mod raw;
mod server;
mod steady;

use std::time::{Duration, Instant};

use mongoose::Manager;

pub use client::{Client, Response};
pub use example::example;
pub use process::in_own_process;
pub use programs::find_program;
pub use random::Random;
pub use server::Server;
pub use steady::{Steady, steadily};

/// Nothing in a test takes longer than this unless it hangs.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Scales the size of a big test by `TEST_SCALE` (1 unless set); at least 1.
pub fn scaled(size: usize) -> usize {
    let scale = std::env::var("TEST_SCALE").ok().and_then(|scale| scale.parse::<f64>().ok()).unwrap_or(1.0);
    ((size as f64 * scale) as usize).max(1)
}

/// Polls until a condition holds.
///
/// # Panics
/// When it does not hold in time.
pub fn poll_until(manager: &mut Manager, what: &str, mut condition: impl FnMut(&Manager) -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition(manager) {
        assert!(Instant::now() < end, "waited in vain for: {what}");
        manager.poll(Duration::from_millis(20)).expect("to poll");
    }
}
