//! Lookups of hosts: who asked, and the one answer that they get on the loop.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::{Rc, Weak};
use std::time::Instant;

use super::core::Core;
use super::handle::{Handle, Task};
use super::timers::{Action, TimerKey};
use super::{ConnectionId, Dialer, Manager, Registry};
use crate::{Dns, Error};

/// Names a lookup; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LookupKey(u64);

/// Those that are under way.
#[derive(Default)]
pub(crate) struct Lookups {
    waiting: HashMap<LookupKey, Waiting>,
    count: u64,
}

struct Waiting {
    asker: Asker,
    timer: Option<TimerKey>,
    /// Dropping it gives the lookup up, where it is made.
    hold: Option<Box<dyn Any>>,
}

/// Who is told.
pub(super) enum Asker {
    Caller {
        host: String,
        call: Callback,
    },
    /// One that is being made. It has a deadline of its own besides.
    Connection(ConnectionId),
}

type Callback = Box<dyn FnOnce(&Registry, Result<Vec<SocketAddr>, Error>)>;

/// The one answer to a lookup, from any thread. Dropped, it says that there will be none.
pub(crate) struct Answer {
    handle: Handle,
    key: LookupKey,
    given: bool,
}

impl Answer {
    /// Addresses without a port.
    pub(crate) fn give(mut self, result: io::Result<Vec<SocketAddr>>) {
        self.send(result);
    }

    fn send(&mut self, result: io::Result<Vec<SocketAddr>>) {
        self.given = true;
        // The manager may be gone: then there is nobody to tell.
        let _ = self.handle.task(Task::LookedUp { key: self.key, result });
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if !self.given {
            self.send(Err(io::Error::new(io::ErrorKind::Interrupted, "the lookup was given up")));
        }
    }
}

/// A lookup that goes on as long as this lives: dropping it cancels it, [`detach`](Self::detach) lets it go on.
///
/// See [`Registry::resolve`].
#[must_use = "dropping a lookup cancels it: keep it, or call `detach`"]
pub struct Lookup {
    core: Weak<Core>,
    key: LookupKey,
    detached: bool,
}

impl Lookup {
    /// Cancels the lookup: its closure is dropped without being called.
    #[doc(alias = "mg_resolve_cancel")]
    pub fn cancel(self) {}

    /// Lets the lookup go on without being held.
    pub fn detach(mut self) {
        self.detached = true;
    }

    /// Whether there is no answer yet.
    pub fn is_active(&self) -> bool {
        self.core.upgrade().is_some_and(|core| core.lookups.borrow().waiting.contains_key(&self.key))
    }
}

impl Drop for Lookup {
    fn drop(&mut self) {
        if !self.detached
            && let Some(core) = self.core.upgrade()
        {
            let waiting = core.take_lookup(self.key);
            drop(waiting);
        }
    }
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookup").field("active", &self.is_active()).finish_non_exhaustive()
    }
}

impl Lookups {
    fn next_key(&mut self) -> LookupKey {
        self.count += 1;
        LookupKey(self.count)
    }
}

impl Core {
    /// Takes a lookup out, for the caller to drop with no borrow held.
    fn take_lookup(&self, key: LookupKey) -> Option<(Asker, Option<Box<dyn Any>>)> {
        let waiting = self.lookups.borrow_mut().waiting.remove(&key)?;
        if let Some(timer) = waiting.timer {
            self.timers.borrow_mut().remove(timer);
        }
        Some((waiting.asker, waiting.hold))
    }

    /// Takes all out, for the caller to drop one by one.
    pub(super) fn take_lookups(&self) -> Vec<Box<dyn Any>> {
        let waiting = std::mem::take(&mut self.lookups.borrow_mut().waiting);
        let mut parts: Vec<Box<dyn Any>> = Vec::new();
        for waiting in waiting.into_values() {
            if let Asker::Caller { call, .. } = waiting.asker {
                parts.push(Box::new(call));
            }
            parts.extend(waiting.hold);
        }
        parts
    }
}

