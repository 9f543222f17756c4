//! The four steps by which the build script finds the C source, each as a function call.
//!
//! On Unix only: the stand-in for Python is a shell script.

#![cfg(unix)]

#[allow(dead_code, reason = "some of it is for the build script or `cargo xtask` alone")]
#[path = "../build/mod.rs"]
mod build;
#[path = "support/source.rs"]
mod support;

use std::fs;
use std::path::PathBuf;
use std::thread;

use build::checksum::sha256_hex;
use build::error::Error;
use build::source::Search;
use build::upstream::Upstream;
use build::vendor;
use support::{HEADER, SOURCE, TempDir, upstream_toml, write_archive, write_python, write_source};

/// A package in a workspace of its own.
struct Package {
    dir: TempDir,
    search: Search,
    upstream: Upstream,
}

impl Package {
    fn new() -> Self {
        let dir = TempDir::new();
        let manifest_dir = dir.path().join("mongoose-sys");
        fs::create_dir(&manifest_dir).unwrap();
        let toml = upstream_toml(&sha256_hex(SOURCE.as_bytes()), &sha256_hex(HEADER.as_bytes()));
        let search =
            Search { manifest_dir, override_dir: None, allow_version_mismatch: false, pythons: Vec::new() };
        Self { dir, search, upstream: Upstream::parse(&toml).unwrap() }
    }

    fn in_a_git_checkout(self) -> Self {
        fs::create_dir(self.dir.path().join(".git")).unwrap();
        self
    }

    /// Gives it an interpreter whose pip delivers these files, and the file that counts the downloads.
    fn with_python(mut self, source: &str, header: &str) -> (Self, PathBuf) {
        let (python, archive) = (self.dir.path().join("python"), self.dir.path().join("archive.tar.gz"));
        write_archive(&archive, source, header);
        let downloads = write_python(&python, &archive);
        self.search.pythons = vec!["no-such-python".into(), python];
        (self, downloads)
    }

    fn locate(&self) -> Result<PathBuf, Error> {
        self.search.locate(&self.upstream)
    }

    fn refusal(&self) -> String {
        self.locate().expect_err("it must be refused").to_string()
    }
}

#[test]
fn step_1_an_override_folder_comes_first_and_need_not_be_the_pinned_file() {
    let mut package = Package::new();
    write_source(&package.search.vendor_dir(), SOURCE, HEADER);
    let folder = package.dir.path().join("upstream");
    write_source(&folder, "// patched", HEADER);
    package.search.override_dir = Some(folder.clone());
    assert_eq!(package.locate().unwrap(), folder);
}

#[test]
fn step_1_a_file_that_the_override_folder_lacks_is_named() {
    let mut package = Package::new();
    let folder = package.dir.path().join("upstream");
    write_source(&folder, SOURCE, HEADER);
    fs::remove_file(folder.join("mongoose.h")).unwrap();
    package.search.override_dir = Some(folder.clone());
    let refusal = package.refusal();
    assert!(refusal.contains(&folder.join("mongoose.h").display().to_string()), "{refusal}");
    assert!(refusal.contains("MONGOOSE_SYS_SOURCE_DIR"), "{refusal}");
}

#[test]
fn step_1_another_version_is_refused_by_name_unless_allowed() {
    let mut package = Package::new();
    let folder = package.dir.path().join("upstream");
    write_source(&folder, SOURCE, &HEADER.replace("7.23", "7.24"));
    package.search.override_dir = Some(folder.clone());
    let refusal = package.refusal();
    assert!(refusal.contains("7.23") && refusal.contains("7.24"), "{refusal}");
    assert!(refusal.contains("MONGOOSE_SYS_ALLOW_VERSION_MISMATCH=1"), "{refusal}");

    package.search.allow_version_mismatch = true;
    assert_eq!(package.locate().unwrap(), folder);
}

#[test]
fn step_2_vendored_files_are_used_without_python() {
    let package = Package::new().in_a_git_checkout();
    write_source(&package.search.vendor_dir(), SOURCE, HEADER);
    assert_eq!(package.locate().unwrap(), package.search.vendor_dir());
}

#[test]
fn step_2_a_corrupted_file_is_refused_with_its_name_and_both_sums() {
    let package = Package::new().in_a_git_checkout();
    let corrupted = HEADER.replace("MG_ARCH 1", "MG_ARCH 2");
    write_source(&package.search.vendor_dir(), SOURCE, &corrupted);
    let refusal = package.refusal();
    for part in [
        package.search.vendor_dir().join("mongoose.h").display().to_string(),
        sha256_hex(HEADER.as_bytes()),
        sha256_hex(corrupted.as_bytes()),
    ] {
        assert!(refusal.contains(&part), "{part} is not in: {refusal}");
    }
}

