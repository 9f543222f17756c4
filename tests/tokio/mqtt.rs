//! MQTT for tasks: with mosquitto, and with servers of raw bytes that stop, decline and break off.

use std::io::{ErrorKind, Write};
use std::thread;
use std::time::Duration;

use mongoose::Error;
use mongoose::mqtt::{Client, MessageBuf, QoS, Reason};
use mongoose::tokio::MqttClient;
use mongoose_tests::{Client as Peer, PATIENCE, scaled, steadily};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::home::{Home, accept, listen, runtime, soon};
use crate::mosquitto::Mosquitto;

const MUCH: usize = 64 << 20;
const PIECE: usize = 64 << 10;

/// Long enough for whoever is not held back to show that.
const PAUSE: Duration = Duration::from_millis(300);

const CONNACK: [u8; 4] = [0x20, 2, 0, 0];

/// Reads a packet: its first byte, and what is behind its length.
fn packet(peer: &mut Peer) -> (u8, Vec<u8>) {
    let first = peer.exactly(1)[0];
    let (mut length, mut shift) = (0, 0);
    loop {
        let byte = peer.exactly(1)[0];
        length |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return (first, peer.exactly(length));
        }
    }
}

/// Takes a connection.
fn welcome(peer: &mut Peer) {
    assert_eq!(packet(peer).0, 0x10, "CONNECT");
    peer.send(CONNACK);
}

/// The identifier of a PUBLISH above QoS 0 or of a SUBSCRIBE.
fn identifier(first: u8, body: &[u8]) -> [u8; 2] {
    let at = if first >> 4 == 3 { 2 + usize::from(u16::from_be_bytes([body[0], body[1]])) } else { 0 };
    [body[at], body[at + 1]]
}

#[test]
fn what_tasks_publish_comes_to_tasks() {
    let broker = Mosquitto::start();
    let home = Home::new();
    runtime().block_on(soon(async {
        let builder = || Client::builder(&broker.url());
        let (watcher, mut messages) = MqttClient::connect(&home.handle, builder()).await.expect("a broker");
        watcher.subscribe("tasks/#", QoS::ExactlyOnce).await.expect("agreed");
        let (client, _) = MqttClient::connect(&home.handle, builder()).await.expect("a broker");
        let (tasks, rounds) = (4, scaled(200));
        let mut publishers = JoinSet::new();
        for task in 0..tasks {
            let client = client.clone();
            publishers.spawn(async move {
                for round in 0..rounds {
                    let qos = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][task % 3];
                    client.publish(format!("tasks/{task}"), round.to_string(), qos).await.expect("taken");
                }
            });
        }
        let mut next = vec![0; tasks];
        for _ in 0..tasks * rounds {
            let message = messages.recv().await.expect("no error").expect("a message");
            let task: usize = message.topic["tasks/".len()..].parse().expect("a number");
            assert_eq!(message.view().text(), Some(&*next[task].to_string()));
            next[task] += 1;
        }
        while let Some(publisher) = publishers.join_next().await {
            publisher.expect("no panic");
        }
        watcher.unsubscribe("tasks/#").await.expect("agreed");
        client.publish("tasks/0", "unheard", QoS::AtLeastOnce).await.expect("taken");
        let retained = MessageBuf { retain: true, qos: QoS::AtLeastOnce, ..MessageBuf::default() };
        let retained = MessageBuf { topic: "kept".into(), payload: b"x".into(), ..retained };
        client.publish_message(retained).await.expect("taken");
        watcher.subscribe("kept", QoS::AtMostOnce).await.expect("agreed");
        let message = messages.recv().await.expect("no error").expect("a message");
        assert_eq!((&*message.topic, message.retain), ("kept", true));
        watcher.disconnect().await;
        assert!(matches!(messages.recv().await, Ok(None)));
        assert!(matches!(watcher.publish("x", "", QoS::AtMostOnce).await, Err(Error::Closed)));
        watcher.disconnect().await;
    }));
}

