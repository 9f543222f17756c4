//! Connections that stall at each of their bytes, of protocols that talk both ways: whoever waits for what does not come
//! gives them up by its own deadlines, for the other never does.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use mongoose::mqtt::{self, Ack, Connack, Packet, Peer, QoS, ServerEvent};
use mongoose::{Error, Limits, Manager, http, ws};
use mongoose_tests::{PATIENCE, Server, in_own_process, poll_until};

use crate::broken::wait_until_over;
use crate::descriptors;
use crate::proxy::{BOTH_WAYS, Fault, How, Proxy, Way};

/// After this whoever is to give up does.
const SOON: Duration = Duration::from_secs(1);

/// After this the other would: the test has failed before.
const NEVER: Duration = Duration::from_secs(4 * PATIENCE.as_secs());

/// Connections that stall at a time.
const TOGETHER: usize = 300;

/// The times that each end allows the other.
#[derive(Clone, Copy)]
struct Times {
    server: Duration,
    client: Duration,
}

/// Limits whose every time is the same.
fn limits(time: Duration) -> Limits {
    let mut limits = Limits::default();
    (limits.connect_time, limits.handshake_time) = (time, time);
    (limits.head_time, limits.body_time, limits.idle_time) = (time, time, time);
    (limits.write_time, limits.reply_time) = (time, time);
    limits
}

fn ws_limits(time: Duration) -> ws::Limits {
    let mut limits = ws::Limits::default();
    (limits.ping_time, limits.pong_time, limits.close_time) = (time / 4, time / 2, time);
    limits
}

/// What counts the connections of a test's that are over.
type Over = Rc<Cell<usize>>;

/// Has `begin` make connections, one behind each byte that an unbroken one has in either direction, and waits until
/// all of them are over.
fn stall(
    step: usize,
    serve: impl Fn(Times) -> Server,
    begin: impl Fn(&Manager, &str, Times, Over) -> Result<(), Error>,
) {
    for (way, times) in BOTH_WAYS
        .into_iter()
        .zip([Times { server: SOON, client: NEVER }, Times { server: NEVER, client: SOON }])
    {
        let server = serve(times);
        let proxy = Proxy::start(server.address);
        let place = proxy.address.to_string();
        let mut manager = Manager::new().expect("a manager");
        let run = |manager: &mut Manager, count: usize| {
            let over = Over::default();
            for _ in 0..count {
                begin(manager, &place, times, Rc::clone(&over)).expect("to begin");
            }
            poll_until(manager, "all connections to end", |manager| {
                over.get() == count && manager.stats().connections == 0
            });
            wait_until_over(&proxy, &server);
        };
        run(&mut manager, 1);
        let before = descriptors::open();
        let length = proxy.passed()[usize::from(way == Way::ToClient)];
        let places: Vec<_> = (0..length).step_by(step).chain([length]).collect();
        for places in places.chunks(TOGETHER) {
            places.iter().for_each(|&after| proxy.add(Fault { way, after, how: How::Stall }));
            run(&mut manager, places.len());
        }
        run(&mut manager, 1);
        descriptors::wait_until_back(before);
    }
}

fn count(over: &Over) {
    over.set(over.get() + 1);
}

#[test]
fn websockets() {
    in_own_process(
        "stalls::websockets",
        |_| {},
        || {
            let serve = |times: Times| {
                Server::http_within(limits(times.server), move || {
                    move |request: http::Request<'_>, reply: http::Reply<'_>| {
                        let echo = |peer: &ws::Connection<'_>, event: ws::Event<'_>| match event {
                            ws::Event::Message(message) => peer.send(message),
                            _ => Ok(()),
                        };
                        ws::upgrade(request, reply).limits(ws_limits(times.server)).accept(echo)
                    }
                })
            };
            stall(1, serve, |manager, place, times, over| {
                let handler = move |peer: &ws::Connection<'_>, event: ws::Event<'_>| match event {
                    ws::Event::Open => peer.send_text("hello"),
                    ws::Event::Message(_) => peer.close(ws::CloseCode::NORMAL, "done"),
                    ws::Event::Close(_) => {
                        count(&over);
                        Ok(())
                    }
                    _ => Ok(()),
                };
                let connect = ws::connect(manager, &format!("ws://{place}/")).timeout(times.client);
                connect.limits(ws_limits(times.client)).open(handler).map(drop)
            });
        },
    );
}

/// Takes what clients publish.
fn broker(peer: &Peer<'_>, event: ServerEvent<'_>) -> Result<(), Error> {
    match event {
        ServerEvent::Packet(Packet::Connect(_)) => peer.send(&Packet::Connack(Connack::default())),
        ServerEvent::Packet(Packet::Publish(message)) => {
            let id = message.packet_id.ok_or(Error::Closed)?;
            peer.send(&Packet::Puback(Ack::success(id)))
        }
        ServerEvent::Packet(Packet::Pingreq) => peer.send(&Packet::Pingresp),
        ServerEvent::Packet(Packet::Disconnect(_)) => {
            peer.connection().drain();
            Ok(())
        }
        _ => Ok(()),
    }
}

#[test]
fn mqtt_sessions() {
    in_own_process(
        "stalls::mqtt_sessions",
        |_| {},
        || {
            let serve = |times: Times| {
                Server::start(move |manager| {
                    manager.listener("mqtt://127.0.0.1:0").limits(limits(times.server)).mqtt(broker)
                })
            };
            stall(1, serve, |manager, place, times, over| {
                let client = mqtt::Client::builder(&format!("mqtt://{place}")).keep_alive(1).reconnect(false);
                let client = client.response_time(times.client).limits(limits(times.client));
                let handler = move |session: &mqtt::Session<'_>, event: mqtt::Event<'_>| match event {
                    mqtt::Event::Connected(_) => session.publish("a", "message", QoS::AtLeastOnce).map(drop),
                    mqtt::Event::Published(..) => {
                        session.disconnect();
                        Ok(())
                    }
                    mqtt::Event::Closed => {
                        count(&over);
                        Ok(())
                    }
                    _ => Ok(()),
                };
                client.connect(manager, handler).map(drop)
            });
        },
    );
}

#[cfg(feature = "tls-rustls")]
#[test]
fn requests_over_tls() {
    use mongoose::tls;

    in_own_process(
        "stalls::requests_over_tls",
        |_| {},
        || {
            let certificate = crate::certificate::make();
            let serve = |times: Times| {
                let config = tls::ServerConfig::from_files(certificate.chain(), certificate.key());
                let config = config.expect("a certificate");
                Server::start(move |manager| {
                    let listener = manager.listener("https://127.0.0.1:0").limits(limits(times.server));
                    let hello = |_: http::Request<'_>, reply: http::Reply<'_>| reply.text("hello");
                    listener.tls(config).http(hello)
                })
            };
            // A handshake has thousands of bytes, most of them alike.
            stall(7, serve, |manager, place, times, over| {
                // One each: no handshake is shorter than the first.
                let config = tls::ClientConfig::roots_file(certificate.chain()).build()?;
                let client = http::Client::within(manager, limits(times.client)).with_tls(config);
                let request = client.get(&format!("https://{place}/")).close();
                request.send(move |_: Result<http::Response<'_>, Error>| count(&over)).map(drop)
            });
        },
    );
}
