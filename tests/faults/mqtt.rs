//! MQTT at QoS 2 over connections that break at each of their bytes: each message arrives, once, and in order.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use mongoose::mqtt::{Client, ClientBuilder, Event, QoS, Session, Version};
use mongoose::{Error, Manager};
use mongoose_tests::poll_until;

use crate::broken::at_bytes;
use crate::mosquitto::Mosquitto;
use crate::program::{MQTT_BROKER, Program};
use crate::proxy::Proxy;

/// What a client was told, in words.
#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    fn event(&self, event: &Event<'_>) {
        let line = match event {
            Event::Message(message) => {
                format!("message {} {}", message.topic, String::from_utf8_lossy(message.payload))
            }
            Event::Published(_, reason) => format!("published {:#x}", reason.0),
            Event::Subscribed(..) => "subscribed".to_owned(),
            Event::Connected(_) => "connected".to_owned(),
            Event::Closed => "closed".to_owned(),
            Event::Disconnected { error, .. } => format!("disconnected: {error}"),
            other => format!("{other:?}"),
        };
        self.0.borrow_mut().push(line);
    }

    fn count(&self, text: &str) -> usize {
        self.0.borrow().iter().filter(|line| line.starts_with(text)).count()
    }

    fn messages(&self) -> Vec<String> {
        self.0.borrow().iter().filter_map(|line| line.strip_prefix("message ")).map(str::to_owned).collect()
    }
}

/// A loop with two clients: one that is always connected, and one whose connection breaks once.
struct Scene {
    manager: Manager,
    broker: SocketAddr,
    /// Where connections to it break.
    breaking: SocketAddr,
    version: Version,
    round: usize,
}

impl Scene {
    fn builder(&self, address: SocketAddr, name: &str) -> ClientBuilder {
        let quick = Duration::from_millis(1);
        // 3.1.1 has one word for both: the session is kept.
        let expiry = if self.version == Version::V5 { 1000 } else { 0 };
        Client::builder(&format!("mqtt://{address}"))
            .version(self.version)
            .client_id(format!("{name}{}", self.round))
            .clean_start(false)
            .session_expiry(expiry)
            .back_off(quick, quick)
    }

    fn connect(
        &self,
        builder: ClientBuilder,
        mut first: impl FnMut(&Session<'_>) -> Result<(), Error> + 'static,
    ) -> (Client, Log) {
        let log = Log::default();
        let of_handler = log.clone();
        let mut begun = false;
        let handler = move |session: &Session<'_>, event: Event<'_>| {
            of_handler.event(&event);
            if matches!(event, Event::Connected(_)) && !std::mem::replace(&mut begun, true) {
                first(session)?;
            }
            Ok(())
        };
        (builder.connect(&self.manager, handler).expect("to begin"), log)
    }

    fn until(&mut self, log: &Log, text: &str, count: usize) {
        poll_until(&mut self.manager, &format!("{count} of {text:?}"), |_| log.count(text) >= count);
    }

    /// Publishes over the connection that breaks. Another client sees what arrives.
    fn publish(&mut self) {
        self.round += 1;
        let topic = format!("p{}", self.round);
        let filter = topic.clone();
        let (watcher, seen) = self.connect(self.builder(self.broker, "watcher"), move |session| {
            session.subscribe(&filter, QoS::ExactlyOnce).map(drop)
        });
        self.until(&seen, "subscribed", 1);
        let to = topic.clone();
        let (publisher, told) = self.connect(self.builder(self.breaking, "publisher"), move |session| {
            ["1", "2", "3"]
                .iter()
                .try_for_each(|number| session.publish(&to, number, QoS::ExactlyOnce).map(drop))
        });
        self.until(&told, "published 0x0", 3);
        assert_eq!(publisher.pending(), 0);
        publisher.disconnect();
        self.until(&told, "closed", 1);
        self.finish(&watcher, &seen, &topic);
    }

    /// Subscribes over the connection that breaks, and another client publishes.
    fn subscribe(&mut self) {
        self.round += 1;
        let topic = format!("s{}", self.round);
        let filter = topic.clone();
        let (subscriber, seen) = self.connect(self.builder(self.breaking, "subscriber"), move |session| {
            session.subscribe(&filter, QoS::ExactlyOnce).map(drop)
        });
        self.until(&seen, "subscribed", 1);
        let to = topic.clone();
        let (publisher, told) = self.connect(self.builder(self.broker, "publisher"), move |session| {
            ["1", "2", "3"]
                .iter()
                .try_for_each(|number| session.publish(&to, number, QoS::ExactlyOnce).map(drop))
        });
        self.until(&told, "published 0x0", 3);
        self.until(&seen, &format!("message {topic} "), 3);
        publisher.disconnect();
        self.until(&told, "closed", 1);
        self.finish(&subscriber, &seen, &topic);
    }

    /// Sees to it that nothing comes behind the third message, and ends.
    fn finish(&mut self, subscriber: &Client, seen: &Log, topic: &str) {
        // It is delivered behind whatever else there may be.
        subscriber.publish(topic, "end", QoS::ExactlyOnce).expect("room");
        self.until(seen, &format!("message {topic} end"), 1);
        let expected = ["1", "2", "3", "end"].map(|number| format!("{topic} {number}"));
        assert_eq!(seen.messages(), expected, "{:?}", seen.0.borrow());
        subscriber.disconnect();
        self.until(seen, "closed", 1);
        poll_until(&mut self.manager, "both connections to end", |manager| manager.stats().connections == 0);
    }
}

/// Breaks the connection of a client that publishes, and of one that subscribes, behind each `step`th byte.
fn break_everywhere(broker: SocketAddr, version: Version, step: usize) {
    for exchange in [Scene::publish, Scene::subscribe] {
        let proxy = Proxy::start(broker);
        let manager = Manager::new().expect("a manager");
        let mut scene = Scene { manager, broker, breaking: proxy.address, version, round: 0 };
        at_bytes(&proxy, step, |_| {
            exchange(&mut scene);
            proxy.wait_until_idle();
        });
    }
}

#[test]
fn with_mosquitto_each_message_arrives_once() {
    let server = Mosquitto::start();
    break_everywhere(([127, 0, 0, 1], server.port).into(), Version::V3, 3);
}

#[test]
fn with_our_broker_each_message_arrives_once() {
    let mut command = Command::new(&*MQTT_BROKER);
    command.args(["--listen", "mqtt://127.0.0.1:0"]);
    let broker = Program::start(command, 1);
    let before = broker.descriptors();
    break_everywhere(broker.addresses[0], Version::V5, 1);
    broker.wait_for_descriptors(before);
    assert!(broker.end().success());
}
