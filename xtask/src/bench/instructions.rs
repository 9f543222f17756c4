//! Instructions in user space a request, counted by callgrind: the same in every run.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use super::cases::{BROWSER, Case};
use super::metric::Metric;
use super::peers::{Peer, Program, target};
use super::results::Results;
use super::server::{ALL_CORES, Server, send_requests};
use super::{Fallible, Peers, Plan, progress};
use crate::Outcome;

const CONNECTIONS: usize = 64;

/// What is asked of which server, and how often in the shorter and in the longer run: their difference is free of
/// starting, connecting and ending.
const QUESTIONS: [(Metric, Program, Question, [usize; 2]); 6] = [
    (Metric::ShortHead, Program::Hello, ("/hello", &[]), MANY),
    (Metric::BrowserHead, Program::Hello, ("/hello", BROWSER), MANY),
    (Metric::File, Program::Transfers, ("/1k.txt", &[]), MANY),
    (Metric::LargeFile, Program::Transfers, ("/10m.txt", &[]), [64, 192]),
    (Metric::Chunked, Program::Transfers, ("/chunked", &[]), MANY),
    (Metric::Routed, Program::Router, ("/users/42", BROWSER), MANY),
];

const MANY: [usize; 2] = [2_048, 12_288];

/// A path, and headers.
type Question = (&'static str, &'static [&'static str]);

pub fn run(case: &Case, plan: &Plan, peers: &Peers, results: &mut Results) -> Outcome {
    for (metric, program, question, [few, many]) in QUESTIONS {
        let takes = |peer: &Peer| plan.takes(case, *peer) && suits(*peer, metric);
        for peer in peers.built(program).filter(takes) {
            progress::show(&format!("  {}, {}", peer.name(), metric.title(case.kind.unit())));
            let count = |requests| count(peers, peer, program, question, requests);
            let each = (count(many)? - count(few)?) / (many - few) as f64;
            results.add(case, peer, metric, each);
        }
    }
    progress::clear();
    Ok(())
}

fn suits(peer: Peer, metric: Metric) -> bool {
    match (peer, metric) {
        // All that it has.
        (Peer::Nginx, metric) => matches!(metric, Metric::File | Metric::LargeFile),
        // Its router alone: what is below it is hyper.
        (Peer::Axum, metric) => metric == Metric::Routed,
        // It copies, which takes valgrind minutes.
        (Peer::Hyper, metric) => metric != Metric::LargeFile,
        _ => true,
    }
}

/// The instructions of a server's whole life with this many requests.
fn count(
    peers: &Peers,
    peer: Peer,
    program: Program,
    (path, headers): Question,
    requests: usize,
) -> Fallible<f64> {
    let file = target().join(format!("callgrind.{}", peer.name()));
    let mut command: Vec<OsString> = vec!["valgrind".into(), "--tool=callgrind".into()];
    command.push(format!("--callgrind-out-file={}", file.display()).into());
    command.extend(peers.serve(peer, program)?);
    let server = Server::start(ALL_CORES, &command, peers.port)?;
    send_requests(peers, CONNECTIONS, requests, path, headers)?;
    server.terminate()?;
    total(&file)
}

/// The last line of callgrind's file but blank ones: `totals: N`.
fn total(file: &Path) -> Fallible<f64> {
    let text = fs::read_to_string(file)?;
    let totals = text.lines().rev().find_map(|line| line.strip_prefix("totals:"));
    Ok(totals.ok_or("callgrind wrote no totals")?.trim().parse()?)
}
