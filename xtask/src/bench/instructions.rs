//! Instructions in user space a request, counted by callgrind: the same in every run.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use super::cases::{BROWSER, Case};
use super::metric::Metric;
use super::peers::{Peer, target};
use super::results::Results;
use super::server::{ALL_CORES, Server, send_requests};
use super::{Fallible, Peers, Plan, progress};
use crate::Outcome;

/// Requests of the shorter and the longer run. Their difference is free of starting, connecting and ending.
const REQUESTS: [usize; 2] = [2_048, 12_288];

const CONNECTIONS: usize = 64;

pub fn run(case: &Case, plan: &Plan, peers: &Peers, results: &mut Results) -> Outcome {
    for peer in peers.built().filter(|peer| plan.takes(case, *peer)) {
        for (metric, headers) in [(Metric::ShortHead, &[][..]), (Metric::BrowserHead, BROWSER)] {
            progress::show(&format!("  {}, {}", peer.name(), metric.title()));
            let [few, many] =
                [count(peers, peer, REQUESTS[0], headers)?, count(peers, peer, REQUESTS[1], headers)?];
            let each = (many - few) / (REQUESTS[1] - REQUESTS[0]) as f64;
            results.add(case, peer, metric, each);
        }
    }
    progress::clear();
    Ok(())
}

/// The instructions of a server's whole life with this many requests.
fn count(peers: &Peers, peer: Peer, requests: usize, headers: &[&str]) -> Fallible<f64> {
    let file = target().join(format!("callgrind.{}", peer.name()));
    let mut command: Vec<OsString> = vec!["valgrind".into(), "--tool=callgrind".into()];
    command.push(format!("--callgrind-out-file={}", file.display()).into());
    command.extend(peers.serve(peer)?);
    let server = Server::start(ALL_CORES, &command, peers.port)?;
    send_requests(peers, CONNECTIONS, requests, headers)?;
    server.terminate()?;
    total(&file)
}

/// The last line of callgrind's file but blank ones: `totals: N`.
fn total(file: &Path) -> Fallible<f64> {
    let text = fs::read_to_string(file)?;
    let totals = text.lines().rev().find_map(|line| line.strip_prefix("totals:"));
    Ok(totals.ok_or("callgrind wrote no totals")?.trim().parse()?)
}
