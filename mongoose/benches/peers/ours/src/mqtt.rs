//! The mongoose crate as an MQTT client, as a peer of the bench: `peer-ours-mqtt PORT QOS COUNT`. It publishes to the
//! topic that it subscribes to, 100 messages of 64 bytes at a time, and ends once all have come back.

use mongoose::Manager;
use mongoose::mqtt::{Client, Event, QoS, Session};

const AT_A_TIME: usize = 100;
const PAYLOAD: [u8; 64] = [b'x'; 64];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<usize> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let [port, qos, count] = arguments[..] else { return Err("usage: peer-ours-mqtt PORT QOS COUNT".into()) };
    let qos = if qos == 0 { QoS::AtMostOnce } else { QoS::AtLeastOnce };
    let mut manager = Manager::new()?;
    let handle = manager.handle();
    let (mut sent, mut received) = (0, 0);
    Client::builder(&format!("mqtt://127.0.0.1:{port}")).in_flight(AT_A_TIME as u16).connect(
        &manager,
        move |session: &Session<'_>, event: Event<'_>| {
            let room = match event {
                Event::Connected(_) => {
                    session.subscribe("bench", qos)?;
                    0
                }
                Event::Subscribed(..) => AT_A_TIME,
                Event::Message(_) => {
                    received += 1;
                    1
                }
                _ => 0,
            };
            for _ in 0..room.min(count - sent) {
                session.publish("bench", PAYLOAD, qos)?;
                sent += 1;
            }
            if received == count {
                handle.stop();
            }
            Ok(())
        },
    )?;
    Ok(manager.run()?)
}
