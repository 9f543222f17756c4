//! Invariant 2: only a `Manager` polls, and a handler has a `Registry`.

use std::time::Duration;

use mongoose::http::{Reply, Request};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let serve = |request: Request<'_>, reply: Reply<'_>| {
        request.connection().registry().poll(Duration::ZERO)?;
        reply.text("hello")
    };
    manager.http("http://127.0.0.1:0", serve).unwrap();
}
