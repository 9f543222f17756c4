//! What happens when what works nearly always does not: connections break at every byte, system calls fail or do half of
//! what they are asked, C is out of memory, the disk is full, the clock jumps. After each of these nothing crashes,
//! nothing is leaked, what was promised is kept, and the next client is served.

#![cfg(target_os = "linux")]

mod allocator;
mod broken;
mod broken_pipe;
mod calls;
mod certificate;
mod client;
mod clock;
#[path = "../programs/curl.rs"]
mod curl;
mod descriptors;
mod http;
#[path = "../mqtt/mosquitto.rs"]
#[allow(dead_code, reason = "the tests of MQTT need more of it")]
mod mosquitto;
mod mqtt;
mod program;
mod proxy;
#[path = "../programs/scratch.rs"]
#[allow(dead_code, reason = "the tests of programs need more of it")]
mod scratch;
mod stalls;
mod system_calls;
mod websocket;
