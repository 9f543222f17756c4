//! Opening files so that no link is followed and nothing is waited for, name by name.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Where a walk to a file goes through: needs no more than permission to search it.
#[cfg(any(target_os = "linux", target_os = "android"))]
const STEP: libc::c_int = libc::O_PATH | libc::O_DIRECTORY | libc::O_NOFOLLOW;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const STEP: libc::c_int = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_NOFOLLOW;

/// A FIFO without a writer and a device that is not ready are opened at once, and no terminal becomes ours.
const READ: libc::c_int = libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY;

/// Opens a folder to go on from: `name` in `parent`, or a path of the program's own. A link as its last name is an error
/// that [`may_be_link`] knows.
pub(crate) fn open_step(parent: Option<BorrowedFd<'_>>, name: &Path) -> io::Result<OwnedFd> {
    open(parent, name, STEP)
}

/// Opens a file, or a folder, to read. A link as the last name is an error that [`may_be_link`] knows.
pub(crate) fn open_to_read(parent: Option<BorrowedFd<'_>>, name: &Path) -> io::Result<File> {
    open(parent, name, READ | libc::O_NOFOLLOW).map(File::from)
}

/// Opens a path of the program's own to read, and follows links.
pub(crate) fn open_trusted(path: &Path) -> io::Result<File> {
    open(None, path, READ).map(File::from)
}

/// Whether an open may have failed because a name was a link.
pub(crate) fn may_be_link(error: &io::Error) -> bool {
    // Of a file: ELOOP, and EMLINK with FreeBSD. Of a folder to go through: ENOTDIR.
    matches!(error.raw_os_error(), Some(libc::ELOOP | libc::EMLINK | libc::ENOTDIR))
}

/// Whether an open failed because there is nothing of that name to read: a socket, for one, cannot be opened.
pub(crate) fn is_missing(error: &io::Error) -> bool {
    let missing = [
        libc::ENOENT,
        libc::ENOTDIR,
        libc::ENAMETOOLONG,
        libc::ELOOP,
        libc::EMLINK,
        libc::ENXIO,
        libc::ENODEV,
        libc::EOPNOTSUPP,
    ];
    match error.raw_os_error() {
        Some(number) => missing.contains(&number),
        None => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Whether an open failed because we may not.
pub(crate) fn is_denied(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}

fn open(parent: Option<BorrowedFd<'_>>, name: &Path, flags: libc::c_int) -> io::Result<OwnedFd> {
    let name = CString::new(name.as_os_str().as_bytes())?;
    let parent = parent.map_or(libc::AT_FDCWD, |parent| parent.as_raw_fd());
    loop {
        // SAFETY: invariant 16: the parent is open while it is borrowed, or the current folder; the name is
        // NUL-terminated; no mode is needed, for nothing is created.
        let fd = unsafe { libc::openat(parent, name.as_ptr(), flags | libc::O_CLOEXEC) };
        if fd >= 0 {
            // SAFETY: a new descriptor that the kernel answers is ours alone.
            return Ok(unsafe { OwnedFd::from_raw_fd(fd) });
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}
