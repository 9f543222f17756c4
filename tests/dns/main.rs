//! Lookups of hosts.

#![cfg(unix)]

mod examples;
mod peer;
mod server;
mod system;
