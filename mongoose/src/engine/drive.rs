//! One turn of the loop.

use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::connection::PULL_BELOW;
use super::connection_span::trace_error;
use super::entry::{OurEnd, Tls};
use super::transport::{Socket, Transport};
use super::{Admission, Connection, Entry, Manager, Protocol, Ready};
use crate::ffi::{self, Flag};
use crate::{Error, sys};

/// Connections accepted from one listener in one turn; the rest waits for the next, so that others have theirs.
const ACCEPT_BATCH: usize = 64;

/// How long a listener waits when the system has no descriptor left (hazard 22).
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Connections past a listener's limit that are told so at a time; those past that are closed without a word.
const TURNED_AWAY_MAX: usize = 1024;

/// Rounds in which handlers called after the batch may cause more; what is left then waits for the next turn.
const SETTLE_ROUNDS: usize = 8;

/// Bytes sent on one connection, give or take a piece, before others have their turn.
const SENT_MAX: u64 = 2 << 20;

/// Events of C delivered in one go, those among them that their handlers cause.
const NESTED_BATCH: usize = 1024;

impl Manager {
    /// Waits, then handles what is ready, posted and due. Ends early once user code has panicked: sockets stay ready,
    /// tasks and timers queued.
    pub(super) fn turn(&mut self, timeout: Option<Duration>) -> Result<(), Error> {
        let core = Rc::clone(&self.registry.core);
        core.counters.polled();
        let mut ready = std::mem::take(&mut self.ready);
        ready.clear();
        let waited = core.selector.wait(&mut ready, core.wait_time(timeout)).map_err(Error::Selector);
        core.clock.look();
        for event in &ready {
            if core.has_panicked() {
                break;
            }
            // A stale token finds nothing (invariant 4).
            let entry = core.table.borrow().get_token(event.token).map(Rc::clone);
            if let Some(entry) = entry {
                self.dispatch(&entry, *event);
            }
        }
        self.ready = ready;
        self.run_posted();
        self.run_timers();
        self.settle();
        waited
    }

    fn dispatch(&mut self, entry: &Rc<Entry>, ready: Ready) {
        if entry.is_over() {
            return;
        }
        if !entry.conn.is_any([Flag::Listening, Flag::Connecting]) {
            // What the selector was told holds, unless a handler has changed something since.
            let reads = match entry.registered.get() {
                Some(interest) if !entry.mark.get().dirty => interest.read,
                _ => self.wants_read(entry),
            };
            if (ready.readable || ready.hangup) && reads {
                self.read(entry);
            } else if ready.hangup {
                self.hang_up(entry);
            }
        } else if entry.conn.is(Flag::Connecting) {
            self.finish_connect(entry);
        } else {
            self.exchange_or_accept(entry);
        }
        self.reconcile(entry);
    }

    /// A hang-up while nobody reads: level-triggered, it would be reported for ever.
    fn hang_up(&mut self, entry: &Rc<Entry>) {
        let error = match &*entry.socket.borrow() {
            Socket::Stream(transport) => transport.take_error().ok().flatten(),
            _ => None,
        };
        if let Some(source) = error {
            self.fail(entry, &Error::Io { phase: "read", source });
        } else if entry.mark.get().eof
            && entry.our_end.get() != OurEnd::Sent
            && entry.output.borrow().is_empty()
        {
            self.registry.core.doom(entry);
        } else if entry.output.borrow().is_empty() {
            entry.update(|mark| mark.hung = true);
            self.registry.core.unwatch(entry);
        }
    }

