//! What another thread learns of what it asked for.

use std::sync::mpsc::{self, Receiver};
use std::thread;

use mongoose::{Connection, ConnectionId, Error, Event, Handle, Manager};
use mongoose_tests::{Client, PATIENCE, Server, poll_until};

/// A listener, and the ids of what it accepts.
fn accepting() -> (Server, Receiver<ConnectionId>) {
    let (told, ids) = mpsc::channel();
    let server = Server::start(move |manager| {
        manager.tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Accept = event {
                let _ = told.send(connection.id());
            }
            Ok(())
        })
    });
    (server, ids)
}

/// What became of bytes that a thread of its own sent.
fn sent(handle: &Handle, id: ConnectionId, bytes: Vec<u8>) -> Result<(), Error> {
    let (told, result) = mpsc::channel();
    let handle = handle.clone();
    thread::spawn(move || {
        handle.send_then(id, bytes, move |result| told.send(result).expect("the test listens"))
    })
    .join()
    .expect("no panic")?;
    result.recv_timeout(PATIENCE).expect("to be told")
}

#[test]
fn who_sends_is_told_what_became_of_it() {
    let (server, ids) = accepting();
    let mut client = Client::connect(server.address);
    let id = ids.recv_timeout(PATIENCE).expect("a connection");
    sent(&server.handle, id, b"hello".to_vec()).expect("it is there");
    assert_eq!(client.exactly(5), b"hello");
    let limit = mongoose::Limits::default().output;
    let too_much =
        sent(&server.handle, id, vec![0; 3 * limit]).and_then(|()| sent(&server.handle, id, vec![0; limit]));
    assert!(matches!(too_much, Err(Error::OutputFull { limit: said }) if said == limit), "{too_much:?}");
    drop(client);
    server.wait_until("it to be gone", move |registry| registry.connection(id).is_err());
    let before = server.ask(|registry| registry.stats().undelivered);
    assert!(matches!(sent(&server.handle, id, b"anybody?".to_vec()), Err(Error::Closed)));
    assert_eq!(server.ask(|registry| registry.stats().undelivered), before + 1);
    let handle = server.handle.clone();
    drop(server);
    assert!(matches!(sent(&handle, id, b"anybody?".to_vec()), Err(Error::Gone)));
    assert!(matches!(handle.post(|_| {}), Err(Error::Gone)));
    assert!(matches!(handle.wakeup(id, "x"), Err(Error::Gone)));
    assert_eq!(handle.queued(), 0);
}

#[test]
fn what_waits_for_the_loop_is_counted() {
    let mut manager = Manager::new().expect("a manager");
    let handle = manager.handle();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let handle = handle.clone();
            thread::spawn(move || (0..100).for_each(|_| handle.post(|_| {}).expect("it is there")))
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    assert_eq!(handle.queued(), 400);
    poll_until(&mut manager, "all to be run", |_| handle.queued() == 0);
}
