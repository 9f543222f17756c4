//! The example broker, with clients of ours that lose their connections.

use std::ffi::OsString;
use std::time::Instant;

use super::memory::Flat;
use super::{Fallible, Plan, Summary, load};
use crate::bench::peers::{Peer, Program};
use crate::bench::progress;
use crate::bench::server::{SERVER_CORE, Server};

pub fn run(plan: &Plan) -> Fallible<Summary> {
    let port = plan.peers.port;
    let broker = plan.peers.program(Peer::Ours, Program::Broker)?[0].clone();
    let command: [OsString; 3] = [broker, "--listen".into(), format!("mqtt://127.0.0.1:{port}").into()];
    let server = Server::start(SERVER_CORE, &command, port)?;
    let client = &plan.peers.program(Peer::Ours, Program::MqttSoak)?[0];
    let (mut memory, mut sums, mut rounds, begun) = (Flat::default(), [0.0; 3], 0, Instant::now());
    let (time, seconds) = plan.time();
    let open = server.settled_descriptors()?;
    while begun.elapsed() < time {
        rounds += 1;
        let numbers = load::run(client, &[port.to_string(), seconds.to_string(), rounds.to_string()])?;
        let [_, _, _] = numbers[..] else { return Err("the clients failed".into()) };
        sums.iter_mut().zip(&numbers).for_each(|(sum, number)| *sum += number);
        server.wait_for_descriptors(open)?;
        memory.add(server.private_memory()?);
        let [messages, deaths, resumed] = sums;
        progress::show(&format!("  mqtt: {messages} messages, {deaths} deaths, {resumed} resumed, {memory}"));
    }
    let [messages, deaths, resumed] = sums;
    let what = format!(
        "{rounds} rounds of 4 publishers and 4 subscribers, MQTT 3.1.1 and 5: {messages} messages of QoS 0, 1 and 2 \
         arrived, {deaths} connections lost, {resumed} sessions resumed; none lost above QoS 0, none doubled at QoS 0 \
         and 2, all above QoS 0 in order"
    );
    Ok(Summary { what, memory })
}
