//! Strict, incremental, linear-time parsing of what peers send. No byte from the network is parsed elsewhere, and
//! none of it in C. The gate knows no socket and no user.

pub(crate) mod dns;
pub(crate) mod http;
pub(crate) mod mqtt;
pub(crate) mod sntp;
pub(crate) mod ws;
