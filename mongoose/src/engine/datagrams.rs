//! Sockets of datagrams: read in batches, written at once or from a bounded queue. Nothing that fails closes one, but that
//! somebody else has shut it down.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::rc::Rc;

use super::transport::Socket;
use super::{Entry, Manager};
use crate::Error;
use crate::ffi::{self, Flag};

/// More than the longest datagram has: none is ever cut.
const DATAGRAM_MAX: usize = 64 << 10;

/// Datagrams taken from one socket in one turn, and sent from its queue; others have their turn then.
const BATCH: usize = 64;

/// What a datagram in the queue counts for besides its bytes, so that empty ones are bounded too.
const OVERHEAD: usize = 64;

/// A socket, and what it did not take yet.
#[derive(Debug)]
pub(crate) struct Datagrams {
    socket: UdpSocket,
    queue: VecDeque<Queued>,
    queued: usize,
}

#[derive(Debug)]
struct Queued {
    /// `None`: to whom the socket is connected.
    to: Option<SocketAddr>,
    bytes: Vec<u8>,
}

/// What became of a datagram.
#[derive(Debug)]
enum Sent {
    Left,
    Waits,
}

impl Datagrams {
    pub(super) fn new(socket: UdpSocket) -> Self {
        Self { socket, queue: VecDeque::new(), queued: 0 }
    }

    pub(super) fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    /// Bytes of all that wait.
    fn queued(&self) -> usize {
        self.queued - self.queue.len() * OVERHEAD
    }

    /// Sends a datagram, or queues it when the system has no room. The order is kept.
    fn send(&mut self, bytes: &[u8], to: Option<SocketAddr>, limit: usize) -> Result<Sent, Error> {
        if self.queue.is_empty() {
            match self.transmit(bytes, to) {
                Ok(()) => return Ok(Sent::Left),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(source) => return Err(Error::Datagram { to, source }),
            }
        }
        let cost = bytes.len() + OVERHEAD;
        if !self.queue.is_empty() && self.queued.saturating_add(cost) > limit {
            return Err(Error::OutputFull { limit });
        }
        self.queued += cost;
        self.queue.push_back(Queued { to, bytes: bytes.to_vec() });
        Ok(Sent::Waits)
    }

    /// Sends the first of those that wait. `None` when none does, or the system still has no room.
    fn send_queued(&mut self) -> Option<Result<usize, Error>> {
        let first = self.queue.front()?;
        let result = self.transmit(&first.bytes, first.to);
        if matches!(&result, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
            return None;
        }
        let first = self.queue.pop_front()?;
        self.queued -= first.bytes.len() + OVERHEAD;
        let count = first.bytes.len();
        Some(result.map(|()| count).map_err(|source| Error::Datagram { to: first.to, source }))
    }

