//! Programs that others wrote.

use std::env;
use std::path::PathBuf;

/// Where a program is. Says so where it is not; in CI on Linux, which installs all of them, that is a failure.
///
/// # Panics
/// When it is missing there.
pub fn find_program(program: &str, test: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    // Servers are not in everybody's path.
    let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let found = folders.map(|folder| folder.join(program)).find(|file| file.is_file());
    if found.is_none() {
        let may_be_missing = env::var_os("CI").is_none() || !cfg!(target_os = "linux");
        assert!(may_be_missing, "{program} is missing, and in CI {test} has to run");
        eprintln!("{test}: not run, {program} is missing");
    }
    found
}
