//! What a manager and everything borrowed from it share.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::handle::{Shared, Task};
use super::lookup::Lookups;
use super::stats::Counters;
use super::table::Table;
use super::timers::{Action, Timers};
use super::transport::Socket;
use super::workers::SharedPorts;
use super::{Clock, ConnectionId, Entry, Interest, Limits, Protocol};
use crate::ffi::{Conn, Flag, Mgr, Selector, Views, panic};
use crate::{Dns, Error};

/// The state of one event loop. Cells throughout: handlers reach it through `&Registry` while the loop is in them.
pub(crate) struct Core {
    pub(super) mgr: Mgr,
    pub(super) selector: Selector,
    pub(super) table: RefCell<Table>,
    pub(super) timers: RefCell<Timers>,
    pub(super) lookups: RefCell<Lookups>,
    /// Who is asked for them.
    pub(super) dns: RefCell<Dns>,
    /// Entries that changed outside their own event.
    pub(super) dirty: RefCell<Vec<Rc<Entry>>>,
    /// Entries to release after the batch (invariant 9).
    pub(super) doomed: RefCell<VecDeque<Rc<Entry>>>,
    /// What other threads asked for, taken over from `shared`.
    pub(super) posted: RefCell<VecDeque<Task>>,
    pub(super) shared: Arc<Shared>,
    pub(super) clock: Clock,
    pub(super) counters: Counters,
    /// Panics to resume, oldest first (invariant 13).
    parked: RefCell<VecDeque<panic::Payload>>,
    /// There are some.
    panicked: Cell<bool>,
    /// A handler is running (invariant 5).
    running: Cell<bool>,
    pub(super) shutting_down: Cell<bool>,
    /// What other threads reach here.
    #[cfg(all(feature = "tokio", target_os = "linux", not(mongoose_portable)))]
    pub(super) moored: RefCell<std::collections::HashMap<u64, Rc<dyn std::any::Any>>>,
    /// Of a worker: the ports that all workers share.
    pub(super) ports: OnceCell<Arc<SharedPorts>>,
}

impl Core {
    pub(super) fn new() -> Result<(Rc<Self>, Views), Error> {
        static MANAGERS: AtomicU32 = AtomicU32::new(1);
        let selector = Selector::new().map_err(Error::Selector)?;
        let (mgr, views) = Mgr::new();
        let core = Self {
            mgr,
            shared: Arc::new(Shared::new(selector.notifier())),
            selector,
            table: RefCell::new(Table::new(MANAGERS.fetch_add(1, Ordering::Relaxed))),
            timers: RefCell::default(),
            lookups: RefCell::default(),
            dns: RefCell::default(),
            dirty: RefCell::default(),
            doomed: RefCell::default(),
            posted: RefCell::default(),
            clock: Clock::new(),
            counters: Counters::default(),
            parked: RefCell::default(),
            panicked: Cell::new(false),
            running: Cell::new(false),
            shutting_down: Cell::new(false),
            #[cfg(all(feature = "tokio", target_os = "linux", not(mongoose_portable)))]
            moored: RefCell::default(),
            ports: OnceCell::new(),
        };
        Ok((Rc::new(core), views))
    }

    /// Runs user code. `None` when it panicked; the panic is parked.
    pub(super) fn enter<R>(&self, code: impl FnOnce() -> R) -> Option<R> {
        debug_assert!(!self.running.get(), "a handler was entered while another ran (invariant 5)");
        self.running.set(true);
        let result = panic::catch(code);
        self.running.set(false);
        match result {
            Ok(value) => Some(value),
            Err(payload) => {
                self.parked.borrow_mut().push_back(payload);
                self.panicked.set(true);
                None
            }
        }
    }

    /// Drops what belongs to the user, where there is any: that runs their code.
    pub(super) fn release<T>(&self, value: Option<T>) {
        if let Some(value) = value {
            self.enter(|| drop(value));
        }
    }

    /// Drops a protocol, where there is one, and what it holds of the user's one by one: two panics in one drop would
    /// end the process.
    #[inline(always)]
    pub(super) fn retire(&self, protocol: Option<Box<dyn Protocol>>) {
        if let Some(protocol) = protocol {
            self.retire_one(protocol);
        }
    }

    #[cold]
    fn retire_one(&self, mut protocol: Box<dyn Protocol>) {
        while let Some(part) = protocol.take_part() {
            self.release(Some(part));
        }
        self.release(Some(protocol));
    }

    /// Whether a panic waits to be resumed: until then no user code is entered.
    pub(super) fn has_panicked(&self) -> bool {
        self.panicked.get()
    }

    pub(super) fn take_panic(&self) -> Option<panic::Payload> {
        let mut parked = self.parked.borrow_mut();
        let first = parked.pop_front();
        self.panicked.set(!parked.is_empty());
        first
    }

