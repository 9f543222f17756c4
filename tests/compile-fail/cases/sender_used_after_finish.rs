//! Nothing follows the end of a body.

use mongoose::http::BodySender;

fn send(sender: BodySender) {
    sender.finish();
    let _ = sender.send("more");
}

fn main() {}
