//! One connection, as handlers and the program see it.

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::entry::{OurEnd, Tls};
use super::transport::Socket;
use super::{ConnectionId, Entry, Envelope, Handle, Limits, Payload, Protocol, Registry};
use crate::ffi::{Flag, NestedEvent};
use crate::net::{Handler, Stream};
use crate::{Error, sys};

/// Borrowed payloads of this size are worth a system call of their own rather than a copy.
const WRITE_THROUGH: usize = 16 << 10;

/// A body that is made on demand is asked for more while less than this waits.
pub(super) const PULL_BELOW: usize = 64 << 10;

bitflags::bitflags! {
    /// What a connection is and does: the bits of C's `struct mg_connection`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct State: u32 {
        /// Accepts others.
        #[doc(alias = "is_listening")]
        const LISTENING = 1;
        /// We connected.
        #[doc(alias = "is_client")]
        const CLIENT = 1 << 1;
        /// A listener accepted it.
        #[doc(alias = "is_accepted")]
        const ACCEPTED = 1 << 2;
        /// The host's name is being looked up.
        #[doc(alias = "is_resolving")]
        const RESOLVING = 1 << 3;
        /// The connection is being made.
        #[doc(alias = "is_connecting")]
        const CONNECTING = 1 << 4;
        /// Closes once all that waits to be sent has left.
        #[doc(alias = "is_draining")]
        const DRAINING = 1 << 5;
        /// Closes after the events at hand.
        #[doc(alias = "is_closing")]
        const CLOSING = 1 << 6;
        /// Reading is paused.
        #[doc(alias = "is_full")]
        const PAUSED = 1 << 7;
        /// A reply is due.
        #[doc(alias = "is_resp")]
        const RESPONDING = 1 << 8;
        /// It speaks TLS.
        #[doc(alias = "is_tls")]
        const TLS = 1 << 9;
        /// It speaks WebSocket.
        #[doc(alias = "is_websocket")]
        const WEBSOCKET = 1 << 10;
    }
}

/// A connection of a manager, for as long as an event lasts (or the manager is borrowed).
///
/// All methods work through `&self`: what would disturb a running handler (consuming received bytes, closing, replacing
/// the handler) is recorded and done after it returned. Keep [`id`](Self::id) to find the connection again.
#[derive(Clone)]
pub struct Connection<'r> {
    registry: &'r Registry,
    pub(crate) entry: Rc<Entry>,
}

impl<'r> Connection<'r> {
    pub(super) fn new(registry: &'r Registry, entry: Rc<Entry>) -> Self {
        Self { registry, entry }
    }

    /// What names the connection once this borrow is over.
    pub fn id(&self) -> ConnectionId {
        self.entry.id
    }

