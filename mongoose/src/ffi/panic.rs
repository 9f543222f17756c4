//! Panics of user code: caught where they happen, resumed where the user called (invariant 13).

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a panic carried.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Runs user code.
///
/// What the code left half done is not looked at again: the engine closes the connection it came from and drops its
/// handler, which is why unwind safety may be asserted.
pub(crate) fn catch<R>(code: impl FnOnce() -> R) -> Result<R, Payload> {
    catch_unwind(AssertUnwindSafe(code))
}

/// Drops a payload that nobody will see. Its own `Drop` may panic, with a payload whose `Drop` panics, and so on: past
/// some of those the next is forgotten.
pub(crate) fn discard(mut payload: Payload) {
    for _ in 0..8 {
        match catch(|| drop(payload)) {
            Ok(()) => return,
            Err(next) => payload = next,
        }
    }
    std::mem::forget(payload);
}
