//! Programs whose system calls fail or do less than they are asked, by a library that is preloaded (`calls.c`): it works
//! everywhere, and every run meets the same failures.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::LazyLock;

/// The library, compiled once a run.
static LIBRARY: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let library = folder.join("faults-calls.so");
    // Whoever runs at the same time sees one or the other, and both are whole.
    let made = folder.join(format!("faults-calls-{}.so", process::id()));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("faults/calls.c");
    let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let mut compile = Command::new(compiler);
    compile.args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o"]).arg(&made).arg(&source);
    let output = compile.arg("-ldl").output().expect("a C compiler, which these tests need");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::rename(&made, &library).expect("to move a file");
    library
});

/// A command with faults: names of `calls.c` without what all begin with, and their numbers.
pub fn faulty(program: &str, faults: &[(&str, usize)]) -> Command {
    let mut command = Command::new(program);
    command.env("LD_PRELOAD", &*LIBRARY);
    for (name, number) in faults {
        command.env(format!("FAULT_{name}"), number.to_string());
    }
    command
}
