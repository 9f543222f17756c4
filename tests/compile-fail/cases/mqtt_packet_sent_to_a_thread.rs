//! A packet of a client's is a view of received bytes: what a thread needs of it has to be copied.

use mongoose::mqtt::{Packet, Peer, ServerEvent};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    manager
        .listener("mqtt://127.0.0.1:0")
        .mqtt(|_: &Peer<'_>, event: ServerEvent<'_>| {
            if let ServerEvent::Packet(Packet::Publish(publish)) = event {
                std::thread::spawn(move || println!("{}", publish.topic));
            }
            Ok(())
        })
        .unwrap();
}
