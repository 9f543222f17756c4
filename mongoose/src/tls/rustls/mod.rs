//! TLS by the rustls crate.

mod any_certificate;
mod certified;
mod client_config;
mod provider;
mod roots;
mod server_config;
mod session;

pub(crate) use client_config::Target;
pub use client_config::{ClientConfig, ClientConfigBuilder, Dangerous};
pub use server_config::{ServerConfig, ServerConfigBuilder};
pub(crate) use session::Session;
