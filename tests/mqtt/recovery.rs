//! Connections that break: what is kept, what is sent again, and what is bounded.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use mongoose::mqtt::{Client, ClientBuilder, Event, QoS, Session, Version};
use mongoose::{Error, Manager};
use mongoose_tests::poll_until;

use crate::mosquitto::Mosquitto;
use crate::scene::Scene;

fn quick(url: &str) -> ClientBuilder {
    Client::builder(url).back_off(Duration::from_millis(10), Duration::from_millis(50))
}

/// Breaks a client's connection without a word.
fn cut(scene: &Scene, client: &Client) {
    let id = client.connection_id().expect("there is one");
    scene.manager.connection(id).expect("there is one").close();
}

#[test]
fn a_lost_connection_is_made_again_with_its_subscriptions() {
    let server = Mosquitto::start();
    for version in [Version::V3, Version::V5] {
        let mut scene = Scene::new();
        let client = scene.plain(quick(&server.url()).version(version));
        // Before there is a connection.
        client.subscribe("a", QoS::AtLeastOnce).expect("to remember");
        client.subscribe("b", QoS::AtLeastOnce).expect("to remember");
        scene.until("subscribed", 2);
        cut(&scene, &client);
        scene.until("disconnected", 1);
        scene.until("subscribed", 4);
        client.publish("a", "again", QoS::AtLeastOnce).expect("room");
        scene.until("message a again", 1);
    }
}

#[test]
fn a_session_that_is_kept_is_not_begun_anew() {
    let server = Mosquitto::start();
    for version in [Version::V3, Version::V5] {
        let mut scene = Scene::new();
        let builder = quick(&server.url()).version(version).client_id(format!("keeper {version:?}"));
        let builder = builder.clean_start(version == Version::V5).session_expiry(100);
        let client = scene.plain(builder);
        client.subscribe("a", QoS::AtLeastOnce).expect("to remember");
        scene.until("subscribed", 1);
        cut(&scene, &client);
        // While we are away.
        server.publish(&["-t", "a", "-m", "missed", "-q", "1"]);
        scene.until("connected true", 1);
        scene.until("message a missed qos1", 1);
        assert_eq!(scene.log.count("subscribed"), 1, "the server knows");
    }
}

#[test]
fn what_is_published_without_a_connection_waits_within_a_bound() {
    let server = Mosquitto::start();
    let (port, url) = (server.port, server.url());
    drop(server);
    let mut scene = Scene::new();
    let client = scene.plain(quick(&url).queue(1000));
    scene.until("disconnected", 1);
    let mut kept = 0;
    let refused = loop {
        match client.publish("offline", kept.to_string(), [QoS::AtMostOnce, QoS::AtLeastOnce][kept % 2]) {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, Error::OutputFull { limit: 1000 }), "{refused}");
    assert!((5..20).contains(&kept), "{kept}");
    assert_eq!(client.pending(), kept);
    let server = Mosquitto::at(port, "allow_anonymous true\n").expect("the port is free again");
    let watcher = scene.client(quick(&url), |session: &Session<'_>, event: &Event<'_>| {
        if let Event::Connected(_) = event {
            session.subscribe("offline", QoS::AtLeastOnce)?;
        }
        Ok(())
    });
    scene.until("connected", 2);
    poll_until(&mut scene.manager, "all to be sent", |_| client.pending() == 0);
    assert!(watcher.is_connected());
    scene.until("published 0x0", kept / 2);
    drop(server);
}

#[test]
fn messages_in_flight_outlive_the_server() {
    let server = Mosquitto::start();
    let port = server.port;
    let mut scene = Scene::new();
    let builder = quick(&server.url()).client_id("flyer").clean_start(false);
    let client = scene.plain(builder);
    scene.until("connected", 1);
    for number in 0..10 {
        client.publish("f", number.to_string(), QoS::ExactlyOnce).expect("room");
    }
    // None of it has left yet.
    drop(server);
    scene.until("disconnected", 1);
    let server = Mosquitto::at(port, "allow_anonymous true\n").expect("the port is free again");
    scene.until("published 0x0", 10);
    assert_eq!(client.pending(), 0);
    drop(server);
}