    pub(super) fn accept(&mut self, listener: &Rc<Entry>) {
        let core = Rc::clone(&self.registry.core);
        for _ in 0..ACCEPT_BATCH {
            if core.has_panicked() || listener.is_over() {
                return;
            }
            let accepted = match &*listener.socket.borrow() {
                Socket::Listener(socket, secure) => ffi::accept(socket).map(|(stream, remote)| {
                    // Whom the list denies is not worth a session of TLS.
                    let admitted = listener.admits(remote);
                    (admitted.then(|| Transport::accepted(stream, secure.as_ref())), remote)
                }),
                _ => return,
            };
            match accepted {
                Ok((None, _)) => core.counters.denied(),
                Ok((Some(transport), remote)) => {
                    core.counters.accepted();
                    if let Some(transport) = transport {
                        self.admit(listener, transport, remote);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if is_of_the_peer(&error) => {}
                Err(_) => {
                    self.pause_accept(listener);
                    return;
                }
            }
        }
    }

    /// The system is short of descriptors or memory, or somebody who shares the listener has shut it down: tries again a
    /// little later instead of at once and for ever.
    fn pause_accept(&mut self, listener: &Rc<Entry>) {
        listener.update(|mark| {
            mark.accept_paused = true;
            mark.hung = true;
        });
        // One that is shut down is hung up, which is reported whether it is watched for something or not.
        self.registry.core.unwatch(listener);
        self.deadline(ACCEPT_RETRY, super::timers::Action::Accept(listener.id));
    }

    fn admit(&mut self, listener: &Rc<Entry>, transport: Transport, remote: Option<std::net::SocketAddr>) {
        let core = Rc::clone(&self.registry.core);
        let siblings = listener.siblings.borrow().clone().unwrap_or_default();
        let admission = match siblings.get().checked_sub(listener.limits.connections) {
            None => Admission::Welcome,
            Some(over) if over < TURNED_AWAY_MAX => Admission::Full,
            Some(_) => {
                core.counters.turned_away();
                return;
            }
        };
        let Some(mut acceptor) = listener.acceptor.take() else { return };
        let protocol = core.enter(|| acceptor(admission));
        *listener.acceptor.borrow_mut() = Some(acceptor);
        if admission == Admission::Full {
            core.counters.turned_away();
        }
        let Some(Some(protocol)) = protocol else { return };
        let secure = transport.is_secure();
        let Ok(entry) = core.adopt(Socket::Stream(transport), Rc::clone(&listener.limits)) else {
            // Out of memory or of slots: the peer sees the connection closed.
            core.retire(Some(protocol));
            return;
        };
        *entry.protocol.borrow_mut() = Some(protocol);
        siblings.set(siblings.get() + 1);
        *entry.siblings.borrow_mut() = Some(siblings);
        entry.conn.set(Flag::Accepted, true);
        entry.remote.set(remote);
        if secure {
            self.begin_handshake(&entry);
        } else {
            self.with_protocol(&entry, |protocol, connection| protocol.opened(connection));
        }
        self.reconcile(&entry);
    }

    /// Tells the handler what went wrong, and closes.
    pub(super) fn fail(&mut self, entry: &Rc<Entry>, error: &Error) {
        // That what cannot go on breaks besides is no news.
        if !entry.mark.get().tls.contains(Tls::FAILED) {
            self.tell_failure(entry, error);
        }
        self.registry.core.doom(entry);
    }

    /// Tells the handler what went wrong.
    #[cold]
    pub(super) fn tell_failure(&mut self, entry: &Rc<Entry>, error: &Error) {
        self.registry.core.counters.failed();
        self.with_protocol(entry, |protocol, connection| {
            trace_error(error);
            protocol.failed(connection, error);
        });
    }

    /// Enters what speaks on a connection. `None` when there is nobody, or they panicked: then the connection loses its
    /// input, its handler is dropped and it closes (invariant 13).
    pub(super) fn with_protocol<R>(
        &mut self,
        entry: &Rc<Entry>,
        call: impl FnOnce(&mut dyn Protocol, &Connection<'_>) -> R,
    ) -> Option<R> {
        if self.registry.core.has_panicked() {
            return None;
        }
        // Set while no handler of this connection ran: the event is for the new one.
        let replaced = entry.succeed();
        let mut protocol = entry.protocol.take()?;
        let connection = Connection::new(&self.registry, Rc::clone(entry));
        let mut span = entry.span.take();
        let core = &self.registry.core;
        let result = core.enter(|| span.in_scope(&connection, || call(&mut *protocol, &connection)));
        entry.span.set(span);
        drop(connection);
        if result.is_none() {
            // One by one: two panics in one drop would end the process.
            self.registry.core.retire(Some(protocol));
            self.registry.core.retire(entry.successor.take());
            entry.conn.truncate(0, &mut self.registry.views);
            entry.consumed.set(0);
            self.registry.core.doom(entry);
        } else {
            *entry.protocol.borrow_mut() = Some(protocol);
            self.registry.core.retire(entry.succeed());
        }
        self.registry.core.retire(replaced);
        result
    }

    /// Brings an entry into the state that its flags, its output and its marks call for.
    pub(super) fn reconcile(&mut self, entry: &Rc<Entry>) {
        if entry.conn.as_ptr().is_null() {
            return;
        }
        // What handlers record on this entry meanwhile is seen here: it need not be looked at again after the batch.
        entry.update(|mark| mark.dirty = true);
        self.registry.core.retire(entry.succeed());
        // What was read before is offered first.
        if entry.mark.get().tls.contains(Tls::UNREAD)
            && !entry.mark.get().offer
            && !self.registry.core.has_panicked()
        {
            self.read_held(entry);
        }
        let mut unsettled = true;
        let before = self.registry.core.counters.sent_so_far();
        for _ in 0..SETTLE_ROUNDS {
            self.offer(entry);
            unsettled = !entry.is_over() && !self.registry.core.has_panicked() && self.flush(entry);
            if !unsettled || self.registry.core.counters.sent_so_far().wrapping_sub(before) >= SENT_MAX {
                break;
            }
        }
        entry.update(|mark| mark.dirty = false);
        if entry.is_over() {
            self.registry.core.doom(entry);
            return;
        }
        // They send as fast as the peer reads. What waits is left to the selector, behind all who are ready by now.
        let unsettled = unsettled && entry.output.borrow().is_empty();
        if self.registry.core.has_panicked() || entry.mark.get().offer || unsettled {
            // A panic of what was replaced stopped this half-way, or the handlers replace each other without end: others
            // have their turn.
            self.registry.core.touch(entry);
        }
        self.end_drained(entry);
        self.tidy_input(entry);
        if entry.mark.get().tls.contains(Tls::UNREAD) && self.wants_read(entry) {
            self.registry.core.touch(entry);
        }
        self.registry.core.watch_deadlines(entry);
        let received = entry.conn.received(&self.registry.views).len();
        if let Err(error) = self.registry.core.watch(entry, received) {
            self.fail(entry, &Error::Io { phase: "watch", source: error });
        }
    }

    /// Called when one of an entry's deadlines may have passed.
    pub(super) fn look_at_deadlines(&mut self, entry: &Rc<Entry>) {
        entry.watchdog.set(None);
        if entry.is_over() {
            return;
        }
        let now = self.registry.core.clock.now();
        let passed = |due: Option<Instant>| due.is_some_and(|due| due <= now);
        if passed(entry.write_deadline.get()) {
            self.fail(entry, &Error::Deadline { phase: "write" });
        } else if passed(entry.deadline.get()) {
            entry.deadline.set(None);
            if entry.mark.get().tls.contains(Tls::HANDSHAKING) {
                self.fail(entry, &Error::Deadline { phase: "handshake" });
            } else if entry.conn.is(Flag::Connecting) || entry.conn.is(Flag::Resolving) {
                self.dialing_is_due(entry);
            } else {
                self.with_protocol(entry, |protocol, connection| protocol.expired(connection));
            }
        }
        self.reconcile(entry);
    }

    /// Sends what waits. Whether a handler was called, and the entry has to be looked at again.
    fn flush(&mut self, entry: &Rc<Entry>) -> bool {
        entry.collect_send();
        let written = match &mut *entry.socket.borrow_mut() {
            Socket::Stream(transport) if !entry.conn.is(Flag::Connecting) => {
                // What has left is dropped: a payload may have an owner of the user's own.
                self.registry.core.enter(|| entry.output.borrow_mut().flush(transport, &mut self.cork))
            }
            _ => return false,
        };
        let Some(written) = written else {
            // How much has left is not known.
            self.registry.core.doom(entry);
            return false;
        };
        match written {
            Ok(written) => {
                self.registry.core.counters.sent(written);
                let waits = !entry.output.borrow().is_empty();
                let was_blocked = entry.mark.get().blocked;
                entry.update(|mark| mark.blocked = waits);
                let unsent = entry.mark.get().tls.contains(Tls::SECURE) && self.note_held(entry).unsent;
                if !waits && !unsent {
                    entry.write_deadline.set(None);
                } else if written > 0 || entry.write_deadline.get().is_none() {
                    entry
                        .write_deadline
                        .set(self.registry.core.clock.now().checked_add(entry.limits.write_time));
                }
                let room = entry.output.borrow().len() < PULL_BELOW && !entry.conn.is(Flag::Draining);
                let all_left = was_blocked && !waits;
                let mut called = false;
                if entry.our_end.get() == OurEnd::Asked && room {
                    self.end_our_direction(entry);
                } else if room && entry.mark.get().pulling {
                    called =
                        self.with_protocol(entry, |protocol, connection| protocol.pull(connection)).is_some();
                    if all_left && !entry.output.borrow().is_empty() {
                        // It is told once this has left, too.
                        entry.update(|mark| mark.blocked = true);
                        return called;
                    }
                }
                if !all_left || entry.is_over() {
                    return called;
                }
                // Input may have been left alone while this waited.
                entry.update(|mark| mark.offer = true);
                self.with_protocol(entry, |protocol, connection| protocol.written(connection)).is_some()
                    || called
            }
            Err(source)
                if source.kind() == io::ErrorKind::InvalidData
                    && entry.mark.get().tls.contains(Tls::SECURE) =>
            {
                self.fail_secure(entry, source);
                false
            }
            Err(source) => {
                let broken = entry.mark.get().tls.contains(Tls::BROKEN);
                self.hear_out(entry);
                if !broken && entry.mark.get().tls.contains(Tls::BROKEN) {
                    // They said why, and the handler was told that.
                    self.registry.core.doom(entry);
                } else if !entry.is_over() {
                    self.fail(entry, &Error::Io { phase: "write", source });
                }
                false
            }
        }
    }

    /// Ends what we send, once nothing waits any more.
    #[cold]
    fn end_our_direction(&mut self, entry: &Rc<Entry>) {
        // What is written in the handshake is not the user's: it ends before.
        if !entry.output.borrow().is_empty() || entry.mark.get().tls.contains(Tls::HANDSHAKING) {
            return;
        }
        if entry.mark.get().tls.contains(Tls::SECURE) && !self.say_end(entry) {
            return;
        }
        if let Socket::Stream(transport) = &*entry.socket.borrow() {
            // Fails for a connection that is broken, and reading reports that.
            let _ = transport.shutdown_write();
        }
        entry.our_end.set(OurEnd::Sent);
    }

    /// Closes a draining connection whose output has left, at once or after a linger.
    fn end_drained(&mut self, entry: &Rc<Entry>) {
        let mark = entry.mark.get();
        if !entry.conn.is(Flag::Draining) || !entry.output.borrow().is_empty() || mark.lingering {
            return;
        }
        if mark.tls.contains(Tls::SECURE) && !self.say_end(entry) {
            return;
        }
        if entry.conn.is(Flag::Listening) && entry.datagrams_wait() {
            self.limit_drain(entry);
            return;
        }
        let core = Rc::clone(&self.registry.core);
        // Unread input would have the system throw away what it has not delivered yet.
        if !mark.eof && (mark.linger || entry.socket.borrow().has_unread()) {
            self.linger(entry);
        } else {
            core.doom(entry);
        }
    }

    /// What happens after the batch: events that C fired, entries that changed, entries to release.
    pub(super) fn settle(&mut self) {
        for _ in 0..SETTLE_ROUNDS {
            self.deliver_nested();
            let core = Rc::clone(&self.registry.core);
            let dirty = core.dirty.take();
            let idle = dirty.is_empty() && core.doomed.borrow().is_empty() && core.mgr.nested().len() == 0;
            for entry in dirty {
                entry.update(|mark| mark.dirty = false);
                if core.has_panicked() {
                    core.touch(&entry);
                } else {
                    self.reconcile(&entry);
                }
            }
            self.reap();
            if idle || core.has_panicked() {
                return;
            }
        }
    }

    /// Delivers what C fired inside calls, in that order (invariant 5).
    pub(super) fn deliver_nested(&mut self) {
        let core = Rc::clone(&self.registry.core);
        for _ in 0..NESTED_BATCH {
            if core.has_panicked() {
                return;
            }
            let Some(event) = core.mgr.nested().pop() else { return };
            let entry = core.table.borrow().get_token(event.token).map(Rc::clone);
            let Some(entry) = entry else { continue };
            if event.code == sys::MG_EV_ERROR as i32 {
                if entry.mark.get().error_told && entry.is_over() {
                    // It closes for the first: a handler that reports in turn is not told of that (hazard 12).
                    continue;
                }
                entry.update(|mark| mark.error_told = true);
                let error = Error::Reported(event.message.unwrap_or_default());
                self.tell_failure(&entry, &error);
            } else if let Some(number) =
                u32::try_from(event.code).ok().and_then(|code| code.checked_sub(sys::MG_EV_USER))
            {
                self.with_protocol(&entry, |protocol, connection| protocol.user(connection, number));
            }
            self.reconcile(&entry);
        }
    }
}

/// Whether accepting failed because of the connection that was to be accepted, so that the next one may be tried.
fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    let of_the_peer = [Kind::ConnectionAborted, Kind::ConnectionReset, Kind::TimedOut, Kind::Interrupted];
    let of_the_way = [Kind::HostUnreachable, Kind::NetworkUnreachable, Kind::NetworkDown];
    of_the_peer.contains(&error.kind()) || of_the_way.contains(&error.kind())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpStream};
    use std::thread::JoinHandle;

    use super::*;
    use crate::{Event, Limits};

    /// Sends, then reads until the peer closes.
    fn client(address: SocketAddr, request: Vec<u8>) -> JoinHandle<io::Result<Vec<u8>>> {
        let mut stream = TcpStream::connect(address).expect("to connect");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("an option");
        stream.write_all(&request).expect("to send");
        std::thread::spawn(move || {
            let mut received = Vec::new();
            stream.read_to_end(&mut received).map(|_| received)
        })
    }

    fn poll_until_finished<R>(manager: &mut Manager, thread: &JoinHandle<R>) {
        for _ in 0..6000 {
            if thread.is_finished() {
                return;
            }
            manager.poll(Duration::from_millis(10)).expect("to poll");
        }
        panic!("the client still waits");
    }

    #[test]
    fn a_drained_connection_delivers_all_though_input_is_unread() {
        let mut manager = Manager::new().expect("a manager");
        let listener = manager
            .tcp("tcp://127.0.0.1:0", |connection: &Connection<'_>, event: Event<'_>| {
                if let Event::Read = event {
                    connection.send(vec![7; 300_000])?;
                    connection.drain();
                }
                Ok(())
            })
            .expect("a free port");
        // More than one read takes.
        let client = client(listener.local_addr(), vec![0; 300_000]);
        poll_until_finished(&mut manager, &client);
        assert_eq!(client.join().expect("the client").expect("no reset").len(), 300_000);
    }

    #[test]
    fn what_a_draining_connection_throws_away_is_read_in_large_pieces() {
        let mut manager = Manager::new().expect("a manager");
        let listener = manager
            .tcp("tcp://127.0.0.1:0", |connection: &Connection<'_>, event: Event<'_>| {
                if let Event::Read = event {
                    // More than the socket takes, and what was received is left where it is.
                    connection.send(vec![7; 30_000_000])?;
                    connection.drain();
                }
                Ok(())
            })
            .expect("a free port");
        let mut stream = TcpStream::connect(listener.local_addr()).expect("to connect");
        stream.write_all(b"x").expect("to send");
        for _ in 0..1000 {
            if manager.stats().received > 0 {
                break;
            }
            manager.poll(Duration::from_millis(10)).expect("to poll");
        }
        stream.write_all(&[0; 100_000]).expect("to send");
        let before = manager.stats().polls;
        while manager.stats().received < 100_001 && manager.stats().polls < before + 1000 {
            manager.poll(Duration::from_millis(10)).expect("to poll");
        }
        let polls = manager.stats().polls - before;
        assert!(polls < 50, "{polls} polls for {} bytes", manager.stats().received);
    }

    #[test]
    fn room_is_told_after_full_output_though_the_socket_takes_all_at_once() {
        const TOTAL: usize = 1 << 20;
        let mut manager = Manager::new().expect("a manager");
        let limits = Limits { output: 16 << 10, ..Limits::default() };
        let sent = Cell::new(0);
        let listener = manager
            .listener("tcp://127.0.0.1:0")
            .limits(limits)
            .tcp(move |connection: &Connection<'_>, event: Event<'_>| {
                while matches!(event, Event::Accept | Event::Write) && sent.get() < TOTAL {
                    match connection.send([7; 4096].as_slice()) {
                        Ok(()) => sent.set(sent.get() + 4096),
                        Err(Error::OutputFull { .. }) => return Ok(()),
                        Err(error) => return Err(error),
                    }
                }
                connection.drain();
                Ok(())
            })
            .expect("a free port");
        let client = client(listener.local_addr(), Vec::new());
        poll_until_finished(&mut manager, &client);
        assert_eq!(client.join().expect("the client").expect("all of it").len(), TOTAL);
    }
}
