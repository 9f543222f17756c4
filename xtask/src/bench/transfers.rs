//! A server under our own load: large bodies that come in pieces, events for many subscribers, WebSocket, datagrams.

use std::time::Instant;

use super::cases::Case;
use super::load::{add_figures, seconds};
use super::metric::Metric;
use super::peers::{Peer, Program};
use super::results::Results;
use super::server::{LOAD_CORE, SERVER_CORE, Server, numbers, send_requests};
use super::{Peers, Plan, tools};
use crate::Outcome;

/// What the load does, and how many bytes or subscribers it has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Transfer {
    Upload(usize),
    Events(usize),
    Echo {
        connections: usize,
        bytes: usize,
    },
    Broadcast(usize),
    /// From so many sockets.
    Datagrams {
        sockets: usize,
        bytes: usize,
    },
}

pub fn run(
    case: &'static Case,
    transfer: Transfer,
    plan: &Plan,
    peers: &Peers,
    peer: Peer,
    results: &mut Results,
) -> Outcome {
    let program = case.programs()[0];
    let command = peers.serve(peer, program)?;
    let server = match program {
        Program::Datagrams => Server::start_datagrams(SERVER_CORE, &command, peers.port)?,
        _ => Server::start(SERVER_CORE, &command, peers.port)?,
    };
    if program == Program::Transfers {
        // A few requests first: what the server allocates once is no cost of a transfer.
        send_requests(peers, 1, 100, "/hello", &[])?;
    }
    server.forget_peak()?;
    let memory = server.memory()?;

    let (mode, number, size) = match transfer {
        Transfer::Upload(bytes) => ("upload", bytes, 0),
        Transfer::Events(subscribers) => ("events", subscribers, 0),
        Transfer::Echo { connections, bytes } => ("echo", connections, bytes),
        Transfer::Broadcast(members) => ("broadcast", members, 0),
        Transfer::Datagrams { sockets, bytes } => ("datagrams", sockets, bytes),
    };
    let seconds = seconds(case, plan, peer);
    let mut command = tools::pinned(LOAD_CORE, peers.load());
    command.args([
        mode,
        &peers.port.to_string(),
        &number.to_string(),
        &seconds.to_string(),
        &size.to_string(),
    ]);
    let (before, begun) = (server.cpu()?, Instant::now());
    let text = tools::output(&mut command)?;
    let (after, elapsed) = (server.cpu()?, begun.elapsed());
    let [done, seconds] = numbers(&text)[..] else { return Err("the load counted nothing".into()) };
    add_figures(results, case, peer, done, done / seconds, (before, after, elapsed));
    results.add(case, peer, Metric::Peak, (server.peak_memory()? - memory) / 1024.0);
    Ok(())
}
