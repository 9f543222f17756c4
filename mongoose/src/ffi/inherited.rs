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
    (FIRST..FIRST + count).filter(|&fd| close_on_exec(fd)).map(own).collect()
}

/// Whether the descriptor is open; children will not have it.
fn close_on_exec(fd: i32) -> bool {
    // SAFETY: changes a flag of a descriptor, or fails because it is not open.
    unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) == 0 }
}

fn own(fd: i32) -> OwnedFd {
    // SAFETY: invariant 16: the descriptor is open and, by the protocol of socket activation, was opened for this
    // process to own; `TAKEN` sees to it that it is handed out once.
    unsafe { OwnedFd::from_raw_fd(fd) }
}
