//! The parts of a form are views of the request's body.

use mongoose::http::{Reply, Request};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let mut kept = Vec::new();
    manager
        .http("http://127.0.0.1:0", move |request: Request<'_>, reply: Reply<'_>| {
            for part in request.multipart()? {
                kept.push(part?.body());
            }
            reply.empty()
        })
        .unwrap();
}
