//! A piece waits to be sent: it has to own its bytes, or share them.

use mongoose::http::{BodySender, Request};

fn send(sender: &BodySender, request: Request<'_>) {
    let _ = sender.send(request.body());
}

fn main() {}
