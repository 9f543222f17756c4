//! Invariant 3: a header's value is a view of the receive buffer.

use mongoose::http::{HeaderValue, Reply, Request};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let mut kept: Option<HeaderValue<'_>> = None;
    let serve = move |request: Request<'_>, reply: Reply<'_>| {
        kept.extend(request.header("Host"));
        reply.text("hello")
    };
    manager.http("http://127.0.0.1:0", serve).unwrap();
}
