//! Sockets that the standard library cannot make: non-blocking connects, listeners with a backlog of choice.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

#[cfg(all(target_os = "linux", not(mongoose_portable)))]
pub(crate) use unix::send_file;
#[cfg(unix)]
pub(crate) use unix::{
    accept, bind_datagrams, connect, connect_datagrams, is_shut_down, listen, set_nonblocking, source_of,
    take_datagrams, take_listener, take_stream,
};

/// How a listener, or a socket of datagrams, is bound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bind {
    /// Connections that may wait to be accepted.
    pub(crate) backlog: i32,
    /// Share the port with other listeners that ask for the same (`SO_REUSEPORT`).
    pub(crate) reuse_port: bool,
}

/// How a socket is to be that connects.
#[derive(Clone, Debug)]
pub(crate) struct Connect {
    /// Our own address, and port unless that is 0.
    pub(crate) bind: Option<SocketAddr>,
    /// `TCP_NODELAY`.
    pub(crate) no_delay: bool,
    /// After how long without a word the system asks whether the peer is there.
    pub(crate) keep_alive: Option<Duration>,
}

impl Default for Connect {
    fn default() -> Self {
        Self { bind: None, no_delay: true, keep_alive: None }
    }
}

/// What carries a stream.
#[derive(Debug)]
pub(crate) enum Stream {
    Socket(TcpStream),
    File(std::fs::File),
}

