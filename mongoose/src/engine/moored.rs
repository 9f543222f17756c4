//! What lives on a loop, and is reached from any thread.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Handle, Registry};
use crate::Error;

/// The hold on a value that stays on a manager's loop: any thread has closures run with it there. It goes with the hold
/// or with the manager, whichever is first.
pub(crate) struct Moored<T> {
    handle: Handle,
    key: u64,
    value: PhantomData<fn() -> T>,
}

impl<T: 'static> Moored<T> {
    pub(crate) fn new(registry: &Registry, value: T) -> Self {
        static KEYS: AtomicU64 = AtomicU64::new(1);
        let key = KEYS.fetch_add(1, Ordering::Relaxed);
        registry.core.moored.borrow_mut().insert(key, Rc::new(value));
        Self { handle: registry.handle(), key, value: PhantomData }
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Runs a closure on the loop's thread, after everything that this thread asked for before.
    pub(crate) fn run(&self, call: impl FnOnce(Rc<T>) + Send + 'static) -> Result<(), Error> {
        let key = self.key;
        self.handle.post(move |registry| {
            let value: Option<Rc<dyn Any>> = registry.core.moored.borrow().get(&key).map(Rc::clone);
            if let Some(Ok(value)) = value.map(Rc::downcast) {
                call(value);
            }
        })
    }
}

impl<T> Drop for Moored<T> {
    fn drop(&mut self) {
        let key = self.key;
        // A manager that is gone has dropped it.
        let _ = self.handle.post(move |registry| {
            let value = registry.core.moored.borrow_mut().remove(&key);
            drop(value);
        });
    }
}

impl<T> fmt::Debug for Moored<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Moored").field("key", &self.key).finish_non_exhaustive()
    }
}
