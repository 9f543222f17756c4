//! Peers that mean harm, and others that are served all the same.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::thread;

use mongoose::http::{Reply, Request};
use mongoose::{Error, Limits};
use mongoose_tests::{Client, Random, Server, scaled};

const LARGE: usize = 1_000_000;

fn site(request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
    match request.path() {
        "/large" => reply.body(vec![b'x'; LARGE]),
        "/defer" => {
            let deferred = reply.defer();
            thread::spawn(move || deferred.reply().text("deferred"));
            Ok(())
        }
        "/dropped" => {
            let deferred = reply.defer();
            thread::spawn(move || drop(deferred));
            Ok(())
        }
        _ => reply.body(request.body()),
    }
}

fn assert_serves(address: SocketAddr) {
    let mut client = Client::connect(address);
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nConnection: close\r\n\r\ngood");
    assert_eq!(client.response().text(), "good");
    assert!(client.to_end().is_empty());
}

/// Nobody but the listener is left.
fn assert_all_ended(server: &Server) {
    server.wait_until("all connections to end", |registry| registry.stats().connections == 1);
}

#[test]
fn peers_that_reset_at_any_stage_harm_nobody() {
    let server = Server::http(|| site);
    let stages = [
        "",
        "G",
        "GET / HTTP/1.1\r\nHost: h\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /large HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /defer HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /dropped HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /defer HTTP/1.1\r\nHost: h\r\n\r\nGET /large HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        "not HTTP at all\r\n\r\n",
    ];
    for stage in stages {
        for read_first in [false, true] {
            let mut client = Client::connect(server.address);
            let sent = server.ask(|registry| registry.stats().sent);
            server.feed(&mut client, [stage.as_bytes()]);
            if read_first && stage.contains("/large") {
                server.wait_until("the reply to begin", move |registry| registry.stats().sent > sent);
                client.exactly(10);
            }
            client.reset();
            assert_serves(server.address);
        }
    }
    assert_all_ended(&server);
}

#[test]
fn peers_that_reset_while_a_large_reply_is_stuck_harm_nobody() {
    let server = Server::http(|| site);
    let clients: Vec<_> = (0..scaled(20))
        .map(|_| {
            let mut client = Client::connect(server.address);
            client.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n".repeat(20));
            client
        })
        .collect();
    server.wait_until("some output to be stuck", |registry| {
        registry
            .connections()
            .into_iter()
            .any(|id| registry.connection(id).is_ok_and(|found| found.queued() > LARGE))
    });
    clients.into_iter().for_each(Client::reset);
    assert_serves(server.address);
    assert_all_ended(&server);
}

/// Sends what the server takes of it.
fn throw(address: SocketAddr, bytes: &[u8]) {
    let mut stream = TcpStream::connect(address).expect("to connect");
    // The server may have had enough before the end.
    let _ = stream.write_all(bytes);
}

#[test]
fn random_garbage_harms_nobody() {
    let server = Server::http(|| site);
    let mut random = Random::new(0xbad_5eed);
    for round in 0..scaled(300) {
        let length = 1 + random.below(2000);
        throw(server.address, &random.bytes(length));
        if round % 20 == 0 {
            assert_serves(server.address);
        }
    }
    assert_serves(server.address);
    assert_all_ended(&server);
}

#[test]
fn mutated_requests_harm_nobody() {
    let server = Server::http(|| site);
    let seeds: [&[u8]; 3] = [
        b"GET /large?a=%41&b HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\nX: y\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\nhello world",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n6\r\n world\r\n0\r\nA: b\r\n\r\n",
    ];
    let mut random = Random::new(0x0dd_5eed);
    for round in 0..scaled(600) {
        let mut bytes = seeds[random.below(seeds.len())].repeat(1 + random.below(3));
        for _ in 0..1 + random.below(4) {
            let at = random.below(bytes.len());
            match random.below(4) {
                0 => bytes[at] = random.bytes(1)[0],
                1 if bytes.len() > 1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, b"\r\n \0:;0%"[random.below(8)]),
                _ => bytes.truncate(at.max(1)),
            }
        }
        throw(server.address, &bytes);
        if round % 20 == 0 {
            assert_serves(server.address);
        }
    }
    assert_serves(server.address);
    assert_all_ended(&server);
}

#[test]
fn a_peer_that_never_reads_is_bounded_and_blocks_nobody() {
    const LIMIT: usize = 3_000_000;
    let mut limits = Limits::default();
    limits.output = LIMIT;
    let server = Server::http_within(limits, || site);
    let greedy: Vec<_> = (0..3)
        .map(|_| {
            let mut client = Client::connect(server.address);
            client.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n".repeat(1000));
            client
        })
        .collect();
    let queued = |registry: &mongoose::Registry| {
        let ids = registry.connections().into_iter();
        ids.filter_map(|id| Some(registry.connection(id).ok()?.queued())).collect::<Vec<_>>()
    };
    server.wait_until("all three to be stuck", move |registry| {
        queued(registry).into_iter().filter(|&bytes| bytes > 0).count() == 3
    });
    for _ in 0..20 {
        assert_serves(server.address);
        let most = server.ask(queued).into_iter().max().expect("some");
        assert!(most <= LIMIT + LARGE + 1000, "{most} bytes wait for one peer");
    }
    drop(greedy);
    assert_all_ended(&server);
}
