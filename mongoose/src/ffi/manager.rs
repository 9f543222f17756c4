//! The C event manager, as storage for connections. It is never polled.

use std::ptr::NonNull;

use mongoose_sys as sys;

use super::{Nested, Views};

/// A boxed `mg_mgr` (invariant 2) and the queue for what C fires (invariant 5).
#[derive(Debug)]
pub(crate) struct Mgr {
    raw: NonNull<sys::mg_mgr>,
    nested: NonNull<Nested>,
}

impl Mgr {
    /// Initialises a manager, and the permission to see its received bytes.
    pub(crate) fn new() -> (Self, Views) {
        super::log::set_up();
        let raw = Box::into_raw(Box::<sys::mg_mgr>::new_uninit());
        // SAFETY: mg_mgr_init writes every field of the boxed struct before anything reads one.
        let raw = unsafe {
            sys::mg_mgr_init(raw.cast());
            NonNull::new_unchecked(raw.cast::<sys::mg_mgr>())
        };
        let nested = NonNull::from(Box::leak(Box::new(Nested::default())));
        // SAFETY: just initialised; `userdata` is for us to set.
        unsafe { (*raw.as_ptr()).userdata = nested.as_ptr().cast() };
        let views = Views::new(raw.as_ptr());
        (Self { raw, nested }, views)
    }

    /// What C fired while it was called.
    pub(crate) fn nested(&self) -> &Nested {
        // SAFETY: boxed in `new`, freed in `drop`; only shared references to it are ever made.
        unsafe { self.nested.as_ref() }
    }

    pub(super) fn as_ptr(&self) -> *mut sys::mg_mgr {
        self.raw.as_ptr()
    }
}

impl Drop for Mgr {
    fn drop(&mut self) {
        // SAFETY: invariant 12: the engine has closed every connection and C has no timers, so mg_mgr_free's one poll
        // runs on empty lists. Where the engine failed to (a bug), connections still linked would be C's own; adopted
        // ones never are. Both boxes were made in `new` and are freed once.
        unsafe {
            sys::mg_mgr_free(self.raw.as_ptr());
            drop(Box::from_raw(self.raw.as_ptr()));
            drop(Box::from_raw(self.nested.as_ptr()));
        }
    }
}
