//! A client's socket.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketType, bind, connect, ipproto, socket, sockopt};

/// Connections from one address: well below the ports that the system hands out for it.
const EACH_ADDRESS: usize = 4000;

/// How long a server may leave a client without an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection that is reset when dropped: the thousands of one run leave no port waiting behind.
pub struct Client {
    pub stream: TcpStream,
}

impl Client {
    /// Connects from an address of its own for every 4,000 connections, and other ones than the run before.
    pub fn connect(port: u16, index: usize) -> io::Result<Self> {
        let run = (std::process::id() % 250 + 1) as u8;
        let last = u8::try_from(index / EACH_ADDRESS + 1).map_err(io::Error::other)?;
        let socket = socket(AddressFamily::INET, SocketType::STREAM, Some(ipproto::TCP))?;
        bind(&socket, &SocketAddrV4::new(Ipv4Addr::new(127, 0, run, last), 0))?;
        connect(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))?;
        sockopt::set_socket_linger(&socket, Some(Duration::ZERO))?;
        let stream = TcpStream::from(socket);
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream })
    }

    /// Ends it in the orderly way.
    pub fn close(self) -> io::Result<()> {
        Ok(sockopt::set_socket_linger(&self.stream, None)?)
    }
}