    fn transmit(&self, bytes: &[u8], to: Option<SocketAddr>) -> io::Result<()> {
        loop {
            let sent = match to {
                Some(to) => self.socket.send_to(bytes, to),
                None => self.socket.send(bytes),
            };
            match sent {
                // A datagram leaves as a whole or not at all.
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Entry {
    /// Sends a datagram of this socket's, or queues it. Answers how many bytes left at once.
    pub(super) fn send_datagram(&self, bytes: &[u8], to: Option<SocketAddr>) -> Result<usize, Error> {
        let mut socket = self.socket.borrow_mut();
        let Socket::Datagrams(datagrams) = &mut *socket else { return Err(Error::Closed) };
        if self.is_over() || self.conn.is(Flag::Draining) {
            return Err(Error::Closed);
        }
        match datagrams.send(bytes, to, self.limits.output) {
            Ok(Sent::Left) => Ok(bytes.len()),
            Ok(Sent::Waits) => {
                self.update(|mark| mark.blocked = true);
                Ok(0)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether datagrams wait to be sent.
    #[cold]
    pub(super) fn datagrams_wait(&self) -> bool {
        matches!(&*self.socket.borrow(), Socket::Datagrams(datagrams) if !datagrams.queue.is_empty())
    }

    /// Bytes of the datagrams that wait to be sent.
    pub(super) fn queued_datagrams(&self) -> usize {
        match &*self.socket.borrow() {
            Socket::Datagrams(datagrams) => datagrams.queued(),
            _ => 0,
        }
    }

    /// Sets an option of the socket.
    pub(super) fn set_datagram_option(
        &self,
        set: impl FnOnce(&UdpSocket) -> io::Result<()>,
    ) -> Result<(), Error> {
        match &*self.socket.borrow() {
            Socket::Datagrams(datagrams) if !self.is_over() => {
                set(&datagrams.socket).map_err(|source| Error::Io { phase: "set an option", source })
            }
            _ => Err(Error::Closed),
        }
    }
}

impl Manager {
    /// What a socket that is no stream can do. Kept out of the way of those that are.
    #[cold]
    pub(super) fn exchange_or_accept(&mut self, entry: &Rc<Entry>) {
        let datagrams = matches!(&*entry.socket.borrow(), Socket::Datagrams(_));
        if datagrams { self.exchange_datagrams(entry) } else { self.accept(entry) }
    }

    /// Sends what waits and takes what has arrived, some of each. Level-triggered: what is left is reported again.
    fn exchange_datagrams(&mut self, entry: &Rc<Entry>) {
        self.send_datagrams(entry);
        let mut buffer = std::mem::take(&mut self.datagram);
        buffer.resize(DATAGRAM_MAX, 0);
        for count in 0..BATCH {
            if !self.receive_datagram(entry, &mut buffer) {
                if count == 0 {
                    self.look_for_shutdown(entry);
                }
                break;
            }
        }
        self.datagram = buffer;
    }

    /// Of a socket that had nothing, though it may have been said to: one that others have shut down would be so for ever.
    fn look_for_shutdown(&mut self, entry: &Rc<Entry>) {
        let shut = match &*entry.socket.borrow() {
            Socket::Datagrams(datagrams) => !entry.is_over() && ffi::is_shut_down(&datagrams.socket),
            _ => false,
        };
        if shut {
            let source =
                io::Error::new(io::ErrorKind::NotConnected, "somebody else has shut the socket down");
            self.fail(entry, &Error::Io { phase: "receive", source });
        }
    }

    /// Takes one datagram. Whether there may be more.
    fn receive_datagram(&mut self, entry: &Rc<Entry>, buffer: &mut [u8]) -> bool {
        let deaf = entry.is_over() || entry.conn.is(Flag::Draining);
        if self.registry.core.has_panicked() || deaf {
            return false;
        }
        let received = match &*entry.socket.borrow() {
            Socket::Datagrams(datagrams) => datagrams.socket.recv_from(buffer),
            _ => return false,
        };
        match received {
            Ok((count, from)) => {
                self.registry.core.counters.received(count);
                if entry.admits(Some(from)) {
                    let bytes = &buffer[..count];
                    self.with_protocol(entry, |protocol, connection| {
                        protocol.datagram(connection, bytes, from)
                    });
                } else {
                    self.registry.core.counters.denied();
                }
                true
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => true,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
            Err(source) => {
                // Most often that nobody is where a datagram of ours went. The socket lives (hazard 17).
                let error = Error::Io { phase: "receive", source };
                self.tell_failure(entry, &error);
                false
            }
        }
    }

    /// Of a socket that closes once what waits has left: when that takes too long.
    #[cold]
    pub(super) fn limit_drain(&self, entry: &Entry) {
        if entry.write_deadline.get().is_none() {
            entry.write_deadline.set(self.registry.core.clock.now().checked_add(entry.limits.write_time));
        }
    }

    /// Sends from the queue, and says so when it is empty.
    fn send_datagrams(&mut self, entry: &Rc<Entry>) {
        for _ in 0..BATCH {
            let sent = match &mut *entry.socket.borrow_mut() {
                Socket::Datagrams(datagrams) if !entry.is_over() => datagrams.send_queued(),
                _ => return,
            };
            match sent {
                Some(Ok(count)) => {
                    // The next has its own time.
                    entry.write_deadline.set(None);
                    self.registry.core.counters.sent(count);
                }
                Some(Err(error)) => {
                    self.tell_failure(entry, &error);
                }
                None => break,
            }
            if self.registry.core.has_panicked() {
                return;
            }
        }
        if entry.mark.get().blocked && !entry.datagrams_wait() {
            entry.update(|mark| mark.blocked = false);
            self.with_protocol(entry, |protocol, connection| protocol.written(connection));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixDatagram;
    use std::time::Duration;

    use super::*;
    use crate::{Limits, udp};

    /// A socket that is full after a few datagrams, as those of UDP are only on slow networks, and its peer.
    fn full_socket(manager: &Manager, limit: usize, handler: impl udp::Handler) -> (Rc<Entry>, UnixDatagram) {
        let (ours, theirs) = UnixDatagram::pair().expect("a pair");
        ours.set_nonblocking(true).expect("an option");
        theirs.set_nonblocking(true).expect("an option");
        let core = &manager.registry.core;
        let socket = Socket::datagrams(UdpSocket::from(OwnedFd::from(ours)));
        let limits = Limits { output: limit, ..Limits::default() };
        let entry = core.adopt(socket, Rc::new(limits)).expect("room");
        entry.conn.set(Flag::Listening, true);
        *entry.protocol.borrow_mut() = Some(Box::new(udp::Datagrams(handler)));
        (entry, theirs)
    }

    #[test]
    fn what_waits_keeps_its_order_and_boundaries_and_is_bounded() {
        let mut manager = Manager::new().expect("a manager");
        let events = Rc::new(RefCell::new(Vec::new()));
        let log = Rc::clone(&events);
        let note = move |_: &udp::Socket<'_>, event: udp::Event<'_>| {
            log.borrow_mut().push(format!("{event:?}"));
            Ok(())
        };
        let (entry, theirs) = full_socket(&manager, 10_000, note);
        let mut sent = 0u32;
        let full = loop {
            // Every other one is empty.
            let bytes = sent.to_be_bytes();
            let bytes = if sent.is_multiple_of(2) { &bytes[..] } else { &[] };
            match manager.udp_socket(entry.id).expect("it is there").send(bytes) {
                Ok(()) => sent += 1,
                Err(error) => break error,
            }
            assert!(sent < 100_000, "no bound");
        };
        assert!(matches!(full, Error::OutputFull { limit: 10_000 }), "{full}");
        assert!(manager.udp_socket(entry.id).expect("it is there").queued() > 0);
        let mut received = 0u32;
        let mut buffer = [0; 16];
        for _ in 0..10_000 {
            while let Ok(count) = theirs.recv(&mut buffer) {
                let expected = received.to_be_bytes();
                assert_eq!(&buffer[..count], if received.is_multiple_of(2) { &expected[..] } else { &[] });
                received += 1;
            }
            if received == sent {
                break;
            }
            manager.poll(Duration::from_millis(10)).expect("to poll");
        }
        assert_eq!(received, sent);
        manager.poll(Duration::ZERO).expect("to poll");
        assert_eq!(*events.borrow(), ["Write"]);
        assert_eq!(manager.udp_socket(entry.id).expect("it is there").queued(), 0);
    }

    /// Sends until some wait, and answers how many were sent.
    fn fill(manager: &Manager, entry: &Rc<Entry>) -> usize {
        let socket = manager.udp_socket(entry.id).expect("it is there");
        let mut sent = 0;
        while socket.queued() < 3 {
            socket.send(b"x").expect("room");
            sent += 1;
        }
        sent
    }

    /// Polls until the socket is closed, and answers how many datagrams left it.
    fn drained(manager: &mut Manager, theirs: &UnixDatagram) -> usize {
        let mut received = 0;
        for _ in 0..10_000 {
            let open = manager.stats().connections > 0;
            while theirs.recv(&mut [0; 16]).is_ok() {
                received += 1;
            }
            if !open {
                break;
            }
            manager.poll(Duration::from_millis(10)).expect("to poll");
        }
        received
    }

    #[test]
    fn what_waits_leaves_before_a_shutdown_or_a_drain_closes_the_socket() {
        for shutdown in [true, false] {
            let mut manager = Manager::new().expect("a manager");
            let events = Rc::new(RefCell::new(Vec::new()));
            let log = Rc::clone(&events);
            let note = move |socket: &udp::Socket<'_>, event: udp::Event<'_>| {
                log.borrow_mut().push(format!("{event:?}"));
                assert!(matches!(socket.send(b"more"), Err(Error::Closed)), "it ends");
                Ok(())
            };
            let (entry, theirs) = full_socket(&manager, 10_000, note);
            let sent = fill(&manager, &entry);
            if shutdown {
                manager.shutdown(Duration::ZERO).expect("to end");
            } else {
                manager.connection(entry.id).expect("it is there").drain();
            }
            // Nobody is shown this any more.
            theirs.send(b"late").expect("room");
            assert_eq!(drained(&mut manager, &theirs), sent);
            assert_eq!(manager.stats().connections, 0);
            assert_eq!(*events.borrow(), ["Write", "Close"]);
        }
    }

    #[test]
    fn what_cannot_leave_a_draining_socket_has_a_deadline_and_the_loop_rests() {
        let mut manager = Manager::new().expect("a manager");
        let events = Rc::new(RefCell::new(Vec::new()));
        let log = Rc::clone(&events);
        let note = move |_: &udp::Socket<'_>, event: udp::Event<'_>| {
            log.borrow_mut().push(format!("{event:?}"));
            Ok(())
        };
        let (ours, theirs) = UnixDatagram::pair().expect("a pair");
        ours.set_nonblocking(true).expect("an option");
        let core = Rc::clone(&manager.registry.core);
        let socket = Socket::datagrams(UdpSocket::from(OwnedFd::from(ours)));
        let limits = Limits { write_time: Duration::from_millis(100), ..Limits::default() };
        let entry = core.adopt(socket, Rc::new(limits)).expect("room");
        entry.conn.set(Flag::Listening, true);
        *entry.protocol.borrow_mut() = Some(Box::new(udp::Datagrams(note)));
        fill(&manager, &entry);
        manager.connection(entry.id).expect("it is there").drain();
        theirs.send(b"late").expect("room");
        while manager.stats().connections > 0 {
            assert!(manager.stats().polls < 20, "it spins");
            manager.poll(Duration::from_secs(10)).expect("to poll");
        }
        assert_eq!(*events.borrow(), ["Error(Deadline { phase: \"write\" })", "Close"]);
    }

    #[test]
    fn hazard_17_a_queued_datagram_that_fails_is_told_and_the_socket_lives() {
        let mut manager = Manager::new().expect("a manager");
        let events = Rc::new(RefCell::new(Vec::new()));
        let log = Rc::clone(&events);
        let note = move |_: &udp::Socket<'_>, event: udp::Event<'_>| {
            log.borrow_mut().push(match event {
                udp::Event::Error(Error::Datagram { to: None, .. }) => "error",
                udp::Event::Write => "write",
                udp::Event::Close => "close",
                // The system says too that the peer is gone.
                udp::Event::Error(Error::Io { phase: "receive", .. }) => "gone",
                other => panic!("{other:?}"),
            });
            Ok(())
        };
        let (entry, theirs) = full_socket(&manager, 10_000, note);
        let mut waiting = 0;
        while waiting < 2 {
            manager.udp_socket(entry.id).expect("it is there").send(b"x").expect("room");
            waiting = manager.udp_socket(entry.id).expect("it is there").queued();
        }
        drop(theirs);
        for _ in 0..1000 {
            if events.borrow().last() == Some(&"write") {
                break;
            }
            manager.poll(Duration::from_millis(10)).expect("to poll");
        }
        assert_eq!(events.borrow().iter().filter(|event| **event == "error").count(), waiting);
        assert_eq!(events.borrow().last(), Some(&"write"));
        assert!(manager.udp_socket(entry.id).is_ok());
    }
}
