//! The guide: pages to be read once, in order or as needed. What each item does in detail is with the item.
//!
//! **The first hour**: [hello], [a JSON API](json_api), [a page with a WebSocket](websocket_page),
//! [the same over TLS](https).
//!
//! **How it works**: [the loop](the_loop), [events and their order](events), [threads and tasks](threads),
//! [streaming], [limits], [TLS](tls), [deployment],
//! [what is not guaranteed](not_guaranteed).
//!
//! **For those who come from** [Mongoose in C](from_c), [cymongoose](from_cymongoose), [tiny_http](from_tiny_http),
//! [axum](from_axum).
//!
//! These modules are empty, and there for this text alone; the code on them is compiled by the tests.

#[doc = include_str!("hello.md")]
pub mod hello {}

#[doc = include_str!("json_api.md")]
pub mod json_api {}

#[doc = include_str!("websocket_page.md")]
pub mod websocket_page {}

#[doc = include_str!("https.md")]
pub mod https {}

#[doc = include_str!("the_loop.md")]
pub mod the_loop {}

#[doc = include_str!("events.md")]
pub mod events {}

#[doc = include_str!("threads.md")]
pub mod threads {}

#[doc = include_str!("streaming.md")]
pub mod streaming {}

#[doc = include_str!("limits.md")]
pub mod limits {}

#[doc = include_str!("tls.md")]
pub mod tls {}

#[doc = include_str!("deployment.md")]
pub mod deployment {}

#[doc = include_str!("not_guaranteed.md")]
pub mod not_guaranteed {}

#[doc = include_str!("from_c.md")]
pub mod from_c {}

#[doc = include_str!("from_cymongoose.md")]
pub mod from_cymongoose {}

#[doc = include_str!("from_tiny_http.md")]
pub mod from_tiny_http {}

#[doc = include_str!("from_axum.md")]
pub mod from_axum {}
