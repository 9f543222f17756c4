//! The example `mqtt_broker` with the clients of others, and ours.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{LazyLock, mpsc};
use std::thread;

use mongoose::Error;
use mongoose::mqtt::{Client, Event, Message, QoS, Session, Version};
use mongoose_tests::{PATIENCE, example};

use crate::certificates;
use crate::mosquitto::run_tool;
use crate::scene::Scene;

static PROGRAM: LazyLock<String> = LazyLock::new(|| example("mqtt_broker", "tls-rustls"));

/// The broker as a process, which ends with it.
pub struct Broker {
    child: Child,
    log: mpsc::Receiver<String>,
    pub port: u16,
}

impl Broker {
    pub fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(&*PROGRAM)
            .args(["--listen", "mqtt://127.0.0.1:0"])
            .args(arguments)
            .stderr(Stdio::piped())
            .spawn()
            .expect("to start");
        let (sender, log) = mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut broker = Self { child, log, port: 0 };
        broker.port = broker.listening();
        broker
    }

    /// Where it says that it listens next.
    pub fn listening(&self) -> u16 {
        let line = self.log.recv_timeout(PATIENCE).expect("a line");
        let (_, port) = line.rsplit_once(':').unwrap_or_else(|| panic!("{line}"));
        port.parse().unwrap_or_else(|_| panic!("{line}"))
    }

    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    pub fn tool(&self, program: &str, arguments: &[&str]) -> Output {
        run_tool(program, self.port, arguments)
    }

    /// Ends it as a service manager would.
    fn end(mut self) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("to send a signal");
        assert!(self.child.wait().expect("to wait").success());
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn subscriber(scene: &Scene, broker: &Broker, version: Version, filter: &'static str, qos: QoS) -> Client {
    let builder = Client::builder(&broker.url()).version(version);
    scene.client(builder, move |session: &Session<'_>, event: &Event<'_>| {
        if let Event::Connected(_) = event {
            session.subscribe(filter, qos)?;
        }
        Ok(())
    })
}

#[test]
fn every_qos_passes_between_the_versions() {
    let broker = Broker::start(&[]);
    for version in [Version::V3, Version::V5] {
        for from in ["mqttv311", "mqttv5"] {
            for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
                let mut scene = Scene::new();
                let client = subscriber(&scene, &broker, version, "a/+/#", qos);
                scene.until("subscribed", 1);
                for number in ["0", "1", "2"] {
                    let sent =
                        broker.tool("mosquitto_pub", &["-V", from, "-t", "a/b", "-m", "hi", "-q", number]);
                    assert!(sent.status.success(), "{sent:?}");
                }
                scene.until("message", 3);
                for number in 0..3 {
                    let expected = format!("message a/b hi qos{}", number.min(qos as u8));
                    assert!(scene.log.count(&expected) > 0, "{expected}: {:?}", scene.log.lines());
                }
                client.disconnect();
                scene.until("closed", 1);
            }
        }
    }
}

#[test]
fn mosquitto_sub_gets_retained_messages_and_wildcards() {
    let broker = Broker::start(&[]);
    for (topic, payload) in [("r/1", "one"), ("r/2", "two"), ("r", "top"), ("s/1", "other")] {
        let sent = broker.tool("mosquitto_pub", &["-t", topic, "-m", payload, "-r", "-q", "1"]);
        assert!(sent.status.success(), "{sent:?}");
    }
    for version in ["mqttv311", "mqttv5"] {
        let got = broker.tool("mosquitto_sub", &["-V", version, "-t", "r/#", "-C", "3", "-v", "-W", "30"]);
        assert_eq!(text(&got), "r top\nr/1 one\nr/2 two\n", "{got:?}");
        let got = broker.tool("mosquitto_sub", &["-V", version, "-t", "+/1", "-C", "2", "-v", "-W", "30"]);
        assert_eq!(text(&got), "r/1 one\ns/1 other\n", "{got:?}");
    }
    // An empty one removes it.
    broker.tool("mosquitto_pub", &["-t", "r/1", "-n", "-r", "-q", "1"]);
    let got = broker.tool("mosquitto_sub", &["-t", "r/#", "-C", "2", "-v", "-W", "30"]);
    assert_eq!(text(&got), "r top\nr/2 two\n", "{got:?}");
}

