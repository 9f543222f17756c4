//! The end of connections: one step after each batch, never inside one (invariant 9).

use std::rc::Rc;

use super::transport::Socket;
use super::{Entry, Manager};
use crate::ffi::Flag;

impl Manager {
    /// Releases the entries that are marked as closing. Stops once user code has panicked; the rest waits.
    pub(super) fn reap(&mut self) {
        let core = Rc::clone(&self.registry.core);
        loop {
            // What was reported of a connection comes before its `Closed`.
            self.deliver_nested();
            if core.has_panicked() {
                return;
            }
            let Some(entry) = core.doomed.borrow_mut().pop_front() else { return };
            self.release(&entry);
        }
    }

    /// `Closed`, then the selector, then the descriptor, then C (invariants 7, 8).
    fn release(&mut self, entry: &Rc<Entry>) {
        let core = Rc::clone(&self.registry.core);
        self.with_protocol(entry, |protocol, connection| protocol.closed(connection));
        core.drop_watchdog(entry);
        if let Some(siblings) = entry.siblings.take()
            && !entry.conn.is(Flag::Listening)
        {
            siblings.set(siblings.get() - 1);
        }
        core.abandon_dialing(entry);
        core.unwatch(entry);
        drop(entry.socket.replace(Socket::Closed));
        if let Some(buffer) = entry.conn.take_back(&mut self.registry.views) {
            self.pool.put(buffer);
        }
        entry.conn.close(&mut self.registry.views);
        core.table.borrow_mut().remove(entry.id);
        core.counters.closed();
        // One by one: two panics in one drop would end the process.
        core.retire(entry.protocol.take());
        core.retire(entry.successor.take());
        core.release(entry.acceptor.take());
        core.release(entry.span.take().into_user());
        let unsent = entry.output.take();
        for payload in unsent.into_kept() {
            core.release(Some(payload));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io::Write;
    use std::net::TcpStream;
    use std::time::Duration;

    use super::*;
    use crate::{Connection, Event};

    #[test]
    fn an_error_reported_while_settling_is_told_before_close() {
        let mut manager = Manager::new().expect("a manager");
        let events = Rc::new(RefCell::new(Vec::new()));
        let log = Rc::clone(&events);
        let listener = manager
            .tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
                let mut log = log.borrow_mut();
                log.push(format!("{event:?}"));
                match event {
                    Event::Read if log.len() == 2 => connection.pause(),
                    Event::Read => connection.fail("broken"),
                    _ => {}
                }
                Ok(())
            })
            .expect("a free port");
        let mut client = TcpStream::connect(listener.local_addr()).expect("to connect");
        client.write_all(b"x").expect("to send");
        let until = |manager: &mut Manager, count: usize| {
            for _ in 0..1000 {
                if events.borrow().len() == count {
                    return;
                }
                manager.poll(Duration::from_millis(10)).expect("to poll");
            }
            panic!("{:?}", events.borrow());
        };
        until(&mut manager, 2);
        // Read again after the batch, where what was marked as closing is released too.
        for id in manager.connections() {
            manager.connection(id).expect("it is there").resume();
        }
        until(&mut manager, 5);
        assert_eq!(*events.borrow(), ["Accept", "Read", "Read", "Error(Reported(\"broken\"))", "Close"]);
    }
}