#[test]
fn attempts_are_spread_and_grow_rarer() {
    let mut scene = Scene::new();
    let closed =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
    let delays = Rc::new(std::cell::RefCell::new(Vec::new()));
    let told = Rc::clone(&delays);
    let builder = Client::builder(&format!("mqtt://{closed}"))
        .back_off(Duration::from_millis(8), Duration::from_millis(64));
    let client = scene.client(builder, move |_: &Session<'_>, event: &Event<'_>| {
        if let Event::Disconnected { retry, .. } = event {
            told.borrow_mut().push(retry.expect("always again"));
        }
        Ok(())
    });
    scene.until("disconnected", 6);
    for (attempt, delay) in delays.borrow().iter().take(6).enumerate() {
        let whole = Duration::from_millis(8 << attempt.min(3));
        assert!((whole / 2..=whole).contains(delay), "attempt {attempt}: {delay:?}");
    }
    // Between two attempts there is no connection that could tell.
    client.disconnect();
    scene.until("closed", 1);
    assert_eq!(scene.manager.stats().connections, 0);
    assert!(scene.log.lines().ends_with(&["closed".to_owned()]));
}

/// Says that a handler was dropped.
struct Dropped(Rc<Cell<u32>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn a_handler_is_dropped_once_its_client_is_over() {
    let server = Mosquitto::start();
    let drops = Rc::new(Cell::new(0));
    let connect = |manager: &Manager, url: &str| {
        let guard = Dropped(Rc::clone(&drops));
        let keep = Rc::new(std::cell::RefCell::new(None));
        let held = Rc::clone(&keep);
        let handler = move |_: &Session<'_>, _: Event<'_>| {
            // It holds its own client: a circle.
            let _ = (&guard, &held);
            Ok(())
        };
        let client = quick(url).connect(manager, handler).expect("to begin");
        *keep.borrow_mut() = Some(client.clone());
        client
    };
    let mut manager = Manager::new().expect("a manager");
    let client = connect(&manager, &server.url());
    poll_until(&mut manager, "a connection", |_| client.is_connected());
    client.disconnect();
    poll_until(&mut manager, "the end", |_| drops.get() == 1);
    // One that is connected, and one that waits to be, when the manager ends.
    let connected = connect(&manager, &server.url());
    poll_until(&mut manager, "a connection", |_| connected.is_connected());
    let waiting = connect(&manager, "mqtt://127.0.0.1:1");
    poll_until(&mut manager, "a failure", |_| waiting.connection_id().is_none());
    drop(manager);
    assert_eq!(drops.get(), 3);
    assert!(matches!(waiting.publish("a", "", QoS::AtMostOnce), Err(Error::Closed)));
}

#[test]
fn a_handler_that_panics_is_dropped_and_its_client_over() {
    let server = Mosquitto::start();
    let drops = Rc::new(Cell::new(0));
    let guard = Dropped(Rc::clone(&drops));
    let mut manager = Manager::new().expect("a manager");
    let handler = move |_: &Session<'_>, event: Event<'_>| {
        let _ = &guard;
        if let Event::Connected(_) = event {
            panic!("of the handler");
        }
        Ok(())
    };
    let client = quick(&server.url()).connect(&manager, handler).expect("to begin");
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        poll_until(&mut manager, "a panic", |_| false);
    }));
    let message = panicked.expect_err("it panics");
    assert_eq!(message.downcast_ref::<&str>(), Some(&"of the handler"));
    poll_until(&mut manager, "the connection to close", |manager| manager.stats().connections == 0);
    assert_eq!(drops.get(), 1);
    assert!(matches!(client.publish("a", "", QoS::AtMostOnce), Err(Error::Closed)));
}

#[test]
fn shutting_down_says_goodbye() {
    let server = Mosquitto::start();
    let mut scene = Scene::new();
    scene.plain(quick(&server.url()).client_id("polite"));
    scene.until("connected", 1);
    scene.manager.shutdown(Duration::from_secs(30)).expect("to shut down");
    server.wait_for("Client polite disconnected.");
    assert_eq!(scene.log.lines().last().map(String::as_str), Some("closed"));
}
