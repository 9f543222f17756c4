//! Invariant 2: a handler cannot hold the manager that it would have to borrow for ever.

use std::time::Duration;

use mongoose::http::{Reply, Request};

fn main() {
    let mut manager = mongoose::Manager::new().unwrap();
    let serve = |_: Request<'_>, reply: Reply<'_>| {
        manager.poll(Duration::ZERO)?;
        reply.text("hello")
    };
    manager.http("http://127.0.0.1:0", serve).unwrap();
}
