//! The example programs as people run them: processes and signals, with real clients, browsers and proxies in front.

#![cfg(unix)]

mod activation;
mod chromium;
mod command_line;
mod curl;
mod dashboard;
mod digests;
mod embedded;
mod files;
mod json_rpc;
mod limits;
mod load;
#[cfg(target_os = "linux")]
mod memory;
#[path = "../mqtt/mosquitto.rs"]
#[allow(dead_code, reason = "the tests of MQTT need more of it")]
mod mosquitto;
mod nginx;
mod peers;
mod program;
mod python;
mod routes;
mod scale_out;
mod scratch;
mod signals;
mod streams;
mod transfers;
mod watched;
mod websocket;
