//! Invariants 1 and 3: a request stays on its thread, even where that thread waits for the other.

#[path = "../crossing.rs"]
mod crossing;

use mongoose::http::{Reply, Request};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let serve = |request: Request<'_>, reply: Reply<'_>| {
        crossing::crossing(&request).path().len();
        reply.text("hello")
    };
    manager.http("http://127.0.0.1:0", serve).unwrap();
}
