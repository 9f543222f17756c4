//! The build script as cargo runs it, on a copy of this package with a small stand-in for the C source.
//!
//! Skipped where the workspace is not around it, as in the packaged crate.
//!
//! On Unix only: the stand-in for Python is a shell script.

#![cfg(unix)]

#[allow(dead_code, reason = "only the sums are needed here")]
#[path = "../build/checksum.rs"]
mod checksum;
#[allow(dead_code, reason = "only named by the module above")]
#[path = "../build/error.rs"]
mod error;
#[path = "support/source.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use checksum::sha256_hex;
use support::{HEADER, SOURCE, TempDir, upstream_toml, write_archive, write_python, write_source};

/// A copy of the package in a workspace of its own.
struct Sandbox {
    dir: TempDir,
    package: PathBuf,
}

impl Sandbox {
    fn new() -> Option<Self> {
        let original = Path::new(env!("CARGO_MANIFEST_DIR"));
        let workspace = original.join("..");
        let Ok(manifest) = fs::read_to_string(workspace.join("Cargo.toml")) else {
            eprintln!("skipped: {} is no workspace", workspace.display());
            return None;
        };
        let dir = TempDir::new();
        let package = dir.path().join("mongoose-sys");
        for part in ["build", "csrc", "src"] {
            copy_dir(&original.join(part), &package.join(part));
        }
        for file in ["Cargo.toml", "build.rs"] {
            fs::copy(original.join(file), package.join(file)).unwrap();
        }
        let sums = upstream_toml(&sha256_hex(SOURCE.as_bytes()), &sha256_hex(HEADER.as_bytes()));
        fs::write(package.join("upstream.toml"), sums).unwrap();
        fs::write(dir.path().join("Cargo.toml"), only_this_member(&manifest)).unwrap();
        // The versions that were resolved for the workspace are the ones that are surely downloaded.
        let _ = fs::copy(workspace.join("Cargo.lock"), dir.path().join("Cargo.lock"));
        Some(Self { dir, package })
    }

    /// `cargo check --offline` where pip finds no package.
    fn cargo(&self) -> Command {
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .current_dir(&self.package)
            .args(["check", "--offline", "--verbose"])
            .env("CARGO_TARGET_DIR", self.dir.path().join("target"))
            .env("PIP_NO_INDEX", "1")
            .env_remove("PYTHON")
            .env_remove("DOCS_RS")
            .env_remove("MONGOOSE_SYS_SOURCE_DIR")
            .env_remove("MONGOOSE_SYS_ALLOW_VERSION_MISMATCH");
        cargo
    }

    /// Runs it with these variables, and gives what it printed after checking that it failed.
    fn refusal(&self, vars: &[(&str, &str)]) -> String {
        let (success, printed) = run(self.cargo().envs(vars.iter().copied()));
        assert!(!success, "it must be refused: {printed}");
        printed
    }

    /// Runs it with these variables, and checks that it succeeded.
    fn success(&self, vars: &[(&str, &str)]) {
        let (success, printed) = run(self.cargo().envs(vars.iter().copied()));
        assert!(success, "{printed}");
    }
}

fn contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}

/// Runs a command to its end: whether it succeeded, and what it printed.
fn run(command: &mut Command) -> (bool, String) {
    let Output { status, stderr, .. } = command.output().expect("cargo runs");
    (status.success(), String::from_utf8_lossy(&stderr).into_owned())
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The workspace's manifest, with mongoose-sys as the only member.
fn only_this_member(manifest: &str) -> String {
    let lines = manifest.lines().filter(|line| !line.starts_with("default-members"));
    let lines =
        lines.map(|line| if line.starts_with("members") { "members = [\"mongoose-sys\"]" } else { line });
    lines.collect::<Vec<_>>().join("\n")
}

/// One sandbox for all of them, since each target folder costs a build of the dependencies.
#[test]
fn each_source_is_built_or_refused_with_its_reason() {
    let Some(sandbox) = Sandbox::new() else { return };

    let refusal = sandbox.refusal(&[]);
    contains(&refusal, &["was not found. Tried:", "MONGOOSE_SYS_SOURCE_DIR=", "cargo xtask vendor"]);

    // Documentation needs no C.
    sandbox.success(&[("DOCS_RS", "1")]);

    let vendor = sandbox.package.join("vendor");
    write_source(&vendor, SOURCE, HEADER);
    sandbox.success(&[]);

    write_source(&vendor, "// not it", HEADER);
    let file = vendor.join("mongoose.c").display().to_string();
    let refusal = sandbox.refusal(&[]);
    contains(&refusal, &[&file, &sha256_hex(SOURCE.as_bytes()), &sha256_hex(b"// not it")]);

    let folder = sandbox.dir.path().join("upstream");
    let source_dir = ("MONGOOSE_SYS_SOURCE_DIR", folder.to_str().expect("a path of the tests' own"));
    write_source(&folder, SOURCE, HEADER);
    sandbox.success(&[source_dir]);

    write_source(&folder, SOURCE, &HEADER.replace("7.23", "7.24"));
    contains(&sandbox.refusal(&[source_dir]), &["7.23", "7.24", "MONGOOSE_SYS_ALLOW_VERSION_MISMATCH=1"]);
    sandbox.success(&[source_dir, ("MONGOOSE_SYS_ALLOW_VERSION_MISMATCH", "1")]);
}

#[test]
fn two_builds_fetch_at_once_and_the_next_one_has_nothing_to_do() {
    let Some(sandbox) = Sandbox::new() else { return };
    fs::create_dir(sandbox.dir.path().join(".git")).unwrap();
    let (python, archive) = (sandbox.dir.path().join("python"), sandbox.dir.path().join("archive.tar.gz"));
    write_archive(&archive, SOURCE, HEADER);
    let downloads = write_python(&python, &archive);

    // Builds of one target folder wait for each other, so the second one has another.
    let other_target = sandbox.dir.path().join("other-target");
    let (mut one, mut other) = (sandbox.cargo(), sandbox.cargo());
    one.env("PYTHON", &python);
    other.env("PYTHON", &python).env("CARGO_TARGET_DIR", other_target);
    std::thread::scope(|scope| {
        let builds = [scope.spawn(|| run(&mut one)), scope.spawn(|| run(&mut other))];
        for (success, printed) in builds.map(|build| build.join().unwrap()) {
            assert!(success, "{printed}");
        }
    });
    let fetched = fs::read_to_string(&downloads).unwrap();

    let (success, printed) = run(&mut one);
    assert!(success, "{printed}");
    assert!(printed.contains("Fresh mongoose-sys"), "{printed}");
    assert_eq!(fs::read_to_string(&downloads).unwrap(), fetched, "a third build fetched again");
}
