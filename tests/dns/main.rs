//! Lookups of hosts.

#![cfg(unix)]

mod c;
mod examples;
mod peer;
mod server;
mod system;
