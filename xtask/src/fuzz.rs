//! `cargo xtask fuzz`: feeds what libFuzzer thinks of to each target in `tests/fuzz`, under AddressSanitizer.
//!
//! It does what cargo-fuzz would, without the need for it: the same flags, on the stable compiler, for one program that
//! has all targets in it and is linked once.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use lexopt::Parser;
use lexopt::prelude::*;

use crate::{Outcome, ci, workspace};

const HELP: &str = "\
Fuzzes each target of tests/fuzz, beginning with its seeds and with what earlier runs kept in target/fuzz/corpus. What
breaks a target is left in target/fuzz/findings; put it among the seeds once it is mended, and `cargo test` has it for good.

Usage: cargo xtask fuzz [TARGET]... [--seconds N] [--runs N]

  --seconds N  how long each target is fed (default: 60; 0: no end)
  --runs N     how many inputs each target is fed at most
";

/// What cargo-fuzz sets: coverage for libFuzzer to go by, and AddressSanitizer. C's code is compiled without: it parses
/// nothing that a peer sends, and its allocations are watched all the same.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Zsanitizer=address --cfg fuzzing";

/// An input takes no longer than this, in seconds; the process no more memory than this, and an allocation in it, in MB.
const BOUNDS: [&str; 3] = ["-timeout=10", "-rss_limit_mb=1024", "-malloc_limit_mb=64"];

/// What the targets are fed, and for how long.
#[derive(Clone, Debug)]
pub struct Feed {
    pub seconds: u64,
    pub runs: Option<u64>,
    /// What libFuzzer's choices begin with. `None`: other ones each time.
    pub seed: Option<u32>,
}

pub fn run(mut arguments: Parser) -> Outcome {
    let (mut chosen, mut feed) = (Vec::new(), Feed { seconds: 60, runs: None, seed: None });
    while let Some(argument) = arguments.next()? {
        match argument {
            Value(name) => chosen.push(name.string()?),
            Long("seconds") => feed.seconds = arguments.value()?.parse()?,
            Long("runs") => feed.runs = Some(arguments.value()?.parse()?),
            Short('h') | Long("help") => {
                print!("{HELP}");
                return Ok(());
            }
            other => return Err(other.unexpected().into()),
        }
    }
    fuzz(&chosen, &feed)
}

/// Fuzzes the targets of these names, or all.
pub fn fuzz(chosen: &[String], how: &Feed) -> Outcome {
    let sources = workspace::root().join("tests/fuzz");
    let mut targets = Vec::new();
    for entry in fs::read_dir(sources.join("seeds"))? {
        targets.push(entry?.file_name().into_string().map_err(|name| format!("{name:?} is no target"))?);
    }
    targets.sort();
    if let Some(unknown) = chosen.iter().find(|name| !targets.contains(name)) {
        return Err(format!("no target is called {unknown:?}; there are: {}", targets.join(", ")).into());
    }
    let program = build(&sources)?;
    println!("{:<20} {:>11} {:>8} {:>7} {:>7}  finding", "target", "inputs", "a second", "edges", "corpus");
    let mut found = Vec::new();
    for name in targets.iter().filter(|name| chosen.is_empty() || chosen.contains(name)) {
        if !feed(&program, &sources, name, how)? {
            found.push(name.as_str());
        }
    }
    if found.is_empty() {
        Ok(())
    } else {
        Err(format!("something was found in: {}", found.join(", ")).into())
    }
}

fn build(sources: &Path) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let host = ci::host()?;
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // A target by name keeps the flags away from build scripts.
    command.args(["build", "--quiet", "--release", "--target", &host]);
    command.current_dir(sources).env("CARGO_TARGET_DIR", folder("build")).env("RUSTC_BOOTSTRAP", "1");
    ci::run_command(command.env("RUSTFLAGS", FLAGS))?;
    Ok(folder("build").join(host).join("release/fuzz"))
}

/// A folder beside what else is built.
fn folder(name: &str) -> PathBuf {
    let target =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace::root().join("target"), PathBuf::from);
    target.join("fuzz").join(name)
}

/// Feeds one target, and prints a line of the table. Whether nothing was found.
fn feed(program: &Path, sources: &Path, name: &str, how: &Feed) -> Result<bool, Box<dyn std::error::Error>> {
    let (corpus, findings, logs) = (folder("corpus").join(name), folder("findings"), folder("logs"));
    for folder in [&corpus, &findings, &logs] {
        fs::create_dir_all(folder)?;
    }
    let log = logs.join(name);
    let mut command = Command::new(program);
    command.env("FUZZ_TARGET", name).args(BOUNDS).args(["-print_final_stats=1", "-verbosity=1"]);
    command.arg(format!("-artifact_prefix={}/{name}-", findings.display()));
    command.arg(format!("-max_total_time={}", how.seconds));
    if let Some(runs) = how.runs {
        command.arg(format!("-runs={runs}"));
    }
    if let Some(seed) = how.seed {
        command.arg(format!("-seed={seed}"));
    }
    let kind = name.split('_').next().unwrap_or(name);
    let dictionary = sources.join("dictionaries").join(kind);
    if dictionary.exists() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    let output = File::create(&log)?;
    command.arg(&corpus).arg(sources.join("seeds").join(name));
    let status = command.stdout(output.try_clone()?).stderr(output).status()?;
    let said = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    let finding = match (status.success(), after(&said, "Test unit written to ")) {
        (true, _) => "none",
        (false, Some(path)) => path,
        (false, None) => "see the log",
    };
    let figure = |label: &str| after(&said, label).unwrap_or("?");
    println!(
        "{name:<20} {:>11} {:>8} {:>7} {:>7}  {finding}",
        figure("stat::number_of_executed_units:"),
        figure("stat::average_exec_per_sec:"),
        figure(" cov:"),
        figure(" corp:").split('/').next().unwrap_or("?"),
    );
    if !status.success() {
        let lines: Vec<_> = said.lines().collect();
        let begin = lines.iter().position(|line| line.contains("panicked at") || line.contains("ERROR: "));
        lines[begin.unwrap_or(0)..].iter().take(12).for_each(|line| println!("  {line}"));
        println!("  again: FUZZ_TARGET={name} {} {finding}; all of it: {}", program.display(), log.display());
    }
    Ok(status.success())
}

/// The word behind the last occurrence of a label.
fn after<'s>(said: &'s str, label: &str) -> Option<&'s str> {
    said.rsplit_once(label)?.1.split_whitespace().next()
}
