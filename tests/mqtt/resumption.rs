//! What a client and a broker say on a second connection, where the first broke, and what they may say at all.

use std::net::TcpListener;
use std::thread::JoinHandle;
use std::time::Duration;

use mongoose::mqtt::{
    Auth, Client, ClientBuilder, Event, Message, PropertiesBuf, Property, QoS, Session, Version,
};
use mongoose::{Error, Limits};

use crate::broker::Broker;
use crate::faults::Peer;
use crate::scene::Scene;

type Script = Box<dyn FnOnce(&mut Peer) + Send>;

/// A server of several connections, each with a script.
fn server(scripts: Vec<Script>) -> (ClientBuilder, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("mqtt://{}", listener.local_addr().expect("bound"));
    let thread = std::thread::spawn(move || {
        for script in scripts {
            script(&mut Peer::accept(&listener));
        }
    });
    let quick = Duration::from_millis(5);
    (Client::builder(&url).client_id("me").clean_start(false).back_off(quick, quick), thread)
}

/// Publishes at QoS 1 once, when it is connected first.
fn publisher(scene: &Scene, builder: ClientBuilder, payloads: &'static [&'static str]) -> Client {
    let mut left = payloads;
    scene.client(builder, move |session: &Session<'_>, event: &Event<'_>| {
        if let Event::Connected(_) = event {
            for payload in std::mem::take(&mut left) {
                session.publish("t", payload, QoS::AtLeastOnce)?;
            }
        }
        Ok(())
    })
}

#[test]
fn mqtt_3_3_4_7_what_is_sent_again_is_within_a_smaller_receive_maximum() {
    let (builder, thread) = server(vec![
        Box::new(|peer| {
            peer.welcome(Version::V5);
            for number in 1..=3 {
                assert_eq!(peer.packet(), [0x32, 7, 0, 1, b't', 0, number, 0, b'0' + number]);
            }
        }),
        Box::new(|peer| {
            peer.packet();
            // The session is there, and takes one at a time.
            peer.send(&[0x20, 6, 1, 0, 3, 0x21, 0, 1]);
            for number in 1..=3 {
                assert_eq!(peer.packet(), [0x3a, 7, 0, 1, b't', 0, number, 0, b'0' + number]);
                // What it says to this would come behind the rest.
                peer.send(b"\x32\x06\0\x01s\0\x09\0");
                assert_eq!(peer.packet(), [0x40, 2, 0, 9]);
                peer.send(&[0x40, 2, 0, number]);
            }
            assert_eq!(peer.packet(), [0xe0, 0]);
        }),
    ]);
    let mut scene = Scene::new();
    let client = publisher(&scene, builder.version(Version::V5).session_expiry(100), &["1", "2", "3"]);
    scene.until("published 0x0", 3);
    assert_eq!(client.pending(), 0);
    client.disconnect();
    scene.until("closed", 1);
    thread.join().expect("the server");
}

#[test]
fn mqtt_3_2_2_15_what_a_server_no_longer_takes_is_not_sent_again() {
    let (builder, thread) = server(vec![
        Box::new(|peer| {
            peer.welcome(Version::V5);
            peer.packet();
            peer.packet();
        }),
        Box::new(|peer| {
            peer.packet();
            peer.send(&[0x20, 8, 1, 0, 5, 0x27, 0, 0, 0, 9]);
            assert_eq!(peer.packet(), [0x3a, 7, 0, 1, b't', 0, 2, 0, b'2']);
            peer.send(&[0x40, 2, 0, 2]);
            assert_eq!(peer.packet(), [0xe0, 0]);
        }),
    ]);
    let mut scene = Scene::new();
    let client = publisher(&scene, builder.version(Version::V5).session_expiry(100), &["one", "2"]);
    scene.until("published", 2);
    assert_eq!(scene.log.count("published 0x95"), 1, "packet too large");
    assert_eq!(client.pending(), 0);
    client.disconnect();
    scene.until("closed", 1);
    thread.join().expect("the server");
}

