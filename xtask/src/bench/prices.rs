//! What each feature costs a program: crates, and size.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Fallible, progress, tools};
use crate::{Outcome, workspace};

/// In the manifest, but for the benchmarks and the fuzz targets alone.
const NOT_FOR_USERS: [&str; 2] = ["bench", "fuzzing"];

/// Prints the README's table.
pub fn print() -> Outcome {
    let (crates, size) = (crates("")?, size("")?);
    println!("| feature | crates | KB |\n| --- | ---: | ---: |");
    println!("| none | {crates} | {size:.0} |");
    for feature in workspace::features()?.iter().filter(|one| !NOT_FOR_USERS.contains(&one.as_str())) {
        let (more, larger) = (self::crates(feature)? - crates, self::size(feature)? - size);
        let about = if feature == "tls-rustls" { " (default)" } else { "" };
        println!("| `{feature}`{about} | {more:+} | {larger:+.0} |");
    }
    Ok(())
}

/// The crates that are compiled besides mongoose itself, mongoose-sys among them; those of procedural macros too.
fn crates(feature: &str) -> Fallible<usize> {
    let mut tree = cargo("tree", &workspace::root());
    tree.args(["-p", "mongoose", "-e", "normal", "--prefix", "none", "--no-default-features"]);
    let tree = tools::output(tree.args(["--features", feature]))?;
    // A crate that was shown before has a mark behind it.
    let names: BTreeSet<_> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    Ok(names.len() - 1)
}

/// Kilobytes of the program of benches/prices, as `cargo build --release` makes it, stripped.
fn size(feature: &str) -> Fallible<f64> {
    progress::show(&format!("  {feature}"));
    let target = workspace::root().join("target/prices");
    let mut build = cargo("build", &workspace::root().join("mongoose/benches/prices"));
    build.args(["--release", "--quiet", "--target-dir"]).arg(&target).args(["--features", feature]);
    tools::output(&mut build)?;
    progress::clear();
    Ok(fs::metadata(target.join("release/prices"))?.len() as f64 / 1000.0)
}

fn cargo(command: &str, folder: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.arg(command).current_dir(folder);
    cargo
}
