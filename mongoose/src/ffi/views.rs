//! The permission to look at received bytes, and to move them.

use mongoose_sys as sys;

/// Stands for all received bytes of one manager (invariant 3).
///
/// There is one per manager, inside its `Registry`, and it is never cloned. A shared borrow lets its holder look at
/// received bytes, an exclusive one lets the engine read into, move or free them. User code only ever gets a
/// `&Registry`, so the borrow checker itself keeps a view and a change of the bytes apart.
#[derive(Debug)]
pub(crate) struct Views {
    mgr: *mut sys::mg_mgr,
}

impl Views {
    /// Only [`Mgr`](super::Mgr) makes one, for itself.
    pub(super) fn new(mgr: *mut sys::mg_mgr) -> Self {
        Self { mgr }
    }

    /// Whether this is the permission for the connections of `mgr`.
    pub(super) fn covers(&self, mgr: *const sys::mg_mgr) -> bool {
        std::ptr::eq(self.mgr, mgr)
    }
}
