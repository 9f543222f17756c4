//! TLS by the rustls crate.

mod any_certificate;
mod certified;
mod client_config;
mod connection;
mod outgoing;
mod provider;
mod roots;
mod server_config;
mod spare;

pub(crate) use client_config::Target;
pub use client_config::{ClientConfig, ClientConfigBuilder, Dangerous};
pub(crate) use connection::Connection;
pub use server_config::{ServerConfig, ServerConfigBuilder};
