//! Services of the tower crate on our loop.

mod aborts;
mod bodies;
mod calls;
mod service;
mod wakers;
