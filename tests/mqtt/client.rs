//! The client with mosquitto as its server.

use std::cell::Cell;
use std::rc::Rc;

use mongoose::mqtt::{
    Client, Disconnect, Event, Message, PropertiesBuf, Property, QoS, Reason, RetainHandling, Session,
    SubscribeOptions, Version,
};
use mongoose::{Error, Manager};
use mongoose_tests::{poll_until, scaled};

use crate::mosquitto::Mosquitto;
use crate::scene::Scene;

const VERSIONS: [Version; 2] = [Version::V3, Version::V5];
const QOS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

#[test]
fn messages_of_every_qos_come_back() {
    let server = Mosquitto::start();
    for version in VERSIONS {
        for qos in QOS {
            let mut scene = Scene::new();
            let builder = Client::builder(&server.url()).version(version);
            let client = scene.client(builder, move |session: &Session<'_>, event: &Event<'_>| {
                match event {
                    Event::Connected(_) => drop(session.subscribe("a/+", qos)?),
                    // From inside a handler.
                    Event::Subscribed(..) => {
                        for payload in ["", "x", "hello"] {
                            session.publish("a/b", payload, qos)?;
                        }
                    }
                    _ => {}
                }
                Ok(())
            });
            scene.until("message", 3);
            let number = qos as u8;
            for payload in ["", "x", "hello"] {
                assert_eq!(scene.log.count(&format!("message a/b {payload} qos{number}")), 1, "{version:?}");
            }
            if qos > QoS::AtMostOnce {
                scene.until("published 0x0", 3);
            }
            assert_eq!(client.pending(), 0);
            client.disconnect();
            assert!(matches!(client.publish("a", "", qos), Err(Error::Closed)));
            scene.until("closed", 1);
            assert_eq!(scene.log.count("disconnected"), 0);
        }
    }
}

#[test]
fn many_messages_arrive_each_once_and_in_order() {
    let server = Mosquitto::start();
    let count = scaled(5000);
    for version in VERSIONS {
        for qos in QOS {
            let mut scene = Scene::new();
            let next = Rc::new(Cell::new(0));
            let seen = Rc::clone(&next);
            let builder = Client::builder(&server.url()).version(version).queue(64 << 20);
            let client = builder
                .connect(&scene.manager, move |session: &Session<'_>, event: Event<'_>| {
                    match event {
                        Event::Connected(_) => drop(session.subscribe("n", qos)?),
                        Event::Subscribed(..) => {
                            for number in 0..count {
                                session.publish("n", number.to_string(), qos)?;
                            }
                        }
                        Event::Message(message) => {
                            assert_eq!(message.text(), Some(&*seen.get().to_string()));
                            seen.set(seen.get() + 1);
                        }
                        Event::Disconnected { error, .. } => panic!("{error}"),
                        _ => {}
                    }
                    Ok(())
                })
                .expect("to begin");
            poll_until(&mut scene.manager, "all messages", |_| next.get() == count && client.pending() == 0);
        }
    }
}

#[test]
fn a_large_message_comes_back_whole() {
    let server = Mosquitto::start();
    for qos in QOS {
        let mut scene = Scene::new();
        let payload: Vec<u8> = (0..scaled(3_000_000)).map(|n| n as u8).collect();
        let (sent, right) = (payload.clone(), Rc::new(Cell::new(false)));
        let is_right = Rc::clone(&right);
        let builder = Client::builder(&server.url()).queue(10 << 20);
        builder
            .connect(&scene.manager, move |session: &Session<'_>, event: Event<'_>| {
                match event {
                    Event::Connected(_) => drop(session.subscribe("big", qos)?),
                    Event::Subscribed(..) => drop(session.publish("big", &sent, qos)?),
                    Event::Message(message) => is_right.set(message.payload == payload),
                    _ => {}
                }
                Ok(())
            })
            .expect("to begin");
        poll_until(&mut scene.manager, "the message", |_| right.get());
    }
}

