//! Ours on several cores. Load and server share all of them, so only figures with the same cores compare.

use super::cases::{Case, HELLO};
use super::metric::Metric;
use super::peers::{Peer, Program};
use super::results::Results;
use super::server::{ALL_CORES, Server, send_requests};
use super::{Peers, Plan, wrk};
use crate::Outcome;

pub fn run(
    case: &Case,
    workers: usize,
    plan: &Plan,
    peers: &Peers,
    peer: Peer,
    results: &mut Results,
) -> Outcome {
    let mut command = peers.serve(peer, Program::Hello)?;
    command.extend(["--workers".into(), workers.to_string().into()]);
    let server = Server::start(ALL_CORES, &command, peers.port)?;
    send_requests(peers, 64, 4000, "/hello", &[])?;
    let before = server.cpu()?;
    let report = wrk::run(peers, &HELLO, ALL_CORES, 2, plan.seconds)?;
    let cpu = server.cpu()?.micros_since(before);
    results.add(case, peer, Metric::Cpu, cpu / report.requests);
    results.add(case, peer, Metric::Rate, report.rate);
    Ok(())
}