/// A descriptor of somebody else's that we took over.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) stream: Stream,
    /// Whether it can be read.
    pub(crate) reads: bool,
}

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::mem;
    use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

    use super::*;

    /// The option for how long a connection is silent before the system asks.
    #[cfg(not(target_vendor = "apple"))]
    const KEEP_ALIVE_AFTER: libc::c_int = libc::TCP_KEEPIDLE;
    #[cfg(target_vendor = "apple")]
    const KEEP_ALIVE_AFTER: libc::c_int = libc::TCP_KEEPALIVE;

    /// The longest of these, in seconds, that Linux takes.
    const KEEP_ALIVE_MAX: i32 = 32_767;

    /// What a selector takes.
    pub(crate) fn source_of(socket: &impl AsFd) -> BorrowedFd<'_> {
        socket.as_fd()
    }

    /// Binds and listens. An IPv6 wildcard takes IPv4 too, as the system has it set.
    pub(crate) fn listen(address: SocketAddr, bind: super::Bind) -> io::Result<TcpListener> {
        let socket = stream_socket(&address)?;
        set_option(&socket, libc::SOL_SOCKET, libc::SO_REUSEADDR)?;
        if bind.reuse_port {
            set_option(&socket, libc::SOL_SOCKET, libc::SO_REUSEPORT)?;
        }
        // Inherited by what is accepted on Linux; elsewhere `accept` sets it again.
        set_option(&socket, libc::IPPROTO_TCP, libc::TCP_NODELAY)?;
        bind_to(&socket, &address)?;
        // SAFETY: the descriptor is owned.
        check(unsafe { libc::listen(socket.as_raw_fd(), bind.backlog) })?;
        Ok(TcpListener::from(socket))
    }

    /// Makes a socket of datagrams. An IPv6 wildcard takes IPv4 too, as the system has it set.
    pub(crate) fn bind_datagrams(address: SocketAddr, bind: super::Bind) -> io::Result<UdpSocket> {
        let socket = datagram_socket(&address)?;
        if bind.reuse_port {
            set_option(&socket, libc::SOL_SOCKET, libc::SO_REUSEPORT)?;
        }
        bind_to(&socket, &address)?;
        Ok(UdpSocket::from(socket))
    }

    /// Makes a socket of datagrams that sends to and receives from one address.
    pub(crate) fn connect_datagrams(address: SocketAddr, options: &super::Connect) -> io::Result<UdpSocket> {
        let socket = datagram_socket(&address)?;
        if let Some(local) = &options.bind {
            bind_to(&socket, local)?;
        }
        let socket = UdpSocket::from(socket);
        // Asks nobody, and does not block.
        socket.connect(address)?;
        Ok(socket)
    }

    /// Takes over a bound socket of datagrams; any other is refused.
    pub(crate) fn take_datagrams(socket: OwnedFd) -> io::Result<UdpSocket> {
        let datagrams = get_option(&socket, libc::SOL_SOCKET, libc::SO_TYPE)? == libc::SOCK_DGRAM;
        let socket = UdpSocket::from(socket);
        // A Unix socket has no such address, and the standard library cannot say where its datagrams come from.
        if !datagrams || socket.local_addr().is_err() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a socket of datagrams"));
        }
        socket.set_nonblocking(true)?;
        Ok(socket)
    }

    /// Whether somebody who shares a socket of datagrams has shut it down: it is ready for ever then, and has nothing.
    pub(crate) fn is_shut_down(socket: &UdpSocket) -> bool {
        #[cfg(target_os = "linux")]
        const SHUT: libc::c_short = libc::POLLHUP | libc::POLLRDHUP;
        #[cfg(not(target_os = "linux"))]
        const SHUT: libc::c_short = libc::POLLHUP;
        let mut asked = libc::pollfd { fd: socket.as_raw_fd(), events: SHUT, revents: 0 };
        // SAFETY: the descriptor is open, and there is one of what the kernel reads and writes.
        unsafe { libc::poll(&raw mut asked, 1, 0) == 1 && asked.revents & SHUT != 0 }
    }

    /// Takes over what carries a stream of bytes: a connected socket, or a descriptor that is none. It blocks as before.
    pub(crate) fn take_stream(descriptor: OwnedFd) -> io::Result<super::Taken> {
        // SAFETY: the descriptor is owned; this only asks for its flags.
        let flags = check(unsafe { libc::fcntl(descriptor.as_raw_fd(), libc::F_GETFL) })?;
        let stream = match get_option(&descriptor, libc::SOL_SOCKET, libc::SO_TYPE) {
            Ok(kind) => {
                let stream = TcpStream::from(descriptor);
                if kind != libc::SOCK_STREAM || !is_connected(&stream) {
                    return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a connected stream"));
                }
                super::Stream::Socket(stream)
            }
            Err(_) => super::Stream::File(File::from(descriptor)),
        };
        Ok(super::Taken { stream, reads: flags & libc::O_ACCMODE != libc::O_WRONLY })
    }

    /// Has reads and writes not wait, also those of others who share what a descriptor stands for.
    pub(crate) fn set_nonblocking(descriptor: BorrowedFd<'_>) -> io::Result<()> {
        // SAFETY: the descriptor is open; both calls only ask for its flags and change them.
        unsafe {
            let flags = check(libc::fcntl(descriptor.as_raw_fd(), libc::F_GETFL))?;
            check(libc::fcntl(descriptor.as_raw_fd(), libc::F_SETFL, flags | libc::O_NONBLOCK))?;
        }
        Ok(())
    }

    /// Of any family, also one whose addresses the standard library does not know.
    fn is_connected(stream: &TcpStream) -> bool {
        // SAFETY: a plain C struct for which zeroes are valid.
        let mut storage: libc::sockaddr_storage = unsafe { mem::zeroed() };
        let mut length = mem::size_of::<libc::sockaddr_storage>() as libc::socklen_t;
        let into = (&raw mut storage).cast();
        // SAFETY: the descriptor is open; the kernel writes at most `length` bytes into the storage.
        unsafe { libc::getpeername(stream.as_raw_fd(), into, &raw mut length) == 0 }
    }

    /// Takes over a socket that listens already; any other is refused, because nothing could be accepted from it.
    pub(crate) fn take_listener(socket: OwnedFd) -> io::Result<TcpListener> {
        if get_option(&socket, libc::SOL_SOCKET, libc::SO_ACCEPTCONN)? == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the socket does not listen"));
        }
        // Of one that keeps messages apart, a read would cut what is longer than its room (invariant 15).
        if get_option(&socket, libc::SOL_SOCKET, libc::SO_TYPE)? != libc::SOCK_STREAM {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a socket of streams"));
        }
        // As in `listen`; a Unix socket has no such option.
        let _ = set_option(&socket, libc::IPPROTO_TCP, libc::TCP_NODELAY);
        let socket = TcpListener::from(socket);
        socket.set_nonblocking(true)?;
        Ok(socket)
    }

    /// Starts to connect; the socket becomes writable when that ended, well or not.
    pub(crate) fn connect(address: SocketAddr, options: &super::Connect) -> io::Result<TcpStream> {
        let socket = stream_socket(&address)?;
        if options.no_delay {
            set_option(&socket, libc::IPPROTO_TCP, libc::TCP_NODELAY)?;
        }
        if let Some(after) = options.keep_alive {
            set_option(&socket, libc::SOL_SOCKET, libc::SO_KEEPALIVE)?;
            // The system's own bound is lower than what an int holds.
            let seconds = i32::try_from(after.as_secs().max(1)).unwrap_or(i32::MAX).min(KEEP_ALIVE_MAX);
            set_option_to(&socket, libc::IPPROTO_TCP, KEEP_ALIVE_AFTER, seconds)?;
        }
        if let Some(local) = &options.bind {
            // A port of choice may still be in use by a connection that has ended.
            set_option(&socket, libc::SOL_SOCKET, libc::SO_REUSEADDR)?;
            bind_to(&socket, local)?;
        }
        let (storage, length) = encode(&address);
        // SAFETY: as in `listen`.
        match check(unsafe { libc::connect(socket.as_raw_fd(), (&raw const storage).cast(), length) }) {
            Ok(_) => {}
            Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
            Err(error) => return Err(error),
        }
        Ok(TcpStream::from(socket))
    }

    /// Accepts one connection, non-blocking and closed on exec.
    ///
    /// The peer of a Unix socket has no address. The standard library's `TcpStream` serves for these too: reading,
    /// writing and shutting down are the same system calls.
    pub(crate) fn accept(listener: &TcpListener) -> io::Result<(TcpStream, Option<SocketAddr>)> {
        // SAFETY: a plain C struct for which zeroes are valid.
        let mut storage: libc::sockaddr_storage = unsafe { mem::zeroed() };
        let mut length = mem::size_of::<libc::sockaddr_storage>() as libc::socklen_t;
        let into = (&raw mut storage).cast();
        // SAFETY: the listener is open; the kernel writes at most `length` bytes into the storage, and a new
        // descriptor that it answers is ours alone.
        let stream = unsafe {
            #[cfg(target_os = "linux")]
            let fd = libc::accept4(
                listener.as_raw_fd(),
                into,
                &raw mut length,
                libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC,
            );
            #[cfg(not(target_os = "linux"))]
            let fd = libc::accept(listener.as_raw_fd(), into, &raw mut length);
            TcpStream::from(OwnedFd::from_raw_fd(check(fd)?))
        };
        #[cfg(not(target_os = "linux"))]
        {
            prepare(&stream)?;
            // Not for Unix sockets, where it is an error.
            let _ = stream.set_nodelay(true);
        }
        Ok((stream, decode(&storage)))
    }

    /// Sends bytes of a file from an offset on, without a copy of ours, and answers how many: 0 at the file's end. What
    /// the file's system cannot send that way is `InvalidInput`.
    #[cfg(all(target_os = "linux", not(mongoose_portable)))]
    pub(crate) fn send_file(socket: &TcpStream, file: &File, offset: u64, len: usize) -> io::Result<usize> {
        let mut offset = libc::off_t::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput)?;
        // SAFETY: both descriptors are open; the kernel reads and writes the offset, which is ours.
        let sent = unsafe { libc::sendfile(socket.as_raw_fd(), file.as_raw_fd(), &raw mut offset, len) };
        usize::try_from(sent).map_err(|_| io::Error::last_os_error())
    }

    fn stream_socket(address: &SocketAddr) -> io::Result<OwnedFd> {
        new_socket(address, libc::SOCK_STREAM)
    }

    fn datagram_socket(address: &SocketAddr) -> io::Result<OwnedFd> {
        new_socket(address, libc::SOCK_DGRAM)
    }

    fn new_socket(address: &SocketAddr, kind: libc::c_int) -> io::Result<OwnedFd> {
        let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
        #[cfg(target_os = "linux")]
        let kind = kind | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
        // SAFETY: a new descriptor that the kernel answers is ours alone.
        let socket = unsafe { OwnedFd::from_raw_fd(check(libc::socket(family, kind, 0))?) };
        #[cfg(not(target_os = "linux"))]
        prepare(&socket)?;
        Ok(socket)
    }

    /// Non-blocking and closed on exec, where the system cannot say so when the socket is made.
    #[cfg(not(target_os = "linux"))]
    fn prepare(socket: &impl AsRawFd) -> io::Result<()> {
        // SAFETY: the descriptor is open; both calls only change its flags.
        unsafe {
            let flags = check(libc::fcntl(socket.as_raw_fd(), libc::F_GETFL))?;
            check(libc::fcntl(socket.as_raw_fd(), libc::F_SETFL, flags | libc::O_NONBLOCK))?;
            check(libc::fcntl(socket.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC))?;
        }
        Ok(())
    }

    fn bind_to(socket: &OwnedFd, address: &SocketAddr) -> io::Result<()> {
        let (storage, length) = encode(address);
        // SAFETY: invariant 16: the descriptor is owned; the address is an initialised sockaddr of that length.
        check(unsafe { libc::bind(socket.as_raw_fd(), (&raw const storage).cast(), length) })?;
        Ok(())
    }

    fn get_option(socket: &OwnedFd, level: libc::c_int, name: libc::c_int) -> io::Result<libc::c_int> {
        let mut value: libc::c_int = 0;
        let mut length = mem::size_of::<libc::c_int>() as libc::socklen_t;
        let into = (&raw mut value).cast();
        // SAFETY: the descriptor is owned; the kernel writes at most an int.
        check(unsafe { libc::getsockopt(socket.as_raw_fd(), level, name, into, &raw mut length) })?;
        Ok(value)
    }

    /// Turns an option on.
    fn set_option(socket: &OwnedFd, level: libc::c_int, name: libc::c_int) -> io::Result<()> {
        set_option_to(socket, level, name, 1)
    }

    fn set_option_to(
        socket: &OwnedFd,
        level: libc::c_int,
        name: libc::c_int,
        value: libc::c_int,
    ) -> io::Result<()> {
        let length = mem::size_of::<libc::c_int>() as libc::socklen_t;
        let value = (&raw const value).cast();
        // SAFETY: the descriptor is open and the value is an int of that length.
        check(unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, value, length) })?;
        Ok(())
    }

    fn check(result: libc::c_int) -> io::Result<libc::c_int> {
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
    }

    fn encode(address: &SocketAddr) -> (libc::sockaddr_storage, libc::socklen_t) {
        // SAFETY: a plain C struct for which zeroes are valid.
        let mut storage: libc::sockaddr_storage = unsafe { mem::zeroed() };
        let length = match address {
            SocketAddr::V4(v4) => {
                // SAFETY: sockaddr_storage is large enough and aligned for every sockaddr.
                let out = unsafe { &mut *(&raw mut storage).cast::<libc::sockaddr_in>() };
                out.sin_family = libc::AF_INET as libc::sa_family_t;
                out.sin_port = v4.port().to_be();
                out.sin_addr.s_addr = u32::from_ne_bytes(v4.ip().octets());
                mem::size_of::<libc::sockaddr_in>()
            }
            SocketAddr::V6(v6) => {
                // SAFETY: as above.
                let out = unsafe { &mut *(&raw mut storage).cast::<libc::sockaddr_in6>() };
                out.sin6_family = libc::AF_INET6 as libc::sa_family_t;
                out.sin6_port = v6.port().to_be();
                out.sin6_addr.s6_addr = v6.ip().octets();
                out.sin6_flowinfo = v6.flowinfo();
                out.sin6_scope_id = v6.scope_id();
                mem::size_of::<libc::sockaddr_in6>()
            }
        };
        (storage, length as libc::socklen_t)
    }

    fn decode(storage: &libc::sockaddr_storage) -> Option<SocketAddr> {
        match libc::c_int::from(storage.ss_family) {
            libc::AF_INET => {
                // SAFETY: the family says which struct it is; the storage is aligned for it.
                let v4 = unsafe { &*(&raw const *storage).cast::<libc::sockaddr_in>() };
                let ip = Ipv4Addr::from(v4.sin_addr.s_addr.to_ne_bytes());
                Some(SocketAddrV4::new(ip, u16::from_be(v4.sin_port)).into())
            }
            libc::AF_INET6 => {
                // SAFETY: as above.
                let v6 = unsafe { &*(&raw const *storage).cast::<libc::sockaddr_in6>() };
                let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
                let port = u16::from_be(v6.sin6_port);
                Some(SocketAddrV6::new(ip, port, v6.sin6_flowinfo, v6.sin6_scope_id).into())
            }
            _ => None,
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn addresses_survive_the_system_s_form() {
            for text in ["127.0.0.1:80", "0.0.0.0:0", "[::1]:443", "[::]:1", "[::ffff:10.0.0.1]:65535"] {
                let address: SocketAddr = text.parse().expect("an address");
                assert_eq!(decode(&encode(&address).0), Some(address));
            }
            let scoped = SocketAddr::from(SocketAddrV6::new("fe80::1".parse().expect("ip"), 9, 7, 70_000));
            assert_eq!(
                decode(&encode(&scoped).0),
                Some(scoped),
                "scope ids above 255 stay whole (hazard 55)"
            );
        }

        #[test]
        fn takes_over_what_listens_and_nothing_else() {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
            let listener = take_listener(listener.into()).expect("it listens");
            let client = TcpStream::connect(listener.local_addr().expect("bound")).expect("to connect");
            let (server, _) = accept(&listener).expect("it is in the backlog");
            assert!(server.nodelay().expect("an option"));
            let udp = std::net::UdpSocket::bind("127.0.0.1:0").expect("a free port");
            for other in [OwnedFd::from(client), OwnedFd::from(udp)] {
                let error = take_listener(other).expect_err("nothing to accept from");
                assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
            }
        }

        #[test]
        fn connects_with_the_options_asked_for() {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
            let address = listener.local_addr().expect("bound");
            let options = |after| super::super::Connect {
                bind: Some("127.0.0.1:0".parse().expect("an address")),
                no_delay: false,
                keep_alive: Some(Duration::from_secs(after)),
            };
            for (after, expected) in [(0, 1), (77, 77), (u64::MAX, KEEP_ALIVE_MAX)] {
                let stream = connect(address, &options(after)).expect("to begin");
                assert!(!stream.nodelay().expect("an option"));
                let socket = OwnedFd::from(stream);
                let get = |level, name| get_option(&socket, level, name).expect("an option");
                assert_ne!(get(libc::SOL_SOCKET, libc::SO_KEEPALIVE), 0);
                assert_eq!(get(libc::IPPROTO_TCP, KEEP_ALIVE_AFTER), expected);
            }
            let stream = connect(address, &super::super::Connect::default()).expect("to begin");
            assert!(stream.nodelay().expect("an option"));
            let keep_alive = get_option(&stream.into(), libc::SOL_SOCKET, libc::SO_KEEPALIVE);
            assert_eq!(keep_alive.expect("an option"), 0);
        }

        #[test]
        fn accepts_what_connects() {
            let bind = super::super::Bind { backlog: 16, reuse_port: false };
            let listener = listen("127.0.0.1:0".parse().expect("an address"), bind).expect("a free port");
            assert_eq!(accept(&listener).expect_err("nobody yet").kind(), io::ErrorKind::WouldBlock);
            let client = TcpStream::connect(listener.local_addr().expect("bound")).expect("to connect");
            let (server, from) = accept(&listener).expect("it is in the backlog");
            assert_eq!(from, client.local_addr().ok());
            assert!(server.nodelay().expect("an option"));
        }
    }
}
