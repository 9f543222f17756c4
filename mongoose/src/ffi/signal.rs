//! SIGINT and SIGTERM, for as long as a loop runs.

use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use std::{io, mem};

use super::{Selector, trampoline};

/// The signals that end [`run_until_signal`](crate::Manager::run_until_signal).
const SIGNALS: [libc::c_int; 2] = [libc::SIGINT, libc::SIGTERM];

/// How many signals came since the process began.
pub(super) static COUNT: AtomicU32 = AtomicU32::new(0);

/// What the handler writes to, so that every waiting loop wakes; made once, never closed or read; -1 before.
pub(super) static WAKE: AtomicI32 = AtomicI32::new(-1);

/// How many guards there are, and what the signals did before the first (invariant 18).
static INSTALLED: Mutex<(usize, Vec<libc::sigaction>)> = Mutex::new((0, Vec::new()));

/// While one lives, SIGINT and SIGTERM are counted and wake its loop; after the last, they do what they did before.
#[derive(Debug)]
pub(crate) struct SignalGuard {
    seen: u32,
}

impl SignalGuard {
    /// How long a loop may wait before it asks [`take`](Self::take): where the handler wakes it, for ever.
    pub(crate) const LOOK_EVERY: Option<Duration> =
        if Selector::WAKES_ON_SIGNAL { None } else { Some(Duration::from_millis(100)) };

    pub(crate) fn install(selector: &Selector) -> io::Result<Self> {
        let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
        if WAKE.load(Ordering::Acquire) < 0 {
            WAKE.store(Selector::signal_source()?, Ordering::Release);
        }
        selector.watch_signals(WAKE.load(Ordering::Acquire))?;
        // Before the first is caught: it counts.
        let seen = COUNT.load(Ordering::Acquire);
        if installed.0 == 0 {
            for signal in SIGNALS {
                match set_action(signal) {
                    Ok(before) => installed.1.push(before),
                    Err(error) => {
                        restore(&mut installed.1);
                        return Err(error);
                    }
                }
            }
        }
        installed.0 += 1;
        Ok(Self { seen })
    }

    /// Whether a signal came since the last time this was asked.
    pub(crate) fn take(&mut self) -> bool {
        let count = COUNT.load(Ordering::Acquire);
        mem::replace(&mut self.seen, count) != count
    }
}

impl Drop for SignalGuard {
    fn drop(&mut self) {
        let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
        installed.0 -= 1;
        if installed.0 == 0 {
            restore(&mut installed.1);
        }
    }
}

fn set_action(signal: libc::c_int) -> io::Result<libc::sigaction> {
    // SAFETY: both structs are plain C for which zeroes are valid; the handler is async-signal-safe.
    unsafe {
        let mut action: libc::sigaction = mem::zeroed();
        let mut before: libc::sigaction = mem::zeroed();
        action.sa_sigaction = trampoline::signal as extern "C" fn(libc::c_int) as usize;
        libc::sigemptyset(&raw mut action.sa_mask);
        if libc::sigaction(signal, &raw const action, &raw mut before) < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(before)
    }
}

fn restore(before: &mut Vec<libc::sigaction>) {
    for (signal, before) in SIGNALS.into_iter().zip(before.drain(..)) {
        // SAFETY: an action that the system answered earlier. Failing would need a bad signal number.
        unsafe { libc::sigaction(signal, &raw const before, std::ptr::null_mut()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_seen_once_and_wakes_every_selector() {
        let mut one = Selector::new().expect("a selector");
        let mut two = Selector::new().expect("a selector");
        let mut guard = SignalGuard::install(&one).expect("to install");
        let mut other = SignalGuard::install(&two).expect("to install");
        assert!(!guard.take());
        // SAFETY: a signal to this thread, whose handler is installed.
        unsafe { libc::raise(libc::SIGTERM) };
        let mut ready = Vec::new();
        for selector in [&mut one, &mut two] {
            selector.wait(&mut ready, Some(std::time::Duration::from_secs(10))).expect("to wait");
        }
        assert!(ready.is_empty());
        assert!(guard.take() && other.take());
        assert!(!guard.take() && !other.take());
    }
}
