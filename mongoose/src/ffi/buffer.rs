//! Memory from C's allocator, which C may free.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use mongoose_sys as sys;

/// A zeroed block from `mg_calloc`, owned (invariant 11).
///
/// Whatever becomes `c->recv` is one of these, so that C may free or shrink it like its own.
pub(crate) struct Buffer {
    start: NonNull<u8>,
    size: usize,
}

impl Buffer {
    /// Allocates `size` bytes, all zero. `None` when memory is short or `size` is 0.
    pub(crate) fn zeroed(size: usize) -> Option<Self> {
        if size == 0 || size > isize::MAX as usize {
            return None;
        }
        // SAFETY: mg_calloc takes any sizes and answers null or a zeroed block of that size.
        let start = unsafe { sys::mg_calloc(1, size) };
        NonNull::new(start.cast::<u8>()).map(|start| Self { start, size })
    }

    /// Gives up ownership: the block is now whoever's holds the pointer.
    pub(super) fn into_raw(self) -> (NonNull<u8>, usize) {
        let raw = (self.start, self.size);
        std::mem::forget(self);
        raw
    }

    /// Takes ownership back.
    ///
    /// # Safety
    /// `start` and `size` are an `mg_calloc` block (or an `mg_iobuf` of C's, which comes from there) that nobody else owns.
    pub(super) unsafe fn from_raw(start: NonNull<u8>, size: usize) -> Self {
        Self { start, size }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: invariant 11: the block came from mg_calloc and this is its only owner.
        unsafe { sys::mg_free(self.start.as_ptr().cast()) }
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: invariant 11: `size` bytes, initialised by mg_calloc, owned by `self`.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.size) }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `deref`, and `&mut self` is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.size) }
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer").field("size", &self.size).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_zeroed_writable_and_survives_a_round_trip_through_raw_parts() {
        let mut buffer = Buffer::zeroed(1000).expect("1,000 bytes are to be had");
        assert!(buffer.iter().all(|&byte| byte == 0));
        buffer[999] = 7;
        let (start, size) = buffer.into_raw();
        // SAFETY: just given up by `into_raw`.
        let buffer = unsafe { Buffer::from_raw(start, size) };
        assert_eq!(buffer[999], 7);
        assert_eq!(buffer.len(), 1000);
    }

    #[test]
    fn refuses_no_bytes_and_impossible_sizes() {
        assert!(Buffer::zeroed(0).is_none());
        assert!(Buffer::zeroed(usize::MAX).is_none());
    }
}
