//! `cargo xtask bench`: what a request costs, here and elsewhere, as ratios in one run.

mod cases;
mod chart;
mod check;
mod closing;
mod files;
mod footprint;
mod instructions;
mod load;
mod messages;
mod metric;
mod mqtt;
mod nginx;
pub mod peers;
mod prices;
pub mod progress;
mod report;
mod results;
pub mod server;
mod storm;
mod targets;
pub mod tools;
mod transfers;
mod workers;
mod wrk;

use std::error::Error;

use lexopt::Parser;
use lexopt::prelude::*;

use crate::Outcome;
use cases::{CASES, Case, Kind};
use peers::{Peer, Peers, Program};
use results::Results;

type Fallible<T> = Result<T, Box<dyn Error>>;

const HELP: &str = "\
Measures this server beside others, in turn on the same port and core, and prints every figure with its spread and as a
ratio to ours. The full run takes about 20 minutes and writes BENCHMARKS.md, with benchmarks.svg.

Usage: cargo xtask bench [--quick] [OPTIONS] [CASE]...

Options:
  --quick       One short round against a few peers, in under 2 minutes: shows that it works, decides nothing.
  --rounds N    How often each is measured (3).
  --seconds N   How long the load of one measurement lasts (2; longer where a target is about user CPU).
  --peer NAME   Only this peer besides ours; may be given more than once.
  --date TEXT   The date in BENCHMARKS.md (today).
  --prices      Only build a program with each feature, in some minutes, and print the README's table of them.
  --chart       Measure nothing: only draw benchmarks.svg by the BENCHMARKS.md that is there.

Cases, all by default:
";

/// What the command line asks for.
#[derive(Debug)]
pub struct Plan {
    pub quick: bool,
    pub rounds: usize,
    pub seconds: u32,
    only: Vec<Peer>,
    cases: Vec<&'static Case>,
    date: Option<String>,
}

pub fn run(arguments: Parser) -> Outcome {
    let Some(plan) = parse(arguments)? else { return Ok(()) };
    let needed = plan.needed();
    tools::check(needed.iter().any(|(peer, _)| *peer == Peer::Nginx))?;
    tools::raise_descriptors()?;
    let whole = plan.cases.len() == CASES.len() && !plan.quick && plan.only.is_empty();
    let peers = Peers::build(&needed)?;
    let mut results = Results::default();
    check::replies(&peers, &mut results)?;
    for case in &plan.cases {
        eprintln!("{}: {}", case.name, case.about);
        measure(case, &plan, &peers, &mut results)?;
        println!("{}", report::case(case, &results));
    }
    println!("{}", targets::table(&results));
    if plan.quick {
        println!("This was a quick run: it decides nothing.");
    }
    if whole {
        report::write(&plan, &peers, &results)?;
        chart::write()?;
    }
    Ok(())
}

fn measure(case: &'static Case, plan: &Plan, peers: &Peers, results: &mut Results) -> Outcome {
    match case.kind {
        Kind::Footprint => return footprint::run(case, plan, peers, results),
        Kind::Instructions => return instructions::run(case, plan, peers, results),
        _ => {}
    }
    for round in 0..plan.rounds {
        for peer in peers.built(case.programs()[0]).filter(|peer| plan.takes(case, *peer)) {
            // Where it takes the C library's loop a minute to accept thousands, once is enough.
            if round > 0 && peer == Peer::C && case.kind.is_crowded() {
                continue;
            }
            progress::show(&format!("  round {} of {}: {}", round + 1, plan.rounds, peer.name()));
            let outcome = match &case.kind {
                Kind::Load(load) => load::run(case, load, plan, peers, peer, results),
                Kind::Storm(connections) => {
                    storm::run(case, (*connections, Program::Hello), plan, peers, peer, results)
                }
                Kind::SecureStorm(connections) => {
                    storm::run(case, (*connections, Program::Secure), plan, peers, peer, results)
                }
                Kind::Closing(connections) => closing::run(case, *connections, plan, peers, peer, results),
                Kind::Messages => messages::run(case, plan, peers, peer, results),
                Kind::Workers(number) => workers::run(case, *number, plan, peers, peer, results),
                Kind::Transfer(transfer) => transfers::run(case, *transfer, plan, peers, peer, results),
                Kind::Mqtt(qos) => mqtt::run(case, *qos, plan, peers, peer, results),
                Kind::Footprint | Kind::Instructions => unreachable!("handled above"),
            };
            // One that fails does not take the others with it.
            if let Err(error) = outcome {
                results.note(case, peer, error.to_string());
            }
        }
    }
    progress::clear();
    Ok(())
}

impl Plan {
    fn takes(&self, case: &Case, peer: Peer) -> bool {
        // Ours alone would say nothing.
        let needed = peer.is_quick() || case.peers.len() == 2;
        let quick = !self.quick || !self.only.is_empty() || needed;
        let chosen = self.only.is_empty() || peer == Peer::Ours || self.only.contains(&peer);
        case.peers.contains(&peer) && quick && chosen
    }

    /// The servers that the cases take.
    fn needed(&self) -> Vec<(Peer, Program)> {
        let every = Peer::ALL
            .into_iter()
            .flat_map(|peer| Program::ALL.into_iter().map(move |program| (peer, program)));
        let taken = |peer: Peer, program: Program| {
            self.cases
                .iter()
                .any(|case| self.takes(case, peer) && case.programs().contains(&program) && peer.has(program))
        };
        every.filter(|(peer, program)| taken(*peer, *program)).collect()
    }
}

fn parse(mut arguments: Parser) -> Fallible<Option<Plan>> {
    let mut plan =
        Plan { quick: false, rounds: 0, seconds: 0, only: Vec::new(), cases: Vec::new(), date: None };
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("quick") => plan.quick = true,
            Long("rounds") => plan.rounds = arguments.value()?.parse()?,
            Long("seconds") => plan.seconds = arguments.value()?.parse()?,
            Long("date") => plan.date = Some(arguments.value()?.string()?),
            Long("chart") => return chart::write().map(|()| None),
            Long("prices") => return prices::print().map(|()| None),
            Long("peer") => plan.only.push(Peer::named(&arguments.value()?.string()?)?),
            Value(name) => plan.cases.push(cases::named(&name.string()?)?),
            Short('h') | Long("help") => {
                print!("{HELP}");
                CASES.iter().for_each(|case| println!("  {:<16} {}", case.name, case.about));
                return Ok(None);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    if plan.rounds == 0 {
        plan.rounds = if plan.quick { 1 } else { 3 };
    }
    if plan.seconds == 0 {
        plan.seconds = if plan.quick { 1 } else { 2 };
    }
    if plan.cases.is_empty() {
        // Callgrind is slow, and its numbers do not change from run to run.
        plan.cases = CASES.iter().filter(|case| !(plan.quick && case.kind == Kind::Instructions)).collect();
    }
    Ok(Some(plan))
}
