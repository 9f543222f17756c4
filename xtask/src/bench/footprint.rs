//! What a server costs before its first request: size, crates, build time.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use super::cases::Case;
use super::metric::Metric;
use super::peers::{Peer, Program, build_c, cargo, cargo_build_into, target};
use super::results::Results;
use super::{Fallible, Peers, Plan, progress, tools};
use crate::Outcome;

pub fn run(case: &Case, plan: &Plan, peers: &Peers, results: &mut Results) -> Outcome {
    for peer in peers.built(Program::Hello).filter(|peer| plan.takes(case, *peer)) {
        progress::show(&format!("  {}", peer.name()));
        let program = &peers.program(peer, Program::Hello)?[0];
        results.add(case, peer, Metric::Size, stripped(Path::new(program))? / 1000.0);
        if let Some(name) = peer.crate_name() {
            results.add(case, peer, Metric::Crates, crates(peer)? as f64);
            let version = version(peer, name)?;
            results.note(case, peer, format!("{name} {version}"));
        }
        if !plan.quick {
            results.add(case, peer, Metric::Build, clean_build(peer)?);
        }
    }
    progress::clear();
    Ok(())
}

fn stripped(program: &Path) -> Fallible<f64> {
    let copy = target().join("stripped");
    tools::output(Command::new("strip").arg("-o").arg(&copy).arg(program))?;
    Ok(fs::metadata(copy)?.len() as f64)
}

/// The crates in the program besides the peer's own: what `cargo tree` shows, each once.
fn crates(peer: Peer) -> Fallible<usize> {
    let tree =
        tools::output(cargo(peer.name(), "tree").args(["-e", "normal", "--prefix", "none", "--quiet"]))?;
    // A crate that was shown before has a mark behind it.
    let names: BTreeSet<_> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    Ok(names.len() - 1)
}

/// The version of a crate that a peer is built with.
pub fn version(peer: Peer, name: &str) -> Fallible<String> {
    let tree =
        tools::output(cargo(peer.name(), "tree").args(["-e", "normal", "--prefix", "none", "--depth", "1"]))?;
    let line = tree.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" v"));
    Ok(line.and_then(|line| line.split(' ').next()).unwrap_or("?").to_owned())
}

/// Seconds from nothing to a program, on all cores.
fn clean_build(peer: Peer) -> Fallible<f64> {
    let folder = target().join("clean");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let begun = Instant::now();
    match peer {
        Peer::C => build_c(&folder)?,
        // All sources are there: this measures the compiler, not the network.
        _ => cargo_build_into(peer.name(), Program::Hello, &folder, &["--offline"])?,
    };
    let seconds = begun.elapsed().as_secs_f64();
    fs::remove_dir_all(&folder)?;
    Ok(seconds)
}
