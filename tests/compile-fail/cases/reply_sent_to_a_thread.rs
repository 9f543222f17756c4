//! Invariant 1: `defer` makes what may go to another thread.

use mongoose::http::{Reply, Request};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let serve = |_: Request<'_>, reply: Reply<'_>| {
        std::thread::scope(|scope| scope.spawn(|| reply.text("hello")).join().unwrap())
    };
    manager.http("http://127.0.0.1:0", serve).unwrap();
}
