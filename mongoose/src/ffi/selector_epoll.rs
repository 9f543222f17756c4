//! Readiness by epoll, level-triggered: one system call a wait.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use crate::engine::{Interest, Ready};

/// How many events one wait takes at most; the rest stays ready for the next.
const BATCH: usize = 1024;

/// The token of the notifier; no connection has it.
const NOTIFIER: u64 = u64::MAX;

/// The token of the process's signals; no connection has it.
const SIGNALS: u64 = u64::MAX - 1;

/// A set of descriptors and the means to wake whoever waits for them.
pub(crate) struct Selector {
    inner: OwnedFd,
    /// What users get: readable when `inner` has work, and not a way into it (invariant 16).
    outer: OwnedFd,
    notifier: Notifier,
    events: RefCell<Vec<libc::epoll_event>>,
}

impl Selector {
    /// Whether a signal ends a wait: see [`watch_signals`](Self::watch_signals).
    pub(super) const WAKES_ON_SIGNAL: bool = true;

    pub(crate) fn new() -> io::Result<Self> {
        let inner = epoll()?;
        let outer = epoll()?;
        let counter = File::from(event_counter()?);
        control(&outer, libc::EPOLL_CTL_ADD, inner.as_fd(), libc::EPOLLIN as u32, 0)?;
        control(&inner, libc::EPOLL_CTL_ADD, counter.as_fd(), libc::EPOLLIN as u32, NOTIFIER)?;
        let notifier = Notifier { counter: Arc::new(counter) };
        Ok(Self { inner, outer, notifier, events: RefCell::new(Vec::with_capacity(BATCH)) })
    }

    /// Whoever holds one can end a wait, from any thread.
    pub(crate) fn notifier(&self) -> Notifier {
        self.notifier.clone()
    }

    /// Becomes readable when a wait would not block.
    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.outer.as_fd()
    }

    pub(crate) fn add(&self, source: BorrowedFd<'_>, token: u64, interest: Interest) -> io::Result<()> {
        control(&self.inner, libc::EPOLL_CTL_ADD, source, mask(interest), token)
    }

    pub(crate) fn modify(&self, source: BorrowedFd<'_>, token: u64, interest: Interest) -> io::Result<()> {
        control(&self.inner, libc::EPOLL_CTL_MOD, source, mask(interest), token)
    }

    pub(crate) fn remove(&self, source: BorrowedFd<'_>) -> io::Result<()> {
        control(&self.inner, libc::EPOLL_CTL_DEL, source, 0, 0)
    }

    /// A descriptor for a signal handler to write eight bytes to; never closed.
    pub(super) fn signal_source() -> io::Result<i32> {
        Ok(event_counter()?.into_raw_fd())
    }

    /// Has each write to the signals' descriptor end one wait of this selector: edge-triggered, because nobody reads.
    pub(super) fn watch_signals(&self, source: i32) -> io::Result<()> {
        // SAFETY: `signal_source` made it, and it is never closed.
        let source = unsafe { BorrowedFd::borrow_raw(source) };
        match control(
            &self.inner,
            libc::EPOLL_CTL_ADD,
            source,
            (libc::EPOLLIN | libc::EPOLLET) as u32,
            SIGNALS,
        ) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            result => result,
        }
    }

    /// Waits until something is ready, the notifier fired or the time is over (`None`: for ever).
    ///
    /// An interrupted wait is an early one without events.
    pub(crate) fn wait(&self, ready: &mut Vec<Ready>, timeout: Option<Duration>) -> io::Result<()> {
        let mut events = self.events.borrow_mut();
        events.clear();
        // SAFETY: the kernel writes at most BATCH events into the vector's room, and says how many; `set_len` covers
        // those alone.
        unsafe {
            let room = events.as_mut_ptr();
            let count = libc::epoll_wait(self.inner.as_raw_fd(), room, BATCH as i32, milliseconds(timeout));
            match check(count) {
                Ok(count) => events.set_len(count as usize),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        for event in events.iter() {
            let (bits, token) = (event.events, event.u64);
            if token == NOTIFIER {
                self.notifier.reset();
                continue;
            }
            if token == SIGNALS {
                continue;
            }
            ready.push(Ready {
                token,
                readable: bits & (libc::EPOLLIN as u32) != 0,
                hangup: bits & ((libc::EPOLLHUP | libc::EPOLLERR) as u32) != 0,
            });
        }
        Ok(())
    }
}

impl std::fmt::Debug for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Selector").field("epoll", &self.inner).finish_non_exhaustive()
    }
}

/// Ends the wait of one selector. A write of eight bytes, so it may be used in a signal handler.
#[derive(Clone, Debug)]
pub(crate) struct Notifier {
    counter: Arc<File>,
}

impl Notifier {
    pub(crate) fn notify(&self) {
        // Fails only when the counter is at its end, and then the wait ends anyway.
        let _ = (&*self.counter).write(&1u64.to_ne_bytes());
    }

    fn reset(&self) {
        let _ = (&*self.counter).read(&mut [0; 8]);
    }
}

fn event_counter() -> io::Result<OwnedFd> {
    // SAFETY: a new descriptor that the kernel answers is ours alone.
    unsafe { Ok(OwnedFd::from_raw_fd(check(libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK))?)) }
}

fn epoll() -> io::Result<OwnedFd> {
    // SAFETY: a new descriptor that the kernel answers is ours alone.
    unsafe { Ok(OwnedFd::from_raw_fd(check(libc::epoll_create1(libc::EPOLL_CLOEXEC))?)) }
}

fn control(set: &OwnedFd, what: i32, source: BorrowedFd<'_>, events: u32, token: u64) -> io::Result<()> {
    let mut event = libc::epoll_event { events, u64: token };
    // SAFETY: both descriptors are open (invariant 8: a source is removed before it is closed); the kernel only reads
    // the event.
    check(unsafe { libc::epoll_ctl(set.as_raw_fd(), what, source.as_raw_fd(), &raw mut event) })?;
    Ok(())
}

fn mask(interest: Interest) -> u32 {
    let read = if interest.read { libc::EPOLLIN } else { 0 };
    let write = if interest.write { libc::EPOLLOUT } else { 0 };
    (read | write) as u32
}

/// Rounds up: a timer that is due in half a millisecond must not be asked for with 0.
fn milliseconds(timeout: Option<Duration>) -> i32 {
    match timeout {
        None => -1,
        Some(timeout) => i32::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX),
    }
}

fn check(result: i32) -> io::Result<i32> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
