//! The request that a handler chooses a body mode by is gone when it has chosen.

use mongoose::Error;
use mongoose::http::{BodyMode, Handler, Reply, Request};

struct Keeping<'r>(Option<Request<'r>>);

impl Handler for Keeping<'static> {
    fn body_mode(&mut self, request: &Request<'_>) -> BodyMode {
        self.0 = Some(*request);
        BodyMode::Streamed
    }

    fn request(&mut self, _: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        reply.empty()
    }
}

fn main() {}