#[test]
fn sessions_wills_and_shared_subscriptions() {
    let broker = Broker::start(&[]);
    for version in ["mqttv311", "mqttv5"] {
        // A session that is there without its client.
        let sleeper = ["-V", version, "-i", "sleeper", "-c", "-q", "1", "-t", "z", "-x", "100"];
        let sleeper = if version == "mqttv5" { &sleeper[..] } else { &sleeper[..9] };
        let made = broker.tool("mosquitto_sub", &[sleeper, &["-E"]].concat());
        assert!(made.status.success(), "{made:?}");
        broker.tool("mosquitto_pub", &["-t", "z", "-m", "missed", "-q", "1"]);
        let got = broker.tool("mosquitto_sub", &[sleeper, &["-C", "1", "-W", "30"]].concat());
        assert_eq!(text(&got), "missed\n", "{got:?}");
    }
    let mut scene = Scene::new();
    let watcher = subscriber(&scene, &broker, Version::V5, "will", QoS::AtLeastOnce);
    scene.until("subscribed", 1);
    let will = Message { qos: QoS::AtLeastOnce, ..Message::new("will", b"gone") };
    let builder = Client::builder(&broker.url()).will(&will).reconnect(false);
    scene.client(builder, |_: &Session<'_>, event: &Event<'_>| match event {
        Event::Connected(_) => Err(Error::handler("it breaks")),
        _ => Ok(()),
    });
    scene.until("message will gone qos1", 1);
    watcher.disconnect();
    scene.until("closed", 2);

    let mut scene = Scene::new();
    let workers = [Version::V3, Version::V5]
        .map(|version| subscriber(&scene, &broker, version, "$share/workers/jobs/#", QoS::ExactlyOnce));
    scene.until("subscribed", 2);
    for _ in 0..5 {
        for worker in &workers {
            worker.publish("jobs/x", "do", QoS::ExactlyOnce).expect("room");
        }
    }
    scene.until("published", 10);
    scene.until("message", 10);
    assert_eq!(scene.log.count("message"), 10);
}

#[test]
fn a_name_is_for_one_connection() {
    let broker = Broker::start(&[]);
    let mut scene = Scene::new();
    let builder = || Client::builder(&broker.url()).version(Version::V5).client_id("same");
    scene.plain(builder());
    scene.until("connected", 1);
    let second = scene.plain(builder());
    scene.until("connected", 2);
    scene.until("disconnected: the MQTT server ended the connection: session taken over", 1);
    scene.until("closed", 1);
    assert!(second.is_connected());
}

#[test]
fn rules_hold() {
    let path = std::env::temp_dir().join(format!("mongoose-rules-{}", std::process::id()));
    let rules = "user me secret\npublish me mine/#\nsubscribe me mine/#\nsubscribe * news\n";
    std::fs::write(&path, rules).expect("a file");
    let broker = Broker::start(&["--rules", path.to_str().expect("text")]);
    let mut scene = Scene::new();
    let builder = Client::builder(&broker.url()).version(Version::V5).reconnect(false);
    scene.plain(builder.clone());
    scene.plain(builder.clone().credentials("me", "wrong"));
    scene.until("closed", 2);
    assert_eq!(scene.log.count("disconnected: the MQTT server refused the connection"), 2);
    let client =
        scene.client(builder.credentials("me", "secret"), |session: &Session<'_>, event: &Event<'_>| {
            if let Event::Connected(_) = event {
                let options = QoS::AtLeastOnce.into();
                session.subscribe_all(
                    &[("mine/+", options), ("#", options), ("news", options), ("theirs", options)],
                    Default::default(),
                )?;
            }
            Ok(())
        });
    scene.until("subscribed [1, 135, 1, 135]", 1);
    client.publish("theirs", "", QoS::AtLeastOnce).expect("room");
    scene.until("published 0x87", 1);
    client.publish("mine/x", "yes", QoS::AtLeastOnce).expect("room");
    scene.until("message mine/x yes", 1);
    std::fs::remove_file(path).expect("it is there");
}

