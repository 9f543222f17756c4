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
    // Each is in a folder of its name.
    for package in ["mongoose-sys", "mongoose"] {
        for file in packaged(package)? {
            copy(&root.join(package).join(&file), &stage.join(package).join(&file))?;
        }
    }
    for file in ["README.md", "benchmarks.svg", "Cargo.lock"] {
        copy(&root.join(file), &stage.join(file))?;
    }
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

/// The files of a package, as cargo lists them, but for those that it makes.
fn packaged(package: &str) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["package", "--list", "--allow-dirty", "-p", package]).current_dir(workspace::root());
    let listed = cargo.output()?;
    if !listed.status.success() {
        return Err(
            format!("cargo does not list {package}: {}", String::from_utf8_lossy(&listed.stderr)).into()
        );
    }
    let made = [".cargo_vcs_info.json", "Cargo.lock", "Cargo.toml.orig"];
    let files = String::from_utf8(listed.stdout)?;
    Ok(files.lines().filter(|file| !made.contains(file)).map(str::to_owned).collect())
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
