//! Messages from other threads to the loop's.

use std::process::Command;

use super::cases::Case;
use super::metric::Metric;
use super::peers::{Peer, Program};
use super::results::Results;
use super::server::numbers;
use super::{Peers, Plan, tools};
use crate::Outcome;

const THREADS: usize = 4;

pub fn run(case: &Case, plan: &Plan, peers: &Peers, peer: Peer, results: &mut Results) -> Outcome {
    let posts = if plan.quick { 250_000 } else { 1_000_000 };
    let program = peers.program(peer, Program::Hello)?;
    let mut command = Command::new(&program[0]);
    command.args(&program[1..]).args(["messages", &THREADS.to_string(), &posts.to_string()]);
    let numbers = numbers(&tools::output(&mut command)?);
    let [sent, arrived, seconds] = numbers[..] else { return Err("no three numbers".into()) };
    results.add(case, peer, Metric::Delivered, arrived / seconds);
    results.add(case, peer, Metric::Arrived, 100.0 * arrived / sent);
    Ok(())
}
