//! Services of the tower crate on our loop, and the loop within tokio's.

mod aborts;
mod axum;
mod bodies;
mod calls;
mod driver;
mod service;
mod wakers;
