//! A folder of the system's, and nothing outside it (hazard 38).

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::listing::{ENTRIES_MAX, Entry, Listing};
use super::path::join;
use crate::ffi;

/// A folder whose files are served.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    /// Absolute. It is looked up anew each time, so that a link that is set to another release is followed.
    root: PathBuf,
}

impl Folder {
    pub(super) fn new(root: &Path) -> io::Result<Self> {
        if !fs::metadata(root)?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Self { root: std::path::absolute(root)? })
    }

    pub(super) fn path(&self, names: &[u8]) -> PathBuf {
        self.root.join(OsStr::from_bytes(names))
    }

    /// Opens what names lead to, from the root. Links are followed as long as they stay below it.
    ///
    /// Each name is opened by itself and in the folder opened before, never through a link, so that nothing outside the
    /// root is opened at any moment, whoever moves folders and sets links meanwhile. Where a name is a link, the system
    /// is asked where the whole leads, and that is walked from the root in the same way: a link that has come there
    /// since is not followed any more.
    pub(super) fn open(&self, names: &[u8]) -> io::Result<File> {
        if names.is_empty() {
            return ffi::open_trusted(&self.root);
        }
        match walk(&self.root, names) {
            Err(error) if ffi::may_be_link(&error) => {
                let root = fs::canonicalize(&self.root)?;
                let target = fs::canonicalize(self.path(names))?;
                let below = target.strip_prefix(&root).map_err(|_| io::ErrorKind::NotFound)?;
                if below.as_os_str().is_empty() {
                    return ffi::open_trusted(&root);
                }
                walk(&root, below.as_os_str().as_bytes())
            }
            opened => opened,
        }
    }

    /// What is in a folder. Names that begin with a dot only with `dotfiles`.
    pub(super) fn list(&self, names: &[u8], dotfiles: bool) -> io::Result<Listing> {
        let folder = self.open(names)?;
        // What was opened, and not what has that path by now. Elsewhere than with Linux there is no such way: somebody
        // who moves folders in the root at that very moment could have the names in another one listed.
        let path = if cfg!(target_os = "linux") {
            PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()))
        } else {
            self.path(names)
        };
        let mut listing = Listing::default();
        for (count, entry) in fs::read_dir(path)?.enumerate() {
            if count == ENTRIES_MAX {
                listing.more = true;
                break;
            }
            let entry = entry?;
            let name = entry.file_name();
            let name = name.as_bytes();
            if dotfiles || !name.starts_with(b".") {
                let metadata = entry.metadata().and_then(|metadata| match metadata.is_symlink() {
                    // As it would be served, or not at all.
                    true => self.open(&join(names, name))?.metadata(),
                    false => Ok(metadata),
                });
                // What cannot be looked at, or is gone already, is not there.
                listing.entries.extend(metadata.ok().and_then(|metadata| describe(name, &metadata)));
            }
        }
        Ok(listing)
    }
}

/// Regular files and folders alone.
fn describe(name: &[u8], metadata: &Metadata) -> Option<Entry> {
    (metadata.is_file() || metadata.is_dir()).then(|| Entry {
        name: name.to_vec(),
        folder: metadata.is_dir(),
        length: metadata.len(),
        modified: u64::try_from(metadata.mtime()).ok(),
    })
}

/// Opens one name after the other, no link among them. The root's own path is the program's and may have some.
fn walk(root: &Path, names: &[u8]) -> io::Result<File> {
    let mut folder = None;
    let mut rest = names;
    loop {
        let end = rest.iter().position(|&byte| byte == b'/');
        let name = Path::new(OsStr::from_bytes(&rest[..end.unwrap_or(rest.len())]));
        let first = folder.is_none().then(|| root.join(name));
        let (parent, name) = (folder.as_ref().map(AsFd::as_fd), first.as_deref().unwrap_or(name));
        let Some(end) = end else { return ffi::open_to_read(parent, name) };
        let next = ffi::open_step(parent, name)?;
        folder = Some(next);
        rest = &rest[end + 1..];
    }
}
