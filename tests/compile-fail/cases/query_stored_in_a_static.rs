//! Invariant 3: a query is a view of the receive buffer.

use std::sync::Mutex;

use mongoose::http::{Reply, Request};

static KEPT: Mutex<&str> = Mutex::new("");

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let serve = |request: Request<'_>, reply: Reply<'_>| {
        *KEPT.lock().unwrap() = request.query();
        reply.text("hello")
    };
    manager.http("http://127.0.0.1:0", serve).unwrap();
}
