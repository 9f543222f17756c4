//! Invariant 3: a request ends with its event, also where it goes no further than a queue of this thread.

use std::sync::mpsc;

use mongoose::http::{Reply, Request};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let (keep, kept) = mpsc::channel();
    let serve = move |request: Request<'_>, reply: Reply<'_>| {
        keep.send(request).unwrap();
        reply.text("hello")
    };
    manager.http("http://127.0.0.1:0", serve).unwrap();
    drop(kept);
}