#[test]
fn unsubscribing_ends_a_subscription() {
    let server = Mosquitto::start();
    let mut scene = Scene::new();
    let client = scene.client(Client::builder(&server.url()), |session: &Session<'_>, event: &Event<'_>| {
        match event {
            Event::Connected(_) => {
                session.subscribe_all(
                    &[("a", QoS::AtMostOnce.into()), ("b", QoS::ExactlyOnce.into())],
                    Default::default(),
                )?;
            }
            Event::Subscribed(..) => drop(session.unsubscribe(&["a"])?),
            Event::Unsubscribed(..) => {
                session.publish("a", "not this", QoS::AtLeastOnce)?;
                session.publish("b", "this", QoS::AtLeastOnce)?;
            }
            _ => {}
        }
        Ok(())
    });
    scene.until("message b this qos1", 1);
    assert_eq!(scene.log.count("subscribed [0, 2]"), 1);
    assert_eq!(scene.log.count("message"), 1);
    client.disconnect();
    scene.until("closed", 1);
}

#[test]
fn retained_messages_and_wills() {
    let server = Mosquitto::start();
    for version in VERSIONS {
        server.publish(&["-t", "kept", "-m", "old", "-r", "-q", "1"]);
        let mut scene = Scene::new();
        let watcher = scene.client(
            Client::builder(&server.url()).version(version),
            |session: &Session<'_>, event: &Event<'_>| {
                if let Event::Connected(_) = event {
                    session.subscribe("#", QoS::AtLeastOnce)?;
                }
                Ok(())
            },
        );
        scene.until("message kept old qos1 retained", 1);
        // One that goes without a word, because its handler fails, and comes back no more.
        let will = Message { qos: QoS::AtLeastOnce, ..Message::new("gone", b"farewell") };
        let builder = Client::builder(&server.url()).version(version).will(&will).reconnect(false);
        builder
            .connect(&scene.manager, |session: &Session<'_>, event: Event<'_>| {
                if let Event::Connected(_) = event {
                    let id = session.connection_id().expect("there is one");
                    session.registry().connection(id)?.close();
                }
                Ok(())
            })
            .expect("to begin");
        scene.until("message gone farewell qos1", 1);
        // One that says goodbye has no will, unless it says so.
        let builder = Client::builder(&server.url()).version(version).will(&will);
        let leaving = builder
            .connect(&scene.manager, move |session: &Session<'_>, event: Event<'_>| {
                if let Event::Connected(_) = event {
                    session.publish("last", "word", QoS::AtMostOnce)?;
                    let reason = Reason::DISCONNECT_WITH_WILL;
                    session.disconnect_with(&Disconnect { reason, ..Disconnect::default() })?;
                }
                Ok(())
            })
            .expect("to begin");
        scene.until("message last word", 1);
        assert!(!leaving.is_connected());
        if version == Version::V5 {
            scene.until("message gone farewell", 2);
        }
        watcher.disconnect();
        scene.until("closed", 1);
    }
}

#[test]
fn credentials_are_checked_and_a_refusal_is_told() {
    let passwords = std::env::temp_dir().join(format!("mongoose-passwords-{}", std::process::id()));
    let made = std::process::Command::new("mosquitto_passwd")
        .args(["-c", "-b"])
        .arg(&passwords)
        .args(["me", "secret"])
        .status();
    assert!(made.expect("mosquitto_passwd").success());
    let config = format!("allow_anonymous false\npassword_file {}\nuser root\n", passwords.display());
    let server = Mosquitto::start_with(&config);
    for version in VERSIONS {
        let mut scene = Scene::new();
        let builder = Client::builder(&server.url()).version(version).reconnect(false);
        let client = scene.plain(builder.clone().credentials("me", "secret"));
        scene.until("connected", 1);
        client.disconnect();
        let mut scene = Scene::new();
        scene.plain(builder.credentials("me", "guess"));
        scene.until("closed", 1);
        let [refused, closed] = &scene.log.lines()[..] else { panic!("{:?}", scene.log.lines()) };
        assert!(refused.contains("refused") && refused.contains("not authorized"), "{refused}");
        assert_eq!(closed, "closed");
    }
    std::fs::remove_file(passwords).expect("it is there");
}

