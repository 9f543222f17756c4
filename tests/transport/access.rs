//! Access lists on listeners (hazard 47).

use std::io::Read;
use std::net::{SocketAddr, TcpStream};

use mongoose::http::{Reply, Request};
use mongoose::{Connection, Error, Event};
use mongoose_tests::{Client, PATIENCE, Server, steadily};

fn serving(url: &'static str, list: &'static str) -> Server {
    Server::start(move |manager| {
        let hello = |_: Request<'_>, reply: Reply<'_>| reply.text("hello");
        manager.listener(url).allow(list.parse()?).http(hello)
    })
}

/// Whether it is closed without a word.
fn is_denied(address: SocketAddr) -> bool {
    let mut stream = TcpStream::connect(address).expect("to connect");
    stream.set_read_timeout(Some(PATIENCE)).expect("an option");
    matches!(steadily(|| stream.read(&mut [0])), Ok(0) | Err(_))
}

#[test]
fn hazard_47_a_listener_lets_in_what_its_list_allows_of_both_families() {
    for (url, list) in [
        ("http://127.0.0.1:0", "+127.0.0.0/8,-127.0.0.2"),
        ("http://[::1]:0", "-::/0,+::1"),
        ("http://127.0.0.1:0", ""),
    ] {
        let server = serving(url, list);
        assert_eq!(Client::connect(server.address).get("/").text(), "hello", "{list}");
        assert_eq!(server.ask(|registry| registry.stats().denied), 0, "{list}");
    }
    for (url, list) in [
        ("http://127.0.0.1:0", "+127.0.0.2"),
        ("http://[::1]:0", "+::/0,-::1"),
        ("http://[::1]:0", "+0.0.0.0/0"),
    ] {
        let server = serving(url, list);
        assert!(is_denied(server.address) && is_denied(server.address), "{list}");
        let stats = server.ask(|registry| registry.stats());
        assert_eq!((stats.denied, stats.accepted, stats.connections), (2, 0, 1), "{list}");
    }
}

#[test]
fn an_ipv4_peer_of_an_ipv6_listener_is_known_by_its_ipv4_address() {
    let server = serving("http://[::]:0", "+127.0.0.1");
    let port = server.address.port();
    assert_eq!(Client::connect(([127, 0, 0, 1], port).into()).get("/").text(), "hello");
    assert!(is_denied(SocketAddr::new("::1".parse().expect("an address"), port)));
}

#[test]
fn no_handler_hears_of_who_is_denied() {
    let server = Server::start(|manager| {
        let handler = |_: &Connection<'_>, _: Event<'_>| -> Result<(), Error> { panic!("nobody gets in") };
        manager.listener("tcp://127.0.0.1:0").allow("-0.0.0.0/0".parse()?).tcp(handler)
    });
    assert!(is_denied(server.address));
    server.wait_until("it to be counted", |registry| registry.stats().denied == 1);
}
