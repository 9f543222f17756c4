//! Between a socket and the bytes that a protocol sees: the seam for TLS.

use std::fs::File;
use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::FileExt;

use super::datagrams::Datagrams;
use crate::ffi;
#[cfg(feature = "_tls")]
use crate::tls;

/// What a listener that speaks TLS shows to its peers.
#[cfg(feature = "_tls")]
pub(super) type ServerTls = tls::ServerConfig;

/// Whom a client speaks TLS to.
#[cfg(feature = "_tls")]
pub(crate) type ClientTls = tls::Target;

/// Without TLS there is none.
#[cfg(not(feature = "_tls"))]
pub(super) type ServerTls = std::convert::Infallible;

/// Nor one of these.
#[cfg(not(feature = "_tls"))]
pub(crate) type ClientTls = std::convert::Infallible;

/// How much of a file is copied at a time where the system does not send it by itself.
const FILE_COPY: usize = 64 << 10;

/// What carries the bytes of a stream. Non-blocking: `WouldBlock` says that the selector will tell.
#[derive(Debug)]
pub(crate) enum Transport {
    Plain(TcpStream),
    /// No socket: a pipe, a terminal.
    Descriptor(File),
    #[cfg(feature = "_tls")]
    Tls(Box<tls::Session>),
}

/// What the engine has to know of a transport that keeps bytes of its own: a plain one keeps none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Held {
    /// Nothing but the handshake is written or read.
    pub(super) handshaking: bool,
    /// A read would tell something that the selector does not announce.
    pub(super) unread: bool,
    /// Records wait for room in the socket.
    pub(super) unsent: bool,
}

impl Transport {
    /// Of a connection that was accepted. `None` when it cannot be served.
    pub(super) fn accepted(stream: TcpStream, secure: Option<&ServerTls>) -> Option<Self> {
        match secure {
            None => Some(Self::Plain(stream)),
            #[cfg(feature = "_tls")]
            Some(config) => tls::Session::accept(stream, config).map(|session| Self::Tls(Box::new(session))),
            #[cfg(not(feature = "_tls"))]
            Some(never) => match *never {},
        }
    }

    /// The same over TLS, of a connection that we made. An error is why that cannot be.
    pub(super) fn secured(self, target: &ClientTls) -> Result<Self, String> {
        match self {
            #[cfg(feature = "_tls")]
            Self::Plain(stream) => {
                tls::Session::connect(stream, target).map(|session| Self::Tls(Box::new(session)))
            }
            #[cfg(feature = "_tls")]
            Self::Tls(_) => Err("TLS is spoken already".to_owned()),
            #[cfg(feature = "_tls")]
            Self::Descriptor(_) => Err("it is no socket".to_owned()),
            #[cfg(not(feature = "_tls"))]
            Self::Plain(_) | Self::Descriptor(_) => match *target {},
        }
    }

    pub(super) fn is_secure(&self) -> bool {
        !matches!(self, Self::Plain(_) | Self::Descriptor(_))
    }

    pub(super) fn held(&mut self) -> Held {
        match self {
            Self::Plain(_) | Self::Descriptor(_) => Held::default(),
            #[cfg(feature = "_tls")]
            Self::Tls(session) => Held {
                handshaking: session.is_handshaking(),
                unread: session.has_unread(),
                unsent: session.has_unsent(),
            },
        }
    }

