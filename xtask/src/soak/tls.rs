//! Handshakes of TLS, each in full.

use super::memory::Flat;
use super::{Fallible, Plan, Summary};
use crate::bench::peers::{Peer, Program};
use crate::bench::progress;
use crate::bench::server::{Holder, SERVER_CORE, Server};

const HANDSHAKES: usize = 10_000;
const ROUNDS: usize = 20;

pub fn run(plan: &Plan) -> Fallible<Summary> {
    let each = plan.scaled(HANDSHAKES) / ROUNDS;
    let server =
        Server::start(SERVER_CORE, &plan.peers.serve(Peer::Ours, Program::Secure)?, plan.peers.port)?;
    let (mut memory, mut done) = (Flat::default(), 0);
    let open = server.settled_descriptors()?;
    for round in 0..ROUNDS {
        let holder = Holder::open(&plan.peers, Program::Secure, each, 120)?;
        if holder.held < each {
            return Err(format!("of {each} connections {} had a reply", holder.held).into());
        }
        done += holder.held;
        if round % 2 == 0 {
            holder.close()?;
        } else {
            // They are reset.
            drop(holder);
        }
        server.wait_for_descriptors(open)?;
        memory.add(server.private_memory()?);
        progress::show(&format!("  tls: {done} handshakes, {memory}"));
    }
    let what = format!(
        "{done} handshakes of TLS 1.3, {each} connections at a time, each with a request and its reply"
    );
    Ok(Summary { what, memory })
}
