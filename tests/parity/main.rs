//! What the peers have and what their review asked for (R1 to R11 of the feature table), as far as TCP and HTTP reach;
//! then the HTTP server, point by point, as a client sees it.

mod addresses;
mod bodies;
mod connect;
mod defaults;
mod handle;
mod lifetimes;
mod listen;
mod persistence;
mod pipelining;
mod query;
mod raw_replies;
mod replies;
mod requests;
mod shutdown;
mod state;
mod text;
mod threads;
mod timers;
mod views;
