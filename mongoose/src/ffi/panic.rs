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

/// Drops a payload that nobody will see; its own `Drop` may panic too.
pub(crate) fn discard(payload: Payload) {
    if let Err(second) = catch(|| drop(payload)) {
        std::mem::forget(second);
    }
}
