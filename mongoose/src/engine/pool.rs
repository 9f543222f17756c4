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
    /// A buffer to read into, of at least [`READ_BUFFER`] bytes. `None` when memory is short.
    pub(super) fn take(&mut self) -> Option<Buffer> {
        self.last.take().or_else(|| self.take_near(READ_BUFFER))
    }

    /// A buffer of at least `size` bytes, and no more than about twice as many: who keeps it would have too much else.
    pub(super) fn take_near(&mut self, size: usize) -> Option<Buffer> {
        let size = Self::rounded(size);
        let fits = |buffer: &Buffer| (size..=size.saturating_mul(2)).contains(&buffer.len());
        if size >= READ_BUFFER {
            if let Some(last) = self.last.take_if(|last| fits(last)) {
                return Some(last);
            }
            let fitting = self.buffers.iter().enumerate().filter(|(_, buffer)| fits(buffer));
            if let Some((index, _)) = fitting.min_by_key(|(_, buffer)| buffer.len()) {
                let buffer = self.buffers.swap_remove(index);
                self.total -= buffer.len();
                return Some(buffer);
            }
        }
        Buffer::zeroed(size)
    }

    /// How large a buffer of so many bytes is: large ones come in few sizes, so that they fit others.
    pub(super) fn rounded(size: usize) -> usize {
        if size > READ_BUFFER { size.checked_next_multiple_of(READ_BUFFER).unwrap_or(size) } else { size }
    }

    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.buffers.len() + usize::from(self.last.is_some())
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
        let large = pool.take_near(READ_BUFFER + 1).expect("memory");
        let small = pool.take().expect("memory");
        assert_eq!((small.len(), large.len()), (READ_BUFFER, 2 * READ_BUFFER));
        let (small_at, large_at) = (small.as_ptr(), large.as_ptr());
        pool.put(large);
        pool.put(small);
        pool.put(Buffer::zeroed(100).expect("memory"));
        assert_eq!(pool.take().expect("kept").as_ptr(), small_at);
        assert_eq!(pool.take().expect("kept").as_ptr(), large_at);
        for _ in 0..100 {
            pool.put(Buffer::zeroed(READ_BUFFER).expect("memory"));
        }
        assert_eq!(pool.total, KEPT);
        assert!(pool.take_near(usize::MAX).is_none());
    }

    #[test]
    fn gives_nobody_to_keep_what_is_far_too_large() {
        let mut pool = Pool::default();
        pool.put(Buffer::zeroed(KEPT).expect("memory"));
        for (asked, given) in [(1, 1), (READ_BUFFER, READ_BUFFER), (3 * READ_BUFFER - 1, 3 * READ_BUFFER)] {
            assert_eq!(pool.take_near(asked).expect("memory").len(), given);
        }
        assert_eq!(pool.take_near(KEPT / 2).expect("memory").len(), KEPT);
    }
}
