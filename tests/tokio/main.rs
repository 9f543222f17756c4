//! The clients of tasks within tokio: against raw sockets that drip, stop and break off, our own server, and mosquitto.

// Within tokio, which is where there is epoll.
#![cfg(target_os = "linux")]

mod home;
mod http;
mod websocket;
