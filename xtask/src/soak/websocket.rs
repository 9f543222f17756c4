//! WebSocket for a quarter of an hour.

use std::time::Instant;

use super::memory::Flat;
use super::{Fallible, Plan, Summary, load};
use crate::bench::peers::{Peer, Program};
use crate::bench::progress;
use crate::bench::server::{SERVER_CORE, Server};

pub fn run(plan: &Plan) -> Fallible<Summary> {
    let server =
        Server::start(SERVER_CORE, &plan.peers.serve(Peer::Ours, Program::WebSocket)?, plan.peers.port)?;
    let (mut memory, mut sums, mut rounds, begun) = (Flat::default(), [0.0; 4], 0, Instant::now());
    let (time, seconds) = plan.time();
    let open = server.settled_descriptors()?;
    while begun.elapsed() < time {
        rounds += 1;
        let numbers = load::mode(plan, "websocket-soak", &[seconds as usize, rounds])?;
        let [_, _, _, _] = numbers[..] else { return Err("the clients failed".into()) };
        sums.iter_mut().zip(&numbers).for_each(|(sum, number)| *sum += number);
        server.wait_for_descriptors(open)?;
        memory.add(server.private_memory()?);
        let [messages, news, pings, deaths] = sums;
        progress::show(&format!(
            "  websocket: {messages} echoes, {news} of the room, {pings} pings, {deaths} deaths, {memory}"
        ));
    }
    let [messages, news, pings, deaths] = sums;
    let what = format!(
        "{rounds} rounds of 32 echoing connections and a room of 64, 8 of them slow: {messages} messages of up to \
         128 KiB came back, {news} came from the room, {pings} pings, {deaths} connections gone in a frame"
    );
    Ok(Summary { what, memory })
}
