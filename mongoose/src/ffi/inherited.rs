//! Sockets that whoever started the process has opened for it.

use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// The first descriptor that is passed on.
const FIRST: i32 = 3;

/// The sockets that a service manager passed to this process, in its order: socket activation by `LISTEN_PID` and
/// `LISTEN_FDS`, as systemd does it. Empty when there are none, and the second time.
///
/// Call it early: the numbers 3 and up are the sockets' only as long as the program has not closed them.
///
/// ```
/// let manager = mongoose::Manager::new()?;
/// for socket in mongoose::inherited_sockets() {
///     let hello = |_: mongoose::http::Request<'_>, reply: mongoose::http::Reply<'_>| reply.text("hello");
///     manager.listener_on(socket).http(hello)?;
/// }
/// # Ok::<(), mongoose::Error>(())
/// ```
pub fn inherited_sockets() -> Vec<OwnedFd> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    let number = |name| std::env::var(name).ok().and_then(|value| value.parse::<u32>().ok());
    if number("LISTEN_PID") != Some(std::process::id()) || TAKEN.swap(true, Ordering::AcqRel) {
        return Vec::new();
    }
    let count = i32::try_from(number("LISTEN_FDS").unwrap_or(0)).unwrap_or(0).min(1024);
    (FIRST..FIRST + count).filter_map(duplicate).collect()
}

/// Another descriptor for the same socket. The one that was passed on stays as it is, but for children: whether the
/// program already owns it for something else cannot be known, so it is never taken over (invariant 16).
fn duplicate(fd: i32) -> Option<OwnedFd> {
    // SAFETY: both calls fail when the descriptor is not open; a new descriptor that the kernel answers is ours alone.
    unsafe {
        if libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) < 0 {
            return None;
        }
        let own = libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, FIRST);
        (own >= 0).then(|| OwnedFd::from_raw_fd(own))
    }
}
