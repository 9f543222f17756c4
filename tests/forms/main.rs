//! Forms, credentials, cookies and the helpers around a request: what clients send, and what the handler understands.

mod browsers;
mod convert;
mod cookies;
mod credentials;
mod curl;
mod differential;
mod form_server;
mod json;
mod malformed;
mod multipart;
mod properties;
mod router;
mod statuses;
mod streaming;
mod urlencoded;
