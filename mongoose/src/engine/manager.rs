//! The event loop's owner.

use std::fmt;
use std::ops::Deref;
#[cfg(all(target_os = "linux", not(mongoose_portable)))]
use std::os::fd::{AsFd, BorrowedFd};
use std::panic::resume_unwind;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::core::Core;
use super::entry::Tls;
use super::pool::Pool;
use super::{Ready, Registry, Task};
use crate::Error;
use crate::ffi::{Flag, SignalGuard, panic};

/// How long [`Manager::run_until_signal`] lets what is in flight go on.
pub(super) const GRACE: Duration = Duration::from_secs(10);

/// An event loop and all its connections.
///
/// It lives on one thread; [`Handle`](crate::Handle) reaches it from others. For several cores, make a manager for
/// each. Everything but polling is a method of [`Registry`], to which this derefs.
///
/// Dropping it closes every connection, whose handlers get [`Event::Close`](crate::Event::Close); nothing can be
/// created meanwhile. The first manager of a process turns C's own log off and makes the process ignore SIGPIPE: one that
/// sets that back to its default can be ended by a peer that is gone, because `writev` and `sendfile` know no other way to
/// say so. From then on the process must not fork without exec.
///
/// ```no_run
/// use mongoose::{Manager, http};
///
/// let mut manager = Manager::new()?;
/// manager.http("http://127.0.0.1:8000", |request: http::Request<'_>, reply: http::Reply<'_>| {
///     match request.path() {
///         "/hello" => reply.text("Hello, World!"),
///         "/echo" => reply.body(request.body()),
///         _ => reply.status(404).text("not found"),
///     }
/// })?;
/// manager.run()?;
/// # Ok::<(), mongoose::Error>(())
/// ```
#[doc(alias = "mg_mgr")]
pub struct Manager {
    pub(super) registry: Registry,
    pub(super) ready: Vec<Ready>,
    /// What sockets are read into; a buffer is out while it is lent to a connection (invariant 11).
    pub(super) pool: Pool,
    /// Where the replies of one event gather.
    pub(super) cork: Vec<u8>,
    /// Where a datagram is while its handler runs; empty until there is one.
    pub(super) datagram: Vec<u8>,
}

impl Manager {
    /// Makes an event loop without connections.
    ///
    /// # Errors
    /// [`Error::Selector`] when the system is out of descriptors.
    #[doc(alias = "mg_mgr_init")]
    pub fn new() -> Result<Self, Error> {
        let (core, views) = Core::new()?;
        Ok(Self {
            registry: Registry { core, views },
            ready: Vec::new(),
            pool: Pool::default(),
            cork: Vec::new(),
            datagram: Vec::new(),
        })
    }

    /// Waits for events, at most `timeout` (`None`: until there are some), and handles them.
    ///
    /// It returns early when a timer was due or another thread woke it.
    ///
    /// # Errors
    /// [`Error::Selector`] when the system cannot wait. What goes wrong with a connection goes to its handler.
    ///
    /// # Panics
    /// When a handler, timer or posted closure panicked: that panic goes on from here. The connection it came from is
    /// closed and its handler dropped; the manager may be polled again.
    #[doc(alias = "mg_mgr_poll")]
    pub fn poll(&mut self, timeout: impl Into<Option<Duration>>) -> Result<(), Error> {
        let result = self.turn(timeout.into());
        if let Some(payload) = self.registry.core.take_panic() {
            resume_unwind(payload);
        }
        result
    }

    /// Polls until [`Handle::stop`](crate::Handle::stop). A stop that came before ends it at once.
    ///
    /// # Errors
    /// # Panics
    /// As [`poll`](Self::poll).
    pub fn run(&mut self) -> Result<(), Error> {
        while !self.registry.core.shared.take_stop() {
            self.poll(None)?;
        }
        Ok(())
    }

    /// Polls until SIGINT, SIGTERM or [`Handle::stop`](crate::Handle::stop), then
    /// [shuts down](Self::shutdown) with 10 seconds for what is in flight. Another signal ends that at once.
    ///
    /// Meanwhile the two signals do nothing else in this process; afterwards they do what they did before.
    ///
    /// # Errors
    /// As [`poll`](Self::poll), and [`Error::Signal`] when the system refuses.
    ///
    /// # Panics
    /// As [`poll`](Self::poll).
    pub fn run_until_signal(&mut self) -> Result<(), Error> {
        let mut signals = SignalGuard::install(&self.registry.core.selector).map_err(Error::Signal)?;
        while !signals.take() && !self.registry.core.shared.take_stop() {
            self.poll(SignalGuard::LOOK_EVERY)?;
        }
        self.shut_down(GRACE, || signals.take())
    }

