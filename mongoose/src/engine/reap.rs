//! The end of connections: one step after each batch, never inside one (invariant 9).

use std::rc::Rc;

use super::transport::Socket;
use super::{Entry, Manager};

impl Manager {
    /// Releases the entries that are marked as closing. Stops once user code has panicked; the rest waits.
    pub(super) fn reap(&mut self) {
        let core = Rc::clone(&self.registry.core);
        while !core.has_panicked() {
            let Some(entry) = core.doomed.borrow_mut().pop_front() else { return };
            self.release(&entry);
        }
    }

    /// `Closed`, then the selector, then the descriptor, then C (invariants 7, 8).
    fn release(&mut self, entry: &Rc<Entry>) {
        let core = Rc::clone(&self.registry.core);
        self.with_protocol(entry, |protocol, connection| protocol.closed(connection));
        core.unwatch(entry);
        drop(entry.socket.replace(Socket::Closed));
        if let Some(buffer) = entry.conn.take_back(&mut self.registry.views) {
            self.keep_read_buffer(buffer);
        }
        entry.conn.close(&mut self.registry.views);
        core.table.borrow_mut().remove(entry.id);
        core.counters.closed();
        // One by one: two panics in one drop would end the process.
        core.release(entry.protocol.take());
        core.release(entry.successor.take());
        core.release(entry.acceptor.take());
    }
}
