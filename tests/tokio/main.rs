//! The clients of tasks within tokio: against raw sockets that drip, stop and break off, our own server, and mosquitto.

// Within tokio, which is where there is epoll.
#![cfg(target_os = "linux")]

mod home;
mod http;
#[path = "../mqtt/mosquitto.rs"]
#[allow(dead_code, reason = "the tests of MQTT need more of it")]
mod mosquitto;
mod mqtt;
mod websocket;
