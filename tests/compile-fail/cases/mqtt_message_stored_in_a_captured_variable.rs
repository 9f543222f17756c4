//! A message is a view of received bytes, which move once the handler has returned.

use mongoose::mqtt::{Client, Event, Message, Session};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let mut kept: Option<Message<'_>> = None;
    Client::builder("mqtt://127.0.0.1:1")
        .connect(&manager, move |_: &Session<'_>, event: Event<'_>| {
            if let Event::Message(message) = event {
                kept = Some(message);
            }
            Ok(())
        })
        .unwrap();
}