#[test]
fn a_filter_that_was_given_up_and_asked_for_again_is_subscribed_in_the_end() {
    let (builder, thread) = server(vec![
        Box::new(|peer| {
            peer.welcome(Version::V3);
            let subscribe = peer.packet();
            peer.send(&[0x90, 3, subscribe[2], subscribe[3], 0]);
            assert_eq!((peer.packet()[0], peer.packet()[0]), (0xa2, 0x82));
        }),
        Box::new(|peer| {
            peer.packet();
            peer.send(&[0x20, 2, 1, 0]);
            assert_eq!((peer.packet()[0], peer.packet()[0]), (0xa2, 0x82));
        }),
    ]);
    let mut scene = Scene::new();
    let mut again = false;
    let client = scene.client(builder, move |session: &Session<'_>, event: &Event<'_>| {
        match event {
            Event::Connected(_) if !again => drop(session.subscribe("a", QoS::AtMostOnce)?),
            Event::Subscribed(..) if !again => {
                again = true;
                session.unsubscribe(&["a"])?;
                session.subscribe("a", QoS::AtMostOnce)?;
            }
            _ => {}
        }
        Ok(())
    });
    scene.until("connected true", 1);
    scene.until("disconnected", 2);
    client.disconnect();
    scene.until("closed", 1);
    thread.join().expect("the server");
}

#[test]
fn an_end_of_a_subscription_is_answered_though_the_session_is_forgotten() {
    let (builder, thread) = server(vec![
        Box::new(|peer| {
            peer.welcome(Version::V3);
            assert_eq!(peer.packet()[0], 0xa2);
        }),
        Box::new(|peer| {
            peer.welcome(Version::V3);
            let again = peer.packet();
            assert_eq!(again[0], 0xa2);
            peer.send(&[0xb0, 2, again[2], again[3]]);
            assert_eq!(peer.packet(), [0xe0, 0]);
        }),
    ]);
    let mut scene = Scene::new();
    let client = scene.plain(builder);
    scene.until("connected", 1);
    client.unsubscribe(&["a"]).expect("room");
    scene.until("unsubscribed", 1);
    client.disconnect();
    scene.until("closed", 1);
    thread.join().expect("the server");
}

#[test]
fn mqtt_3_2_2_3_what_a_server_does_not_subscribe_to_is_not_asked_for() {
    // No wildcards, no identifiers, no shared subscriptions.
    let connack = [0x20, 9, 0, 0, 6, 0x28, 0, 0x29, 0, 0x2a, 0];
    let (builder, thread) = server(vec![
        Box::new(|peer| {
            peer.welcome(Version::V5);
            (0..5).for_each(|_| assert_eq!(peer.packet()[0], 0x82));
        }),
        Box::new(move |peer| {
            peer.packet();
            peer.send(&connack);
            let asked = peer.packet();
            assert_eq!(asked, [0x82, 7, asked[2], asked[3], 0, 0, 1, b'b', 0]);
            peer.send(&[0x90, 4, asked[2], asked[3], 0, 0]);
            assert_eq!(peer.packet(), [0xe0, 0]);
        }),
    ]);
    let mut scene = Scene::new();
    let client = scene.plain(builder.version(Version::V5).session_expiry(100));
    scene.until("connected", 1);
    let mut identified = PropertiesBuf::new();
    identified.push(Property::SubscriptionIdentifier(7)).expect("a number");
    let plain = QoS::AtMostOnce.into();
    for filter in ["a/+", "b", "#", "$share/g/c"] {
        client.subscribe(filter, QoS::AtMostOnce).expect("a filter");
    }
    client.subscribe_all(&[("d", plain)], identified.view()).expect("a filter");
    scene.until("subscribed", 5);
    for (code, count) in [(0xa2, 2), (0xa1, 1), (0x9e, 1), (0, 1)] {
        let line = format!("subscribed [{code}]");
        assert_eq!(scene.log.count(&line), count, "{:?}", scene.log.lines());
    }
    for filter in ["x/#", "+", "$share/g/x"] {
        let refused = client.subscribe(filter, QoS::AtMostOnce);
        assert!(matches!(refused, Err(Error::Packet { .. })), "{filter}: {refused:?}");
    }
    let refused = client.subscribe_all(&[("x", plain)], identified.view());
    assert!(matches!(refused, Err(Error::Packet { .. })), "{refused:?}");
    client.disconnect();
    scene.until("closed", 1);
    thread.join().expect("the server");
}

