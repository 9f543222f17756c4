//! Invariant 3: a request ends with its event.

use std::cell::Cell;

use mongoose::http::{Reply, Request};

thread_local! {
    static KEPT: Cell<Option<Request<'static>>> = const { Cell::new(None) };
}

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let serve = |request: Request<'_>, reply: Reply<'_>| {
        KEPT.set(Some(request));
        reply.text("hello")
    };
    manager.http("http://127.0.0.1:0", serve).unwrap();
}
