//! One connection's TLS, on its socket.

use std::io::{self, ErrorKind, IoSlice, Read};
use std::mem;
use std::net::TcpStream;

use super::chosen::{Connection, ServerConfig, Target};
use super::negotiated::Negotiated;

/// How often one read asks the socket for what makes sense to nobody yet, so that others have their turn.
const RECEIVES: usize = 16;

/// What is read at a time of what nobody is shown any more.
const DISCARD: usize = 4096;

/// How the peer's bytes end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// As they should: by a close_notify.
    Notified,
    /// The socket ended before one.
    Cut,
    /// What came is not TLS, or was tampered with, or the peer sent an alert: why.
    Failed(String),
}

impl End {
    /// How it is when the socket ends.
    pub(super) fn of_socket(handshaking: bool) -> Self {
        let early = "the peer closed before the handshake was done";
        if handshaking { Self::Failed(early.to_owned()) } else { Self::Cut }
    }
}

/// Bytes of a protocol on one side, TLS records in a socket on the other. No byte passes from one to the other but
/// through [`Connection`], which each backend has its own of.
#[derive(Debug)]
pub(crate) struct Session {
    socket: TcpStream,
    tls: Connection,
    /// How much of what [`write`](Self::write) was given is encrypted, but has not all left: it counts as written when it
    /// has. Until then the caller keeps it, and so knows that something waits.
    owed: usize,
    /// Whether [`read`](Self::read) has told of the peer's end.
    end_told: bool,
}

impl Session {
    /// The server's side. `None` for a configuration that the backend does not take, which none of ours is.
    pub(crate) fn accept(socket: TcpStream, config: &ServerConfig) -> Option<Self> {
        Some(Self::new(socket, Connection::server(config).ok()?))
    }

    /// The client's side, which speaks first. An error is why it cannot.
    pub(crate) fn connect(socket: TcpStream, target: &Target) -> Result<Self, String> {
        Ok(Self::new(socket, Connection::client(target)?))
    }

    fn new(socket: TcpStream, tls: Connection) -> Self {
        Self { socket, tls, owed: 0, end_told: false }
    }

    /// Reads what has arrived, decrypted. 0: the peer has said that this is all. `UnexpectedEof`: it ended without.
    /// `InvalidData`: see [`failure`](Self::failure); what is read afterwards is thrown away.
    pub(crate) fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.end_told && self.failure().is_some() {
            let length = room.len().min(DISCARD);
            return self.socket.read(&mut [0; DISCARD][..length]);
        }
        // Of what is left the selector reports again.
        if let filled @ 1.. = self.tls.read(room) {
            return Ok(filled);
        }
        for _ in 0..RECEIVES {
            match self.tls.end() {
                None => {
                    if let filled @ 1.. = self.tls.receive(&mut self.socket, room)? {
                        return Ok(filled);
                    }
                }
                Some(End::Failed(_)) => return Err(self.tell_failure()),
                Some(end) => {
                    let notified = *end == End::Notified;
                    self.end_told = true;
                    return if notified { Ok(0) } else { Err(ErrorKind::UnexpectedEof.into()) };
                }
            }
        }
        Err(ErrorKind::Interrupted.into())
    }

    /// Encrypts and sends as much as the socket takes. What counts is what has left: the caller keeps the rest, and gives
    /// the same bytes first the next time. Nothing before the handshake is done. `InvalidData`: as of
    /// [`read`](Self::read).
    pub(crate) fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let total: usize = slices.iter().map(|slice| slice.len()).sum();
        let mut written = 0;
        loop {
            match self.push() {
                Ok(()) => written += mem::take(&mut self.owed),
                Err(_) if written > 0 => return Ok(written),
                Err(error) => return Err(error),
            }
            if written >= total {
                return Ok(written);
            }
            if self.failure().is_some() {
                return Err(self.tell_failure());
            }
            if self.tls.is_handshaking() {
                return Err(ErrorKind::WouldBlock.into());
            }
            self.owed = self.tls.encrypt(slices, written);
            if self.owed == 0 && self.failure().is_none() {
                return Err(ErrorKind::WriteZero.into());
            }
        }
    }

    /// Sends records that wait: of the handshake, alerts, and what [`write`](Self::write) could not send.
    pub(crate) fn push(&mut self) -> io::Result<()> {
        self.tls.send(&mut self.socket)
    }

    /// Has the peer told that nothing follows: behind what waits, once.
    pub(crate) fn notify_close(&mut self) {
        self.tls.notify_close();
    }

    /// How much was encrypted of what the caller keeps, and not all has left.
    pub(crate) fn owed(&self) -> usize {
        self.owed
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        self.tls.is_handshaking()
    }

    /// Whether a read would tell something that the socket does not announce any more.
    pub(crate) fn has_unread(&self) -> bool {
        self.tls.has_unread() || (self.tls.end().is_some() && !self.end_told)
    }

    /// Whether records wait for room in the socket.
    pub(crate) fn has_unsent(&self) -> bool {
        self.tls.has_unsent()
    }

    /// Of what failed nothing is read or written any more.
    fn tell_failure(&mut self) -> io::Error {
        self.end_told = true;
        self.owed = 0;
        ErrorKind::InvalidData.into()
    }

    /// Why the connection cannot go on.
    pub(crate) fn failure(&self) -> Option<&str> {
        match self.tls.end() {
            Some(End::Failed(reason)) => Some(reason),
            _ => None,
        }
    }

    /// What the handshake agreed on, once it is done.
    pub(crate) fn negotiated(&self) -> Option<Negotiated> {
        self.tls.negotiated()
    }

    pub(crate) fn socket(&self) -> &TcpStream {
        &self.socket
    }
}
