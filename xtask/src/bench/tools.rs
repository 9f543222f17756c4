//! The programs that the bench runs, and what it asks of the system.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::Fallible;
use crate::Outcome;

/// Programs that have to be there, with the Debian packages that bring them.
const NEEDED: &[(&str, &str)] = &[
    ("wrk", "wrk"),
    ("taskset", "util-linux"),
    ("cc", "gcc"),
    ("openssl", "openssl"),
    ("strip", "binutils"),
    ("valgrind", "valgrind"),
];

/// nginx, with its Debian package: only where it is measured.
const NGINX: (&str, &str) = ("nginx", "nginx-light");

/// Stops with what to install.
pub fn check(nginx: bool) -> Outcome {
    if std::thread::available_parallelism()?.get() < 2 {
        return Err("the bench needs 2 cores: one for the server, one for the load".into());
    }
    let needed = NEEDED.iter().copied().chain(nginx.then_some(NGINX));
    let missing: Vec<_> = needed.filter(|(program, _)| find(program).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let programs: Vec<_> = missing.iter().map(|(program, _)| *program).collect();
    let packages: Vec<_> = missing.iter().map(|(_, package)| *package).collect();
    Err(format!(
        "the bench needs {}, which is not in PATH. On Debian: apt-get install {}",
        programs.join(", "),
        packages.join(" ")
    )
    .into())
}

/// Where a program is. Debian has some where only root looks for them.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.find_map(|folder| Some(folder.join(program)).filter(|file| file.is_file()))
}

/// Lets this process and its children have as many descriptors as the system allows.
pub fn raise_descriptors() -> Outcome {
    let limit = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?)
}

/// How many of `wanted` connections client and server can hold.
pub fn affordable(wanted: usize) -> usize {
    /// For everything that is no connection.
    const SPARE: u64 = 200;
    match getrlimit(Resource::Nofile).current {
        Some(limit) => wanted.min(usize::try_from(limit.saturating_sub(SPARE)).unwrap_or(usize::MAX)),
        None => wanted,
    }
}

/// A command that runs on these cores alone, where there are two.
pub fn pinned(cores: &str, program: impl AsRef<OsStr>) -> Command {
    if std::thread::available_parallelism().is_ok_and(|cores| cores.get() < 2) {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["-c", cores]).arg(program);
    command
}

/// What a command prints; its error output where it fails.
pub fn output(command: &mut Command) -> Fallible<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot start {command:?}: {error}"))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        let program = command.get_program().display();
        return Err(format!("{program} ended with {}: {}\n{command:?}", output.status, errors.trim()).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The first line that a program prints about its version, whatever its exit status.
pub fn version(program: impl AsRef<OsStr>, argument: &str) -> String {
    let Ok(output) = Command::new(program).arg(argument).output() else { return "?".to_owned() };
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&text).lines().next().unwrap_or("?").trim().to_owned()
}

/// The value of a `key: value` line of a file of /proc.
pub fn proc_value(file: impl AsRef<Path>, key: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix(':'))?;
    Some(line.trim().to_owned())
}
