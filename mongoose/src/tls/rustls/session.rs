//! One connection's TLS, on its socket.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::mem;
use std::net::TcpStream;

use rustls::{Connection, HandshakeKind, ProtocolVersion, ServerConnection};

use super::{ServerConfig, Target};
use crate::ffi::panic;
use crate::tls::{Certificate, Negotiated, Version};

/// How often one read asks the socket, so that others have their turn: each time it takes 4 KB or more.
const RECEIVES: usize = 16;

/// What is read at a time of what nobody is shown any more.
const DISCARD: usize = 4096;

/// Bytes of a protocol on one side, TLS records in a socket on the other. No byte passes from one to the other but
/// through rustls.
#[derive(Debug)]
pub(crate) struct Session {
    socket: TcpStream,
    tls: Connection,
    /// How much of what [`write`](Self::write) was given is encrypted, but has not all left: it counts as written when it
    /// has. Until then the caller keeps it, and so knows that something waits.
    owed: usize,
    /// The peer's end, and whether [`read`](Self::read) has told.
    end: Option<End>,
    end_told: bool,
}

/// How the peer's bytes end.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    /// As they should: by a close_notify.
    Notified,
    /// The socket ended before one.
    Cut,
    /// What came is not TLS, or was tampered with, or the peer sent an alert: why.
    Failed(String),
}

impl Session {
    /// The server's side. `None` for a configuration that rustls does not take, which none of ours is.
    pub(crate) fn accept(socket: TcpStream, config: &ServerConfig) -> Option<Self> {
        let tls = ServerConnection::new(config.current()).ok()?;
        Some(Self::new(socket, tls.into()))
    }

    /// The client's side, which speaks first. An error is why it cannot.
    pub(crate) fn connect(socket: TcpStream, target: &Target) -> Result<Self, String> {
        let tls = target.connection().map_err(|error| error.to_string())?;
        Ok(Self::new(socket, tls.into()))
    }

    fn new(socket: TcpStream, tls: Connection) -> Self {
        Self { socket, tls, owed: 0, end: None, end_told: false }
    }

