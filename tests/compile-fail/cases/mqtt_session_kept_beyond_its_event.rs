//! A session is there for as long as an event lasts: what is to be kept is its client.

use mongoose::mqtt::{Client, Event, Session};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let mut kept: Option<&Session<'_>> = None;
    Client::builder("mqtt://127.0.0.1:1")
        .connect(&manager, move |session: &Session<'_>, _: Event<'_>| {
            kept = Some(session);
            Ok(())
        })
        .unwrap();
}
