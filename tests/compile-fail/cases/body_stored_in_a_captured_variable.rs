//! Invariant 3: a body is a view of the receive buffer.

use mongoose::http::{Reply, Request};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let mut kept: Vec<&[u8]> = Vec::new();
    let serve = move |request: Request<'_>, reply: Reply<'_>| {
        kept.push(request.body());
        reply.text("hello")
    };
    manager.http("http://127.0.0.1:0", serve).unwrap();
}