#[test]
fn properties_pass_and_a_request_is_answered() {
    let server = Mosquitto::start();
    let mut scene = Scene::new();
    let builder = || Client::builder(&server.url()).version(Version::V5);
    let responder = builder();
    responder
        .connect(&scene.manager, |session: &Session<'_>, event: Event<'_>| {
            match event {
                Event::Connected(_) => drop(session.subscribe("ask", QoS::AtLeastOnce)?),
                Event::Message(message) => drop(session.respond(&message, "42")?),
                _ => {}
            }
            Ok(())
        })
        .expect("to begin");
    let log = scene.log.clone();
    scene.client(builder(), move |session: &Session<'_>, event: &Event<'_>| {
        match event {
            Event::Connected(_) => drop(session.subscribe("answers/me", QoS::AtLeastOnce)?),
            Event::Subscribed(..) => ask(session)?,
            // Nobody listened yet: again.
            Event::Published(_, Reason::NO_MATCHING_SUBSCRIBERS) => ask(session)?,
            Event::Message(message) => {
                log.add(format!("answered {:?}", message.properties.correlation_data()));
            }
            _ => {}
        }
        Ok(())
    });
    scene.until("answered Some([7, 0])", 1);
    assert_eq!(scene.log.count("message answers/me 42"), 1);
}

fn ask(session: &Session<'_>) -> Result<(), Error> {
    let mut properties = PropertiesBuf::new();
    properties.push(Property::ResponseTopic("answers/me"))?;
    properties.push(Property::CorrelationData(&[7, 0]))?;
    properties.push(Property::UserProperty("a", "b"))?;
    let message = Message { qos: QoS::AtLeastOnce, ..Message::new("ask", b"?") };
    session.publish_message(&Message { properties: properties.view(), ..message })?;
    Ok(())
}

#[test]
fn subscription_options_of_5_hold() {
    let server = Mosquitto::start();
    server.publish(&["-t", "kept", "-m", "old", "-r"]);
    let mut scene = Scene::new();
    let builder = Client::builder(&server.url()).version(Version::V5);
    let log = scene.log.clone();
    scene.client(builder, move |session: &Session<'_>, event: &Event<'_>| {
        match event {
            Event::Connected(_) => {
                let base = SubscribeOptions::from(QoS::AtLeastOnce);
                let silent = SubscribeOptions { retain_handling: RetainHandling::DoNotSend, ..base };
                let local = SubscribeOptions { no_local: true, ..base };
                let mut properties = PropertiesBuf::new();
                properties.push(Property::SubscriptionIdentifier(77))?;
                session
                    .subscribe_all(&[("kept", silent), ("mine", local), ("end", base)], properties.view())?;
            }
            Event::Subscribed(..) => {
                session.publish("mine", "not for me", QoS::AtLeastOnce)?;
                session.publish("end", "the end", QoS::AtLeastOnce)?;
            }
            Event::Message(message) => {
                let ids: Vec<_> = message.properties.subscription_identifiers().collect();
                log.add(format!("by {ids:?}"));
            }
            _ => {}
        }
        Ok(())
    });
    scene.until("by [77]", 1);
    assert_eq!(scene.log.count("message"), 1, "{:?}", scene.log.lines());
    assert_eq!(scene.log.count("message end"), 1);
}

