//! What must not compile, with the compiler's messages pinned beside each case.
//!
//! The messages drift from one compiler to the next, so they are compared under the one they were pinned with, and
//! always in CI. To pin them anew: `TRYBUILD=overwrite cargo test -p mongoose-tests --test compile_fail`, then read the
//! difference: a case has to fail for its own reason. Nor may a message quote the standard library: it would be another one
//! where its source is installed (`crossing.rs`).

use std::process::Command;
use std::{env, fs};

/// The compiler the messages come from.
const PINNED: &str = "rustc 1.95.";

fn compiler() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().expect("a compiler");
    String::from_utf8(output.stdout).expect("a version").trim().to_owned()
}

#[test]
fn misuse_does_not_compile() {
    let compiler = compiler();
    if !compiler.starts_with(PINNED) && env::var_os("CI").is_none() {
        eprintln!("compile-fail: not run, the messages are those of {PINNED}x and this is {compiler}");
        return;
    }
    trybuild::TestCases::new().compile_fail("compile-fail/cases/*.rs");
}

#[test]
fn no_message_depends_on_whether_the_source_of_the_standard_library_is_installed() {
    let cases = concat!(env!("CARGO_MANIFEST_DIR"), "/compile-fail/cases");
    for entry in fs::read_dir(cases).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "stderr") {
            let message = fs::read_to_string(&path).expect("text");
            assert!(!message.contains("$RUST"), "{} quotes the standard library", path.display());
        }
    }
}
