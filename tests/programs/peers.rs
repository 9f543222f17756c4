//! Programs that others wrote, to be found and run. curl has a file of its own.

use std::env;
use std::ffi::OsStr;
use std::process::{Command, Stdio};

pub use mongoose_tests::find_program as find;

/// Whether Python has a module. Says so where it has not; in CI that is a failure.
pub fn python_has(module: &str, test: &str) -> bool {
    let import = format!("import {module}");
    let found =
        Command::new("python3").args(["-c", &import]).output().is_ok_and(|output| output.status.success());
    if !found {
        skip(&format!("Python's module {module}"), test);
    }
    found
}

/// CI installs everything, on Linux.
pub fn skip(what: &str, test: &str) {
    let may_be_missing = env::var_os("CI").is_none() || !cfg!(target_os = "linux");
    assert!(may_be_missing, "{what} is missing, and in CI {test} has to run");
    eprintln!("{test}: not run, {what} is missing");
}

/// What a program prints, once it has ended well.
pub fn run(program: impl AsRef<OsStr>, arguments: &[&str]) -> String {
    let mut command = Command::new(program.as_ref());
    let output = command.args(arguments).stdin(Stdio::null()).output().expect("to start");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{stdout}{stderr}", output.status);
    stdout.into_owned()
}
