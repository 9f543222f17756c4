//! Thousands of connections at once, with one request each.

use super::cases::Case;
use super::metric::Metric;
use super::peers::{Peer, Program};
use super::results::Results;
use super::server::{Holder, SERVER_CORE, Server, send_requests};
use super::{Peers, Plan, tools};
use crate::Outcome;

/// How long opening them may take.
const OPENING: u32 = 60;

pub fn run(
    case: &Case,
    (connections, program): (usize, Program),
    plan: &Plan,
    peers: &Peers,
    peer: Peer,
    results: &mut Results,
) -> Outcome {
    let server = Server::start(SERVER_CORE, &peers.serve(peer, program)?, peers.port)?;
    // A few requests first: what the server allocates once is no cost of a connection.
    if program == Program::Secure {
        drop(Holder::open(peers, program, 100, OPENING)?);
        // Those of the holder are gone.
        server.wait_for_descriptors(server.descriptors()?.saturating_sub(100).max(16))?;
    } else {
        send_requests(peers, 1, 100, "/hello", &[])?;
    }
    let wanted = tools::affordable(if plan.quick { connections.min(2000) } else { connections });
    let (cpu, memory) = (server.cpu()?, server.memory()?);
    let holder = Holder::open(peers, program, wanted, OPENING)?;
    let held = holder.held as f64;
    if holder.held < connections {
        results.note(case, peer, format!("{held} connections"));
    }
    results.add(case, peer, Metric::Accepted, held / holder.seconds);
    results.add(case, peer, Metric::AcceptCpu, server.cpu()?.micros_since(cpu) / held);
    results.add(case, peer, Metric::Memory, (server.memory()? - memory) / held);
    Ok(())
}
