//! Streams that somebody else opened.

use std::cell::RefCell;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use super::entry::OurEnd;
use super::transport::{Socket, Transport};
use super::{ConnectionId, Limits, Registry};
use crate::Error;
use crate::ffi::{self, Flag};
use crate::net::{Handler, Stream};

impl Registry {
    /// Takes over a stream that is open already: a connected [`TcpStream`](std::net::TcpStream) or
    /// [`UnixStream`](std::os::unix::net::UnixStream), one of a pair of these, an end of a
    /// [pipe](std::io::pipe), a terminal, what a child reads or writes.
    ///
    /// It is there at once: nobody is told that it is, and it can be [sent](crate::Connection::send) to when this returns.
    /// One end of a pipe carries bytes in its direction alone. Our end of what is no socket reaches the other side when
    /// it closes: [`drain`](crate::Connection::drain) after the last byte.
    ///
    /// The descriptor becomes non-blocking. So do others that were made from it, such as the standard streams of a
    /// program that were opened as one terminal.
    ///
    /// ```
    /// # let mut manager = mongoose::Manager::new()?;
    /// use std::io::Read;
    /// use std::os::unix::net::UnixStream;
    /// use mongoose::{Connection, Event};
    ///
    /// let (ours, mut theirs) = UnixStream::pair().map_err(mongoose::Error::handler)?;
    /// let id = manager.wrap_fd(ours, |_: &Connection<'_>, _: Event<'_>| Ok(()))?;
    /// manager.connection(id)?.send("hello")?;
    /// manager.poll(std::time::Duration::ZERO)?;
    /// let mut greeting = [0; 5];
    /// theirs.read_exact(&mut greeting).map_err(mongoose::Error::handler)?;
    /// assert_eq!(&greeting, b"hello");
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Io`] for what is no stream: a socket that is not connected, or of datagrams, and a file or folder, for
    /// which a loop cannot wait. [`Error::ShuttingDown`] while the manager is dropped.
    #[doc(alias = "mg_wrapfd")]
    pub fn wrap_fd(
        &self,
        descriptor: impl Into<OwnedFd>,
        handler: impl Handler,
    ) -> Result<ConnectionId, Error> {
        self.wrap_fd_within(descriptor, Limits::default(), handler)
    }

    /// As [`wrap_fd`](Self::wrap_fd), within limits of choice: what it may leave unread and unsent, and for how long.
    ///
    /// # Errors
    /// As there.
    pub fn wrap_fd_within(
        &self,
        descriptor: impl Into<OwnedFd>,
        limits: Limits,
        handler: impl Handler,
    ) -> Result<ConnectionId, Error> {
        let core = &self.core;
        core.check_open()?;
        let failed = |source| Error::Io { phase: "take over a descriptor", source };
        let taken = ffi::take_stream(descriptor.into()).map_err(failed)?;
        let transport = match taken.stream {
            ffi::Stream::Socket(stream) => Transport::Plain(stream),
            ffi::Stream::File(file) => Transport::Descriptor(file),
        };
        let remote = transport.remote_addr();
        let entry = core.adopt(Socket::Stream(transport), Rc::new(limits))?;
        entry.conn.set(Flag::Client, true);
        entry.remote.set(remote);
        if !taken.reads {
            // There is no direction of theirs, and so no end of it.
            entry.update(|mark| {
                mark.eof = true;
                mark.eof_told = true;
            });
            entry.our_end.set(OurEnd::Open);
        }
        // What cannot be waited for is refused as it came.
        let ready = core.watch(&entry, 0).and_then(|()| {
            let set = entry.socket.borrow().with_source(ffi::set_nonblocking);
            set.unwrap_or(Ok(()))
        });
        if let Err(source) = ready {
            core.doom(&entry);
            return Err(failed(source));
        }
        *entry.protocol.borrow_mut() = Some(Stream::boxed(Rc::new(RefCell::new(handler))));
        Ok(entry.id)
    }
}
