//! The safe Rust home of Mongoose.
#![deny(unsafe_code)]

mod engine;
mod error;
#[allow(unsafe_code, reason = "the one module that may: see its documentation")]
mod ffi;
mod gate;
pub mod http;
mod net;
pub mod url;
mod version;

pub use mongoose_sys as sys;

pub use engine::{
    Connection, ConnectionId, Handle, Limits, Listener, ListenerBuilder, Manager, Payload, Registry, State,
    Stats, Timer,
};
pub use error::Error;
pub use net::{Event, Handler};
pub use version::MONGOOSE_VERSION;
