//! Each of the nineteen invariants of ARCHITECTURE.md, attacked through the public API.
//!
//! A test is named after the invariant that it would see broken. What is not an invariant by itself but holds them up
//! (timers, loops that must not spin) has a file of its own.
#![cfg(unix)]

mod busy;
mod bytes;
mod chaos;
mod closing;
mod descriptors;
mod dropping;
mod engine_rules;
mod harness;
mod ids;
mod lengths;
mod nesting;
mod panics_http;
mod panics_raw;
mod panics_tasks;
mod panics_udp;
mod process;
mod replacing;
mod replies;
mod threads;
mod timers;
mod views;
