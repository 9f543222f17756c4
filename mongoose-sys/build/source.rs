//! Where the C source comes from: an override folder, `vendor/`, or the network, in this order.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::upstream::Upstream;
use super::{checksum, fetch};

/// What the search depends on, gathered by the caller.
#[derive(Clone, Debug)]
pub struct Search {
    /// The folder of mongoose-sys.
    pub manifest_dir: PathBuf,
    /// `MONGOOSE_SYS_SOURCE_DIR`.
    pub override_dir: Option<PathBuf>,
    /// `MONGOOSE_SYS_ALLOW_VERSION_MISMATCH=1`.
    pub allow_version_mismatch: bool,
    /// Python interpreters to fetch with, in order of preference.
    pub pythons: Vec<PathBuf>,
}

impl Search {
    /// The interpreters to try: the one that the user named, then those that systems have.
    pub fn pythons(named: Option<OsString>) -> Vec<PathBuf> {
        named.into_iter().chain(["python3".into(), "python".into()]).map(PathBuf::from).collect()
    }

    /// The folder that fetched or packaged source lives in.
    pub fn vendor_dir(&self) -> PathBuf {
        self.manifest_dir.join("vendor")
    }

    /// Finds the folder that holds a checked mongoose.c and mongoose.h; fetches them if need be.
    pub fn locate(&self, upstream: &Upstream) -> Result<PathBuf, Error> {
        if let Some(folder) = &self.override_dir {
            self.check_override(folder, upstream)?;
            return Ok(folder.clone());
        }
        let vendor = self.vendor_dir();
        if upstream.files().iter().any(|(name, _)| vendor.join(name).exists()) {
            check_pinned(&vendor, upstream)?;
            return Ok(vendor);
        }
        let mut tried = vec![
            "MONGOOSE_SYS_SOURCE_DIR: not set".to_owned(),
            format!("{}: holds no mongoose.c and mongoose.h", vendor.display()),
        ];
        if !is_git_checkout(&self.manifest_dir) {
            tried.push(
                "fetching them: only done in a git checkout of the repository, and this is none".to_owned(),
            );
            return Err(Error::NotFound { tried, manifest_dir: self.manifest_dir.clone() });
        }
        match fetch::fetch(&vendor, upstream, &self.pythons) {
            Ok(()) => Ok(vendor),
            Err(Error::Fetch { what }) => {
                tried.push(format!("fetching them: {what}"));
                Err(Error::NotFound { tried, manifest_dir: self.manifest_dir.clone() })
            }
            Err(other) => Err(other),
        }
    }

    fn check_override(&self, folder: &Path, upstream: &Upstream) -> Result<(), Error> {
        for (name, _) in upstream.files() {
            let file = folder.join(name);
            if !file.is_file() {
                let wanted_by = format!("MONGOOSE_SYS_SOURCE_DIR is {}", folder.display());
                return Err(Error::Missing { file, wanted_by });
            }
        }
        let actual = version_of(&folder.join("mongoose.h"))?;
        if actual == upstream.version || self.allow_version_mismatch {
            return Ok(());
        }
        Err(Error::Version { folder: folder.to_path_buf(), expected: upstream.version.clone(), actual })
    }
}

/// Fails unless `folder` holds exactly the two files that `upstream` pins.
pub fn check_pinned(folder: &Path, upstream: &Upstream) -> Result<(), Error> {
    for (name, expected) in upstream.files() {
        let file = folder.join(name);
        if !file.exists() {
            let wanted_by = format!("{} should hold the source of Mongoose", folder.display());
            return Err(Error::Missing { file, wanted_by });
        }
        checksum::check(&file, expected)?;
    }
    Ok(())
}

/// The version that a `mongoose.h` says it is, or `"of an unknown version"`.
pub fn version_of(header: &Path) -> Result<String, Error> {
    let text = fs::read(header).map_err(Error::io("read", header))?;
    let text = String::from_utf8_lossy(&text);
    let version = text.lines().find_map(|line| {
        let value = line.trim().strip_prefix("#define MG_VERSION")?;
        Some(value.trim().trim_matches('"').to_owned())
    });
    Ok(version.unwrap_or_else(|| "of an unknown version".to_owned()))
}

/// Whether the package lies in a checkout of its repository, rather than in a cargo registry or an archive.
/// `.git` is a folder in a clone, a file in a worktree.
fn is_git_checkout(manifest_dir: &Path) -> bool {
    manifest_dir.parent().is_some_and(|workspace| workspace.join(".git").exists())
}
