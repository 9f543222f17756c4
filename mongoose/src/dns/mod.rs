//! Names of hosts to addresses.

mod server;
mod system;

use std::any::Any;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::engine::{Answer, Dialer};

/// How hosts are looked up: see [`Registry::set_dns`](crate::Registry::set_dns).
///
/// ```
/// use mongoose::Dns;
///
/// let manager = mongoose::Manager::new()?;
/// manager.set_dns(Dns::server("192.0.2.53:53".parse().unwrap()));
/// # Ok::<(), mongoose::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dns {
    server: Option<SocketAddr>,
    pub(crate) within: Duration,
}

impl Dns {
    /// Asks the system (`getaddrinfo`): hosts file, search list and all that it is set to. It blocks, so that it runs on
    /// helper threads, which all managers of the process share: eight lookups at a time. What was given up and still hangs
    /// takes none of these places, up to 64 threads. The default.
    pub fn system() -> Self {
        Self { server: None, within: Duration::from_secs(30) }
    }

    /// Asks one name server over UDP, and over TCP where an answer is too long for that, on the loop and without a
    /// thread: for A and AAAA at the same time, again each second. Where one of them is found, and the other not a second
    /// after it was asked for, that one is enough.
    ///
    /// Names are asked for as they are, without hosts file or search list. `localhost` and what ends in it is this host
    /// (RFC 6761), whatever the server says. The server has to do the recursion. An answer counts that comes from the
    /// server's address, repeats the question and a random id, and has the records of that name or of what it is an
    /// alias of; others are passed over. C takes any datagram for an answer and goes on asking whoever sent it.
    #[doc(alias = "dns4")]
    #[doc(alias = "dns6")]
    pub fn server(address: SocketAddr) -> Self {
        Self { server: Some(address), ..Self::system() }
    }

    /// How long a lookup may take. Default: 30 s. One that is part of connecting is bounded by
    /// [`Limits::connect_time`](crate::Limits::connect_time) as well.
    #[doc(alias = "dnstimeout")]
    pub fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    /// Begins a lookup, which is given up when what this answers is dropped: at the latest after [so long](Self::within).
    pub(crate) fn look_up(&self, dialer: Dialer, host: &str, answer: Answer) -> Box<dyn Any> {
        match self.server {
            // An IPv6 address with a scope is nothing for a name server.
            Some(server) if !host.contains(':') => {
                Box::new(server::look_up(dialer, server, self.within, host, answer))
            }
            _ => Box::new(system::look_up(host, answer)),
        }
    }
}

impl Default for Dns {
    fn default() -> Self {
        Self::system()
    }
}

fn not_found(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, reason)
}
