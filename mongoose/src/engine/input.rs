//! From the socket to the protocol.

use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::entry::Tls;
use super::pool::{Pool, READ_BUFFER};
use super::timers::Action;
use super::transport::Socket;
use super::{Entry, Manager, Step};
use crate::Error;
use crate::ffi::Flag;

/// The least a connection keeps of its own.
const KEEP_MIN: usize = 512;

/// How often the same bytes are offered before others have their turn.
const OFFER_ROUNDS: usize = 16;

/// How long a closing connection waits for the peer to read what it was sent.
const LINGER: Duration = Duration::from_secs(2);

/// The size of a buffer for what has come of a unit, `missing` bytes of which are still to come; 0: nobody knows. Twice
/// what is there, so that bytes that drip are not copied at each read; four times, where as much is said to come. Not all
/// of it at once: whoever claims much and sends little is to hold little.
fn room_for(received: usize, missing: usize) -> usize {
    match missing {
        0 => received.saturating_mul(2).checked_next_power_of_two().unwrap_or(usize::MAX),
        // Or else the last bytes would need a copy of all.
        missing if missing <= 4 * received => received + missing,
        _ => 4 * received,
    }
}

/// Which part of a buffer has to be in use for a connection to keep it: a quarter, since what has just grown is not to
/// shrink again. Less where what is to come just fits, or each large message would be copied out of such a buffer, only
/// to need one as large soon after.
fn least_share(size: usize, expected: usize) -> usize {
    if (size / 2..=size).contains(&expected) { 32 } else { 4 }
}