#[test]
fn queues_are_bounded() {
    let broker = Broker::start(&["--queue", "5"]);
    let made = broker.tool("mosquitto_sub", &["-i", "slow", "-c", "-q", "1", "-t", "q", "-E"]);
    assert!(made.status.success(), "{made:?}");
    for number in 0..9 {
        broker.tool("mosquitto_pub", &["-t", "q", "-m", &number.to_string(), "-q", "1"]);
    }
    broker.tool("mosquitto_pub", &["-t", "end", "-m", "end", "-q", "1", "-r"]);
    let arguments = ["-i", "slow", "-c", "-q", "1", "-t", "q", "-t", "end", "-C", "6", "-W", "30"];
    let got = broker.tool("mosquitto_sub", &arguments);
    assert_eq!(text(&got), "0\n1\n2\n3\n4\nend\n", "{got:?}");
}

#[test]
fn what_is_stored_outlives_the_process() {
    let path = std::env::temp_dir().join(format!("mongoose-store-{}", std::process::id()));
    let store = ["--store", path.to_str().expect("text")];
    let broker = Broker::start(&store);
    broker.tool("mosquitto_pub", &["-t", "kept", "-m", "still here", "-r", "-q", "1"]);
    let sleeper = ["-i", "sleeper", "-c", "-q", "1", "-t", "z"];
    broker.tool("mosquitto_sub", &[&sleeper[..], &["-E"]].concat());
    broker.tool("mosquitto_pub", &["-t", "z", "-m", "missed", "-q", "1"]);
    broker.end();
    let broker = Broker::start(&store);
    let got = broker.tool("mosquitto_sub", &["-t", "kept", "-C", "1", "-W", "30"]);
    assert_eq!(text(&got), "still here\n", "{got:?}");
    let got = broker.tool("mosquitto_sub", &[&sleeper[..], &["-C", "1", "-W", "30"]].concat());
    assert_eq!(text(&got), "missed\n", "{got:?}");
    broker.end();
    std::fs::remove_file(path).expect("it is there");
}

#[test]
fn it_speaks_tls() {
    let [chain, key] = certificates::pair("p256");
    let broker = Broker::start(&["--cert", &chain, "--key", &key, "--listen", "mqtts://127.0.0.1:0"]);
    let port = broker.listening().to_string();
    let ca = certificates::path("ca.pem");
    let sent = Command::new("mosquitto_pub")
        .args(["-h", "localhost", "-p", &port, "--cafile", &ca, "-t", "t", "-m", "over TLS", "-r", "-q", "2"])
        .output()
        .expect("mosquitto-clients");
    assert!(sent.status.success(), "{sent:?}");
    let got = broker.tool("mosquitto_sub", &["-t", "t", "-C", "1", "-W", "30"]);
    assert_eq!(text(&got), "over TLS\n", "{got:?}");
}

#[test]
fn paho_speaks_with_it() {
    let broker = Broker::start(&[]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/mqtt/paho_client.py");
    for version in ["4", "5"] {
        let output = Command::new("python3")
            .args([script, &broker.port.to_string(), version])
            .output()
            .expect("python3");
        assert!(output.status.success(), "pip install paho-mqtt: {output:?}");
        assert_eq!(text(&output), "a/0 hello 0\na/1 hello 1\na/2 hello 2\n", "version {version}");
    }
}
