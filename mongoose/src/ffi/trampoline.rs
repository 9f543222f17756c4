//! Every `extern "C"` function: what C calls, which queues, and what the system calls on a signal.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ffi::{CStr, c_char, c_int, c_void};

use mongoose_sys as sys;

/// How many events C may fire before the engine looks: more are dropped and counted.
const NESTED_MAX: usize = 1024;

/// What C fired inside a call, with its own copy of the payload: C's is on its stack (invariant 5).
#[derive(Debug)]
pub(crate) struct NestedEvent {
    /// Slot and generation of the connection, as given to [`Conn::adopt`](super::Conn::adopt).
    pub(crate) token: u64,
    /// The `MG_EV_*` number.
    pub(crate) code: i32,
    /// The message of `MG_EV_ERROR`.
    pub(crate) message: Option<String>,
}

/// The queue of one manager.
#[derive(Debug, Default)]
pub(crate) struct Nested {
    queue: RefCell<VecDeque<NestedEvent>>,
    dropped: Cell<u64>,
}

impl Nested {
    /// Queues an event, unless the queue is full.
    pub(crate) fn push(&self, event: NestedEvent) {
        let mut queue = self.queue.borrow_mut();
        if queue.len() < NESTED_MAX {
            queue.push_back(event);
        } else {
            self.dropped.set(self.dropped.get() + 1);
        }
    }

    /// Queues an event that a connection has once in its life: their number is bounded by that of connections.
    pub(crate) fn report(&self, event: NestedEvent) {
        self.queue.borrow_mut().push_back(event);
    }

    /// The oldest event.
    pub(crate) fn pop(&self) -> Option<NestedEvent> {
        self.queue.borrow_mut().pop_front()
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.queue.borrow().len()
    }

    /// How many did not fit since the manager began.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.get()
    }
}

/// `c->fn` of every adopted connection. Runs no user code, so nothing here can unwind into C but an allocation failure,
/// which aborts.
pub(super) unsafe extern "C" fn event(c: *mut sys::mg_connection, code: c_int, data: *mut c_void) {
    // SAFETY: C passes the connection it was called on, whose manager is a `Mgr` (its `userdata` a `Nested` that lives
    // as long, invariant 2) and whose `fn_data` holds the token. For MG_EV_ERROR `data` is a NUL-terminated string.
    unsafe {
        let mgr = (*c).mgr;
        if mgr.is_null() || (*mgr).userdata.is_null() {
            return;
        }
        let nested = &*(*mgr).userdata.cast::<Nested>();
        let is_error = code == sys::MG_EV_ERROR as c_int;
        let message =
            (is_error && !data.is_null()).then(|| CStr::from_ptr(data.cast()).to_string_lossy().into_owned());
        nested.push(NestedEvent { token: (*c).fn_data as usize as u64, code, message });
    }
}

/// What C's log is written to, byte by byte. Unwinds nowhere: a logger that panics loses its line.
pub(super) extern "C" fn log(byte: c_char, _: *mut c_void) {
    super::log::take(byte as u8);
}

/// The handler of SIGINT and SIGTERM: counts, and wakes every loop that waits. Atomics and `write` alone, so it is
/// async-signal-safe.
#[cfg(unix)]
pub(super) extern "C" fn signal(_number: c_int) {
    use super::signal::{COUNT, WAKE};
    use std::sync::atomic::Ordering;

    COUNT.fetch_add(1, Ordering::AcqRel);
    let fd = WAKE.load(Ordering::Acquire);
    if fd >= 0 {
        let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
        let one = 1u64.to_ne_bytes();
        // SAFETY: the descriptor is never closed; eight bytes are read; errno is this thread's and is put back.
        unsafe {
            libc::write(fd, one.as_ptr().cast(), one.len());
            #[cfg(target_os = "linux")]
            libc::__errno_location().write(errno);
            #[cfg(not(target_os = "linux"))]
            libc::__error().write(errno);
        }
    }
}