#[test]
fn topics_are_abbreviated_where_both_sides_may() {
    let server = Mosquitto::start();
    let mut scene = Scene::new();
    let builder = Client::builder(&server.url()).version(Version::V5).topic_aliases(5);
    let client = scene.client(builder, |session: &Session<'_>, event: &Event<'_>| {
        match event {
            Event::Connected(_) => drop(session.subscribe("long/#", QoS::AtMostOnce)?),
            Event::Subscribed(..) => {
                for round in 0..3 {
                    for number in 0..7 {
                        session.publish(
                            &format!("long/topic/{number}"),
                            round.to_string(),
                            QoS::AtMostOnce,
                        )?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    });
    scene.until("message", 21);
    for number in 0..7 {
        for round in 0..3 {
            assert_eq!(scene.log.count(&format!("message long/topic/{number} {round}")), 1);
        }
    }
    assert!(client.is_connected());
}

#[test]
fn shared_subscriptions_share() {
    let server = Mosquitto::start();
    let mut scene = Scene::new();
    for _ in 0..2 {
        scene.client(
            Client::builder(&server.url()).version(Version::V5),
            |session: &Session<'_>, event: &Event<'_>| {
                if let Event::Connected(_) = event {
                    session.subscribe("$share/workers/jobs/+", QoS::AtLeastOnce)?;
                }
                Ok(())
            },
        );
    }
    scene.until("subscribed", 2);
    let source = scene.plain(Client::builder(&server.url()));
    for number in 0..10 {
        source.publish(&format!("jobs/{number}"), "", QoS::AtLeastOnce).expect("room");
    }
    scene.until("message", 10);
    scene.until("published", 10);
    assert_eq!(scene.log.count("message"), 10, "each went to one of them");
}

#[test]
fn another_thread_publishes() {
    let server = Mosquitto::start();
    let mut scene = Scene::new();
    let client = scene.client(Client::builder(&server.url()), |session: &Session<'_>, event: &Event<'_>| {
        if let Event::Connected(_) = event {
            session.subscribe("thread/+", QoS::ExactlyOnce)?;
        }
        Ok(())
    });
    scene.until("subscribed", 1);
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let remote = client.remote();
            std::thread::spawn(move || {
                for number in 0..25 {
                    remote
                        .publish(format!("thread/{thread}"), number.to_string(), QoS::ExactlyOnce)
                        .expect("alive");
                }
            })
        })
        .collect();
    scene.until("message", 100);
    for thread in threads {
        thread.join().expect("no panic");
    }
    for thread in 0..4 {
        assert_eq!(scene.log.count(&format!("message thread/{thread} ")), 25);
    }
    let remote = client.remote();
    drop(scene);
    drop(client);
    assert!(matches!(remote.publish("a", "", QoS::AtMostOnce), Err(Error::Gone)));
}

#[test]
fn what_makes_no_packet_is_refused_at_once() {
    let manager = Manager::new().expect("a manager");
    let ignore = |_: &Session<'_>, _: Event<'_>| Ok(());
    for url in ["mqtt://h:99999", "http://h", "mqtt://", "mqtts://h", "h:1883"] {
        let error = Client::builder(url).connect(&manager, ignore).expect_err(url);
        assert!(matches!(error, Error::Url { .. }), "{error}");
    }
    let builder = || Client::builder("mqtt://127.0.0.1:1");
    let long = "x".repeat(65_536);
    for builder in [
        builder().clean_start(false),
        builder().client_id(&*long),
        builder().credentials("\0", ""),
        builder().will(&Message::new("a/#", b"")),
        builder().will(&Message::new("a", long.as_bytes())),
    ] {
        assert!(matches!(builder.connect(&manager, ignore), Err(Error::Packet { .. })));
    }
    let client = builder().connect(&manager, ignore).expect("to begin");
    for topic in ["", "a/#", "+", &long, "a\0"] {
        for qos in QOS {
            assert!(matches!(client.publish(topic, "", qos), Err(Error::Packet { .. })), "{topic}");
        }
    }
    assert!(matches!(client.subscribe("a#", QoS::AtMostOnce), Err(Error::Packet { .. })));
    assert!(matches!(client.unsubscribe(&[]), Err(Error::Packet { .. })));
    assert_eq!(client.pending(), 0);
}
