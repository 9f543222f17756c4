//! A client, as other threads reach it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::rc::{Rc, Weak};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Client, Shared};
use crate::mqtt::QoS;
use crate::{Error, Handle, Registry};

thread_local! {
    /// The clients whose loops live on this thread: what a posted closure, which crosses threads, finds its own by.
    static CLIENTS: RefCell<HashMap<u64, Weak<Shared>>> = RefCell::default();
}

/// A number that no other client of the process has.
pub(super) fn new_key() -> u64 {
    static KEYS: AtomicU64 = AtomicU64::new(1);
    KEYS.fetch_add(1, Ordering::Relaxed)
}

pub(super) fn enlist(shared: &Rc<Shared>) {
    CLIENTS.with_borrow_mut(|clients| clients.insert(shared.key, Rc::downgrade(shared)));
}

pub(super) fn strike_off(key: u64) {
    // While a thread ends, the list may be gone before what is on it.
    let _ = CLIENTS.try_with(|clients| clients.borrow_mut().remove(&key));
}

/// Reaches a [`Client`] from any thread.
///
/// ```
/// # let mut manager = mongoose::Manager::new()?;
/// use mongoose::mqtt;
///
/// let client = mqtt::Client::builder("mqtt://127.0.0.1:1883")
///     .connect(&manager, |_: &mqtt::Session<'_>, _: mqtt::Event<'_>| Ok(()))?;
/// let remote = client.remote();
/// std::thread::spawn(move || remote.publish("house/door", "open", mqtt::QoS::AtLeastOnce)).join().unwrap()?;
/// # Ok::<(), mongoose::Error>(())
/// ```
#[derive(Clone)]
pub struct Remote {
    handle: Handle,
    key: u64,
}

impl Remote {
    pub(super) fn new(handle: Handle, key: u64) -> Self {
        Self { handle, key }
    }

    /// Publishes a message, after everything that this thread asked for before. It is bounded as
    /// [`Client::publish`] is: what finds no room is dropped. To be told, [`post`](Self::post).
    ///
    /// # Errors
    /// [`Error::Gone`] when the manager was dropped.
    pub fn publish(
        &self,
        topic: impl Into<String>,
        payload: impl Into<Vec<u8>>,
        qos: QoS,
    ) -> Result<(), Error> {
        let (topic, payload) = (topic.into(), payload.into());
        self.post(move |client| {
            // Nobody is there to be told.
            let _ = client.publish(&topic, &payload, qos);
        })
    }

    /// Runs a closure with the client on the loop's thread. When the client is gone, it is dropped.
    ///
    /// # Errors
    /// [`Error::Gone`] when the manager was dropped.
    pub fn post(&self, call: impl FnOnce(&Client) + Send + 'static) -> Result<(), Error> {
        self.run(|client, _| call(client))
    }

    pub(super) fn run(&self, call: impl FnOnce(&Client, &Registry) + Send + 'static) -> Result<(), Error> {
        let key = self.key;
        self.handle.post(move |registry| {
            let shared = CLIENTS.with_borrow(|clients| clients.get(&key).and_then(Weak::upgrade));
            if let Some(shared) = shared {
                call(&Client { shared }, registry);
            }
        })
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("key", &self.key).finish_non_exhaustive()
    }
}