#[test]
fn mqtt_3_1_0_1_nothing_is_said_before_connect() {
    let (builder, thread) = server(vec![Box::new(|peer| {
        peer.welcome(Version::V5);
        assert_eq!(peer.packet(), [0xe0, 0]);
    })]);
    let mut scene = Scene::new();
    let client = scene.plain(builder.version(Version::V5));
    client.authenticate(&Auth::default()).expect("nothing to be done");
    scene.until("connected", 1);
    client.disconnect();
    scene.until("closed", 1);
    thread.join().expect("the server");
}

#[test]
fn there_are_as_many_aliases_as_numbers() {
    let (builder, thread) = server(vec![Box::new(|peer| {
        peer.packet();
        peer.send(&[0x20, 6, 0, 0, 3, 0x22, 0xff, 0xff]);
        for alias in 1..=u16::MAX {
            let packet = peer.packet();
            assert_eq!(packet[packet.len() - 3..], [0x23, (alias >> 8) as u8, alias as u8]);
        }
        assert_eq!(peer.packet(), *b"\x30\x0a\0\x0765536/t\0", "without");
    })]);
    let mut scene = Scene::new();
    let mut limits = Limits::default();
    limits.output = 16 << 20;
    let client =
        scene.plain(builder.version(Version::V5).topic_aliases(u16::MAX).limits(limits).reconnect(false));
    scene.until("connected", 1);
    for number in 1..=65_536 {
        client.publish(&format!("{number}/t"), "", QoS::AtMostOnce).expect("room");
    }
    scene.until("closed", 1);
    thread.join().expect("the server");
}

#[test]
fn an_alias_stands_for_what_was_sent_and_for_nothing_else() {
    let (builder, thread) = server(vec![Box::new(|peer| {
        peer.packet();
        // Two aliases, and packets of 30 bytes.
        peer.send(&[0x20, 11, 0, 0, 8, 0x22, 0, 2, 0x27, 0, 0, 0, 30]);
        assert_eq!(peer.packet(), [0x30, 8, 0, 1, b'b', 3, 0x23, 0, 1, b'x']);
        assert_eq!(peer.packet(), [0x30, 7, 0, 0, 3, 0x23, 0, 1, b'y']);
        assert_eq!(peer.packet(), [0xe0, 0]);
    })]);
    let mut scene = Scene::new();
    let client = scene.plain(builder.version(Version::V5).topic_aliases(8));
    scene.until("connected", 1);
    // Neither was sent: there is no number for them.
    for _ in 0..3 {
        let refused = client.publish("a/+", "", QoS::AtMostOnce);
        assert!(matches!(refused, Err(Error::Packet { .. })), "{refused:?}");
        let refused = client.publish("b", [0; 40], QoS::AtMostOnce);
        assert!(matches!(refused, Err(Error::Packet { .. })), "{refused:?}");
    }
    client.publish("b", "x", QoS::AtMostOnce).expect("room");
    client.publish("b", "y", QoS::AtMostOnce).expect("room");
    client.disconnect();
    scene.until("closed", 1);
    thread.join().expect("the server");
}

