//! Invariant 17: one request, one reply.

use mongoose::http::{Reply, Request};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let serve = |_: Request<'_>, reply: Reply<'_>| {
        reply.text("once")?;
        reply.text("twice")
    };
    manager.http("http://127.0.0.1:0", serve).unwrap();
}
