//! Invariant 16: descriptors that are handed out cannot break the loop.
#![cfg(all(target_os = "linux", not(mongoose_portable)))]

use std::os::fd::AsFd;
use std::time::Duration;

use mongoose::{Connection, Event, Manager};
use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, epoll, poll};

use crate::harness::{Peer, assert_usable, connect_many};

/// Whether the descriptor says at once that there is work.
fn is_readable(manager: &Manager) -> bool {
    let fd = manager.as_fd();
    let mut fds = [PollFd::new(&fd, PollFlags::IN)];
    poll(&mut fds, Some(&Timespec::default())).expect("to look") == 1
}

/// Waits for the descriptor alone, then has the manager do what there is.
fn wait_and_poll(manager: &mut Manager) {
    {
        let fd = manager.as_fd();
        let mut fds = [PollFd::new(&fd, PollFlags::IN)];
        let patience = Timespec { tv_sec: 60, tv_nsec: 0 };
        assert_eq!(poll(&mut fds, Some(&patience)).expect("to wait"), 1, "silent though there is work");
    }
    manager.poll(Duration::ZERO).expect("to poll");
}

fn echo(connection: &Connection<'_>, event: Event<'_>) -> Result<(), mongoose::Error> {
    if let Event::Read = event {
        connection.send(connection.received())?;
        connection.consume(usize::MAX);
    }
    Ok(())
}

#[test]
fn invariant_16_the_descriptor_is_readable_when_there_is_work_and_silent_when_there_is_none() {
    let mut manager = Manager::new().expect("a manager");
    let listener = manager.tcp("tcp://127.0.0.1:0", echo).expect("to listen");
    assert!(!is_readable(&manager));
    // Each kind of work: to accept, to read, a task, a stop, a peer that went.
    let mut peer = Peer::connect(listener.local_addr());
    wait_and_poll(&mut manager);
    assert_eq!(manager.stats().accepted, 1);
    assert!(!is_readable(&manager));
    peer.send("x");
    wait_and_poll(&mut manager);
    assert_eq!(peer.arrived(), b"x");
    assert!(!is_readable(&manager));
    manager.handle().post(|_| {}).expect("queued");
    wait_and_poll(&mut manager);
    assert!(!is_readable(&manager));
    manager.handle().stop();
    wait_and_poll(&mut manager);
    manager.run().expect("the stop ends it at once");
    drop(peer);
    wait_and_poll(&mut manager);
    assert_eq!(manager.stats().connections, 1);
    assert!(!is_readable(&manager));
    // A timer is not work of a descriptor's; how long to wait for it is said elsewhere.
    assert_eq!(manager.timeout(), None);
    let timer = manager.once(Duration::ZERO, |_| {}).expect("a timer");
    assert_eq!(manager.timeout(), Some(Duration::ZERO));
    drop(timer);
    assert_eq!(manager.timeout(), None);
}

#[test]
fn invariant_16_what_a_user_does_with_the_descriptor_does_not_disturb_the_loop() {
    let mut manager = Manager::new().expect("a manager");
    let listener = manager.tcp("tcp://127.0.0.1:0", echo).expect("to listen");
    let mut peer = connect_many(&mut manager, listener.local_addr(), 1).remove(0);

    // In a set of the user's own: added, changed, waited for, removed, and the set closed.
    let set = epoll::create(epoll::CreateFlags::CLOEXEC).expect("a set");
    let data = epoll::EventData::new_u64(1);
    epoll::add(&set, manager.as_fd(), data, epoll::EventFlags::IN).expect("to add");
    epoll::modify(&set, manager.as_fd(), data, epoll::EventFlags::IN | epoll::EventFlags::ET)
        .expect("to change");
    peer.send("one");
    let mut events = Vec::with_capacity(4);
    let patience = Timespec { tv_sec: 60, tv_nsec: 0 };
    assert_eq!(epoll::wait(&set, spare_capacity(&mut events), Some(&patience)).expect("to wait"), 1);
    peer.expect(&mut manager, "one");
    epoll::delete(&set, manager.as_fd()).expect("to remove");
    drop(set);
    peer.send("two").expect(&mut manager, "two");

    // Through a duplicate that is closed, and in the descriptor itself, which is a set.
    drop(manager.as_fd().try_clone_to_owned().expect("to duplicate"));
    let (mine, _other) = std::os::unix::net::UnixStream::pair().expect("a pair");
    epoll::add(manager.as_fd(), &mine, data, epoll::EventFlags::OUT).expect("to add");
    events.clear();
    epoll::wait(manager.as_fd(), spare_capacity(&mut events), Some(&patience)).expect("to wait");
    peer.send("three").expect(&mut manager, "three");
    epoll::delete(manager.as_fd(), &mine).expect("to remove");
    // The loop's own descriptors are not in it.
    assert!(epoll::delete(manager.as_fd(), peer.stream()).is_err());
    peer.send("four").expect(&mut manager, "four");
    assert_usable(&mut manager);
}

#[test]
fn invariant_16_a_loop_driven_by_its_descriptor_alone_misses_nothing() {
    let mut manager = Manager::new().expect("a manager");
    let listener = manager.tcp("tcp://127.0.0.1:0", echo).expect("to listen");
    let mut peers: Vec<_> = (0..20).map(|_| Peer::connect(listener.local_addr())).collect();
    while manager.stats().accepted < 20 {
        wait_and_poll(&mut manager);
    }
    for (number, peer) in peers.iter_mut().enumerate() {
        peer.send(format!("number {number}"));
    }
    while manager.stats().received < 20 * 8 + 10 {
        wait_and_poll(&mut manager);
    }
    for (number, peer) in peers.iter_mut().enumerate() {
        assert_eq!(peer.arrived(), format!("number {number}").as_bytes());
    }
}
