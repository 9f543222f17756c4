//! What the engine holds for one connection.

use std::any::Any;
use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;

use super::connection_span::ConnectionSpan;
use super::dialing::Dialing;
use super::output::Output;
use super::timers::TimerKey;
use super::transport::Socket;
use super::{Acceptor, ConnectionId, Envelope, Interest, Limits, Protocol};
use crate::ffi::{Conn, Flag};
use crate::net::AccessList;

/// How much a draining connection throws away before it gives up on the peer.
const DRAIN_MAX: usize = 16 << 20;

/// One connection: C's struct, the socket, what waits in either direction, and what speaks on it.
///
/// Cells, because handlers reach other connections while theirs runs; no borrow is held while user code runs.
pub(crate) struct Entry {
    pub(super) id: ConnectionId,
    pub(crate) conn: Conn,
    pub(super) socket: RefCell<Socket>,
    pub(crate) output: RefCell<Output>,
    /// Out while its handler runs (invariant 5).
    pub(super) protocol: RefCell<Option<Box<dyn Protocol>>>,
    /// Out while it is entered, as the protocol is.
    pub(super) span: Cell<ConnectionSpan>,
    /// Takes over when the handler that is running has returned.
    pub(super) successor: RefCell<Option<Box<dyn Protocol>>>,
    /// What the protocol shares with whoever reaches the connection otherwise.
    pub(super) shared: RefCell<Option<Rc<dyn Any>>>,
    /// What all that is sent is wrapped in.
    pub(super) envelope: Cell<Option<&'static dyn Envelope>>,
    /// Of a listener.
    pub(super) acceptor: RefCell<Option<Acceptor>>,
    /// Of a listener with one.
    pub(super) access: OnceCell<Box<AccessList>>,
    /// While we connect.
    pub(super) dialing: RefCell<Option<Box<Dialing>>>,
    pub(super) limits: Rc<Limits>,
    pub(super) remote: Cell<Option<SocketAddr>>,
    pub(super) local: Cell<Option<SocketAddr>>,
    /// How much of the received bytes is done with; they move when no handler runs (invariant 3).
    pub(super) consumed: Cell<usize>,
    /// How many bytes, counted from the front of the received ones, the protocol needs for its next unit; 0: it cannot
    /// say.
    pub(super) expected: Cell<u32>,
    /// How many received bytes may be held before reading stops; while draining, how many may still come.
    pub(super) appetite: Cell<usize>,
    /// What the selector was told; `None`: it does not know the socket.
    pub(super) registered: Cell<Option<Interest>>,
    pub(super) mark: Cell<Mark>,
    pub(super) our_end: Cell<OurEnd>,
    /// When the protocol is to be told that time is up.
    pub(super) deadline: Cell<Option<Instant>>,
    /// When output that has not moved closes the connection.
    pub(super) write_deadline: Cell<Option<Instant>>,
    /// Since when reading is paused.
    pub(super) paused_since: Cell<Option<Instant>>,
    /// The one timer that looks at both, and when: never later than they are.
    pub(super) watchdog: Cell<Option<(TimerKey, Instant)>>,
    /// How many connections its listener has, this one included.
    pub(super) siblings: RefCell<Option<Rc<Cell<usize>>>>,
}

