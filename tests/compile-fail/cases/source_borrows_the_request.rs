//! A body that is streamed is made after the request is gone: what it needs of it has to be copied.

use mongoose::http::{Piece, Reply, Request};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    manager
        .http("http://127.0.0.1:0", |request: Request<'_>, reply: Reply<'_>| {
            let path = request.path();
            reply.stream(move || Ok(Piece::Data(path.to_owned().into())))
        })
        .unwrap();
}
