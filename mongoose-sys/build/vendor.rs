//! Filling `vendor/` so that builds running at the same time never see half a file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use super::error::Error;
use super::source::check_pinned;
use super::upstream::Upstream;

/// A folder inside `vendor/` that is removed when this is dropped.
#[derive(Debug)]
pub struct Staging {
    path: PathBuf,
}

impl Staging {
    /// Makes a folder that no other build uses. It lies in `vendor/`, because a rename only works within one
    /// file system, and because git ignores all of it.
    pub fn new(vendor: &Path) -> Result<Self, Error> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        // The time keeps two containers apart that share the folder but not their process ids.
        let nanos = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().subsec_nanos();
        let path = vendor.join(format!(".staging-{}-{count}-{nanos}", process::id()));
        fs::create_dir_all(&path).map_err(Error::io("create", &path))?;
        Ok(Self { path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Nothing depends on it any more; a left-over is ignored by git and by cargo package.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Checks the two files in `from` against their pinned sums and moves them into `vendor`.
///
/// Each is renamed into place whole. Two builds that do this at once replace a file by an equal one.
pub fn install(from: &Path, vendor: &Path, upstream: &Upstream) -> Result<(), Error> {
    check_pinned(from, upstream)?;
    for (name, _) in upstream.files() {
        let staged = from.join(name);
        set_old(&staged)?;
        let target = vendor.join(name);
        fs::rename(&staged, &target).map_err(Error::io("move the checked file to", &target))?;
    }
    Ok(())
}

/// Copies the two files from a folder of the user's into `vendor`, after the same check.
pub fn copy(from: &Path, vendor: &Path, upstream: &Upstream) -> Result<(), Error> {
    check_pinned(from, upstream)?;
    let staging = Staging::new(vendor)?;
    for (name, _) in upstream.files() {
        let target = staging.path().join(name);
        fs::copy(from.join(name), &target).map_err(Error::io("write", &target))?;
    }
    install(staging.path(), vendor, upstream)
}

/// Dates a file back. Cargo runs a build script again when a file that it read is newer than its last run
/// began, which a file fetched by that very run would always be.
fn set_old(file: &Path) -> Result<(), Error> {
    let day = Duration::from_secs(24 * 60 * 60);
    let opened = fs::File::options().write(true).open(file).map_err(Error::io("open", file))?;
    opened.set_modified(SystemTime::now() - day).map_err(Error::io("date", file))
}
