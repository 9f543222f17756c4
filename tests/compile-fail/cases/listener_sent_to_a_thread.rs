//! Invariant 1: closing a listener is for the loop's thread.

#[path = "../crossing.rs"]
mod crossing;

use mongoose::http::{Reply, Request};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let serve = |_: Request<'_>, reply: Reply<'_>| reply.text("hello");
    let listener = manager.http("http://127.0.0.1:0", serve).unwrap();
    crossing::crossing(listener).close();
}
