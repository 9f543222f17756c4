//! `cargo xtask vendor`: fills mongoose-sys/vendor, from a folder or from the network.

use std::path::PathBuf;

use lexopt::Parser;
use lexopt::prelude::*;

use crate::build::upstream::Upstream;
use crate::build::{fetch, vendor};
use crate::{Outcome, workspace};

const HELP: &str = "\
Puts the pinned mongoose.c and mongoose.h into mongoose-sys/vendor, in place of what is there.

Usage: cargo xtask vendor [--from DIR]

Options:
  --from DIR  Take them from this folder; without it, pip fetches the package that carries them
              (interpreter: $PYTHON, python3 or python). Either way their SHA-256 is checked.
";

pub fn run(mut arguments: Parser) -> Outcome {
    let mut from = None;
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("from") => from = Some(PathBuf::from(arguments.value()?)),
            Short('h') | Long("help") => {
                print!("{HELP}");
                return Ok(());
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let search = workspace::search();
    let upstream = Upstream::read(&search.manifest_dir)?;
    let target = search.vendor_dir();
    match from {
        Some(folder) => vendor::copy(&folder, &target, &upstream)?,
        None => fetch::fetch(&target, &upstream, &search.pythons)?,
    }
    println!("Mongoose {} is in {}", upstream.version, target.display());
    Ok(())
}