#[test]
fn what_goes_wrong_is_told_by_its_error() {
    let (listener, url) = listen("mqtt");
    let home = Home::new();
    let peer = thread::spawn(move || {
        let mut peer = accept(&listener);
        packet(&mut peer);
        peer.send([0x20, 2, 0, 5]);
        peer.to_end();

        let mut peer = accept(&listener);
        welcome(&mut peer);
        let (first, body) = packet(&mut peer);
        let [high, low] = identifier(first, &body);
        peer.send([0x90, 3, high, low, 0x80]);
        // And then something that nobody understands.
        peer.send([0xff, 0xff]);
        peer.to_end();
    });
    runtime().block_on(soon(async {
        let builder = || Client::builder(&url).reconnect(false);
        let refused = MqttClient::connect(&home.handle, builder()).await;
        let Err(Error::ConnectRefused { reason }) = refused else { panic!("{refused:?}") };
        assert_eq!(reason, Reason::NOT_AUTHORIZED);
        let (client, mut messages) = MqttClient::connect(&home.handle, builder()).await.expect("welcome");
        assert!(matches!(client.subscribe("a/#/b", QoS::AtMostOnce).await, Err(Error::Packet { .. })));
        assert!(matches!(client.publish("a/#", "", QoS::AtMostOnce).await, Err(Error::Packet { .. })));
        let vast = client.publish("a", vec![0; 2 << 20], QoS::AtLeastOnce).await;
        assert!(matches!(vast, Err(Error::OutputFull { .. })), "{vast:?}");
        let declined = client.subscribe("a", QoS::AtMostOnce).await;
        assert!(matches!(declined, Err(Error::Declined { what: "subscription", .. })), "{declined:?}");
        assert!(matches!(messages.recv().await, Err(Error::Mqtt { .. })));
        assert!(matches!(messages.recv().await, Ok(None)), "told once");
        peer.join().expect("no panic");
        let nobody = MqttClient::connect(&home.handle, Client::builder(&url)).await;
        assert!(matches!(nobody, Err(Error::Connect { .. })), "{nobody:?}");
        let wrong = MqttClient::connect(&home.handle, Client::builder("http://127.0.0.1")).await;
        assert!(matches!(wrong, Err(Error::Url { .. })), "{wrong:?}");
        home.until_connections(0).await;
    }));
}

#[test]
fn a_message_that_is_not_acknowledged_goes_over_the_next_connection() {
    let (listener, url) = listen("mqtt");
    let home = Home::new();
    let peer = thread::spawn(move || {
        let mut peer = accept(&listener);
        welcome(&mut peer);
        assert_eq!(packet(&mut peer).0 & 0xf0, 0x30, "PUBLISH");
        peer.reset();
        let mut peer = accept(&listener);
        welcome(&mut peer);
        let (first, body) = packet(&mut peer);
        let [high, low] = identifier(first, &body);
        peer.send([0x40, 2, high, low]);
        assert_eq!(packet(&mut peer), (0xe0, vec![]), "DISCONNECT: all ends were dropped");
        assert_eq!(peer.to_end(), b"");
    });
    runtime().block_on(soon(async {
        let at_once = Duration::from_millis(1);
        let builder = Client::builder(&url).back_off(at_once, at_once);
        let (client, messages) = MqttClient::connect(&home.handle, builder).await.expect("welcome");
        client.publish("a", "b", QoS::AtLeastOnce).await.expect("acknowledged");
        drop(client);
        drop(messages);
        tokio::task::block_in_place(|| peer.join()).expect("no panic");
        home.until_connections(0).await;
    }));
}

#[test]
fn a_task_that_does_not_receive_holds_the_server_back_and_stays_connected() {
    let (listener, url) = listen("mqtt");
    let home = Home::new();
    let (blocked, held) = tokio::sync::oneshot::channel();
    let count = MUCH / PIECE;
    let peer = thread::spawn(move || {
        let mut peer = accept(&listener);
        welcome(&mut peer);
        // PUBLISH at QoS 0: 64 KB and the topic "a".
        let mut publish = vec![0x30, 0x83, 0x80, 4, 0, 1, b'a'];
        publish.resize(publish.len() + PIECE, b'x');
        peer.stream().set_write_timeout(Some(PAUSE)).expect("to set an option");
        let (mut written, total) = (0, count * publish.len());
        let mut blocked = Some(blocked);
        while written < total {
            match steadily(|| peer.stream().write(&publish[written % publish.len()..])) {
                Ok(bytes) => written += bytes,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    let Some(blocked) = blocked.take() else { panic!("blocked for ever") };
                    // It hears no answer, and says that it is there all the same.
                    (0..3).for_each(|_| assert_eq!(packet(&mut peer), (0xc0, vec![]), "PINGREQ"));
                    blocked.send(written).expect("the test to wait");
                    peer.stream().set_write_timeout(Some(PATIENCE)).expect("to set an option");
                }
                Err(error) => panic!("cannot write: {error}"),
            }
        }
        assert!(blocked.is_none(), "nothing held it back");
        peer
    });
    runtime().block_on(soon(async {
        let builder = Client::builder(&url).keep_alive(1).response_time(Duration::from_millis(600));
        let (client, mut messages) = MqttClient::connect(&home.handle, builder).await.expect("welcome");
        let written = held.await.expect("the peer to be blocked");
        assert!(written < MUCH / 2, "{written} bytes were taken that nobody received");
        let received = home.stats().await.received;
        assert!(received < 1 << 20, "{received} bytes are in the program");
        for _ in 0..count {
            let message = messages.recv().await.expect("no error").expect("a message");
            assert_eq!((&*message.topic, message.payload.len()), ("a", PIECE));
        }
        drop(peer.join().expect("no panic"));
        drop(client);
    }));
}

