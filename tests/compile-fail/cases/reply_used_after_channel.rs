//! A reply whose body another thread writes is answered.

use mongoose::http::{Reply, Request};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    manager
        .http("http://127.0.0.1:0", |_: Request<'_>, reply: Reply<'_>| {
            let sender = reply.channel(1000)?;
            sender.finish();
            reply.text("and once more")
        })
        .unwrap();
}
