//! rumqttc on tokio's current-thread runtime, as a peer of the bench: `peer-rumqttc-mqtt PORT QOS COUNT`. It publishes to
//! the topic that it subscribes to, 100 messages of 64 bytes at a time, and ends once all have come back.

use std::error::Error;

use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};

const AT_A_TIME: usize = 100;
const PAYLOAD: [u8; 64] = [b'x'; 64];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<usize> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let [port, qos, count] = arguments[..] else {
        return Err("usage: peer-rumqttc-mqtt PORT QOS COUNT".into());
    };
    let qos = if qos == 0 { QoS::AtMostOnce } else { QoS::AtLeastOnce };
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run(port as u16, qos, count))
}

async fn run(port: u16, qos: QoS, count: usize) -> Result<(), Box<dyn Error>> {
    let mut options = MqttOptions::new("rumqttc", "127.0.0.1", port);
    options.set_inflight(AT_A_TIME as u16);
    let (client, mut events) = AsyncClient::new(options, 2 * AT_A_TIME);
    let (mut sent, mut received) = (0, 0);
    loop {
        let room = match events.poll().await? {
            Event::Incoming(Packet::ConnAck(_)) => {
                client.try_subscribe("bench", qos)?;
                0
            }
            Event::Incoming(Packet::SubAck(_)) => AT_A_TIME,
            Event::Incoming(Packet::Publish(_)) => {
                received += 1;
                1
            }
            _ => 0,
        };
        for _ in 0..room.min(count - sent) {
            client.try_publish("bench", qos, false, PAYLOAD)?;
            sent += 1;
        }
        if received == count {
            return Ok(());
        }
    }
}
