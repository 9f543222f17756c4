//! Hazard 11: what other threads send arrives whole, once, in order.

use std::sync::mpsc;
use std::thread;

use mongoose::{Connection, ConnectionId, Error, Event};
use mongoose_tests::{Client, PATIENCE, Server, scaled};

/// A server that tells the connections it accepts and the payloads they are woken with.
fn server() -> (Server, mpsc::Receiver<ConnectionId>, mpsc::Receiver<Vec<u8>>) {
    let ((accept, accepted), (wake, woken)) = (mpsc::channel(), mpsc::channel());
    let server = Server::start(move |manager| {
        manager.tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| match event {
            Event::Accept => accept.send(connection.id()).map_err(Error::handler),
            Event::Wakeup(payload) => wake.send(payload.to_vec()).map_err(Error::handler),
            _ => Ok(()),
        })
    });
    (server, accepted, woken)
}

#[test]
fn hazard_11_a_payload_of_16_mb_arrives_whole() {
    let (server, accepted, woken) = server();
    let _client = Client::connect(server.address);
    let id = accepted.recv_timeout(PATIENCE).expect("a connection");
    let payload: Vec<u8> = (0..scaled(16 << 20)).map(|n| (n % 251) as u8).collect();
    server.handle.wakeup(id, payload.clone()).expect("queued");
    assert!(woken.recv_timeout(PATIENCE).expect("a payload") == payload);
}

#[test]
fn hazard_11_5_000_payloads_from_8_threads_arrive_once_and_in_order() {
    let (server, accepted, woken) = server();
    let _client = Client::connect(server.address);
    let id = accepted.recv_timeout(PATIENCE).expect("a connection");
    let each = scaled(5_000 / 8);
    thread::scope(|scope| {
        for sender in 0..8u32 {
            let handle = server.handle.clone();
            scope.spawn(move || {
                for number in 0..each as u32 {
                    let payload = [sender.to_le_bytes(), number.to_le_bytes()].concat();
                    handle.wakeup(id, payload).expect("queued");
                }
            });
        }
    });
    let mut next = [0u32; 8];
    for _ in 0..8 * each {
        let payload = woken.recv_timeout(PATIENCE).expect("a payload");
        let (sender, number) = payload.split_at(4);
        let sender = u32::from_le_bytes(sender.try_into().expect("4 bytes")) as usize;
        assert_eq!(u32::from_le_bytes(number.try_into().expect("4 bytes")), next[sender]);
        next[sender] += 1;
    }
    server.ask(|_| ());
    assert!(woken.try_recv().is_err(), "none came twice");
}

#[test]
fn hazard_11_a_payload_for_a_connection_that_is_gone_is_counted() {
    let (server, accepted, woken) = server();
    let client = Client::connect(server.address);
    let id = accepted.recv_timeout(PATIENCE).expect("a connection");
    client.reset();
    server.wait_until("the connection to end", |registry| registry.stats().connections == 1);
    for _ in 0..10 {
        server.handle.wakeup(id, "late").expect("queued");
    }
    assert_eq!(server.ask(|registry| registry.stats().undelivered), 10);
    assert!(woken.try_recv().is_err());
}
