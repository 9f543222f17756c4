//! WebSocket: each rule of RFC 6455 by its section, limits and deadlines, and other people's peers.

mod cases;
mod client;
mod closing;
mod conformance;
mod echo;
mod handshake;
mod peer;
mod sending;
mod streaming;
mod time;
mod tungstenite;
mod unkind;