#[test]
fn a_packet_of_exactly_the_largest_size_is_taken() {
    let (builder, thread) = server(vec![Box::new(|peer| {
        peer.packet();
        peer.send(&[0x20, 8, 0, 0, 5, 0x27, 0, 0, 0, 20]);
        assert_eq!(peer.packet().len(), 20);
        let publish = peer.packet();
        assert_eq!(publish.len(), 20);
        peer.send(&[0x40, 2, publish[5], publish[6]]);
        assert_eq!(peer.packet(), [0xe0, 0]);
    })]);
    let mut scene = Scene::new();
    let client = scene.plain(builder.version(Version::V5));
    scene.until("connected", 1);
    for (qos, largest) in [(QoS::AtMostOnce, 14), (QoS::AtLeastOnce, 12)] {
        let refused = client.publish("a", vec![0; largest + 1], qos);
        assert!(matches!(refused, Err(Error::Packet { .. })), "{refused:?}");
        client.publish("a", vec![0; largest], qos).expect("it fits");
    }
    scene.until("published 0x0", 1);
    client.disconnect();
    scene.until("closed", 1);
    thread.join().expect("the server");
}

#[test]
fn the_broker_sends_again_what_a_client_takes_and_no_more() {
    let broker = Broker::start(&[]);
    let connect = |clean: u8, more: &[u8]| {
        let length = more.len() as u8;
        let head = [0x10, 14 + length, 0, 4, b'M', b'Q', b'T', b'T', 5, clean << 1, 0, 0, length];
        [&head[..], more, &[0, 1, b'r']].concat()
    };
    let mut client = mongoose_tests::Client::connect(([127, 0, 0, 1], broker.port).into());
    client.send(connect(1, &[0x11, 0, 0, 0, 100]));
    assert_eq!(client.exactly(4)[3], 0);
    client.exactly(7);
    client.send(b"\x82\x07\0\x01\0\0\x01q\x01");
    assert_eq!(client.exactly(6), b"\x90\x04\0\x01\0\x01");
    for payload in ["1", "large enough to be too large", "3", "4"] {
        broker.tool("mosquitto_pub", &["-t", "q", "-q", "1", "-m", payload]);
    }
    for size in [9, 36, 9, 9] {
        client.exactly(size);
    }
    drop(client);
    // It is back, takes one at a time, and less.
    let mut client = mongoose_tests::Client::connect(([127, 0, 0, 1], broker.port).into());
    client.send(connect(0, &[0x11, 0, 0, 0, 100, 0x21, 0, 1, 0x27, 0, 0, 0, 20]));
    assert_eq!(client.exactly(11)[2], 1, "the session is there");
    for payload in [b'1', b'3', b'4'] {
        client.send([0xc0, 0]);
        let publish = client.exactly(9);
        assert_eq!((publish[0], publish[8]), (0x3a, payload));
        assert_eq!(client.exactly(2), [0xd0, 0], "nothing more came");
        client.send([0x40, 2, publish[5], publish[6]]);
    }
    client.send([0xc0, 0]);
    assert_eq!(client.exactly(2), [0xd0, 0]);
}

#[test]
fn a_will_that_was_delayed_comes_when_its_session_is_discarded() {
    let broker = Broker::start(&[]);
    let mut scene = Scene::new();
    scene.client(Client::builder(&broker.url()), |session: &Session<'_>, event: &Event<'_>| {
        if let Event::Connected(_) = event {
            session.subscribe("will", QoS::AtLeastOnce)?;
        }
        Ok(())
    });
    scene.until("subscribed", 1);
    let mut properties = PropertiesBuf::new();
    properties.push(Property::WillDelayInterval(1000)).expect("a property");
    let will = Message { properties: properties.view(), ..Message::new("will", b"gone") };
    let builder = Client::builder(&broker.url()).version(Version::V5).client_id("w").reconnect(false);
    let doomed = builder.clone().session_expiry(2000).will(&will);
    scene.client(doomed, |_: &Session<'_>, event: &Event<'_>| match event {
        Event::Connected(_) => Err(Error::handler("it breaks")),
        _ => Ok(()),
    });
    scene.until("closed", 1);
    scene.plain(builder);
    scene.until("message will gone", 1);
}
