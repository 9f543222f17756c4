//! `cargo xtask regen-bindings`: writes the checked-in bindings, or checks that they are up to date.

use std::collections::HashSet;
use std::env;
use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use lexopt::Parser;
use lexopt::prelude::*;

use crate::build::defines::Features;
use crate::build::include;
use crate::build::upstream::Upstream;
use crate::generate::generate;
use crate::normalise::normalise;
use crate::{Outcome, workspace};

const HELP: &str = "\
Runs bindgen over the pinned mongoose.h and writes mongoose-sys/src/bindings.rs.

Usage: cargo xtask regen-bindings [--check]

Options:
  --check  Write nothing; fail if the file is not what would be written

Needs libclang and rustfmt. Runs on 64-bit Linux; what differs elsewhere is in src/config.rs.
";

/// How many differing lines `--check` shows of each side.
const SHOWN: usize = 12;

pub fn run(mut arguments: Parser) -> Outcome {
    let mut check = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("check") => check = true,
            Short('h') | Long("help") => {
                print!("{HELP}");
                return Ok(());
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let target = workspace::mongoose_sys().join("src/bindings.rs");
    let new = bindings()?;
    if check {
        let old = fs::read_to_string(&target)
            .map_err(|error| format!("cannot read {}: {error}", target.display()))?;
        return match difference(&old, &new) {
            None => Ok(()),
            Some(summary) => Err(format!(
                "{} is out of date:\n{summary}\nRun `cargo xtask regen-bindings` and commit the result.",
                target.display()
            )
            .into()),
        };
    }
    fs::write(&target, new).map_err(|error| format!("cannot write {}: {error}", target.display()))?;
    println!("wrote {}", target.display());
    Ok(())
}

/// The text of the bindings file for the source that a build would use.
fn bindings() -> Result<String, Box<dyn Error>> {
    let search = workspace::search();
    let upstream = Upstream::read(&search.manifest_dir)?;
    let source_dir = search.locate(&upstream)?;
    // Everything on, so that all functions are declared; `normalise` gates those that need a feature.
    let features = Features { tls_builtin: true, ssi: true, dirlist: true };

    let include_dir = env::temp_dir().join(format!("mongoose-sys-include-{}", std::process::id()));
    include::write(&include_dir, &source_dir, &search.manifest_dir.join("csrc"), features)?;
    let generated = generate(&include_dir);
    fs::remove_dir_all(&include_dir)?;

    let body = normalise(&generated?)?;
    let head = format!(
        "// Generated from mongoose.h {} by `cargo xtask regen-bindings`. Do not edit.\n\n\
         use super::{{MG_SOCKET_TYPE, time_t}};\n\n",
        upstream.version
    );
    rustfmt(&(head + &body), &workspace::root())
}

/// Formats `text` as `cargo fmt` would format a file of the repository.
fn rustfmt(text: &str, root: &Path) -> Result<String, Box<dyn Error>> {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| {
            format!("cannot run rustfmt ({error}); `rustup component add rustfmt` installs it")
        })?;
    let mut input = child.stdin.take().expect("stdin was asked to be a pipe");
    input.write_all(text.as_bytes())?;
    drop(input);
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(format!("rustfmt failed ({})", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// What differs between two texts, as lines that only one of them has; `None` if they are equal.
fn difference(old: &str, new: &str) -> Option<String> {
    if old == new {
        return None;
    }
    let gone = only_in(old, new);
    let added = only_in(new, old);
    let mut summary = format!("  {} lines to go, {} lines to come\n", gone.len(), added.len());
    for (sign, lines) in [('-', &gone), ('+', &added)] {
        for line in lines.iter().take(SHOWN) {
            summary.push_str(&format!("  {sign} {}\n", line.trim()));
        }
        if lines.len() > SHOWN {
            summary.push_str(&format!("  {sign} ... and {} more\n", lines.len() - SHOWN));
        }
    }
    if gone.is_empty() && added.is_empty() {
        summary.push_str("  (the same lines in another order or number)\n");
    }
    Some(summary)
}

fn only_in<'a>(one: &'a str, other: &str) -> Vec<&'a str> {
    let other: HashSet<&str> = other.lines().collect();
    one.lines().filter(|line| !other.contains(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn equal_texts_do_not_differ() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), None);
    }

    #[test]
    fn lines_of_one_side_are_shown_with_its_sign() {
        let summary = difference("a\nb\n", "a\nc\n").unwrap();
        assert!(summary.contains("1 lines to go, 1 lines to come"), "{summary}");
        assert!(summary.contains("- b") && summary.contains("+ c"), "{summary}");
    }

    #[test]
    fn another_order_is_a_difference_too() {
        assert!(difference("a\nb\n", "b\na\n").unwrap().contains("another order"));
    }
}
