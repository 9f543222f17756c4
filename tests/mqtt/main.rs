//! MQTT: packets against the specification and against C, the client against mosquitto and against servers that break
//! the rules.

mod broker;
mod c_beside;
#[path = "../tls/certificates.rs"]
#[allow(dead_code, reason = "the tests of TLS need more of it")]
mod certificates;
mod client;
mod example;
mod faults;
mod malformed;
mod mosquitto;
#[path = "../websocket/peer.rs"]
#[allow(dead_code, reason = "the tests of WebSocket need more of it")]
mod peer;
mod properties;
mod recovery;
mod resumption;
mod round_trip;
mod scene;
mod server;
mod tls;
mod websocket;
