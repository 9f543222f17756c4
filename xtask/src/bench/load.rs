//! A server under wrk.

use std::time::{Duration, Instant};

use super::cases::{Case, Kind, Load};
use super::metric::Metric;
use super::peers::{Peer, Program};
use super::results::Results;
use super::server::{Cpu, Holder, LOAD_CORE, SERVER_CORE, Server, send_requests};
use super::transfers::Transfer;
use super::{Peers, Plan, targets, tools, wrk};
use crate::Outcome;

/// How long opening the idle connections may take.
const OPENING: u32 = 60;

/// How long the load lasts in a full run where a target is about the user share: the server has to be busy for 20 s in
/// three rounds.
const LONG: u32 = 9;

/// The same where sending takes longer than receiving, so that the server is busy for less than half of it.
const LONG_UPLOAD: u32 = 18;

pub fn run(
    case: &'static Case,
    load: &Load,
    plan: &Plan,
    peers: &Peers,
    peer: Peer,
    results: &mut Results,
) -> Outcome {
    let server = Server::start(SERVER_CORE, &peers.serve(peer, load.program)?, peers.port)?;
    let wanted = if plan.quick { load.idle.min(2000) } else { load.idle };
    let holder = match tools::affordable(wanted) {
        0 => None,
        number => Some(Holder::open(peers, load.program, number, OPENING)?),
    };
    if let Some(holder) = holder.as_ref().filter(|holder| holder.held < load.idle) {
        results.note(case, peer, format!("{} idle connections", holder.held));
    }
    if load.program == Program::Secure {
        wrk::run(peers, load, LOAD_CORE, 1, 1)?;
    } else {
        send_requests(peers, 64, 4000, "/hello", &[])?;
    }

    let (before, begun) = (server.cpu()?, Instant::now());
    let report = wrk::run(peers, load, LOAD_CORE, 1, seconds(case, plan, peer))?;
    let (after, elapsed) = (server.cpu()?, begun.elapsed());

    // The C library's loop closes without saying so, which wrk takes for an error.
    if report.errors > 0.0 && !load.closes() {
        results.note(case, peer, format!("wrk counted {} socket errors", report.errors));
    }
    add_figures(results, case, peer, report.requests, report.rate, (before, after, elapsed));
    Ok(())
}

/// How long the load lasts.
pub fn seconds(case: &Case, plan: &Plan, peer: Peer) -> u32 {
    if plan.quick || !targets::needs_user_share(case.name, peer) {
        return plan.seconds;
    }
    let is_upload = matches!(case.kind, Kind::Transfer(Transfer::Upload(_)));
    plan.seconds.max(if is_upload { LONG_UPLOAD } else { LONG })
}

/// Adds what `count` requests, or whatever the case has, took of the processor.
pub fn add_figures(
    results: &mut Results,
    case: &Case,
    peer: Peer,
    count: f64,
    rate: f64,
    (before, after, elapsed): (Cpu, Cpu, Duration),
) {
    let busy = after.micros_since(before);
    let cpu = busy / count;
    results.add(case, peer, Metric::Cpu, cpu);
    results.add(case, peer, Metric::User, cpu * after.user_share_since(before));
    results.add(case, peer, Metric::Rate, rate);
    results.add(case, peer, Metric::Busy, 100.0 * busy / (elapsed.as_secs_f64() * 1e6));
    results.add_busy(case, peer, busy / 1e6);
}
