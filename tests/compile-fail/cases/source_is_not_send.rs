//! A source may come from another thread by a deferred reply, so it holds nothing that is bound to one.

use mongoose::http::{Piece, Reply, Request};
use std::rc::Rc;

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    manager
        .http("http://127.0.0.1:0", |_: Request<'_>, reply: Reply<'_>| {
            let shared = Rc::new(());
            reply.stream(move || {
                let _shared = &shared;
                Ok(Piece::End)
            })
        })
        .unwrap();
}