impl Manager {
    /// Reads once and offers what came. Level-triggered: what is left is reported again.
    pub(super) fn read(&mut self, entry: &Rc<Entry>) {
        if entry.conn.is(Flag::Draining) {
            // Nobody is shown these any more: all the room is for what is thrown away.
            entry.conn.truncate(0, &mut self.registry.views);
            entry.consumed.set(0);
        }
        if !self.make_room(entry) {
            self.fail(entry, &Error::OutOfMemory);
            return;
        }
        let result = {
            let room = entry.conn.room_mut(&mut self.registry.views);
            match &mut *entry.socket.borrow_mut() {
                Socket::Stream(transport) => transport.read(room),
                _ => return,
            }
        };
        match result {
            Ok(0) => entry.update(|mark| {
                mark.eof = true;
                mark.offer = true;
            }),
            Ok(count) => {
                self.registry.core.counters.received(count);
                if entry.conn.is(Flag::Draining) {
                    self.throw_away(entry, count);
                } else {
                    entry.conn.fill(count, &mut self.registry.views);
                    entry.update(|mark| mark.offer = true);
                }
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(source) => {
                if entry.mark.get().tls.contains(Tls::SECURE) {
                    self.fail_secure(entry, source);
                } else {
                    self.fail(entry, &Error::Io { phase: "read", source });
                }
                // Peers that are gone together would hold a buffer each until they are reaped, behind the batch.
                self.tidy_input(entry);
            }
        }
        if entry.mark.get().tls.contains(Tls::SECURE) {
            self.after_secure_read(entry);
        }
    }

    /// Reads what a server said before it stopped listening to us: why it did, perhaps.
    pub(super) fn hear_out(&mut self, entry: &Rc<Entry>) {
        if !entry.conn.is(Flag::Client) {
            return;
        }
        // No more than the system holds, and that is bounded.
        for _ in 0..OFFER_ROUNDS {
            let before = self.registry.stats().received;
            if !entry.takes_input() || entry.mark.get().eof {
                return;
            }
            self.read(entry);
            self.offer(entry);
            if self.registry.stats().received == before {
                return;
            }
        }
    }

    /// Offers the received bytes to the protocol for as long as it takes units from them.
    pub(super) fn offer(&mut self, entry: &Rc<Entry>) {
        if self.registry.core.has_panicked() {
            // Nobody would be shown them: the mark stays for the next turn.
            return;
        }
        for _ in 0..OFFER_ROUNDS {
            if !entry.mark.get().offer {
                break;
            }
            entry.update(|mark| {
                mark.offer = false;
                mark.succeeded = false;
            });
            let before = entry.consumed.get();
            entry.output.borrow_mut().lend(&mut self.cork);
            self.offer_all(entry);
            if self.registry.core.has_panicked() {
                return;
            }
            if entry.consumed.get() == before && !entry.mark.get().succeeded {
                // The same bytes would be shown to the same handler, for ever if it asks each time.
                entry.update(|mark| mark.offer = false);
            }
        }
        let mark = entry.mark.get();
        let paused = entry.conn.is(Flag::Full) && !entry.conn.is(Flag::Draining);
        // While output waits, input may have been left alone: the end comes after it.
        let behind = mark.offer || mark.blocked;
        if mark.eof && !mark.eof_told && !entry.is_over() && !paused && !behind {
            entry.update(|mark| mark.eof_told = true);
            if entry.conn.is(Flag::Draining) {
                // Nothing more can come: no need to linger.
                entry.update(|mark| mark.linger = false);
                if entry.mark.get().lingering {
                    self.registry.core.doom(entry);
                }
            } else {
                let cut_off = mark.tls.contains(Tls::CUT_OFF);
                self.with_protocol(entry, |protocol, connection| {
                    if cut_off { protocol.cut_off(connection) } else { protocol.ended(connection) }
                });
            }
        }
    }

    fn offer_all(&mut self, entry: &Rc<Entry>) {
        // The protocol sees what it decoded also where nothing is left of it.
        let mut decoded = false;
        loop {
            if !entry.takes_input() {
                return;
            }
            if entry.output.borrow().len() > entry.limits.output {
                // The peer does not read its replies: take no more requests until it does.
                entry.update(|mark| mark.blocked = true);
                return;
            }
            if !decoded && entry.consumed.get() >= entry.conn.received(&self.registry.views).len() {
                return;
            }
            decoded = false;
            match self.with_protocol(entry, |protocol, connection| protocol.receive(connection)) {
                Some(Step::Again) => {}
                Some(Step::Decode) if entry.mark.get().succeeded => {
                    // Another has taken over meanwhile, and is shown the bytes as they came.
                    entry.update(|mark| mark.offer = true);
                    return;
                }
                Some(Step::Decode) => {
                    self.decode(entry);
                    decoded = true;
                }
                Some(Step::Wait) | None => return,
            }
        }
    }

    fn decode(&mut self, entry: &Rc<Entry>) {
        let Some(mut protocol) = entry.protocol.take() else { return };
        let consumed = entry.consumed.get();
        let input = entry.conn.received_mut(&mut self.registry.views);
        let left = protocol.decode(&mut input[consumed..]);
        entry.conn.truncate(consumed + left, &mut self.registry.views);
        *entry.protocol.borrow_mut() = Some(protocol);
    }

    /// Sees to it that there is room to read into: a buffer on loan for a connection that keeps nothing, its own
    /// otherwise, which grows when it is full.
    fn make_room(&mut self, entry: &Entry) -> bool {
        let views = &mut self.registry.views;
        let received = entry.conn.received(views).len();
        if received == 0 {
            let Some(buffer) = self.pool.take() else { return false };
            if let Some(before) = entry.conn.lend(buffer, 0, views) {
                self.pool.put(before);
            }
            return true;
        }
        let room = entry.conn.room_mut(views).len();
        let missing = (entry.expected.get() as usize).saturating_sub(received);
        if room >= received.min(READ_BUFFER) / 2 || (missing > 0 && room >= missing) {
            return true;
        }
        let size = room_for(received, missing).max(READ_BUFFER);
        let Some(mut larger) = self.pool.take_near(size) else { return false };
        larger[..received].copy_from_slice(entry.conn.received(views));
        if let Some(before) = entry.conn.lend(larger, received, views) {
            self.pool.put(before);
        }
        true
    }

    /// Frees what was consumed, and takes the buffer back: what is incomplete and small moves to one of its own size.
    pub(super) fn tidy_input(&mut self, entry: &Entry) {
        let views = &mut self.registry.views;
        let consumed = entry.consumed.take();
        let received = entry.conn.received(views).len();
        let rest = received - consumed.min(received);
        if rest == 0 {
            entry.expected.set(0);
            if let Some(buffer) = entry.conn.take_back(views) {
                self.pool.put(buffer);
            }
            return;
        }
        let expected = (entry.expected.get() as usize).saturating_sub(consumed);
        entry.expected.set(expected as u32);
        let size = received + entry.conn.room_mut(views).len();
        if size >= READ_BUFFER && rest <= size / least_share(size, expected) {
            let own = room_for(rest, expected.saturating_sub(rest)).max(KEEP_MIN);
            if Pool::rounded(own) < size
                && let Some(mut own) = self.pool.take_near(own)
            {
                own[..rest].copy_from_slice(&entry.conn.received(views)[consumed..]);
                if let Some(large) = entry.conn.lend(own, rest, views) {
                    self.pool.put(large);
                }
                return;
            }
        }
        if consumed > 0 {
            entry.conn.received_mut(views).copy_within(consumed.., 0);
            entry.conn.truncate(rest, views);
        }
    }

    /// Ends our direction and waits for the peer's end: a close with unread input would reset the connection, and the
    /// peer might never see the reply.
    pub(super) fn linger(&mut self, entry: &Rc<Entry>) {
        let ended = match &*entry.socket.borrow() {
            Socket::Stream(transport) => transport.shutdown_write(),
            _ => Ok(()),
        };
        if ended.is_err() {
            self.registry.core.doom(entry);
            return;
        }
        entry.update(|mark| mark.lingering = true);
        entry.conn.truncate(0, &mut self.registry.views);
        entry.consumed.set(0);
        self.deadline(LINGER, Action::Close(entry.id));
    }

    fn throw_away(&mut self, entry: &Rc<Entry>, count: usize) {
        match entry.appetite.get().checked_sub(count) {
            Some(left) => entry.appetite.set(left),
            None => self.registry.core.doom(entry),
        }
    }

    /// Sets a deadline of the engine's own.
    pub(super) fn deadline(&mut self, delay: Duration, action: Action) {
        // Not the turn's time: a handler may have taken longer than the delay since.
        let due = Instant::now() + delay;
        self.registry.core.timers.borrow_mut().add(due, None, action);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::net::TcpStream;
    use std::time::Duration;

    use super::*;
    use crate::{Connection, Event};

    #[test]
    fn a_buffer_is_bounded_by_what_has_come_whatever_is_claimed() {
        for received in [1, 100, 511, 1448, 65_536, 1 << 20] {
            for missing in [1, 2, 1000, 100_000, 3 << 20, u32::MAX as usize] {
                let room = room_for(received, missing);
                assert!(received < room && room <= 5 * received, "{room} for {received} and {missing}");
                assert!(room <= received + missing, "no more than is asked for");
            }
            assert!((2 * received..4 * received).contains(&room_for(received, 0)));
        }
        assert_eq!(room_for(65_536, 34_464), 100_000);
        assert_eq!(room_for(usize::MAX, 0), usize::MAX);
    }

    #[test]
    fn who_is_about_to_fill_a_buffer_keeps_it_for_a_part_of_what_others_need() {
        let size = (1 << 20) + READ_BUFFER;
        assert_eq!(least_share(size, (1 << 20) + 14), 32, "a message that needs it");
        for expected in [0, 1000, READ_BUFFER, size / 2 - 1, size + 1] {
            assert_eq!(least_share(size, expected), 4, "one of {expected} is better off in another");
        }
    }

    #[test]
    fn a_unit_of_known_length_is_copied_half_as_often_as_one_of_unknown_length() {
        // How many bytes growing copies, until a megabyte and a head are there.
        let copied = |known: bool| {
            let (whole, mut size, mut copied) = ((1 << 20) + 14, READ_BUFFER, 0);
            while size < whole {
                copied += size;
                size = Pool::rounded(room_for(size, if known { whole - size } else { 0 }));
            }
            copied
        };
        assert_eq!((copied(true), copied(false)), (320 << 10, 1984 << 10));
    }

    #[test]
    fn peers_that_are_gone_together_share_a_buffer() {
        const PEERS: usize = 50;
        let mut manager = Manager::new().expect("a manager");
        let ends = Rc::new(Cell::new((0, 0)));
        let counts = Rc::clone(&ends);
        let listener = manager
            .tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
                let (accepted, closed) = counts.get();
                match event {
                    Event::Accept => {
                        counts.set((accepted + 1, closed));
                        // Whoever closes without having read this resets the connection.
                        connection.send(b"unread".as_slice())
                    }
                    Event::Close => {
                        counts.set((accepted, closed + 1));
                        Ok(())
                    }
                    _ => Ok(()),
                }
            })
            .expect("a free port");
        let connect = |_| TcpStream::connect(listener.local_addr()).expect("to connect");
        let peers: Vec<TcpStream> = (0..PEERS).map(connect).collect();
        let until = |manager: &mut Manager, wanted: (usize, usize)| {
            for _ in 0..1000 {
                if ends.get() == wanted {
                    return;
                }
                manager.poll(Duration::from_millis(10)).expect("to poll");
            }
            panic!("{:?} instead of {wanted:?}", ends.get());
        };
        until(&mut manager, (PEERS, 0));
        for peer in &peers {
            peer.peek(&mut [0]).expect("it has come");
        }
        drop(peers);
        until(&mut manager, (PEERS, PEERS));
        assert_eq!(manager.pool.kept(), 1);
    }
}