    /// The registry of the connection's manager: to listen, connect, find others, set timers.
    pub fn registry(&self) -> &'r Registry {
        self.registry
    }

    /// A handle for other threads.
    pub fn handle(&self) -> Handle {
        self.registry.handle()
    }

    /// What the connection is and does.
    pub fn state(&self) -> State {
        let bits = [
            (Flag::Listening, State::LISTENING),
            (Flag::Client, State::CLIENT),
            (Flag::Accepted, State::ACCEPTED),
            (Flag::Resolving, State::RESOLVING),
            (Flag::Connecting, State::CONNECTING),
            (Flag::Draining, State::DRAINING),
            (Flag::Closing, State::CLOSING),
            (Flag::Full, State::PAUSED),
            (Flag::Responding, State::RESPONDING),
            (Flag::Websocket, State::WEBSOCKET),
        ];
        let of_c = bits.into_iter().filter(|(flag, _)| self.entry.conn.is(*flag)).map(|(_, state)| state);
        of_c.chain(self.entry.mark.get().tls.contains(Tls::SECURE).then_some(State::TLS)).collect()
    }

    /// Our address and port. `None` before a connection has one.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        if self.entry.local.get().is_none() {
            self.entry.local.set(self.entry.socket.borrow().local_addr());
        }
        self.entry.local.get()
    }

    /// The peer's address and port. `None` for a listener, and before a host's name is looked up.
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        self.entry.remote.get()
    }

    /// What TLS's handshake agreed on, the peer's certificates among that. `None` for a plain connection, and before the
    /// handshake is done.
    ///
    /// ```
    /// # let manager = mongoose::Manager::new()?;
    /// # let handler =
    /// |request: mongoose::http::Request<'_>, reply: mongoose::http::Reply<'_>| {
    ///     match request.connection().tls().and_then(|tls| tls.peer_certificates.into_iter().next()) {
    ///         Some(certificate) => reply.text(format!("a certificate of {} bytes", certificate.as_der().len())),
    ///         None => reply.status(403).text("who are you?"),
    ///     }
    /// }
    /// # ;
    /// # manager.http("http://127.0.0.1:0", handler)?;
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    #[cfg(feature = "_tls")]
    pub fn tls(&self) -> Option<crate::tls::Negotiated> {
        match &*self.entry.socket.borrow() {
            Socket::Stream(transport) => transport.negotiated(),
            _ => None,
        }
    }

    /// The limits of the listener that accepted it.
    pub fn limits(&self) -> &Limits {
        &self.entry.limits
    }

    /// Appends bytes to what is to be sent. They leave when the handler has returned, in the order of the calls.
    ///
    /// On a connection that speaks HTTP they go where they are, between replies or into the body of one: that is for who
    /// frames them.
    ///
    /// # Errors
    /// [`Error::Closed`] when the connection is closing, draining, a listener or at our [end](Self::end);
    /// [`Error::OutputFull`] when something
    /// waits already and it would be more than [`Limits::output`]: nothing of `bytes` is taken then, and
    /// [`Event::Write`](crate::Event::Write) comes once all that waits has left.
    #[doc(alias = "mg_send")]
    pub fn send<'b>(&self, bytes: impl Into<Payload<'b>>) -> Result<(), Error> {
        let bytes = bytes.into();
        self.check_room(bytes.len(), self.entry.limits.output)?;
        self.append(bytes);
        Ok(())
    }

    /// Whether so many bytes may be appended. When they may not, the protocol is told once all that waits has left.
    #[inline]
    pub(crate) fn check_room(&self, bytes: usize, limit: usize) -> Result<(), Error> {
        if !self.takes_output() {
            return Err(Error::Closed);
        }
        self.entry.collect_send();
        let waiting = self.entry.output.borrow().len();
        if waiting > 0 && waiting.saturating_add(bytes) > limit {
            self.wait_for_room();
            return Err(Error::OutputFull { limit });
        }
        Ok(())
    }

    /// Has the protocol [told](Protocol::written) once all that waits has left, also where the socket takes it at once.
    pub(crate) fn wait_for_room(&self) {
        self.entry.update(|mark| mark.blocked = true);
        self.touch();
    }

    /// How many bytes wait to be sent.
    pub fn queued(&self) -> usize {
        self.entry.output.borrow().len() + self.entry.conn.pending_send()
    }

    /// A copy of the bytes that wait to be sent.
    pub fn queued_bytes(&self) -> Vec<u8> {
        self.entry.collect_send();
        self.entry.output.borrow().to_vec()
    }

    /// The bytes received and not yet consumed, as they lie in the receive buffer. They stay where they are as long as
    /// the view: an echo is `connection.send(connection.received())`.
    pub fn received(&self) -> &'r [u8] {
        let all = self.entry.conn.received(&self.registry.views);
        &all[self.entry.consumed.get().min(all.len())..]
    }

    /// Is done with the first `count` of the received bytes (all of them, where there are fewer). They are freed after
    /// the handler returned; views of them stay valid until then.
    ///
    /// It does nothing while the connection speaks HTTP: a request is consumed when it was handled.
    pub fn consume(&self, count: usize) {
        if !self.entry.mark.get().framed {
            self.consume_unit(count);
        }
    }

    /// As [`consume`](Self::consume), for the protocol itself.
    pub(crate) fn consume_unit(&self, count: usize) {
        let all = self.entry.conn.received(&self.registry.views).len();
        self.entry.consumed.set(self.entry.consumed.get().saturating_add(count).min(all));
        self.touch();
    }

    /// Says how many of the received bytes, with those to come, the protocol's next unit takes, while it waits for them:
    /// then the buffer grows to that, in fewer steps. It need not be true: what a peer claims has it no more memory than
    /// what it sends.
    pub(crate) fn expect(&self, bytes: usize) {
        let before = self.entry.consumed.get();
        self.entry.expected.set(u32::try_from(before.saturating_add(bytes)).unwrap_or(u32::MAX));
    }

    /// Stops reading; what the peer sends waits with the system.
    pub fn pause(&self) {
        if !self.is_paused() {
            self.entry.paused_since.set(Some(Instant::now()));
        }
        self.entry.conn.set(Flag::Full, true);
        self.touch();
    }

    /// Reads again.
    pub fn resume(&self) {
        if self.entry.conn.is(Flag::Full) {
            self.entry.conn.set(Flag::Full, false);
            // What the peer could not do meanwhile it has time for now.
            if let Some(since) = self.entry.paused_since.take()
                && let Some(due) = self.entry.deadline.get()
            {
                self.set_deadline_at(due.checked_add(since.elapsed()));
            }
            self.entry.update(|mark| mark.offer = true);
            self.touch();
        }
    }

    /// Closes the connection after the events at hand. What waits to be sent is lost: see [`drain`](Self::drain). A peer
    /// over TLS sees that it was cut off.
    pub fn close(&self) {
        self.entry.conn.set(Flag::Closing, true);
        self.touch();
    }

    /// Closes the connection once all that waits to be sent has left, over TLS with a close_notify behind it. Nothing more
    /// can be sent or is delivered.
    pub fn drain(&self) {
        self.entry.begin_drain();
        self.touch();
    }

    /// Ends our direction once all that waits to be sent has left, and goes on receiving: the peer sees the end of what
    /// we send. Nothing more can be sent. The connection closes when the peer ends its direction too, at once where it
    /// has.
    ///
    /// It does nothing on a listener, and while the connection speaks HTTP, where messages say how long they are.
    pub fn end(&self) {
        let mark = self.entry.mark.get();
        if mark.framed || !self.takes_output() {
            return;
        }
        if mark.eof_told {
            self.drain();
            return;
        }
        self.entry.our_end.set(OurEnd::Asked);
        self.touch();
    }

    /// Lets the connection live on when the peer ends its direction, until [`end`](Self::end), [`drain`](Self::drain)
    /// or [`close`](Self::close): for an answer that comes later. To be called before
    /// [`Event::End`](crate::Event::End) has been handled; without it, the connection drains then.
    pub fn keep_open(&self) {
        if self.entry.our_end.get() == OurEnd::AfterTheirs {
            self.entry.our_end.set(OurEnd::Open);
        }
    }

    /// Reports an error: the connection's handler gets [`Event::Error`](crate::Event::Error) after the one that runs
    /// has returned, then the connection closes.
    #[doc(alias = "mg_error")]
    pub fn fail(&self, message: impl Into<String>) {
        if self.entry.is_over() {
            return;
        }
        self.entry.conn.set(Flag::Closing, true);
        let event = NestedEvent {
            token: self.entry.id.token(),
            code: sys::MG_EV_ERROR as i32,
            message: Some(message.into()),
        };
        self.registry.core.mgr.nested().report(event);
        self.touch();
    }

    /// Gives the connection another handler, for raw bytes. The running one returns first, and is dropped then.
    ///
    /// # Errors
    /// [`Error::Closed`] when the connection is closing or a listener; the handler is dropped.
    pub fn set_handler(&self, handler: impl Handler) -> Result<(), Error> {
        self.set_protocol(Stream::boxed(Rc::new(RefCell::new(handler))))
    }

    /// The C struct, for calls through [`mongoose::sys`](crate::sys). Null once closed.
    ///
    /// Sound, while this borrow lasts and on the manager's thread: functions that read the struct, append to its
    /// `send` buffer (`mg_send` on a stream, `mg_printf`, `mg_http_reply`, `mg_ws_send`, `mg_mqtt_*` encoders) or fire
    /// events (`mg_call`, `mg_error`, `mg_ws_upgrade`): events arrive after the running handler returned. Not sound:
    /// whatever frees the connection, changes its `recv` buffer, `fn`, `fn_data` or `mgr`, or does I/O of its own.
    pub fn as_raw(&self) -> *mut sys::mg_connection {
        // Whatever C does to it is seen after the running handler returned.
        self.touch();
        self.entry.conn.as_ptr()
    }

    /// Has another protocol take over after the running handler returned.
    pub(crate) fn set_protocol(&self, protocol: Box<dyn Protocol>) -> Result<(), Error> {
        if self.entry.is_over() || self.entry.conn.is(Flag::Listening) {
            return Err(Error::Closed);
        }
        // The one replaced is dropped with no borrow held: that runs user code.
        let before = self.entry.successor.replace(Some(protocol));
        drop(before);
        self.entry.update(|mark| {
            mark.superseded = true;
            mark.offer = true;
        });
        self.touch();
        Ok(())
    }

    /// Leaves something with the connection that its protocol shares with whoever else reaches it.
    pub(crate) fn set_shared(&self, shared: Rc<dyn Any>) {
        // What was there before is dropped with no borrow held.
        let before = self.entry.shared.replace(Some(shared));
        drop(before);
    }

    /// What was [left](Self::set_shared) last, where it is of this type.
    pub(crate) fn shared<T: Any>(&self) -> Option<Rc<T>> {
        self.entry.shared.borrow().clone()?.downcast().ok()
    }

    /// Marks that WebSocket is spoken, where C keeps that.
    pub(crate) fn set_websocket(&self) {
        self.entry.conn.set(Flag::Websocket, true);
    }

    /// Has all that is sent from now on wrapped.
    pub(crate) fn set_envelope(&self, envelope: &'static dyn Envelope) {
        self.entry.envelope.set(Some(envelope));
    }

    /// Ends the wrapping, for who says himself that nothing follows. `false`: it was over before.
    pub(crate) fn take_envelope(&self) -> bool {
        self.entry.envelope.take().is_some()
    }

    /// Whether anything can still be sent.
    pub(crate) fn takes_output(&self) -> bool {
        let conn = &self.entry.conn;
        let ended = matches!(self.entry.our_end.get(), OurEnd::Asked | OurEnd::Sent);
        !ended && !conn.as_ptr().is_null() && !conn.is_any([Flag::Closing, Flag::Draining, Flag::Listening])
    }

    /// Whether it is a socket of datagrams that is there.
    pub(super) fn has_datagrams(&self) -> bool {
        matches!(&*self.entry.socket.borrow(), Socket::Datagrams(_))
    }

    /// Sends a datagram; of a socket of those.
    pub(crate) fn send_datagram(&self, bytes: &[u8], to: Option<SocketAddr>) -> Result<(), Error> {
        let sent = self.entry.send_datagram(bytes, to);
        self.touch();
        self.registry.core.counters.sent(sent?);
        Ok(())
    }

    /// How many bytes of datagrams wait to be sent.
    pub(crate) fn queued_datagrams(&self) -> usize {
        self.entry.queued_datagrams()
    }

    /// Sets an option of a socket of datagrams.
    pub(crate) fn set_datagram_option(
        &self,
        set: impl FnOnce(&UdpSocket) -> io::Result<()>,
    ) -> Result<(), Error> {
        self.entry.set_datagram_option(set)
    }

    /// Whether the connection outlives the peer's end.
    pub(crate) fn is_kept_open(&self) -> bool {
        self.entry.our_end.get() == OurEnd::Open
    }

    /// Whether a reply is due, as C keeps that.
    pub(crate) fn is_responding(&self) -> bool {
        self.entry.conn.is(Flag::Responding)
    }

    /// Appends to what is to be sent, whatever its size. Large borrowed bytes leave at once, as far as the socket takes
    /// them: only the rest is copied.
    pub(crate) fn append(&self, payload: Payload<'_>) {
        let entry = &self.entry;
        let mut output = entry.output.borrow_mut();
        if let Some(envelope) = entry.envelope.get() {
            envelope.seal(payload, &mut output);
            drop(output);
            return self.touch();
        }
        let large = payload.len() >= WRITE_THROUGH && !payload.is_kept();
        let free = !entry.mark.get().blocked && !entry.conn.is(Flag::Connecting);
        if large
            && free
            && let Socket::Stream(transport) = &mut *entry.socket.borrow_mut()
        {
            let written = output.write_through(transport, payload.as_ref());
            self.registry.core.counters.sent(written);
            let waits = !output.is_empty();
            entry.update(|mark| mark.blocked = waits);
        } else {
            output.push(payload);
        }
        drop(output);
        self.touch();
    }

    /// Has the protocol told by [`expired`](Protocol::expired) after a time from now on, in place of the deadline it had.
    /// `None`, and a time past what the clock can say: never.
    #[inline]
    pub(crate) fn set_deadline(&self, after: Option<Duration>) {
        let now = self.registry.core.clock.now();
        self.set_deadline_at(after.and_then(|after| now.checked_add(after)));
    }

    /// As [`set_deadline`](Self::set_deadline), at an instant.
    #[inline]
    pub(crate) fn set_deadline_at(&self, due: Option<Instant>) {
        self.entry.deadline.set(due);
    }

    /// Moves the deadline, where there is one: also one that [`resume`](Self::resume) has moved.
    pub(crate) fn put_off_deadline(&self, by: Duration) {
        if let Some(due) = self.entry.deadline.get() {
            self.set_deadline_at(due.checked_add(by));
        }
    }

    /// Has the protocol [asked](Protocol::pull) for more output whenever there is room, or no longer.
    pub(crate) fn set_pulling(&self, pulling: bool) {
        self.entry.update(|mark| mark.pulling = pulling);
        if pulling {
            self.touch();
        }
    }

    /// Whether so little waits to be sent that more can be made.
    pub(crate) fn has_room(&self) -> bool {
        self.entry.output.borrow().len() < PULL_BELOW
    }

    /// Offers what is left of the received bytes again, and the peer's end after them, once the running handler has
    /// returned.
    pub(crate) fn offer_again(&self) {
        self.entry.update(|mark| {
            mark.offer = true;
            mark.eof_told = false;
        });
        self.touch();
    }

    /// Drains, and leaves the peer time to read although not all of its bytes were read.
    pub(crate) fn drain_and_linger(&self) {
        self.entry.update(|mark| mark.linger = true);
        self.drain();
    }

    /// As [`drain_and_linger`](Self::drain_and_linger), where what was sent ends in the middle of a message.
    pub(crate) fn drain_broken(&self) {
        self.entry.update(|mark| mark.tls.insert(Tls::BROKEN));
        self.drain_and_linger();
    }

    /// From now on the protocol alone consumes: anybody else would have it take the middle of a message for its start.
    pub(crate) fn set_framed(&self) {
        self.entry.update(|mark| mark.framed = true);
    }

    /// How many received bytes may be held before reading stops.
    pub(crate) fn set_appetite(&self, bytes: usize) {
        if !self.entry.conn.is(Flag::Draining) {
            self.entry.appetite.set(bytes);
        }
    }

    /// Whether reading is paused.
    pub(crate) fn is_paused(&self) -> bool {
        self.entry.conn.is(Flag::Full)
    }

    /// Marks that a reply is due, where C keeps that.
    pub(crate) fn set_responding(&self, due: bool) {
        self.entry.conn.set(Flag::Responding, due);
    }

    /// The time of the current turn.
    pub(crate) fn clock(&self) -> &'r super::Clock {
        &self.registry.core.clock
    }

    /// Has the engine send what waits and apply what was recorded, after the running handler returned.
    pub(crate) fn touch(&self) {
        self.registry.core.touch(&self.entry);
    }
}

impl fmt::Debug for Connection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("id", &self.id())
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
