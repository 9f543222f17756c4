//! A client belongs to its loop's thread: others have its remote.

#[path = "../crossing.rs"]
mod crossing;

use mongoose::mqtt::{Client, Event, Session};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let client = Client::builder("mqtt://127.0.0.1:1")
        .connect(&manager, |_: &Session<'_>, _: Event<'_>| Ok(()))
        .unwrap();
    crossing::crossing(client).disconnect();
}