/// Begins a lookup. Its answer comes as a task, that of a literal address on the next turn.
pub(super) fn begin(core: &Rc<Core>, host: &str, asker: Asker) -> Lookup {
    let key = core.lookups.borrow_mut().next_key();
    core.lookups.borrow_mut().waiting.insert(key, Waiting { asker, timer: None, hold: None });
    let answer = Answer { handle: Handle::new(core.shared.clone()), key, given: false };
    match host.parse::<IpAddr>() {
        Ok(ip) => answer.give(Ok(vec![SocketAddr::new(ip, 0)])),
        Err(_) => {
            let dns = core.dns.borrow().clone();
            let hold = dns.look_up(Dialer::of(core), host, answer);
            let due = Instant::now().checked_add(dns.within);
            let timer = due.map(|due| core.timers.borrow_mut().add(due, None, Action::Lookup(key)));
            if let Some(waiting) = core.lookups.borrow_mut().waiting.get_mut(&key) {
                (waiting.timer, waiting.hold) = (timer, Some(hold));
            }
        }
    }
    Lookup { core: Rc::downgrade(core), key, detached: false }
}

impl Registry {
    /// Says how hosts are looked up from now on: by [`resolve`](Self::resolve), by all that connects, and by the HTTP
    /// client. Default: [by the system](Dns::system).
    pub fn set_dns(&self, dns: Dns) {
        *self.core.dns.borrow_mut() = dns;
    }

    /// Looks up the addresses of a host, and calls a closure with them on the loop, never before this returns. Dropping
    /// what this answers cancels it.
    ///
    /// The system's resolver is asked, or a [name server of choice](Self::set_dns). The addresses come in its order, best
    /// first; as socket addresses, whose port is 0, because those keep the scope of an IPv6 address. A host that is an
    /// address itself is answered without asking anybody.
    ///
    /// ```
    /// # let mut manager = mongoose::Manager::new()?;
    /// use std::net::SocketAddr;
    /// use mongoose::{Error, Registry};
    ///
    /// let lookup = manager.resolve("localhost", |registry: &Registry, found: Result<Vec<SocketAddr>, Error>| {
    ///     match found {
    ///         Ok(addresses) => assert!(addresses[0].ip().is_loopback()),
    ///         Err(error) => eprintln!("{error}"),
    ///     }
    ///     registry.handle().stop();
    /// })?;
    /// manager.run()?;
    /// assert!(!lookup.is_active());
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ShuttingDown`] while the manager is dropped. What else goes wrong the closure is told:
    /// [`Error::Resolve`], with [`TimedOut`](io::ErrorKind::TimedOut) after [30 seconds](Dns::within).
    #[doc(alias = "mg_resolve")]
    #[doc(alias = "MG_EV_RESOLVE")]
    pub fn resolve(
        &self,
        host: &str,
        then: impl FnOnce(&Registry, Result<Vec<SocketAddr>, Error>) + 'static,
    ) -> Result<Lookup, Error> {
        self.core.check_open()?;
        Ok(begin(&self.core, host, Asker::Caller { host: host.to_owned(), call: Box::new(then) }))
    }
}

impl Manager {
    /// Tells whoever asked. Nobody, when that was cancelled meanwhile.
    pub(super) fn looked_up(&mut self, key: LookupKey, result: io::Result<Vec<SocketAddr>>) {
        let core = Rc::clone(&self.registry.core);
        let Some((asker, hold)) = core.take_lookup(key) else { return };
        drop(hold);
        let result = match result {
            Ok(addresses) if addresses.is_empty() => {
                Err(io::Error::new(io::ErrorKind::NotFound, "the host has no address"))
            }
            result => result,
        };
        match asker {
            Asker::Connection(id) => self.resolved(id, result),
            Asker::Caller { host, call } => {
                let result = result.map_err(|source| Error::Resolve { url: host, source });
                core.enter(|| call(&self.registry, result));
            }
        }
    }
}

impl fmt::Debug for Lookups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookups").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("key", &self.key).finish_non_exhaustive()
    }
}
