//! What other threads asked for, and what is due: run after the batch.

use std::rc::Rc;

use super::entry::Tls;
use super::timers::Action;
use super::{ConnectionId, Entry, Manager, Payload, Task};
use crate::Error;
use crate::ffi::Flag;

impl Manager {
    /// Runs what was queued when it began, and what comes meanwhile on the next turn. After a panic the rest waits.
    pub(super) fn run_posted(&mut self) {
        let core = Rc::clone(&self.registry.core);
        core.shared.take(&mut core.posted.borrow_mut());
        let count = core.posted.borrow().len();
        for _ in 0..count {
            if core.has_panicked() {
                return;
            }
            let Some(task) = core.posted.borrow_mut().pop_front() else { return };
            self.run_task(task);
        }
    }

    fn run_task(&mut self, task: Task) {
        let core = Rc::clone(&self.registry.core);
        match task {
            Task::Call(call) => {
                core.enter(|| call(&self.registry));
            }
            Task::Send { id, bytes, done } => {
                let Some(result) = core.enter(|| self.send_posted(id, bytes)) else {
                    // The bytes were refused, and their owner panicked when they were dropped.
                    core.counters.undelivered();
                    core.release(done);
                    return;
                };
                if result.is_err() {
                    core.counters.undelivered();
                }
                if let Some(done) = done {
                    core.enter(|| done(result));
                }
            }
            Task::Wakeup { id, payload } => {
                let is_there = |entry: &Rc<Entry>| {
                    // Of what was accepted, nobody is told before TLS's handshake is done.
                    let is_told =
                        !entry.conn.is(Flag::Accepted) || !entry.mark.get().tls.contains(Tls::HANDSHAKING);
                    is_told && !entry.is_over()
                };
                let delivered = core.find(id).filter(is_there).and_then(|entry| {
                    let delivered = self.with_protocol(&entry, |protocol, connection| {
                        protocol.wakeup(connection, &payload);
                    });
                    self.reconcile(&entry);
                    delivered
                });
                if delivered.is_none() {
                    core.counters.undelivered();
                }
            }
            Task::Late { id, late } => {
                let Some(entry) = core.find(id).filter(|entry| !entry.is_over()) else {
                    core.counters.undelivered();
                    core.release(Some(late));
                    return;
                };
                self.with_protocol(&entry, |protocol, connection| protocol.late(connection, late));
                self.reconcile(&entry);
            }
            Task::Nudge { id } => {
                if let Some(entry) = core.find(id).filter(|entry| !entry.is_over()) {
                    entry.update(|mark| mark.pulling = true);
                    self.reconcile(&entry);
                }
            }
            Task::LookedUp { key, result } => self.looked_up(key, result),
        }
    }

    fn send_posted(&self, id: ConnectionId, bytes: Payload<'static>) -> Result<(), Error> {
        self.registry.connection(id)?.send(bytes)
    }

    /// Runs the timers that were due when it began, each once. After a panic the rest waits.
    pub(super) fn run_timers(&mut self) {
        let core = Rc::clone(&self.registry.core);
        let now = core.clock.now();
        let due = core.timers.borrow_mut().take_due(now);
        for key in due {
            if core.has_panicked() {
                core.timers.borrow_mut().put_back(key);
                continue;
            }
            let Some(mut action) = core.timers.borrow_mut().start(key) else { continue };
            match &mut action {
                Action::Call(call) => {
                    if core.enter(|| call(&self.registry)).is_none() {
                        let removed = core.timers.borrow_mut().remove(key);
                        core.release(Some(action));
                        core.release(removed);
                        continue;
                    }
                }
                Action::Close(id) => {
                    if let Some(entry) = core.find(*id) {
                        core.doom(&entry);
                    }
                }
                Action::Deadline(id) => {
                    if let Some(entry) = core.find(*id) {
                        self.look_at_deadlines(&entry);
                    }
                }
                Action::Lookup(key) => self.looked_up(*key, Err(std::io::ErrorKind::TimedOut.into())),
                Action::Accept(id) => {
                    if let Some(entry) = core.find(*id) {
                        entry.update(|mark| mark.accept_paused = false);
                        self.reconcile(&entry);
                    }
                }
            }
            let finished = core.timers.borrow_mut().finish(key, action, now);
            core.release(finished);
        }
    }
}
