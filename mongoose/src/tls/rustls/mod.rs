//! TLS by the rustls crate.

mod provider;
mod server_config;
mod session;

pub use server_config::ServerConfig;
pub(crate) use session::Session;