    pub(super) fn check_open(&self) -> Result<(), Error> {
        if self.shutting_down.get() { Err(Error::ShuttingDown) } else { Ok(()) }
    }

    /// Has C make a connection and lists it. The socket is not watched yet.
    pub(super) fn adopt(&self, socket: Socket, limits: Rc<Limits>) -> Result<Rc<Entry>, Error> {
        let mut table = self.table.borrow_mut();
        let id = table.reserve().ok_or(Error::OutOfMemory)?;
        let conn = Conn::adopt(&self.mgr, id.token()).ok_or(Error::OutOfMemory)?;
        let entry = Rc::new(Entry::new(id, conn, socket, limits));
        table.insert(Rc::clone(&entry));
        self.counters.opened();
        Ok(entry)
    }

    pub(super) fn find(&self, id: ConnectionId) -> Option<Rc<Entry>> {
        self.table.borrow().get(id).map(Rc::clone)
    }

    /// Has the engine look at an entry after the current handler.
    #[inline]
    pub(super) fn touch(&self, entry: &Rc<Entry>) {
        if !entry.mark.get().dirty {
            self.look_again_at(entry);
        }
    }

    #[cold]
    fn look_again_at(&self, entry: &Rc<Entry>) {
        entry.update(|mark| mark.dirty = true);
        self.dirty.borrow_mut().push(Rc::clone(entry));
    }

    /// Marks an entry as closing and has it reaped after the batch.
    pub(super) fn doom(&self, entry: &Rc<Entry>) {
        entry.conn.set(Flag::Closing, true);
        if !entry.mark.get().doomed {
            entry.update(|mark| mark.doomed = true);
            self.doomed.borrow_mut().push_back(Rc::clone(entry));
        }
    }

    /// Tells the selector what an entry is to be watched for, where that changed.
    #[inline]
    pub(super) fn watch(&self, entry: &Entry, received: usize) -> io::Result<()> {
        let wanted = entry.wanted(received);
        if entry.registered.get() == Some(wanted) && !entry.mark.get().hung {
            return Ok(());
        }
        self.watch_for(entry, wanted)
    }

    fn watch_for(&self, entry: &Entry, wanted: Interest) -> io::Result<()> {
        let known = entry.registered.get();
        if entry.mark.get().hung {
            if !wanted.read {
                return Ok(());
            }
            entry.update(|mark| mark.hung = false);
        }
        if known == Some(wanted) {
            return Ok(());
        }
        let token = entry.id.token();
        let told = entry.socket.borrow().with_source(|source| match known {
            None => self.selector.add(source, token, wanted),
            Some(_) => self.selector.modify(source, token, wanted),
        });
        match told {
            Some(Ok(())) => entry.registered.set(Some(wanted)),
            Some(Err(error)) => return Err(error),
            None => {}
        }
        Ok(())
    }

    /// Sees to it that a timer looks at an entry's deadlines when the first of them is due. One that waits already is
    /// left alone: setting a later deadline costs nothing, and that is what happens at each request.
    #[inline]
    pub(super) fn watch_deadlines(&self, entry: &Entry) {
        let due = match (entry.deadline.get(), entry.write_deadline.get()) {
            (Some(one), Some(other)) => one.min(other),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => return,
        };
        if entry.watchdog.get().is_none_or(|(_, at)| at > due) {
            self.set_watchdog(entry, due);
        }
    }

    #[cold]
    fn set_watchdog(&self, entry: &Entry, due: Instant) {
        self.drop_watchdog(entry);
        let key = self.timers.borrow_mut().add(due, None, Action::Deadline(entry.id));
        entry.watchdog.set(Some((key, due)));
    }

    /// Takes an entry's timer away.
    pub(super) fn drop_watchdog(&self, entry: &Entry) {
        if let Some((key, _)) = entry.watchdog.take() {
            self.timers.borrow_mut().remove(key);
        }
    }

    /// Takes an entry out of the selector.
    pub(super) fn unwatch(&self, entry: &Entry) {
        if entry.registered.take().is_some() {
            // Fails only for a descriptor the selector does not know, and then there is nothing to take out.
            let _ = entry.socket.borrow().with_source(|source| self.selector.remove(source));
        }
    }

    /// How long the selector may wait: not at all while work is left, else until the next deadline.
    pub(super) fn wait_time(&self, asked: Option<Duration>) -> Option<Duration> {
        let busy = self.has_panicked()
            || !self.posted.borrow().is_empty()
            || !self.dirty.borrow().is_empty()
            || !self.doomed.borrow().is_empty()
            || self.mgr.nested().len() > 0;
        if busy {
            return Some(Duration::ZERO);
        }
        let Some(due) = self.timers.borrow_mut().next_due() else { return asked };
        let until = due.saturating_duration_since(Instant::now());
        Some(asked.map_or(until, |asked| asked.min(until)))
    }
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").field("counters", &self.counters).finish_non_exhaustive()
    }
}
