//! The tables, and BENCHMARKS.md.

use std::fmt::Write;
use std::fs;
use std::process::Command;

use super::cases::Case;
use super::metric::{Metric, format};
use super::peers::{Peer, Peers};
use super::results::Results;
use super::targets::BUSY_ENOUGH;
use super::{Fallible, Plan, check, footprint, mqtt, nginx, progress, targets, tools};
use crate::{Outcome, workspace};

/// The table of one case: medians, the extremes, and ratios to ours.
pub fn case(case: &Case, results: &Results) -> String {
    let metrics = results.metrics(case);
    let mut text = format!("### {}: {}\n\n| |", case.name, case.about);
    for metric in &metrics {
        let _ = write!(text, " {} |", metric.title(case.kind.unit()));
        if metric.is_compared() {
            text.push_str(" x ours |");
        }
    }
    text.push_str("\n| --- |");
    let columns: usize = metrics.iter().map(|metric| 1 + usize::from(metric.is_compared())).sum();
    text.push_str(&" ---: |".repeat(columns));
    text.push('\n');
    for peer in case.peers {
        if metrics.iter().all(|metric| results.spread(case.name, *peer, *metric).is_none()) {
            continue;
        }
        let _ = write!(text, "| {} |", peer.name());
        for metric in &metrics {
            text.push_str(&cells(case, *peer, *metric, results));
        }
        text.push('\n');
    }
    for (peer, note) in results.notes(case) {
        let _ = write!(text, "\n- {}: {}", peer.name(), note.lines().next().unwrap_or_default());
    }
    text.push('\n');
    text
}

fn cells(case: &Case, peer: Peer, metric: Metric, results: &Results) -> String {
    let Some(found) = results.spread(case.name, peer, metric) else {
        return if metric.is_compared() { " | |".to_owned() } else { " |".to_owned() };
    };
    let about = if metric == Metric::User && results.busy(case.name, peer) < BUSY_ENOUGH { "~" } else { "" };
    let mut text = format!(" {about}{}", format(found.median));
    if found.least != found.most {
        let _ = write!(text, " ({}-{})", format(found.least), format(found.most));
    }
    text.push_str(" |");
    if metric.is_compared() {
        match results.ratio(case.name, metric, peer, Peer::Ours) {
            Some(ratio) => {
                let _ = write!(text, " {about}{:.2} |", ratio.median);
            }
            None => text.push_str(" |"),
        }
    }
    text
}

/// Writes BENCHMARKS.md.
pub fn write(plan: &Plan, peers: &Peers, results: &Results) -> Outcome {
    let mut text = String::from(
        "# Benchmarks\n\n\
         Written by `cargo xtask bench`; see `cargo xtask bench --help`. Peers run in turn on the same port and core, the\n\
         load on another one. Figures are medians, with the extremes of all rounds in brackets; `x ours` is the median of\n\
         a peer's figure over ours in the same round, so above 1 it needs more than we do, or is faster where the figure\n\
         is a rate. CPU is user and system of the whole server process, from /proc. The user share is sampled by the\n\
         kernel at its clock tick: `~` marks one from under 20 s of busy processor, too few to be quoted.\n\n",
    );
    text.push_str(&machine(plan)?);
    text.push_str(
        "## Peers\n\n| | what it is | version | reply to GET /hello |\n| --- | --- | --- | --- |\n",
    );
    for (peer, remark) in check::remarks(results) {
        let _ = writeln!(text, "| {} | {} | {} | {remark} |", peer.name(), peer.about(), version(peer)?);
    }
    for (peer, why) in &peers.missing {
        let _ = writeln!(text, "\n{} is missing: {}", peer.name(), why.lines().next().unwrap_or_default());
    }
    text.push('\n');
    text.push_str(&targets::table(results));
    text.push_str("\n## Figures\n\n");
    let tables: Vec<String> = plan.cases.iter().map(|one| case(one, results)).collect();
    text.push_str(&tables.join("\n"));
    text.push_str(&pieces()?);
    let file = workspace::root().join("BENCHMARKS.md");
    fs::write(&file, text)?;
    println!("Written to {}", file.display());
    Ok(())
}

/// What the pieces of the hot path cost, as their own benchmark prints it.
fn pieces() -> Fallible<String> {
    progress::show("the pieces of the hot path");
    let found = tools::output(
        Command::new("cargo")
            .args(["bench", "-q", "-p", "mongoose", "--features", "bench", "--bench", "hot_path"])
            .args(["--", "--color", "never"])
            .current_dir(workspace::root()),
    )?;
    progress::clear();
    let found: String = found.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    Ok(format!(
        "\n## Pieces\n\nWhat the gate costs is `head_parse` (the whole of it) beside `head_parse_by_httparse_alone` (the \
         syntax alone), and\n`chunked_body` by the size of the chunks. `cargo bench -p mongoose --features bench`:\n\n\
         ```text\n{found}```\n"
    ))
}

fn machine(plan: &Plan) -> Fallible<String> {
    let date = match &plan.date {
        Some(date) => date.clone(),
        None => tools::output(Command::new("date").args(["-u", "+%Y-%m-%d"]))?.trim().to_owned(),
    };
    let commit = tools::output(
        Command::new("git").args(["describe", "--always", "--dirty"]).current_dir(workspace::root()),
    )
    .unwrap_or_default();
    let processor = tools::proc_value("/proc/cpuinfo", "model name").unwrap_or_default();
    let cores = std::thread::available_parallelism()?;
    let memory = tools::proc_value("/proc/meminfo", "MemTotal").unwrap_or_default();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut command = String::from("cargo xtask bench");
    std::env::args().skip(2).for_each(|argument| {
        let _ = write!(command, " {argument}");
    });
    let lines = [
        ("date", date),
        ("commit", commit.trim().to_owned()),
        ("command", format!("`{command}`: {} rounds of {} s", plan.rounds, plan.seconds)),
        ("processor", format!("{processor}, {cores} cores; server on core 0, load on core 1")),
        ("memory", memory),
        ("kernel", format!("Linux {}", kernel.trim())),
        ("rustc", tools::version("rustc", "--version")),
        ("cc", tools::version("cc", "--version")),
        // Copyright and the like follow its version.
        ("wrk", tools::version("wrk", "--version").split(" Copyright").next().unwrap_or_default().to_owned()),
        ("valgrind", tools::version("valgrind", "--version")),
        ("load", "`taskset -c 1 wrk -t1 -c64 -d2 http://127.0.0.1:PORT/hello`, with the headers or script of the case; `peer-load` where connections are held, requests counted, bodies sent or events received".to_owned()),
    ];
    let mut text = String::from("## Machine\n\n| | |\n| --- | --- |\n");
    for (name, value) in lines {
        let _ = writeln!(text, "| {name} | {value} |");
    }
    text.push('\n');
    Ok(text)
}

fn version(peer: Peer) -> Fallible<String> {
    Ok(match peer.crate_name() {
        Some(name) => footprint::version(peer, name)?,
        None => match peer {
            Peer::Cymongoose => "0.2.5".to_owned(),
            Peer::C => crate::build::upstream::Upstream::read(&workspace::mongoose_sys())?.version,
            Peer::Nginx => nginx::version(),
            Peer::Libmosquitto => mqtt::version(),
            _ => String::new(),
        },
    })
}
