//! Invariant 3: a thread may outlive the event, and a body does not.

use mongoose::http::{Reply, Request};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let serve = |request: Request<'_>, reply: Reply<'_>| {
        let body = request.body();
        std::thread::spawn(move || body.len());
        reply.text("hello")
    };
    manager.http("http://127.0.0.1:0", serve).unwrap();
}
