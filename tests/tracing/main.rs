//! Spans of connections and requests, as a subscriber of the `tracing` crate sees them.

#![cfg(unix)]

mod panics;
mod record;
mod spans;
#[cfg(target_os = "linux")]
mod tasks;