    /// Sends what the transport itself keeps. What the socket does not take is [held](Self::held) on.
    pub(super) fn push(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) | Self::Descriptor(_) => Ok(()),
            #[cfg(feature = "_tls")]
            Self::Tls(session) => match session.push() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
                pushed => pushed,
            },
        }
    }

    /// Has the peer told, behind all that was written, that nothing follows. Once; a plain transport says so by its end.
    pub(super) fn notify_close(&mut self) {
        match self {
            Self::Plain(_) | Self::Descriptor(_) => {}
            #[cfg(feature = "_tls")]
            Self::Tls(session) => session.notify_close(),
        }
    }

    /// Why the bytes that came cannot be taken, after a read that failed with `InvalidData`.
    #[cfg(feature = "_tls")]
    pub(super) fn failure(&self) -> Option<&str> {
        match self {
            Self::Plain(_) | Self::Descriptor(_) => None,
            Self::Tls(session) => session.failure(),
        }
    }

    /// What TLS's handshake agreed on.
    #[cfg(feature = "_tls")]
    pub(super) fn negotiated(&self) -> Option<tls::Negotiated> {
        match self {
            Self::Plain(_) | Self::Descriptor(_) => None,
            Self::Tls(session) => session.negotiated(),
        }
    }

    /// Reads what has arrived; 0 when the peer has ended its direction.
    pub(super) fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(room),
            Self::Descriptor(file) => file.read(room),
            #[cfg(feature = "_tls")]
            Self::Tls(session) => session.read(room),
        }
    }

    /// Writes what the socket takes.
    pub(super) fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match (self, slices) {
            (Self::Plain(stream), [one]) => stream.write(one),
            (Self::Plain(stream), many) => stream.write_vectored(many),
            (Self::Descriptor(file), slices) => file.write_vectored(slices),
            #[cfg(feature = "_tls")]
            (Self::Tls(session), slices) => session.write(slices),
        }
    }

    /// Writes what the socket takes of `len` bytes of a file, at least one of which is asked for. Some may be left
    /// though the socket takes more. A file that ends before is an error.
    pub(super) fn write_file(&mut self, file: &File, offset: u64, len: usize) -> io::Result<usize> {
        #[cfg(feature = "_tls")]
        if let Self::Tls(session) = self
            && session.owed() > 0
        {
            // Of this file: it need not be read again.
            return session.write(&[]);
        }
        #[cfg(all(target_os = "linux", not(mongoose_portable)))]
        if let Self::Plain(stream) = self {
            match ffi::send_file(stream, file, offset, len) {
                Ok(0) => return Err(file_ended()),
                // Some file systems have no such way.
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => {}
                sent => return sent,
            }
        }
        let mut piece = vec![0; len.min(FILE_COPY)];
        match file.read_at(&mut piece, offset)? {
            0 => Err(file_ended()),
            count => self.write(&[IoSlice::new(&piece[..count])]),
        }
    }

    /// Ends our direction; what was written still arrives. What is no socket ends when it is closed.
    pub(super) fn shutdown_write(&self) -> io::Result<()> {
        self.stream().map_or(Ok(()), |stream| stream.shutdown(Shutdown::Write))
    }

    /// The error that the connection broke with.
    pub(super) fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.stream().map_or(Ok(None), TcpStream::take_error)
    }

    fn stream(&self) -> Option<&TcpStream> {
        match self {
            Self::Plain(stream) => Some(stream),
            Self::Descriptor(_) => None,
            #[cfg(feature = "_tls")]
            Self::Tls(session) => Some(session.socket()),
        }
    }

    /// The peer's address, where it has one.
    pub(super) fn remote_addr(&self) -> Option<SocketAddr> {
        self.stream()?.peer_addr().ok()
    }

    fn source(&self) -> Source<'_> {
        match self {
            Self::Plain(stream) => ffi::source_of(stream),
            Self::Descriptor(file) => ffi::source_of(file),
            #[cfg(feature = "_tls")]
            Self::Tls(session) => ffi::source_of(session.socket()),
        }
    }
}

fn file_ended() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "a file is shorter than it was")
}

/// The descriptor of an entry, in the states it goes through.
#[derive(Debug)]
pub(crate) enum Socket {
    /// The host is being looked up.
    None,
    /// The second is what it shows to its peers where it speaks TLS.
    Listener(TcpListener, Option<ServerTls>),
    Stream(Transport),
    Datagrams(Box<Datagrams>),
    /// Closed and never touched again (invariant 8).
    Closed,
}

impl Socket {
    pub(super) fn datagrams(socket: UdpSocket) -> Self {
        Self::Datagrams(Box::new(Datagrams::new(socket)))
    }

    /// Runs with what the selector knows the socket by.
    pub(super) fn with_source<R>(&self, run: impl FnOnce(Source<'_>) -> R) -> Option<R> {
        match self {
            Self::Listener(listener, _) => Some(run(ffi::source_of(listener))),
            Self::Stream(transport) => Some(run(transport.source())),
            Self::Datagrams(datagrams) => Some(run(ffi::source_of(datagrams.socket()))),
            Self::None | Self::Closed => None,
        }
    }

    /// Whether bytes have arrived that nobody has read.
    pub(super) fn has_unread(&self) -> bool {
        match self {
            Self::Stream(transport) => {
                transport.stream().is_some_and(|stream| matches!(stream.peek(&mut [0]), Ok(1)))
            }
            _ => false,
        }
    }

    pub(super) fn local_addr(&self) -> Option<SocketAddr> {
        match self {
            Self::Listener(listener, _) => listener.local_addr().ok(),
            Self::Stream(transport) => transport.stream()?.local_addr().ok(),
            Self::Datagrams(datagrams) => datagrams.socket().local_addr().ok(),
            Self::None | Self::Closed => None,
        }
    }
}

/// What a selector takes on this system.
pub(super) type Source<'a> = std::os::fd::BorrowedFd<'a>;
