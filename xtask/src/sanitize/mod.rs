//! `cargo xtask sanitize`: the tests once more, where what is undefined ends them.
//!
//! Helgrind is not among them: the locks of Rust's standard library are atomics and futexes, which it does not see. Whatever
//! such a lock protects is a race to it, and a suppression for that would be one for everything.

mod kit;

use std::process::Command;

use lexopt::Parser;
use lexopt::prelude::*;

use crate::{Outcome, workspace};
use kit::Kit;

const HELP: &str = "\
Runs tests where a wrong access to memory, a race or undefined behaviour ends them; each tool first has to find faults that
were planted for it. What it builds is in target/sanitize.

Usage: cargo xtask sanitize TOOL [--brief] [-- ARGUMENT OF CARGO TEST...]

Without arguments a tool runs all that it can bear, with --brief what it runs in CI. TEST_SCALE says how much of each test
(default 0.01).

Tools:
";

/// A tool, and what it runs unless told otherwise: each a call of `cargo test`.
struct Tool {
    name: &'static str,
    about: &'static str,
    kit: fn() -> Result<Kit, Box<dyn std::error::Error>>,
    /// Faults of `planted/`, and what its report of each says.
    planted: &'static [(&'static str, &'static str)],
    sets: &'static [&'static [&'static str]],
    brief: &'static [&'static [&'static str]],
    /// Tests that it cannot bear, by parts of their names.
    skip: &'static [&'static str],
}

const TOOLS: &[Tool] = &[
    Tool {
        name: "address",
        about: "AddressSanitizer and LeakSanitizer over C and Rust, UndefinedBehaviorSanitizer over C",
        kit: kit::address,
        planted: &[
            ("use-after-free", "heap-use-after-free"),
            ("leak", "LeakSanitizer: detected memory leaks"),
            ("c-use-after-free", "heap-use-after-free"),
            ("c-undefined", "AddressSanitizer: ILL"),
            // What the raw C library does, where none of the tests lets it.
            ("hazard-4", "AddressSanitizer: stack-buffer-overflow"),
            ("hazard-10", "AddressSanitizer: heap-buffer-overflow"),
            ("hazard-11", "AddressSanitizer: stack-overflow"),
            ("hazard-12", "AddressSanitizer: stack-overflow"),
            ("hazard-14", "AddressSanitizer: heap-use-after-free"),
        ],
        sets: &[
            &["-p", "mongoose", "--lib"],
            &["-p", "mongoose-sys", "--test=loopback", "--test=log", "--test=vectors"],
            &["-p", "mongoose-tests", "--tests"],
        ],
        brief: &[
            &["-p", "mongoose", "--lib"],
            &[
                "-p",
                "mongoose-tests",
                "--test=hostile",
                "--test=invariants",
                "--test=tracing",
                "--test=transport",
                "--test=websocket",
            ],
        ],
        skip: &[
            // They bound the address space, or count the memory of a process: the shadow is more than that.
            "proxy::",
            "_little_memory",
            "_costs_no_memory",
            "handshakes_leave_nothing_behind",
            // It compiles what is never run.
            "misuse_does_not_compile",
        ],
    },
    Tool {
        name: "thread",
        about: "ThreadSanitizer over C, Rust and a standard library that is built for it",
        kit: kit::thread,
        planted: &[("race", "ThreadSanitizer: data race"), ("c-race", "ThreadSanitizer: data race")],
        sets: &[
            &["-p", "mongoose", "--lib", "--", "engine::", "dns::", "http::", "ws::", "mqtt::"],
            &[
                "-p",
                "mongoose-tests",
                "--test=invariants",
                "--test=streaming",
                "--test=stress",
                "--test=mqtt",
                "--test=websocket",
            ],
        ],
        brief: &[
            &["-p", "mongoose", "--lib", "--", "engine::", "dns::"],
            &["-p", "mongoose-tests", "--test=stress"],
        ],
        skip: &[],
    },
    Tool {
        name: "miri",
        about: "Miri over what is Rust alone: the gate, codecs, timers, queues",
        kit: kit::miri,
        planted: &[
            ("use-after-free", "Undefined Behavior"),
            ("leak", "memory leaked"),
            ("race", "Data race detected"),
        ],
        sets: &[&[
            "-p",
            "mongoose",
            "--lib",
            "--no-default-features",
            "--",
            "engine::id::",
            "engine::payload::",
            "engine::timers::",
            "gate::dns::",
            "gate::http::",
            "gate::mqtt::",
            "gate::sntp::",
            "gate::ws::",
            "glob::tests::matches_as_the_table_says",
            "http::form::",
            "http::headers::",
            "http::parameters::",
            "json::",
            "mqtt::decoder::",
            "mqtt::property::",
            "mqtt::topic::",
            "net::access::",
        ]],
        brief: &[&[
            "-p",
            "mongoose",
            "--lib",
            "--no-default-features",
            "--",
            "engine::payload::",
            "engine::timers::",
            "gate::dns::",
            "gate::http::",
        ]],
        skip: &[
            // They are about cost, with sizes that take hours here.
            "a_head_of_64_kb",
            "a_million_timers",
            "a_streamed_body_has_no_end",
            "cancelling_many",
            "coding_overhead_takes_no_memory",
            "endless_fragments_and_pings",
            "filters_have_wildcards",
            "lengths_of_one_to_four_bytes",
            "limits_hold_whatever_the_split",
            "mqtt_6_0_0_2_bytes_come_out_the_same",
            "the_head_limit_counts",
            "the_steps_are_linear",
        ],
    },
    Tool {
        name: "loom",
        about: "loom over the queue behind `Handle`: every order of its threads with three preemptions",
        kit: kit::loom,
        planted: &[],
        sets: LOOM,
        brief: LOOM,
        skip: &[],
    },
];

const LOOM: &[&[&str]] = &[&["-p", "mongoose", "--lib", "--no-default-features", "model::"]];

pub fn run(mut arguments: Parser) -> Outcome {
    let (mut tool, mut brief, mut own) = (None, false, Vec::new());
    while let Some(argument) = arguments.next()? {
        match argument {
            Value(name) if tool.is_none() => tool = Some(known(&name.string()?)?),
            Long("brief") => brief = true,
            Short('h') | Long("help") => {
                print!("{HELP}");
                TOOLS.iter().for_each(|tool| println!("  {:<10} {}", tool.name, tool.about));
                return Ok(());
            }
            Value(value) => own.push(value.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let tool = tool.ok_or("which tool? `cargo xtask sanitize --help` lists them")?;
    let kit = (tool.kit)()?;
    match (own.is_empty(), brief) {
        (true, true) => tool.test(&kit, tool.brief),
        (true, false) => tool.test(&kit, tool.sets),
        (false, _) => tool.test(&kit, &[&own.iter().map(String::as_str).collect::<Vec<_>>()]),
    }
}

/// What CI runs of a tool.
pub fn brief(name: &str) -> Outcome {
    let tool = known(name)?;
    tool.test(&(tool.kit)()?, tool.brief)
}

/// The same of a tool that needs a toolchain of its own, which not every machine can fetch.
pub fn brief_where_installed(name: &str) -> Outcome {
    let tool = known(name)?;
    match (tool.kit)() {
        Ok(kit) => tool.test(&kit, tool.brief),
        Err(reason) => {
            println!("left out: {reason}");
            Ok(())
        }
    }
}

fn known(name: &str) -> Result<&'static Tool, String> {
    let unknown = || format!("no tool is called {name:?}; `cargo xtask sanitize --help` lists them");
    TOOLS.iter().find(|tool| tool.name == name).ok_or_else(unknown)
}

impl Tool {
    fn test(&self, kit: &Kit, sets: &[&[&str]]) -> Outcome {
        self.find_planted(kit)?;
        for set in sets {
            let mut command = kit.test();
            command.args(*set).current_dir(workspace::root());
            if std::env::var_os("TEST_SCALE").is_none() {
                command.env("TEST_SCALE", "0.01");
            }
            if !self.skip.is_empty() {
                command.args((!set.contains(&"--")).then_some("--"));
                command.args(self.skip.iter().flat_map(|name| ["--skip", name]));
            }
            let status = command.status().map_err(|error| format!("cannot start {command:?}: {error}"))?;
            if !status.success() {
                return Err(format!("{command:?} ended with {status}").into());
            }
        }
        Ok(())
    }

    /// Has each planted fault found, and nothing where there is none.
    fn find_planted(&self, kit: &Kit) -> Outcome {
        if self.planted.is_empty() {
            return Ok(());
        }
        let program = kit.planted()?;
        let run = |fault: &str| -> Result<(bool, String), Box<dyn std::error::Error>> {
            let mut command = Command::new(&program[0]);
            let output = command.args(&program[1..]).arg(fault).envs(kit.variables()).output()?;
            Ok((output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned()))
        };
        let (passed, report) = run("none")?;
        if !passed {
            return Err(format!("{} finds a fault where none is:\n{report}", self.name).into());
        }
        for (fault, says) in self.planted {
            let (passed, report) = run(fault)?;
            if passed || !report.contains(says) {
                return Err(format!("{} does not find the planted {fault}:\n{report}", self.name).into());
            }
        }
        println!("{}: found {} planted faults", self.name, self.planted.len());
        Ok(())
    }
}