/// Small facts that C has no bit for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    /// In the list of entries to look at after the batch.
    pub(super) dirty: bool,
    /// In the list of entries to reap.
    pub(super) doomed: bool,
    /// The peer has ended its direction.
    pub(super) eof: bool,
    /// The protocol was told so.
    pub(super) eof_told: bool,
    /// A hang-up was seen while reading was off: out of the selector until it is on again.
    pub(super) hung: bool,
    /// Output had to wait: say so when it has left.
    pub(super) blocked: bool,
    /// Drain, then wait for the peer to read it: unread input would make the system reset the connection.
    pub(super) linger: bool,
    /// Our direction is ended; what still comes is thrown away.
    pub(super) lingering: bool,
    /// Accepting is paused until a timer fires.
    pub(super) accept_paused: bool,
    /// Offer the unconsumed bytes to the protocol again.
    pub(super) offer: bool,
    /// Another protocol waits to take over.
    pub(super) superseded: bool,
    /// Another protocol has taken over since the bytes were offered.
    pub(super) succeeded: bool,
    /// The protocol was told of an error.
    pub(super) error_told: bool,
    /// Only the protocol consumes.
    pub(super) framed: bool,
    /// The protocol has more to send, and is asked for it whenever there is room.
    pub(super) pulling: bool,
    /// What matters with TLS alone.
    pub(super) tls: Tls,
}

bitflags::bitflags! {
    /// Facts about a connection over TLS, none of which a plain one has.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(super) struct Tls: u8 {
        /// TLS is spoken.
        const SECURE = 1;
        /// Nobody is told of the connection before the handshake is done.
        const HANDSHAKING = 1 << 1;
        /// The transport has something to read that the selector does not announce.
        const UNREAD = 1 << 2;
        /// The transport has something to send besides the output.
        const UNSENT = 1 << 3;
        /// The peer's bytes ended without a close_notify.
        const CUT_OFF = 1 << 4;
        /// What was sent ends in the middle of a message: the peer is not told that this is all.
        const BROKEN = 1 << 5;
        /// TLS failed, and the handler was told.
        const FAILED = 1 << 6;
    }
}

/// When we end our direction, where that is not when the connection closes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum OurEnd {
    /// Once the peer has ended theirs, and what waits has left.
    #[default]
    AfterTheirs,
    /// When the handler says so.
    Open,
    /// Once what waits has left.
    Asked,
    Sent,
}

impl Entry {
    pub(super) fn new(id: ConnectionId, conn: Conn, socket: Socket, limits: Rc<Limits>) -> Self {
        Self {
            id,
            conn,
            socket: RefCell::new(socket),
            output: RefCell::default(),
            protocol: RefCell::new(None),
            span: Cell::default(),
            successor: RefCell::new(None),
            shared: RefCell::new(None),
            envelope: Cell::new(None),
            acceptor: RefCell::new(None),
            access: OnceCell::new(),
            dialing: RefCell::new(None),
            appetite: Cell::new(limits.received),
            limits,
            remote: Cell::new(None),
            local: Cell::new(None),
            consumed: Cell::new(0),
            expected: Cell::new(0),
            registered: Cell::new(None),
            mark: Cell::default(),
            our_end: Cell::default(),
            deadline: Cell::new(None),
            write_deadline: Cell::new(None),
            paused_since: Cell::new(None),
            watchdog: Cell::new(None),
            siblings: RefCell::new(None),
        }
    }

    /// Reads and writes the marks in one go.
    pub(super) fn update(&self, change: impl FnOnce(&mut Mark)) {
        let mut mark = self.mark.get();
        change(&mut mark);
        self.mark.set(mark);
    }

    /// Has the protocol take over that was set meanwhile. The one before is answered, for the caller to release.
    #[inline]
    pub(super) fn succeed(&self) -> Option<Box<dyn Protocol>> {
        if !self.mark.get().superseded {
            return None;
        }
        let successor = self.successor.take()?;
        self.update(|mark| {
            mark.superseded = false;
            mark.succeeded = true;
            mark.framed = false;
            // So that it may begin, also where nothing was received.
            mark.pulling = true;
        });
        if !self.mark.get().tls.contains(Tls::HANDSHAKING) {
            self.deadline.set(None);
        }
        if !self.conn.is(Flag::Draining) {
            self.appetite.set(self.limits.received);
        }
        self.protocol.replace(Some(successor))
    }

    /// Whether a listener's access list lets a peer in.
    pub(super) fn admits(&self, peer: Option<SocketAddr>) -> bool {
        self.access.get().is_none_or(|list| list.admits(peer.map(|peer| peer.ip())))
    }

