//! Invariant 3: a request ends with its event.

use mongoose::http::{Reply, Request};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let mut kept: Option<Request<'_>> = None;
    let serve = move |request: Request<'_>, reply: Reply<'_>| {
        kept.push(request);
        reply.text("hello")
    };
    manager.http("http://127.0.0.1:0", serve).unwrap();
}
