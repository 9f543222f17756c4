//! Services of the tower crate on our loop, and the loop within tokio's.

mod aborts;
// Within tokio, which is where there is epoll.
#[cfg(target_os = "linux")]
mod axum;
mod bodies;
mod calls;
#[cfg(target_os = "linux")]
mod driver;
mod service;
mod wakers;
