//! HTTP/1.x: requests, replies, and the handlers between them.

mod answering;
mod arriving;
mod channel;
pub(crate) mod client;
#[cfg(feature = "http")]
mod convert;
#[cfg(feature = "cookies")]
mod cookies;
mod credentials;
mod date;
mod deferred;
mod exchange;
#[cfg(feature = "tower")]
mod feed;
mod files;
mod form;
mod handler;
mod headers;
#[cfg(feature = "serde")]
mod json;
mod outgoing;
mod parameters;
#[cfg(feature = "router")]
mod params;
#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod pieces;
mod reply;
mod reply_head;
mod request;
mod request_span;
#[cfg(feature = "tower")]
mod responder;
#[cfg(feature = "tower")]
mod responding;
#[cfg(feature = "router")]
mod router;
mod server;
mod sse;
mod upload;

pub use crate::engine::{BodySource, Piece};
#[cfg(feature = "cookies")]
pub use ::cookie;
pub(crate) use answering::Overloaded;
pub use channel::{BodyReceiver, BodySender, channel};
#[cfg(feature = "fuzzing")]
pub(crate) use client::Url as ClientUrl;
#[cfg(feature = "http")]
pub use client::request_from;
#[cfg(feature = "tls-rustls")]
pub(crate) use client::system_config;
pub use client::{
    Blocking, Client, Download, Pending, RequestBuilder, Response, ResponseBuf, delete, get, head, post, put,
    request,
};
#[cfg(all(feature = "fuzzing", feature = "cookies"))]
pub(crate) use cookies::{check as check_cookie, split as split_cookies};
pub use credentials::{Credentials, basic_authorization, constant_time_eq};
pub use deferred::Deferred;
#[cfg(feature = "tower")]
pub(crate) use feed::{FeedReader, Pipe, pipe};
pub use files::Files;
#[cfg(feature = "fuzzing")]
pub(crate) use files::{Part as RangePart, RelativePath, parse_range};
pub use form::{Form, Multipart, MultipartEvent, MultipartParser, Part, PartHead};
pub use handler::Handler;
pub use headers::{HeaderValue, Headers};
#[cfg(feature = "router")]
pub use params::Params;
pub use reply::Reply;
pub(crate) use reply_head::write_header;
pub use request::{QueryPairs, Request};
#[cfg(feature = "tower")]
pub(crate) use responder::Responder;
#[cfg(feature = "router")]
pub use router::Router;
pub(crate) use server::{Server, Service};
pub use sse::{EventSender, ServerEvent, SlowSubscriber, Subscribers};
pub use upload::{BodyMode, Upload};