    /// Closes once what waits has left. What the peer sends meanwhile is read, so that it is not stuck in sending, and
    /// thrown away.
    pub(super) fn begin_drain(&self) {
        if !self.conn.is(Flag::Draining) {
            self.conn.set(Flag::Draining, true);
            self.appetite.set(DRAIN_MAX);
            if self.envelope.get().is_some() {
                self.collect_send();
            }
            if let Some(envelope) = self.envelope.take() {
                envelope.end(&mut self.output.borrow_mut());
            }
        }
    }

    /// Whether nothing more will be sent or delivered.
    pub(super) fn is_over(&self) -> bool {
        self.conn.as_ptr().is_null() || self.conn.is(Flag::Closing)
    }

    /// Whether the protocol is shown what arrives.
    #[inline]
    pub(super) fn takes_input(&self) -> bool {
        let conn = &self.conn;
        let deaf = [Flag::Closing, Flag::Draining, Flag::Full, Flag::Connecting, Flag::Resolving];
        !conn.as_ptr().is_null() && !conn.is_any(deaf)
    }

    /// Moves what C code appended into the queue: C's bytes and ours leave in the order they were written.
    pub(crate) fn collect_send(&self) {
        if self.conn.pending_send() > 0 {
            self.conn.take_send(|bytes| match self.envelope.get() {
                Some(envelope) => envelope.seal(bytes.into(), &mut self.output.borrow_mut()),
                None => self.output.borrow_mut().gather(bytes),
            });
        }
    }

    /// Appends what `write` puts behind the bytes it is given, about `hint` bytes.
    pub(crate) fn gather_with(&self, hint: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let Some(envelope) = self.envelope.get() else {
            return self.output.borrow_mut().gather_with(hint, write);
        };
        let mut bytes = Vec::with_capacity(hint);
        write(&mut bytes);
        if !bytes.is_empty() {
            envelope.seal(bytes.into(), &mut self.output.borrow_mut());
        }
    }

    /// What the selector should watch for.
    #[inline]
    pub(super) fn wanted(&self, received: usize) -> Interest {
        let mark = self.mark.get();
        let waiting = self.output.borrow().len();
        // Nothing leaves before the handshake is done, however ready the socket is.
        let write = (waiting > 0 && !mark.tls.contains(Tls::HANDSHAKING)) || mark.tls.contains(Tls::UNSENT);
        // What waits for the handshake is no reason not to read it.
        let room = waiting <= self.limits.output || mark.tls.contains(Tls::HANDSHAKING);
        let hungry = received < self.appetite.get() && room;
        let rare =
            [Flag::Closing, Flag::Resolving, Flag::Listening, Flag::Connecting, Flag::Draining, Flag::Full];
        if !self.conn.is_any(rare) && !self.conn.as_ptr().is_null() {
            return Interest { read: !mark.eof && hungry, write };
        }
        self.wanted_rarely(mark, hungry, write)
    }

    #[cold]
    fn wanted_rarely(&self, mark: Mark, hungry: bool, write: bool) -> Interest {
        if self.is_over() || self.conn.is(Flag::Resolving) {
            return Interest::default();
        }
        if self.conn.is(Flag::Connecting) {
            return Interest { read: false, write: true };
        }
        if self.conn.is(Flag::Listening) {
            let read = !mark.accept_paused && !self.conn.is(Flag::Draining);
            return Interest { read, write: self.datagrams_wait() };
        }
        let draining = self.conn.is(Flag::Draining);
        let paused = self.conn.is(Flag::Full) && !mark.tls.contains(Tls::HANDSHAKING);
        Interest { read: !mark.eof && (draining || (hungry && !paused)), write }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("id", &self.id).field("mark", &self.mark.get()).finish_non_exhaustive()
    }
}