#[test]
fn a_server_that_does_not_acknowledge_holds_tasks_back() {
    let (listener, url) = listen("mqtt");
    let home = Home::new();
    let (go_on, may_go_on) = std::sync::mpsc::channel();
    let rounds = 40;
    let peer = thread::spawn(move || {
        let mut peer = accept(&listener);
        welcome(&mut peer);
        may_go_on.recv_timeout(PATIENCE).expect("the tasks to be held");
        let mut payloads = Vec::new();
        for _ in 0..rounds {
            let (first, body) = packet(&mut peer);
            let [high, low] = identifier(first, &body);
            payloads.push(body[body.len() - 1]);
            peer.send([0x40, 2, high, low]);
        }
        payloads.sort_unstable();
        assert_eq!(payloads, (0..rounds).collect::<Vec<u8>>(), "each once");
        peer.to_end()
    });
    runtime().block_on(soon(async {
        let builder = Client::builder(&url).queue(4 * PIECE);
        let (client, _) = MqttClient::connect(&home.handle, builder).await.expect("welcome");
        let mut publishers = JoinSet::new();
        for number in 0..rounds {
            let client = client.clone();
            publishers.spawn(async move {
                let mut payload = vec![0; PIECE - 100];
                payload.push(number);
                client.publish("a", payload, QoS::AtLeastOnce).await
            });
        }
        assert!(timeout(PAUSE, publishers.join_next()).await.is_err(), "nothing is acknowledged");
        go_on.send(()).expect("the peer to wait");
        while let Some(published) = publishers.join_next().await {
            published.expect("no panic").expect("acknowledged");
        }
    }));
    assert_eq!(peer.join().expect("no panic"), [0xe0, 0]);
}

#[test]
fn a_server_that_does_not_read_holds_tasks_back_at_qos_0_too() {
    let (listener, url) = listen("mqtt");
    let home = Home::new();
    let (go_on, may_go_on) = std::sync::mpsc::channel();
    let peer = thread::spawn(move || {
        let mut peer = accept(&listener);
        welcome(&mut peer);
        may_go_on.recv_timeout(PATIENCE).expect("the task to be held");
        let mut count = 0_usize;
        while let (0x30, body) = packet(&mut peer) {
            assert_eq!(body.len(), 3 + PIECE);
            count += 1;
        }
        count
    });
    runtime().block_on(soon(async {
        let (client, _) = MqttClient::connect(&home.handle, Client::builder(&url)).await.expect("welcome");
        let publish = || client.publish("a", vec![0; PIECE], QoS::AtMostOnce);
        let mut sent = 0;
        // The last of these is given up: it may be sent or not.
        while timeout(PAUSE, publish()).await.is_ok() {
            sent += 1;
            assert!(sent * PIECE < MUCH, "nobody reads, and all is taken");
        }
        go_on.send(()).expect("the peer to wait");
        for _ in 0..scaled(300) {
            publish().await.expect("room, sooner or later");
            sent += 1;
        }
        client.disconnect().await;
        let count = tokio::task::block_in_place(|| peer.join()).expect("no panic");
        assert!(count == sent || count == sent + 1, "{count} of {sent}");
    }));
}

#[test]
fn a_client_that_is_dropped_while_it_connects_goes_away() {
    let (listener, url) = listen("mqtt");
    let home = Home::new();
    runtime().block_on(soon(async {
        let opening = tokio::spawn({
            let (handle, builder) = (home.handle.clone(), Client::builder(&url));
            async move { MqttClient::connect(&handle, builder).await }
        });
        let mut peer = accept(&listener);
        assert_eq!(packet(&mut peer).0, 0x10, "CONNECT");
        opening.abort();
        assert_eq!(peer.to_end(), b"");
        home.until_connections(0).await;
        drop(timeout(Duration::ZERO, MqttClient::connect(&home.handle, Client::builder(&url))).await);
        home.until_connections(0).await;
    }));
}

#[test]
fn a_manager_that_goes_first_leaves_no_task_waiting() {
    let (listener, url) = listen("mqtt");
    let home = Home::new();
    let peer = thread::spawn(move || {
        let mut peer = accept(&listener);
        welcome(&mut peer);
        // What comes is not acknowledged.
        peer.to_end();
    });
    runtime().block_on(soon(async {
        let handle = home.handle.clone();
        let builder = Client::builder(&url);
        let (client, mut messages) = MqttClient::connect(&handle, builder.clone()).await.expect("welcome");
        let publishing = tokio::spawn({
            let client = client.clone();
            async move { client.publish("a", "b", QoS::AtLeastOnce).await }
        });
        let waiting = tokio::spawn(async move { messages.recv().await });
        drop(home);
        let published = publishing.await.expect("no panic");
        assert!(matches!(published, Err(Error::Closed | Error::Gone)), "{published:?}");
        let received = waiting.await.expect("no panic");
        assert!(matches!(received, Ok(None) | Err(Error::Closed | Error::Gone)), "{received:?}");
        assert!(matches!(client.publish("a", "", QoS::AtMostOnce).await, Err(Error::Gone)));
        client.disconnect().await;
        assert!(matches!(MqttClient::connect(&handle, builder).await, Err(Error::Gone)));
    }));
    peer.join().expect("no panic");
}
