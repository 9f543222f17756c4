//! Buffers between two uses. A connection borrows one for each read, and one for each write until all has left.

use std::cell::RefCell;

/// Four full records, and what else may have to leave with them.
const LEN: usize = 4 * (17 << 10);

/// How many a thread keeps for later: about a megabyte.
const KEPT: usize = 16;

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// A buffer of at least [`LEN`] bytes, whatever they are.
pub(super) fn take() -> Vec<u8> {
    // Where the thread ends, there is none.
    let spare = SPARE.try_with(|spare| spare.borrow_mut().pop());
    spare.ok().flatten().unwrap_or_else(|| vec![0; LEN])
}

/// Keeps a buffer for later, unless it has grown or there are enough.
pub(super) fn give(buffer: Vec<u8>) {
    let _ = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if buffer.len() == LEN && spare.len() < KEPT {
            spare.push(buffer);
        }
    });
}
