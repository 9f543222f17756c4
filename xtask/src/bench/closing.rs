//! Held connections that the client closes, the oldest first.

use super::cases::Case;
use super::metric::Metric;
use super::peers::{Peer, Program};
use super::results::Results;
use super::server::{Holder, SERVER_CORE, Server, send_requests};
use super::{Peers, Plan, tools};
use crate::Outcome;

/// How long opening them may take.
const OPENING: u32 = 60;

/// Closes that one measurement has at least, in several turns.
const CLOSES: usize = 16_000;

pub fn run(
    case: &Case,
    connections: usize,
    plan: &Plan,
    peers: &Peers,
    peer: Peer,
    results: &mut Results,
) -> Outcome {
    let server = Server::start(SERVER_CORE, &peers.serve(peer, Program::Hello)?, peers.port)?;
    send_requests(peers, 1, 100, "/hello", &[])?;
    let (most, closes) = if plan.quick { (4000, 4000) } else { (connections, CLOSES) };
    let wanted = tools::affordable(connections.min(most));
    let idle = server.descriptors()?;
    let (mut closed, mut micros) = (0, 0.0);
    while closed < closes {
        let holder = Holder::open(peers, Program::Hello, wanted, OPENING)?;
        if holder.held < connections {
            results.note(case, peer, format!("{} connections", holder.held));
        }
        let before = server.cpu()?;
        closed += holder.close()?;
        server.wait_for_descriptors(idle)?;
        micros += server.cpu()?.micros_since(before);
    }
    results.add(case, peer, Metric::CloseCpu, micros / closed as f64);
    Ok(())
}