#[test]
fn step_2_half_of_the_source_is_refused() {
    let package = Package::new();
    write_source(&package.search.vendor_dir(), SOURCE, HEADER);
    fs::remove_file(package.search.vendor_dir().join("mongoose.c")).unwrap();
    let refusal = package.refusal();
    assert!(refusal.contains("mongoose.c"), "{refusal}");
}

#[test]
fn step_3_fetches_once_with_the_pinned_hash_and_leaves_nothing_behind() {
    let (package, downloads) = Package::new().in_a_git_checkout().with_python(SOURCE, HEADER);
    assert_eq!(package.locate().unwrap(), package.search.vendor_dir());
    assert_eq!(package.locate().unwrap(), package.search.vendor_dir());

    let log = fs::read_to_string(downloads).unwrap();
    assert_eq!(log.matches("pip download").count(), 1, "{log}");
    assert!(log.contains("--no-deps --no-binary carrier --ignore-requires-python --require-hashes"), "{log}");
    assert!(log.contains(&format!("carrier==1.0 --hash=sha256:{}", "0".repeat(64))), "{log}");

    let mut left: Vec<_> =
        fs::read_dir(package.search.vendor_dir()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["mongoose.c", "mongoose.h"]);
}

#[test]
fn step_3_a_corrupted_package_is_refused_with_name_and_sums_and_not_kept() {
    let (package, _) = Package::new().in_a_git_checkout().with_python("// not it", HEADER);
    let refusal = package.refusal();
    for part in
        ["mongoose.c in carrier-1.0.tar.gz", &sha256_hex(SOURCE.as_bytes()), &sha256_hex(b"// not it")]
    {
        assert!(refusal.contains(part), "{part} is not in: {refusal}");
    }
    assert_eq!(fs::read_dir(package.search.vendor_dir()).unwrap().count(), 0);
}

#[test]
fn step_3_says_what_pip_said() {
    let (package, _) = Package::new().in_a_git_checkout().with_python(SOURCE, HEADER);
    fs::remove_file(package.dir.path().join("archive.tar.gz")).unwrap();
    let refusal = package.refusal();
    assert!(refusal.contains("`pip download` of carrier 1.0 failed"), "{refusal}");
    assert!(refusal.contains("no such package"), "{refusal}");
}

#[test]
fn step_3_builds_at_the_same_time_do_not_collide() {
    let (package, _) = Package::new().in_a_git_checkout().with_python(SOURCE, HEADER);
    thread::scope(|scope| {
        let builds: Vec<_> = (0..8).map(|_| scope.spawn(|| package.locate())).collect();
        for build in builds {
            assert_eq!(build.join().unwrap().unwrap(), package.search.vendor_dir());
        }
    });
    assert_eq!(fs::read_dir(package.search.vendor_dir()).unwrap().count(), 2);
}

#[test]
fn step_4_outside_a_checkout_says_what_was_tried_and_what_mends_it() {
    let package = Package::new();
    let refusal = package.refusal();
    let vendor = package.search.vendor_dir().display().to_string();
    for part in
        ["MONGOOSE_SYS_SOURCE_DIR: not set", &vendor, "git checkout", "cargo build", "cargo xtask vendor"]
    {
        assert!(refusal.contains(part), "{part} is not in: {refusal}");
    }
}

#[test]
fn step_4_names_the_interpreters_that_were_tried() {
    let mut package = Package::new().in_a_git_checkout();
    package.search.pythons = Search::pythons(Some("no-such-python".into()));
    package.search.pythons.truncate(1);
    let refusal = package.refusal();
    assert!(refusal.contains("no Python 3 with pip among `no-such-python`"), "{refusal}");
}

#[test]
fn the_vendor_task_copies_only_the_pinned_files() {
    let package = Package::new();
    let folder = package.dir.path().join("upstream");
    write_source(&folder, SOURCE, "// not it");
    let vendored = package.search.vendor_dir();
    let refusal = vendor::copy(&folder, &vendored, &package.upstream).unwrap_err().to_string();
    assert!(refusal.contains(&folder.join("mongoose.h").display().to_string()), "{refusal}");
    write_source(&folder, SOURCE, HEADER);
    vendor::copy(&folder, &vendored, &package.upstream).unwrap();
    assert_eq!(package.locate().unwrap(), vendored);
}
