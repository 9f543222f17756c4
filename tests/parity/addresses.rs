//! R7: addresses are the standard library's, in every corner.

use std::fs;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

use mongoose::http::{Reply, Request};
use mongoose::{Connection, Error, Event, Manager};
use mongoose_tests::{Client, Server, poll_until};

/// Answers the two addresses of the connection.
fn addresses(request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
    let connection = request.connection();
    let text = |address: Option<SocketAddr>| address.map(|address| address.to_string()).unwrap_or_default();
    reply.text(format!("{} {}", text(connection.local_addr()), text(connection.remote_addr())))
}

fn serve(url: &str) -> Server {
    let url = url.to_owned();
    Server::start(move |manager| manager.http(&url, addresses))
}

/// Both ends as the client's system has them, seen from the server.
fn as_the_client_has_them(client: &Client) -> (SocketAddr, SocketAddr) {
    let socket = client.stream();
    (socket.peer_addr().expect("connected"), socket.local_addr().expect("connected"))
}

#[test]
fn r7_loopback_addresses_of_both_families() {
    for url in ["http://127.0.0.1:0", "http://[::1]:0"] {
        let server = serve(url);
        let mut client = Client::connect(server.address);
        let (local, remote) = as_the_client_has_them(&client);
        assert_eq!(local, server.address);
        assert_eq!(client.get("/").text(), format!("{local} {remote}"));
    }
}

#[test]
fn r7_the_wildcard_takes_both_families_and_shows_ipv4_mapped() {
    let server = serve("http://[::]:0");
    assert_eq!(server.address.ip(), IpAddr::V6(Ipv6Addr::UNSPECIFIED));
    let port = server.address.port();
    let mut client = Client::connect(SocketAddr::new(Ipv6Addr::LOCALHOST.into(), port));
    let (local, remote) = as_the_client_has_them(&client);
    assert_eq!(client.get("/").text(), format!("{local} {remote}"));

    if fs::read_to_string("/proc/sys/net/ipv6/bindv6only").is_ok_and(|only| only.trim() == "1") {
        eprintln!("r7: IPv4-mapped addresses not tried: this system keeps the families apart (bindv6only)");
        return;
    }
    let mut client = Client::connect(SocketAddr::from(([127, 0, 0, 1], port)));
    let from = client.stream().local_addr().expect("connected").port();
    assert_eq!(client.get("/").text(), format!("[::ffff:127.0.0.1]:{port} [::ffff:127.0.0.1]:{from}"));
}

/// A link-local address with its interface, the one with the highest index.
fn link_local() -> Option<(Ipv6Addr, u32, String)> {
    let table = fs::read_to_string("/proc/net/if_inet6").ok()?;
    let row = |line: &str| {
        let mut fields = line.split_whitespace();
        let address = u128::from_str_radix(fields.next()?, 16).ok()?;
        let index = u32::from_str_radix(fields.next()?, 16).ok()?;
        let scope = fields.nth(1)?;
        (scope == "20")
            .then(|| (Ipv6Addr::from(address), index, fields.nth(1).unwrap_or_default().to_owned()))
    };
    table.lines().filter_map(row).max_by_key(|(_, index, _)| *index)
}

#[test]
fn r7_link_local_addresses_keep_their_scope_id() {
    let Some((address, scope, interface)) = link_local() else {
        eprintln!("r7: link-local addresses not tried: this system has none");
        return;
    };
    if scope <= 255 {
        eprintln!("r7: scope ids above 255 not tried over a socket: the highest here is {scope}");
    }
    let server = serve(&format!("http://[{address}%{interface}]:0"));
    let expected = SocketAddrV6::new(address, server.address.port(), 0, scope);
    assert_eq!(server.address, SocketAddr::V6(expected));
    let mut client = Client::connect(server.address);
    let (local, remote) = as_the_client_has_them(&client);
    assert!(matches!(remote, SocketAddr::V6(remote) if remote.scope_id() == scope));
    assert_eq!(client.get("/").text(), format!("{local} {remote}"));
}

#[test]
fn r7_a_listener_and_a_connection_of_ours_show_their_addresses() {
    let mut manager = Manager::new().expect("a manager");
    for url in ["tcp://127.0.0.1:0", "tcp://[::1]:0"] {
        let listener = manager.tcp(url, |_: &Connection<'_>, _: Event<'_>| Ok(())).expect("to listen");
        let seen = manager.connection(listener.id()).expect("a listener");
        assert_eq!((seen.local_addr(), seen.remote_addr()), (Some(listener.local_addr()), None));

        let accepted = manager.stats().accepted;
        let id = manager
            .connect(&format!("tcp://{}", listener.local_addr()), |_: &Connection<'_>, _: Event<'_>| Ok(()))
            .expect("to connect");
        poll_until(&mut manager, "the connection", |manager| manager.stats().accepted > accepted);
        let seen = manager.connection(id).expect("connected");
        assert_eq!(seen.remote_addr(), Some(listener.local_addr()));
        assert_eq!(seen.local_addr().map(|local| local.ip()), Some(listener.local_addr().ip()));
    }
}