    /// Reads what has arrived, decrypted. 0: the peer has said that this is all. `UnexpectedEof`: it ended without.
    /// `InvalidData`: see [`failure`](Self::failure); what is read afterwards is thrown away.
    pub(crate) fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.has_failed() && self.end_told {
            let len = room.len().min(DISCARD);
            return self.socket.read(&mut [0; DISCARD][..len]);
        }
        let mut filled = 0;
        for _ in 0..RECEIVES {
            filled += self.take_decrypted(&mut room[filled..]);
            if filled == room.len() {
                return Ok(filled);
            }
            let received = match &self.end {
                Some(_) if filled > 0 => return Ok(filled),
                Some(End::Failed(_)) => return Err(self.tell_failure()),
                Some(end) => {
                    self.end_told = true;
                    return if *end == End::Notified { Ok(0) } else { Err(ErrorKind::UnexpectedEof.into()) };
                }
                None => self.receive(),
            };
            match received {
                Err(_) if filled > 0 => return Ok(filled),
                Err(error) => return Err(error),
                Ok(()) => {}
            }
        }
        // The selector reports again what is left.
        if filled > 0 { Ok(filled) } else { Err(ErrorKind::Interrupted.into()) }
    }

    /// Takes what the socket has, once, and decrypts whole records.
    fn receive(&mut self) -> io::Result<()> {
        let count = match self.tls.read_tls(&mut self.socket) {
            // Not the socket's: a message of the handshake that is longer than rustls takes.
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                self.end = Some(End::Failed(error.to_string()));
                return Ok(());
            }
            count => count?,
        };
        if count == 0 {
            let early = "the peer closed before the handshake was done";
            self.end = Some(if self.tls.is_handshaking() { End::Failed(early.to_owned()) } else { End::Cut });
            return Ok(());
        }
        // In a build with debug assertions rustls panics where an alert would follow our close_notify. It takes nothing
        // more then, as after any failure.
        match panic::catch(|| self.tls.process_new_packets()) {
            Ok(Ok(state)) if state.peer_has_closed() => self.end = Some(End::Notified),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => self.end = Some(End::Failed(error.to_string())),
            Err(payload) => {
                panic::discard(payload);
                self.end = Some(End::Failed("a bad record behind our close_notify".to_owned()));
            }
        }
        Ok(())
    }

    fn take_decrypted(&mut self, room: &mut [u8]) -> usize {
        let mut taken = 0;
        // An error says that nothing is there, or that nothing will be: `receive` has seen that.
        while let Ok(count @ 1..) = self.tls.reader().read(&mut room[taken..]) {
            taken += count;
        }
        taken
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
            if self.has_failed() {
                return Err(self.tell_failure());
            }
            if self.tls.is_handshaking() {
                return Err(ErrorKind::WouldBlock.into());
            }
            // Four full records at most: rustls holds 64 KB.
            self.owed = self.encrypt(slices, written)?;
            if self.owed == 0 {
                return Err(ErrorKind::WriteZero.into());
            }
        }
    }

    /// Encrypts what follows the first `skip` bytes.
    fn encrypt(&mut self, slices: &[IoSlice<'_>], mut skip: usize) -> io::Result<usize> {
        if let [one] = slices {
            return self.tls.writer().write(&one[skip..]);
        }
        let mut rest = Vec::with_capacity(slices.len());
        for slice in slices {
            let from = skip.min(slice.len());
            skip -= from;
            rest.push(IoSlice::new(&slice[from..]));
        }
        self.tls.writer().write_vectored(&rest)
    }

    /// Sends records that wait: of the handshake, alerts, and what [`write`](Self::write) could not send.
    pub(crate) fn push(&mut self) -> io::Result<()> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut self.socket) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Has the peer told that nothing follows: behind what waits, once.
    pub(crate) fn notify_close(&mut self) {
        self.tls.send_close_notify();
    }

    /// How much was encrypted of what the caller keeps, and not all has left.
    pub(crate) fn owed(&self) -> usize {
        self.owed
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        self.tls.is_handshaking()
    }

    /// Whether a read would tell something that the socket does not announce any more.
    pub(crate) fn has_unread(&mut self) -> bool {
        let decrypted = matches!(self.tls.reader().into_first_chunk(), Ok([_, ..]));
        decrypted || (self.end.is_some() && !self.end_told)
    }

    /// Whether records wait for room in the socket.
    pub(crate) fn has_unsent(&self) -> bool {
        self.tls.wants_write()
    }

    /// Of what failed nothing is read or written any more.
    fn tell_failure(&mut self) -> io::Error {
        self.end_told = true;
        self.owed = 0;
        ErrorKind::InvalidData.into()
    }

    /// Why the connection cannot go on.
    pub(crate) fn failure(&self) -> Option<&str> {
        match &self.end {
            Some(End::Failed(reason)) => Some(reason),
            _ => None,
        }
    }

    /// What the handshake agreed on, once it is done.
    pub(crate) fn negotiated(&self) -> Option<Negotiated> {
        if self.is_handshaking() {
            return None;
        }
        let version = match self.tls.protocol_version()? {
            ProtocolVersion::TLSv1_3 => Version::Tls13,
            _ => Version::Tls12,
        };
        let certificates = self.tls.peer_certificates().unwrap_or_default();
        Some(Negotiated {
            version,
            cipher_suite: format!("{:?}", self.tls.negotiated_cipher_suite()?.suite()),
            alpn: self.tls.alpn_protocol().map(<[u8]>::to_vec),
            server_name: match &self.tls {
                Connection::Server(server) => server.server_name().map(str::to_owned),
                Connection::Client(_) => None,
            },
            resumed: self.tls.handshake_kind() == Some(HandshakeKind::Resumed),
            peer_certificates: certificates.iter().map(|der| Certificate(der.to_vec())).collect(),
        })
    }

    fn has_failed(&self) -> bool {
        self.failure().is_some()
    }

    pub(crate) fn socket(&self) -> &TcpStream {
        &self.socket
    }
}
