//! Connections over TLS: what the loop does for them besides. Cold, all of it, to stay out of the way of those without.

use std::io;
use std::rc::Rc;
use std::time::Instant;

use super::entry::Tls;
use super::transport::{ClientTls, Held, Socket};
use super::{Entry, Manager};
use crate::Error;

impl Manager {
    /// Of a connection that is there, and nobody is told of until TLS is.
    #[cold]
    pub(super) fn begin_handshake(&mut self, entry: &Rc<Entry>) {
        entry.update(|mark| {
            mark.tls.insert(Tls::SECURE);
            mark.tls.insert(Tls::HANDSHAKING);
        });
        entry.deadline.set(self.registry.core.clock.now().checked_add(entry.limits.handshake_time));
    }

    /// Has a connection that we made speak TLS, before anything else.
    #[cold]
    pub(super) fn begin_tls(&mut self, entry: &Rc<Entry>, target: &ClientTls, until: Option<Instant>) {
        let secured = match entry.socket.replace(Socket::None) {
            Socket::Stream(transport) => transport.secured(target),
            _ => Err("the connection is gone".to_owned()),
        };
        match secured {
            Ok(transport) => {
                *entry.socket.borrow_mut() = Socket::Stream(transport);
                self.begin_handshake(entry);
                // It is part of making the connection.
                entry.deadline.set([entry.deadline.get(), until].into_iter().flatten().min());
                self.note_held(entry);
            }
            #[cfg(feature = "_tls")]
            Err(reason) => self.fail(entry, &Error::Tls { phase: "handshake", reason }),
            #[cfg(not(feature = "_tls"))]
            Err(_) => self.fail(entry, &Error::Closed),
        }
    }

    /// Looks at what the transport holds.
    #[cold]
    pub(super) fn note_held(&mut self, entry: &Rc<Entry>) -> Held {
        let held = match &mut *entry.socket.borrow_mut() {
            Socket::Stream(transport) => transport.held(),
            _ => Held::default(),
        };
        entry.update(|mark| {
            mark.tls.set(Tls::UNREAD, held.unread);
            mark.tls.set(Tls::UNSENT, held.unsent);
        });
        held
    }

    /// What arrived with the last of the handshake is offered after this.
    #[cold]
    pub(super) fn after_secure_read(&mut self, entry: &Rc<Entry>) {
        let held = self.note_held(entry);
        if entry.mark.get().tls.contains(Tls::HANDSHAKING) && !held.handshaking && !entry.is_over() {
            entry.update(|mark| mark.tls.remove(Tls::HANDSHAKING));
            entry.deadline.set(None);
            self.with_protocol(entry, |protocol, connection| protocol.opened(connection));
        }
    }

    /// Reads what the transport holds: the selector does not announce it.
    #[cold]
    pub(super) fn read_held(&mut self, entry: &Rc<Entry>) {
        if self.wants_read(entry) {
            self.read(entry);
        }
    }

    /// Whether there is anybody to read for.
    pub(super) fn wants_read(&self, entry: &Rc<Entry>) -> bool {
        entry.wanted(entry.conn.received(&self.registry.views).len()).read
    }

    /// Takes what reading from TLS failed with, or writing to it.
    #[cold]
    pub(super) fn fail_secure(&mut self, entry: &Rc<Entry>, source: io::Error) {
        match source.kind() {
            io::ErrorKind::UnexpectedEof => entry.update(|mark| {
                mark.eof = true;
                mark.tls.insert(Tls::CUT_OFF);
                mark.offer = true;
            }),
            #[cfg(feature = "_tls")]
            io::ErrorKind::InvalidData => self.fail_tls(entry, &source),
            _ => self.fail(entry, &Error::Io { phase: "read", source }),
        }
    }

    /// Tells the handler why, and gives the peer the alert and the time to read it: what else it sends is thrown away.
    #[cfg(feature = "_tls")]
    fn fail_tls(&mut self, entry: &Rc<Entry>, source: &io::Error) {
        let core = Rc::clone(&self.registry.core);
        let reason = match &*entry.socket.borrow() {
            Socket::Stream(transport) => transport.failure().map(str::to_owned),
            _ => None,
        };
        let reason = reason.unwrap_or_else(|| source.to_string());
        let phase = if entry.mark.get().tls.contains(Tls::HANDSHAKING) { "handshake" } else { "traffic" };
        let told = entry.mark.get().tls.contains(Tls::FAILED);
        entry.update(|mark| {
            mark.tls.remove(Tls::HANDSHAKING);
            mark.tls.insert(Tls::BROKEN);
            mark.tls.insert(Tls::FAILED);
            mark.linger = true;
            mark.pulling = false;
        });
        entry.deadline.set(None);
        if !told {
            let error = Error::Tls { phase, reason };
            self.tell_failure(entry, &error);
        }
        // None of it can leave any more, nor is it to be said to have left; and there is no end to be put behind it.
        entry.envelope.set(None);
        entry.update(|mark| mark.blocked = false);
        let unsent = entry.output.take();
        for payload in unsent.into_kept() {
            core.release(Some(payload));
        }
        entry.begin_drain();
    }

    /// Has the peer told that this is all, unless it is not. Whether that has left.
    #[cold]
    pub(super) fn say_end(&mut self, entry: &Rc<Entry>) -> bool {
        let broken = entry.mark.get().tls.contains(Tls::BROKEN);
        let pushed = match &mut *entry.socket.borrow_mut() {
            Socket::Stream(transport) => {
                if !broken {
                    transport.notify_close();
                }
                transport.push()
            }
            _ => return true,
        };
        // Where nothing can be written any more, nobody can be told.
        if pushed.is_err() || !self.note_held(entry).unsent {
            return true;
        }
        if entry.write_deadline.get().is_none() {
            entry.write_deadline.set(self.registry.core.clock.now().checked_add(entry.limits.write_time));
        }
        false
    }
}
