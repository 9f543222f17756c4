//! A handler lives as long as its manager, which may outlive the local.

use mongoose::http::{Reply, Request};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let greeting = String::from("hello");
    let serve = |_: Request<'_>, reply: Reply<'_>| reply.text(&greeting);
    manager.http("http://127.0.0.1:0", serve).unwrap();
}
