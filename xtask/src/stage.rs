//! `cargo xtask stage`: the two packages as they are published. In the registry `mongoose` is somebody else's name: there
//! the package is called otherwise, and only there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lexopt::Parser;
use lexopt::prelude::*;

use crate::{Outcome, workspace};

/// What the safe crate is called in the registry. In code it is `mongoose`.
pub const PUBLISHED: &str = "mongoose-net";

const HELP: &str = "\
Lays both packages out in target/stage as they are published: `mongoose` under the name that it has in the registry, and
the C source in mongoose-sys. Publish from there: `cargo publish --dry-run --workspace`.

Usage: cargo xtask stage
";

pub fn run(mut arguments: Parser) -> Outcome {
    match arguments.next()? {
        None => {}
        Some(Short('h') | Long("help")) => {
            print!("{HELP}");
            return Ok(());
        }
        Some(other) => return Err(other.unexpected().into()),
    }
    println!("{} and mongoose-sys are in {}", PUBLISHED, stage()?.display());
    Ok(())
}

/// Lays them out anew, and answers where.
pub fn stage() -> Result<PathBuf, Box<dyn std::error::Error>> {
    let (root, stage) = (workspace::root(), workspace::root().join("target/stage"));
    if stage.exists() {
        fs::remove_dir_all(&stage)?;
    }
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "mongoose", "mongoose-sys", "README.md", "benchmarks.svg"]);
    let listed =
        git.args([":!mongoose/benches/peers", ":!mongoose/benches/prices"]).current_dir(&root).output()?;
    if !listed.status.success() {
        return Err("git does not say which files there are".into());
    }
    let listed = String::from_utf8(listed.stdout)?;
    let vendored = ["mongoose-sys/vendor/mongoose.c", "mongoose-sys/vendor/mongoose.h"];
    for file in listed.split_terminator('\0').chain(vendored) {
        copy(&root.join(file), &stage.join(file))?;
    }
    // The same versions as the rest was tested with.
    copy(&root.join("Cargo.lock"), &stage.join("Cargo.lock"))?;
    let workspace = fs::read_to_string(root.join("Cargo.toml"))?;
    let members = r#"members = ["mongoose-sys", "mongoose"]"#;
    let workspace =
        replace(&workspace, r#"members = ["mongoose-sys", "mongoose", "xtask", "tests"]"#, members)?;
    fs::write(stage.join("Cargo.toml"), workspace)?;
    let manifest = fs::read_to_string(root.join("mongoose/Cargo.toml"))?;
    let name = format!("name = {PUBLISHED:?}\nreadme = \"../README.md\"\n");
    let manifest = replace(&manifest, "name = \"mongoose\"\n", &name)?;
    let manifest = replace(&manifest, "\n[features]\n", "\n[lib]\nname = \"mongoose\"\n\n[features]\n")?;
    fs::write(stage.join("mongoose/Cargo.toml"), manifest)?;
    Ok(stage)
}

/// Replaces what is there once.
fn replace(text: &str, old: &str, new: &str) -> Result<String, String> {
    match text.matches(old).count() {
        1 => Ok(text.replace(old, new)),
        count => Err(format!("a manifest has {old:?} {count} times, and not once")),
    }
}

fn copy(from: &Path, to: &Path) -> Outcome {
    fs::create_dir_all(to.parent().expect("it lies in a folder of target/"))?;
    fs::copy(from, to).map_err(|error| format!("cannot copy {}: {error}", from.display()))?;
    Ok(())
}
