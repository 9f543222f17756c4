//! A reply that is begun and not ended is a mistake.
#![deny(unused_must_use)]

use mongoose::http::{Reply, Request};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let serve = |_: Request<'_>, reply: Reply<'_>| {
        reply.status(404);
        Ok(())
    };
    manager.http("http://127.0.0.1:0", serve).unwrap();
}
