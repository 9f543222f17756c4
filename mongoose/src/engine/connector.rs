//! Connections that we make.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::rc::Rc;

use super::core::Core;
use super::handle::{Handle, Task};
use super::transport::{Socket, Transport};
use super::{ConnectionId, Entry, Limits, Protocol};
use crate::Error;
use crate::ffi::{self, Flag};
use crate::net::{Endpoint, Scheme};

/// What a connection that is being made needs besides.
#[derive(Debug)]
pub(super) struct Dialing {
    url: String,
    addresses: VecDeque<SocketAddr>,
}

/// Begins a connection: its addresses come back as a task, at once for a literal one.
pub(super) fn connect(
    core: &Rc<Core>,
    url: &str,
    protocol: Box<dyn Protocol>,
) -> Result<ConnectionId, Error> {
    core.check_open()?;
    let endpoint = Endpoint::parse(url, Scheme::Tcp)?;
    let entry = core.adopt(Socket::None, Rc::new(Limits::default()))?;
    *entry.protocol.borrow_mut() = Some(protocol);
    entry.conn.set(Flag::Client, true);
    entry.conn.set(Flag::Resolving, true);
    *entry.dialing.borrow_mut() = Some(Box::new(Dialing { url: url.to_owned(), addresses: VecDeque::new() }));
    resolve(&Handle::new(core.shared.clone()), entry.id, endpoint)?;
    Ok(entry.id)
}

/// Looks the host up, on a thread of its own where that may block.
fn resolve(handle: &Handle, id: ConnectionId, endpoint: Endpoint) -> Result<(), Error> {
    if let Ok(ip) = endpoint.host().parse::<IpAddr>() {
        let address = SocketAddr::new(ip, endpoint.port());
        return handle.task(Task::Resolved { id, result: Ok(vec![address]) });
    }
    let from_thread = handle.clone();
    let started = std::thread::Builder::new().name("mongoose-resolver".to_owned()).spawn(move || {
        let result = (endpoint.host(), endpoint.port()).to_socket_addrs().map(Iterator::collect);
        // The manager may be gone: then there is nobody to tell.
        let _ = from_thread.task(Task::Resolved { id, result });
    });
    match started {
        Ok(_thread) => Ok(()),
        Err(error) => handle.task(Task::Resolved { id, result: Err(error) }),
    }
}

/// Takes what the resolver found and begins with the first address.
pub(super) fn resolved(entry: &Entry, result: io::Result<Vec<SocketAddr>>) -> Result<(), Error> {
    match result {
        Ok(addresses) => {
            if let Some(dialing) = entry.dialing.borrow_mut().as_mut() {
                dialing.addresses = addresses.into();
            }
            dial(entry, io::Error::new(io::ErrorKind::NotFound, "the host has no address"))
        }
        Err(source) => Err(Error::Resolve { url: url_of(entry), source }),
    }
}

/// Tries the next address. When none is left, the error is that of the last one, or `before`.
pub(super) fn dial(entry: &Entry, before: io::Error) -> Result<(), Error> {
    let mut last = before;
    loop {
        let next = entry.dialing.borrow_mut().as_mut().and_then(|dialing| dialing.addresses.pop_front());
        let Some(address) = next else {
            return Err(Error::Connect { url: url_of(entry), source: last });
        };
        match ffi::connect(address) {
            Ok(stream) => {
                entry.remote.set(Some(address));
                // That of the attempt before.
                entry.local.set(None);
                entry.conn.set(Flag::Resolving, false);
                entry.conn.set(Flag::Connecting, true);
                *entry.socket.borrow_mut() = Socket::Stream(Transport::Plain(stream));
                return Ok(());
            }
            Err(error) => last = error,
        }
    }
}

fn url_of(entry: &Entry) -> String {
    entry.dialing.borrow().as_ref().map(|dialing| dialing.url.clone()).unwrap_or_default()
}
