//! What is served where.

use mongoose::http::{Handler, Reply, Request};
use mongoose::{Error, Payload};

pub fn handler() -> impl Handler {
    let [ten, hundred, thousand] = [10 << 10, 100 << 10, 1 << 20].map(|size| &*vec![b'x'; size].leak());
    move |request: Request<'_>, reply: Reply<'_>| -> Result<(), Error> {
        match request.path() {
            "/hello" | "/post" => reply.text("Hello, World!"),
            "/10k" => reply.text(Payload::from_static(ten)),
            "/100k" => reply.text(Payload::from_static(hundred)),
            "/1m" => reply.text(Payload::from_static(thousand)),
            _ => reply.status(404).text("not found"),
        }
    }
}
