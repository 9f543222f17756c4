//! HTTP/1.x: requests, replies, and the handlers between them.

mod date;
mod deferred;
mod handler;
mod headers;
mod reply;
mod reply_head;
mod request;
mod server;

pub use deferred::Deferred;
pub use handler::Handler;
pub use headers::{HeaderValue, Headers};
pub use reply::Reply;
pub use request::{QueryPairs, Request};
pub(crate) use server::{Server, Service};
