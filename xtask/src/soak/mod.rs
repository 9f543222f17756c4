//! `cargo xtask soak`: much of everything, for long, with no error and no memory that is gone.

mod churn;
mod held;
mod load;
mod memory;
mod mqtt;
mod posts;
mod tls;
mod websocket;

use std::error::Error;
use std::time::{Duration, Instant};

use lexopt::Parser;
use lexopt::prelude::*;

use crate::Outcome;
use crate::bench::peers::{Peer, Peers, Program};
use crate::bench::{progress, tools};
use memory::Flat;

type Fallible<T> = Result<T, Box<dyn Error>>;

const HELP: &str = "\
Loads servers with much of everything, and fails at the first wrong or missing answer, or when a server's memory grows by
more than 2 % once it is warm. Prints a row for each case as RELIABILITY.md has them.

Usage: cargo xtask soak [--quick] [OPTIONS] [CASE]...

Options:
  --quick       A tenth of it and less, in about a minute: shows that it works, and judges no memory.
  --minutes N   How long those cases last that have no number (15).

Cases, all by default:
";

/// A case: its name, a line about it, the servers that it takes, and what runs it.
struct Case {
    name: &'static str,
    about: &'static str,
    programs: &'static [Program],
    run: fn(&Plan) -> Fallible<Summary>,
}

const CASES: &[Case] = &[
    Case {
        name: "held",
        about: "1,000,000 requests while 10,000 connections are held and 2,000 drip their heads",
        programs: &[Program::Hello],
        run: held::run,
    },
    Case {
        name: "churn",
        about: "100,000 connections that come and go, in order and not",
        programs: &[Program::Hello],
        run: churn::run,
    },
    Case { name: "tls", about: "10,000 handshakes of TLS", programs: &[Program::Secure], run: tls::run },
    Case {
        name: "websocket",
        about: "echoes and a room: sizes, fragments, pings, slow readers, abrupt ends",
        programs: &[Program::WebSocket],
        run: websocket::run,
    },
    Case {
        name: "mqtt",
        about: "the example broker: QoS 0 to 2, connections lost, sessions resumed",
        programs: &[Program::Broker, Program::MqttSoak],
        run: mqtt::run,
    },
    Case {
        name: "posts",
        about: "threads that post to the loop and answer requests while it serves",
        programs: &[Program::Posts],
        run: posts::run,
    },
];

/// What the cases run with.
struct Plan {
    peers: Peers,
    quick: bool,
    minutes: u64,
}

/// What a case did.
struct Summary {
    /// In words, with figures.
    what: String,
    memory: Flat,
}

pub fn run(mut arguments: Parser) -> Outcome {
    let (mut quick, mut minutes, mut cases) = (false, 15, Vec::new());
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("quick") => quick = true,
            Long("minutes") => minutes = arguments.value()?.parse()?,
            Value(name) => {
                let named = CASES.iter().find(|case| name == case.name);
                cases.push(named.ok_or("there is no such case; `cargo xtask soak --help` lists them")?);
            }
            Short('h') | Long("help") => {
                print!("{HELP}");
                CASES.iter().for_each(|case| println!("  {:<10} {}", case.name, case.about));
                return Ok(());
            }
            other => return Err(other.unexpected().into()),
        }
    }
    if cases.is_empty() {
        cases.extend(CASES);
    }
    tools::raise_descriptors()?;
    let needed: Vec<_> =
        cases.iter().flat_map(|case| case.programs).map(|program| (Peer::Ours, *program)).collect();
    let plan = Plan { peers: Peers::build(&needed)?, quick, minutes };
    let mut failed = Vec::new();
    println!("| case | what | time | errors | memory once warm, at the end | verdict |");
    println!("|---|---|---|---|---|---|");
    for case in cases {
        let begun = Instant::now();
        let outcome = (case.run)(&plan);
        progress::clear();
        let seconds = begun.elapsed().as_secs();
        match outcome {
            Ok(Summary { what, memory }) => {
                // What is quick is over before it is warm.
                let is_flat = plan.quick || memory.is_flat();
                let verdict = if is_flat { "holds" } else { "**grows**" };
                println!("| `{}` | {what} | {seconds} s | 0 | {memory} | {verdict} |", case.name);
                failed.extend((!is_flat).then_some(case.name));
            }
            Err(error) => {
                println!("| `{}` | {error} | {seconds} s | 1 | | **fails** |", case.name);
                failed.push(case.name);
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("not as promised: {}", failed.join(", ")).into()) }
}

impl Plan {
    /// The full number, or a tenth of it.
    fn scaled(&self, number: usize) -> usize {
        if self.quick { number / 10 } else { number }
    }

    /// How long a case without a number goes on, and each of its rounds.
    fn time(&self) -> (Duration, u64) {
        if self.quick { (Duration::from_secs(10), 1) } else { (Duration::from_secs(60 * self.minutes), 5) }
    }
}
