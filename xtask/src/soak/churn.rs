//! Connections that come and go.

use super::memory::Flat;
use super::{Fallible, Plan, Summary, load};
use crate::bench::peers::{Peer, Program};
use crate::bench::progress;
use crate::bench::server::{SERVER_CORE, Server};

const CONNECTIONS: usize = 100_000;
const ROUNDS: usize = 20;

pub fn run(plan: &Plan) -> Fallible<Summary> {
    let connections = plan.scaled(CONNECTIONS);
    let server = Server::start(SERVER_CORE, &plan.peers.serve(Peer::Ours, Program::Hello)?, plan.peers.port)?;
    let (mut memory, mut ended, mut answered) = (Flat::default(), 0, 0);
    let open = server.settled_descriptors()?;
    for _ in 0..ROUNDS {
        let [gone, replies] = load::mode(plan, "churn", &[connections / ROUNDS])?[..] else {
            return Err("the clients failed".into());
        };
        server.wait_for_descriptors(open)?;
        (ended, answered) = (ended + gone as usize, answered + replies as usize);
        memory.add(server.private_memory()?);
        progress::show(&format!("  churn: {ended} of {connections}, {memory}"));
    }
    let what = format!(
        "{ended} connections from {ROUNDS} loopback addresses: {answered} had a reply, the others asked for half or \
         nothing; a third ended in order, the others by a reset"
    );
    Ok(Summary { what, memory })
}
