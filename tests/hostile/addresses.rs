//! Hazards 47 and 55: IPv6 is on, and addresses are whole.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use mongoose::http::{Reply, Request};
use mongoose_tests::{Client, Server};

#[test]
fn hazard_47_ipv6_works_as_built() {
    let server = Server::start(|manager| {
        manager.http("http://[::1]:0", |_: Request<'_>, reply: Reply<'_>| reply.text("six"))
    });
    assert_eq!(server.address.ip(), IpAddr::V6(Ipv6Addr::LOCALHOST));
    assert_eq!(Client::connect(server.address).get("/").text(), "six");
}

#[test]
fn hazard_55_the_first_peer_of_an_ipv6_listener_has_its_whole_address() {
    let server = Server::start(|manager| {
        manager.http("http://[::]:0", |request: Request<'_>, reply: Reply<'_>| {
            reply.text(request.connection().remote_addr().map(|peer| peer.to_string()).unwrap_or_default())
        })
    });
    let mut client = Client::connect(SocketAddr::new(Ipv6Addr::LOCALHOST.into(), server.address.port()));
    let own = client.stream().local_addr().expect("connected");
    assert_eq!(client.get("/").text(), own.to_string());
}
