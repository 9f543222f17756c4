//! The same over TLS.

use mongoose::Error;
use mongoose::mqtt::{Client, Event, QoS, Session, Version};
use mongoose::tls::ClientConfig;

use crate::certificates;
use crate::mosquitto::Mosquitto;
use crate::scene::Scene;

/// A mosquitto that speaks TLS, as `localhost`.
fn secure() -> Mosquitto {
    let [chain, key] = certificates::pair("p256");
    Mosquitto::start_with(&format!("allow_anonymous true\nuser root\ncertfile {chain}\nkeyfile {key}\n"))
}

#[test]
fn messages_pass_over_tls() {
    let server = secure();
    for version in [Version::V3, Version::V5] {
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
            let mut scene = Scene::new();
            let url = format!("mqtts://localhost:{}", server.port);
            let builder = Client::builder(&url).version(version).tls(certificates::client());
            let client = scene.client(builder, move |session: &Session<'_>, event: &Event<'_>| {
                match event {
                    Event::Connected(_) => drop(session.subscribe("s", qos)?),
                    Event::Subscribed(..) => drop(session.publish("s", vec![b'x'; 100_000], qos)?),
                    _ => {}
                }
                Ok(())
            });
            scene.until(&format!("message s {} qos{}", "x".repeat(100_000), qos as u8), 1);
            client.disconnect();
            scene.until("closed", 1);
        }
    }
}

#[test]
fn a_server_that_cannot_prove_who_it_is_gets_nothing() {
    let server = secure();
    let mut scene = Scene::new();
    let url = format!("mqtts://localhost:{}", server.port);
    let config =
        ClientConfig::roots_file(certificates::path("ca.pem")).server_name("elsewhere.example").build();
    scene.plain(Client::builder(&url).tls(config.expect("a configuration")).reconnect(false));
    scene.until("closed", 1);
    assert_eq!(scene.log.count("disconnected: TLS failed in the handshake"), 1, "{:?}", scene.log.lines());
    // Neither without a configuration, nor with one for nothing.
    let ignore = |_: &Session<'_>, _: Event<'_>| Ok(());
    let bare = Client::builder(&url).connect(&scene.manager, ignore);
    assert!(matches!(bare, Err(Error::Url { .. })));
    let plain = Client::builder(&server.url()).tls(certificates::client()).connect(&scene.manager, ignore);
    assert!(matches!(plain, Err(Error::Url { .. })));
}
