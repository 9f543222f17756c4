//! Receive buffers between two uses.

use crate::ffi::Buffer;

/// The least that is read into at once.
pub(super) const READ_BUFFER: usize = 64 << 10;

/// How much is kept for later.
const KEPT: usize = 1 << 20;

/// Buffers that no connection holds: a connection that keeps nothing borrows one for each read, one that grows takes a
/// larger one. Their memory is neither cleared nor given back in between.
#[derive(Debug, Default)]
pub(super) struct Pool {
    /// The one that went back last: most reads need no other.
    last: Option<Buffer>,
    buffers: Vec<Buffer>,
    total: usize,
}

impl Pool {
    /// A buffer of at least `size` bytes, and of at least [`READ_BUFFER`]. `None` when memory is short.
    pub(super) fn take(&mut self, size: usize) -> Option<Buffer> {
        let size = size.max(READ_BUFFER);
        if let Some(last) = self.last.take_if(|last| last.len() >= size) {
            return Some(last);
        }
        let fitting = self.buffers.iter().enumerate().filter(|(_, buffer)| buffer.len() >= size);
        match fitting.min_by_key(|(_, buffer)| buffer.len()).map(|(index, _)| index) {
            Some(index) => {
                let buffer = self.buffers.swap_remove(index);
                self.total -= buffer.len();
                Some(buffer)
            }
            None => Buffer::zeroed(size.checked_next_power_of_two()?),
        }
    }

    /// Keeps a buffer for later, unless it is small or there are enough.
    pub(super) fn put(&mut self, buffer: Buffer) {
        if buffer.len() < READ_BUFFER {
            return;
        }
        if let Some(before) = self.last.replace(buffer)
            && self.total + before.len() <= KEPT
        {
            self.total += before.len();
            self.buffers.push(before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_smallest_that_fits_and_keeps_no_more_than_a_megabyte() {
        let mut pool = Pool::default();
        let large = pool.take(READ_BUFFER + 1).expect("memory");
        let small = pool.take(1).expect("memory");
        assert_eq!((small.len(), large.len()), (READ_BUFFER, 2 * READ_BUFFER));
        let (small_at, large_at) = (small.as_ptr(), large.as_ptr());
        pool.put(large);
        pool.put(small);
        pool.put(Buffer::zeroed(100).expect("memory"));
        assert_eq!(pool.take(1).expect("kept").as_ptr(), small_at);
        assert_eq!(pool.take(1).expect("kept").as_ptr(), large_at);
        for _ in 0..100 {
            pool.put(Buffer::zeroed(READ_BUFFER).expect("memory"));
        }
        assert_eq!(pool.total, KEPT);
        assert!(pool.take(usize::MAX).is_none());
    }
}