    /// Stops listening and lets what is in flight finish: requests that are being handled are answered, what waits is
    /// sent, idle connections are closed. Returns when all are gone or `grace` is over.
    ///
    /// # Errors
    /// # Panics
    /// As [`poll`](Self::poll).
    pub fn shutdown(&mut self, grace: Duration) -> Result<(), Error> {
        self.shut_down(grace, || false)
    }

    /// How long until the loop has to be polled again though its descriptor stays silent: the next timer. `None` when
    /// there is none. For loops that wait on [`as_fd`](AsFd::as_fd).
    pub fn timeout(&self) -> Option<Duration> {
        self.registry.core.wait_time(None)
    }

    fn shut_down(&mut self, grace: Duration, mut hurry: impl FnMut() -> bool) -> Result<(), Error> {
        // `None`: for ever.
        let end = Instant::now().checked_add(grace);
        self.begin_shutdown();
        while self.registry.stats().connections > 0 && !hurry() {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                break;
            }
            self.poll(SignalGuard::LOOK_EVERY.into_iter().chain(left).min())?;
        }
        Ok(())
    }

    /// Stops listening, and has the protocols end what is in flight.
    pub(crate) fn begin_shutdown(&mut self) {
        let entries: Vec<_> = self.registry.core.table.borrow().iter().map(Rc::clone).collect();
        for entry in entries {
            // Nobody was told of one that was accepted and whose handshake is not done.
            let shaking_hands = entry.mark.get().tls.contains(Tls::HANDSHAKING);
            let unborn = shaking_hands && entry.conn.is(Flag::Accepted) && entry.output.borrow().is_empty();
            if unborn || (entry.conn.is(Flag::Listening) && !entry.datagrams_wait()) {
                self.registry.core.doom(&entry);
            } else if entry.conn.is(Flag::Listening) {
                entry.begin_drain();
                self.registry.core.touch(&entry);
            } else {
                self.with_protocol(&entry, |protocol, connection| protocol.shutdown(connection));
                self.registry.core.touch(&entry);
            }
        }
    }

    /// Whether it was asked to stop; asking again answers false.
    #[cfg(all(feature = "tokio", target_os = "linux", not(mongoose_portable)))]
    pub(crate) fn take_stop(&self) -> bool {
        self.registry.core.shared.take_stop()
    }

    /// Whether the last turn found connections that were ready.
    #[cfg(all(feature = "tokio", target_os = "linux", not(mongoose_portable)))]
    pub(crate) fn was_busy(&self) -> bool {
        !self.ready.is_empty()
    }
}

impl Deref for Manager {
    type Target = Registry;

    fn deref(&self) -> &Registry {
        &self.registry
    }
}

/// The loop's descriptor: readable when [`poll`](Manager::poll) has something to do at once. See
/// [`timeout`](Manager::timeout) for what it is silent about. It is not the set the loop itself waits on, so nothing
/// done to it disturbs the loop (invariant 16).
#[cfg(all(target_os = "linux", not(mongoose_portable)))]
impl AsFd for Manager {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.registry.core.selector.as_fd()
    }
}

impl Drop for Manager {
    /// Closes everything through the engine while C's lists are still there (invariant 12).
    fn drop(&mut self) {
        let core = Rc::clone(&self.registry.core);
        core.shutting_down.set(true);
        loop {
            let entries: Vec<_> = core.table.borrow().iter().map(Rc::clone).collect();
            if entries.is_empty() {
                break;
            }
            for entry in &entries {
                core.doom(entry);
            }
            self.reap();
            discard_panics(&core);
        }
        for part in core.take_lookups() {
            core.release(Some(part));
        }
        // Out of the borrow first: what is dropped here may hold timers of its own.
        let actions = core.timers.borrow_mut().take_all();
        for action in actions {
            core.release(Some(action));
        }
        let posted = core.posted.take();
        for task in posted.into_iter().chain(core.shared.close()).flat_map(Task::into_parts) {
            core.release(Some(task));
        }
        discard_panics(&core);
    }
}

fn discard_panics(core: &Core) {
    while let Some(payload) = core.take_panic() {
        panic::discard(payload);
    }
}

impl fmt::Debug for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manager").field("registry", &self.registry).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Connection, Event};

    #[test]
    fn shuts_down_with_all_the_time_there_is() {
        let mut manager = Manager::new().expect("a manager");
        let ignore = |_: &Connection<'_>, _: Event<'_>| Ok(());
        manager.tcp("tcp://127.0.0.1:0", ignore).expect("a free port");
        manager.shutdown(Duration::MAX).expect("to shut down");
        assert_eq!(manager.stats().connections, 0);
    }
}
