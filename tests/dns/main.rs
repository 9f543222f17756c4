//! Lookups of hosts.

#![cfg(unix)]

mod examples;
mod system;
