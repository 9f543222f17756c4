//! A server under wrk.

use std::time::Instant;

use super::cases::{Case, Load};
use super::metric::Metric;
use super::peers::Peer;
use super::results::Results;
use super::server::{Holder, LOAD_CORE, SERVER_CORE, Server, send_requests};
use super::{Peers, Plan, targets, tools, wrk};
use crate::Outcome;

/// How long opening the idle connections may take.
const OPENING: u32 = 60;

/// How long the load lasts in a full run where a target is about the user share: it has to be busy for 20 s in three
/// rounds.
const LONG: u32 = 9;

pub fn run(
    case: &'static Case,
    load: &Load,
    plan: &Plan,
    peers: &Peers,
    peer: Peer,
    results: &mut Results,
) -> Outcome {
    let server = Server::start(SERVER_CORE, &peers.serve(peer)?, peers.port)?;
    let wanted = if plan.quick { load.idle.min(2000) } else { load.idle };
    let holder = match tools::affordable(wanted) {
        0 => None,
        number => Some(Holder::open(peers, number, OPENING)?),
    };
    if let Some(holder) = holder.as_ref().filter(|holder| holder.held < load.idle) {
        results.note(case, peer, format!("{} idle connections", holder.held));
    }
    send_requests(peers, 64, 4000, &[])?;

    let (before, begun) = (server.cpu()?, Instant::now());
    let long = !plan.quick && targets::needs_user_share(case.name, peer);
    let seconds = if long { plan.seconds.max(LONG) } else { plan.seconds };
    let report = wrk::run(peers, load, LOAD_CORE, 1, seconds)?;
    let (after, micros) = (server.cpu()?, begun.elapsed().as_secs_f64() * 1e6);

    // The C library's loop closes without saying so, which wrk takes for an error.
    let closes = load.headers.contains(&"Connection: close");
    if report.errors > 0.0 && !closes {
        results.note(case, peer, format!("wrk counted {} socket errors", report.errors));
    }
    let busy = after.micros_since(before);
    let cpu = busy / report.requests;
    results.add(case, peer, Metric::Cpu, cpu);
    results.add(case, peer, Metric::User, cpu * after.user_share_since(before));
    results.add(case, peer, Metric::Rate, report.rate);
    results.add(case, peer, Metric::Busy, 100.0 * busy / micros);
    results.add_busy(case, peer, busy / 1e6);
    Ok(())
}
