//! A proxy between a client and a server that passes exactly so many bytes one way, and then fails.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mongoose_tests::PATIENCE;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt::set_socket_linger;

/// Which bytes are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    ToServer,
    ToClient,
}

/// What happens behind the last byte that passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Both ends see a reset.
    Reset,
    /// This direction ends as if whoever sends had ended it; the other goes on.
    End,
    /// Nothing more passes in this direction, and nobody is told.
    Stall,
}

pub const BOTH_WAYS: [Way; 2] = [Way::ToServer, Way::ToClient];

/// What is to happen to a connection.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    pub way: Way,
    pub after: usize,
    pub how: How,
}

/// Passes connections on to one server, each by a thread of its own.
pub struct Proxy {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    /// Those of the next connections; what comes after them passes whole.
    faults: Mutex<VecDeque<Fault>>,
    active: AtomicUsize,
    /// Bytes that passed to the server, and to the client, of all connections.
    passed: [AtomicUsize; 2],
    over: AtomicBool,
}

impl Proxy {
    /// Starts one on a port of the system's choice.
    pub fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        let thread = thread::spawn(move || accept(&listener, server, &of_thread));
        Self { address, shared, thread: Some(thread) }
    }

    /// Gives the next connection that has none yet a fault.
    pub fn add(&self, fault: Fault) {
        self.shared.faults.lock().unwrap_or_else(PoisonError::into_inner).push_back(fault);
    }

    /// How much has passed so far, to the server and to the client.
    pub fn passed(&self) -> [usize; 2] {
        self.shared.passed.each_ref().map(|passed| passed.load(Ordering::Acquire))
    }

    /// Waits until no connection is left, and its descriptors are closed.
    pub fn wait_until_idle(&self) {
        let end = Instant::now() + PATIENCE;
        while self.shared.active.load(Ordering::Acquire) > 0 {
            assert!(Instant::now() < end, "a connection through the proxy does not end");
            thread::yield_now();
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Release);
        // Ends the wait for the next connection.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn accept(listener: &TcpListener, server: SocketAddr, shared: &Arc<Shared>) {
    while let Ok((client, _)) = listener.accept() {
        if shared.over.load(Ordering::Acquire) {
            return;
        }
        // The server may be gone for a while: then so is the client's connection.
        let Ok(server) = TcpStream::connect(server) else { continue };
        let fault = shared.faults.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let of_thread = Arc::clone(shared);
        shared.active.fetch_add(1, Ordering::AcqRel);
        thread::spawn(move || {
            pass([client, server], fault, &of_thread.passed);
            of_thread.active.fetch_sub(1, Ordering::AcqRel);
        });
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Passing,
    /// What comes is read and thrown away.
    Cut,
    /// Nothing is read any more.
    Stalled,
    Ended,
}

/// One direction, from the socket of its own index to the other.
struct Direction {
    state: State,
    /// Bytes until the fault, where there is one.
    left: Option<usize>,
}

/// Passes bytes both ways, on one thread: only the last owner of a socket can have it closed by a reset.
fn pass(sockets: [TcpStream; 2], fault: Option<Fault>, passed: &[AtomicUsize; 2]) {
    for socket in &sockets {
        socket.set_nodelay(true).expect("an option");
        socket.set_write_timeout(Some(PATIENCE)).expect("an option");
    }
    let mut ways = BOTH_WAYS.map(|way| {
        let left = fault.filter(|fault| fault.way == way).map(|fault| fault.after);
        Direction { state: State::Passing, left }
    });
    let mut buffer = vec![0; 64 << 10];
    loop {
        for (index, way) in ways.iter_mut().enumerate() {
            let (Some(0), Some(fault)) = (way.left, fault) else { continue };
            way.left = None;
            match fault.how {
                How::Reset => return reset(&sockets),
                How::End => {
                    way.state = State::Cut;
                    // Fails where it is gone already.
                    let _ = sockets[1 - index].shutdown(Shutdown::Write);
                }
                How::Stall => way.state = State::Stalled,
            }
        }
        let ended = ways.iter().filter(|way| way.state == State::Ended).count();
        let stalled = ways.iter().filter(|way| way.state == State::Stalled).count();
        if ended + stalled == 2 {
            return;
        }
        for index in readable(&sockets, &ways) {
            let way = &mut ways[index];
            let room = way.left.unwrap_or(usize::MAX).min(buffer.len());
            match (&sockets[index]).read(&mut buffer[..room]) {
                Ok(0) => {
                    if way.state == State::Passing {
                        let _ = sockets[1 - index].shutdown(Shutdown::Write);
                    }
                    way.state = State::Ended;
                }
                Ok(_) if way.state == State::Cut => {}
                Ok(count) => {
                    if (&sockets[1 - index]).write_all(&buffer[..count]).is_err() {
                        return reset(&sockets);
                    }
                    passed[index].fetch_add(count, Ordering::AcqRel);
                    way.left = way.left.map(|left| left - count);
                }
                Err(_) => return reset(&sockets),
            }
        }
    }
}

/// Waits until something can be read from a socket whose bytes go on, or are thrown away.
fn readable(sockets: &[TcpStream; 2], ways: &[Direction; 2]) -> Vec<usize> {
    let asked: Vec<usize> =
        (0..2).filter(|&index| matches!(ways[index].state, State::Passing | State::Cut)).collect();
    let mut fds: Vec<_> = asked.iter().map(|&index| PollFd::new(&sockets[index], PollFlags::IN)).collect();
    let patience = Timespec { tv_sec: 2 * PATIENCE.as_secs() as i64, tv_nsec: 0 };
    let ready = poll(&mut fds, Some(&patience)).expect("to wait");
    assert!(ready > 0, "a connection through the proxy does not end");
    fds.iter().zip(asked).filter(|(fd, _)| !fd.revents().is_empty()).map(|(_, index)| index).collect()
}

/// Has both ends see a reset once they are dropped.
fn reset(sockets: &[TcpStream; 2]) {
    for socket in sockets {
        let _ = set_socket_linger(socket, Some(Duration::ZERO));
    }
}
