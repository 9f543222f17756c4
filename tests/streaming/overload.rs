//! More connections than a listener is to have.

use mongoose::http::{Reply, Request};
use mongoose::{Connection, Event, Limits};
use mongoose_tests::{Client, Server, scaled};

fn limits(connections: usize) -> Limits {
    let mut limits = Limits::default();
    limits.connections = connections;
    limits
}

#[test]
fn a_connection_past_the_limit_gets_503_and_room_is_made_by_closing() {
    let server = Server::http_within(limits(3), || |_: Request<'_>, reply: Reply<'_>| reply.text("served"));
    let mut served: Vec<_> = (0..3).map(|_| Client::connect(server.address)).collect();
    for client in &mut served {
        assert_eq!(client.get("/").text(), "served");
    }
    for _ in 0..10 {
        let mut turned_away = Client::connect(server.address);
        turned_away.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
        let response = turned_away.response();
        assert_eq!((response.status, response.header("Connection")), (503, Some("close")));
        assert_eq!(turned_away.to_end(), b"");
    }
    assert_eq!(server.ask(|registry| registry.stats().turned_away), 10);
    for client in &mut served {
        assert_eq!(client.get("/").text(), "served");
    }
    served.pop();
    server.wait_until("the closed ones to go", |registry| registry.stats().connections == 3);
    assert_eq!(Client::connect(server.address).get("/").text(), "served");
}

#[test]
fn a_raw_connection_past_the_limit_is_closed() {
    let server = Server::start(|manager| {
        manager.listener("tcp://127.0.0.1:0").limits(limits(1)).tcp(
            |connection: &Connection<'_>, event: Event<'_>| match event {
                Event::Accept => connection.send("welcome"),
                _ => Ok(()),
            },
        )
    });
    let mut first = Client::connect(server.address);
    assert_eq!(first.exactly(7), b"welcome");
    assert_eq!(Client::connect(server.address).to_end(), b"");
    drop(first);
    server.wait_until("the first to go", |registry| registry.stats().connections == 1);
    assert_eq!(Client::connect(server.address).exactly(7), b"welcome");
}

#[test]
fn those_who_are_turned_away_do_not_disturb_those_who_are_served() {
    let server = Server::http_within(limits(1), || |_: Request<'_>, reply: Reply<'_>| reply.text("served"));
    let mut good = Client::connect(server.address);
    assert_eq!(good.get("/").text(), "served");
    let others: Vec<_> = (0..scaled(1500)).map(|_| Client::connect(server.address)).collect();
    for _ in 0..100 {
        assert_eq!(good.get("/").text(), "served");
    }
    drop(others);
}
