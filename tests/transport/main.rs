//! Sockets in full: raw TCP with its half-closes, UDP, access lists.

#![cfg(unix)]

mod access;
mod examples;
mod half_close;
mod udp;
