//! A configuration that another can take the place of.

use std::sync::{Arc, PoisonError, RwLock};

/// What all clones of a configuration share. Connections keep what was current when they began.
#[derive(Debug)]
pub(super) struct Current<T>(Arc<RwLock<Arc<T>>>);

impl<T> Current<T> {
    pub(super) fn new(config: T) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(config))))
    }

    pub(super) fn get(&self) -> Arc<T> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn set(&self, config: Arc<T>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = config;
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> Clone for Current<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
