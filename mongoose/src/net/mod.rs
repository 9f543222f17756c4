//! Raw bytes over TCP, datagrams over UDP, and the URLs that name endpoints.

mod access;
mod endpoint;
mod handler;
mod stream;
pub mod udp;

pub use access::AccessList;
pub(crate) use endpoint::{Endpoint, Scheme};
pub use handler::{Event, Handler};
pub(crate) use stream::Stream;
