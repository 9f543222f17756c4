//! Invariant 1: `defer` makes what may go to another thread.

#[path = "../crossing.rs"]
mod crossing;

use mongoose::http::{Reply, Request};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let serve = |_: Request<'_>, reply: Reply<'_>| crossing::crossing(reply).text("hello");
    manager.http("http://127.0.0.1:0", serve).unwrap();
}
