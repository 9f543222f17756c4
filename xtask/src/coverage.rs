//! `cargo xtask coverage`: how much of the safe crate the tests run, by module.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lexopt::Parser;
use lexopt::prelude::*;

use crate::{Outcome, ci, workspace};

const HELP: &str = "\
Runs the tests of the workspace, and the programs that they start, compiled to note which lines ran, and prints for each
folder of mongoose/src and for each file that falls short how many did. The tests themselves do not count. It needs
cargo-llvm-cov: cargo install cargo-llvm-cov

Usage: cargo xtask coverage [--report] [--html]

Options:
  --report  Run nothing, and go by the last run.
  --html    Write each line, with how often it ran, into target/coverage/html.
";

/// What a file has to have, in percent: what has less is named.
const ENOUGH: f64 = 85.0;

/// Lines that could run, and those that did.
#[derive(Clone, Copy, Debug, Default)]
struct Lines {
    all: usize,
    ran: usize,
}

pub fn run(mut arguments: Parser) -> Outcome {
    let (mut report, mut html) = (false, false);
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("report") => report = true,
            Long("html") => html = true,
            Short('h') | Long("help") => {
                print!("{HELP}");
                return Ok(());
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let target = target();
    if !report {
        ci::run_command(llvm_cov(&target).args(["--workspace", "--no-report"]))?;
    }
    let records = target.join("lcov");
    ci::run_command(llvm_cov(&target).args(["report", "--lcov", "--output-path"]).arg(&records))?;
    if html {
        ci::run_command(llvm_cov(&target).args(["report", "--html", "--output-dir"]).arg(&target))?;
    }
    print(&files(&fs::read_to_string(records)?)?);
    Ok(())
}

/// The tool, which needs no further word from the environment of the cargo that runs this.
fn llvm_cov(target: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    command.arg("llvm-cov").env("CARGO_TARGET_DIR", target).current_dir(workspace::root());
    command
}

fn target() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    workspace::root().join(target).join("coverage")
}

/// The files of the safe crate in records as lcov writes them.
fn files(records: &str) -> Result<BTreeMap<String, Lines>, Box<dyn std::error::Error>> {
    let sources = workspace::root().join("mongoose/src");
    let mut files: BTreeMap<String, Lines> = BTreeMap::new();
    let mut current = None;
    for record in records.lines() {
        if let Some(path) = record.strip_prefix("SF:") {
            let path = Path::new(path);
            current = match path.strip_prefix(&sources) {
                Ok(name) => Some((name.display().to_string(), tests_begin(&fs::read_to_string(path)?))),
                Err(_) => None,
            };
        } else if let (Some((name, tests)), Some(data)) = (&current, record.strip_prefix("DA:")) {
            let mut data = data.split(',').map(str::parse::<usize>);
            let (Some(Ok(line)), Some(Ok(count))) = (data.next(), data.next()) else {
                return Err(format!("not a line of lcov's: {record}").into());
            };
            if line < *tests && !name.ends_with("tests.rs") {
                let lines = files.entry(name.clone()).or_default();
                lines.all += 1;
                lines.ran += usize::from(count > 0);
            }
        }
    }
    if files.is_empty() { Err("the records name no file of mongoose/src".into()) } else { Ok(files) }
}

/// The line at which the tests of a file begin, which are its end.
fn tests_begin(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let tests = lines.windows(2).position(|pair| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod "));
    tests.map_or(usize::MAX, |index| index + 1)
}

fn print(files: &BTreeMap<String, Lines>) {
    let mut folders: BTreeMap<&str, Lines> = BTreeMap::new();
    let mut whole = Lines::default();
    for (name, lines) in files {
        let folder = name.rsplit_once('/').map_or("(the root)", |(folder, _)| folder);
        folders.entry(folder).or_default().add(*lines);
        whole.add(*lines);
    }
    println!("| folder | lines | run |\n|---|---|---|");
    let rows = folders.into_iter().map(|(name, lines)| (format!("`{name}`"), lines));
    for (name, lines) in rows.chain([("all".to_owned(), whole)]) {
        println!("| {name} | {} | {:.1} % |", lines.all, lines.percent());
    }
    println!("\nFiles of which less than {ENOUGH} % ran:\n\n| file | lines | not run |\n|---|---|---|");
    for (name, lines) in files.iter().filter(|(_, lines)| lines.percent() < ENOUGH) {
        println!("| `{name}` | {} | {} ({:.1} % run) |", lines.all, lines.all - lines.ran, lines.percent());
    }
}

impl Lines {
    fn add(&mut self, other: Self) {
        self.all += other.all;
        self.ran += other.ran;
    }

    fn percent(self) -> f64 {
        100.0 * self.ran as f64 / self.all as f64
    }
}
