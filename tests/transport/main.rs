//! Sockets in full: connections that we make, raw TCP with its half-closes, UDP, access lists.

#![cfg(unix)]

mod access;
mod c;
mod connect;
mod examples;
mod half_close;
mod handle;
mod udp;
mod wrapped;
