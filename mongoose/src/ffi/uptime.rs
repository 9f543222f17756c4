//! C's clock.

use std::time::Duration;

use mongoose_sys as sys;

/// How long the machine runs, in milliseconds: what C's timers and log lines count. For measuring there is
/// [`Instant`](std::time::Instant); for the date, which C's `mg_now` takes from whatever time server answered last,
/// [`SystemTime`](std::time::SystemTime).
///
/// ```
/// let before = mongoose::uptime();
/// assert!(mongoose::uptime() >= before);
/// ```
#[doc(alias = "mg_millis")]
#[doc(alias = "mg_now")]
pub fn uptime() -> Duration {
    // SAFETY: C asks the system for its monotonic clock, and keeps nothing.
    Duration::from_millis(unsafe { sys::mg_millis() })
}
