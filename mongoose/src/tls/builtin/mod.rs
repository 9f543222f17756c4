//! TLS 1.3 with Mongoose's own cryptography. What a peer sends is parsed here, in safe Rust: see
//! [the feature's documentation](crate::tls#the-feature-tls-builtin).

mod alert;
mod client;
mod client_config;
mod client_hello;
mod connection;
mod der;
mod hello;
mod keys;
mod pem;
mod reader;
mod records;
mod server;
mod server_config;
#[cfg(test)]
mod tests;

pub(crate) use client_config::Target;
pub use client_config::{ClientConfig, ClientConfigBuilder, Dangerous};
pub(crate) use connection::Connection;
pub use server_config::ServerConfig;
