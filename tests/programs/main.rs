//! The example programs as people run them: processes and signals, with real clients, browsers and proxies in front.

#![cfg(unix)]

mod activation;
mod chromium;
mod command_line;
mod curl;
mod embedded;
mod files;
mod limits;
mod load;
#[cfg(target_os = "linux")]
mod memory;
mod nginx;
mod peers;
mod program;
mod python;
mod routes;
mod scratch;
mod signals;
mod streams;
mod transfers;
mod websocket;
