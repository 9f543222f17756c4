//! Peers by the thousand that take their time: each costs little and for a while, and others are served all the same.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mongoose::http::{Reply, Request};
use mongoose::{Error, Limits, Payload};
use mongoose_tests::{Client, PATIENCE, Server, in_own_process, scaled};
use rustix::process::{Resource, getrlimit, setrlimit};

static LARGE: [u8; 1 << 20] = [b'x'; 1 << 20];

/// Long enough for an honest peer, in any test environment.
const A_WHILE: Duration = Duration::from_secs(2);

fn site(request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
    match request.path() {
        "/large" => reply.body(Payload::from_static(&LARGE)),
        _ => reply.body(request.body()),
    }
}

fn impatient(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    (limits.head_time, limits.body_time, limits.write_time) = (A_WHILE, A_WHILE, A_WHILE);
    limits.output = LARGE.len();
    change(&mut limits);
    limits
}

/// Connects many, both ends of which are in this process, and has each send something at once.
fn connect_many(address: SocketAddr, count: usize, sends: &[impl AsRef<[u8]>]) -> Vec<Client> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("to raise the limit as far as it may be");
    let connect = |bytes| {
        let mut client = Client::connect(address);
        client.send(bytes);
        client
    };
    sends.iter().cycle().take(count).map(connect).collect()
}

fn assert_serves(address: SocketAddr) {
    let mut client = Client::connect(address);
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nConnection: close\r\n\r\ngood");
    let response = client.response();
    assert_eq!((response.status, response.text()), (200, "good"));
    assert!(client.to_end().is_empty());
}

/// Serves good clients until nobody else is left.
fn assert_serves_until_all_ended(server: &Server) {
    let end = Instant::now() + PATIENCE;
    while server.ask(|registry| registry.stats().connections) > 1 {
        assert!(Instant::now() < end, "some stay");
        assert_serves(server.address);
    }
}

#[test]
fn two_thousand_slow_heads_at_once_do_not_keep_others_waiting() {
    let server = Server::http(|| site);
    let head = b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n";
    let mut slow = connect_many(server.address, scaled(2000), &[&head[..1]]);
    for byte in &head[1..] {
        for client in &mut slow {
            client.send([*byte]);
        }
        assert_serves(server.address);
    }
    for client in &mut slow {
        assert_eq!(client.response().status, 200, "slow is not wrong");
    }
    drop(slow);
    server.wait_until("all connections to end", |registry| registry.stats().connections == 1);
}

#[test]
fn two_thousand_peers_that_never_finish_get_408_while_others_are_served() {
    let server = Server::http_within(impatient(|_| {}), || site);
    let unfinished = [
        "GET /slow HTT",
        "GET /slow HTTP/1.1\r\nHost: h\r\nX: y\r\n",
        "POST /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n",
        "POST /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nsome of it",
        "POST /slow HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e8;ext",
    ];
    let mut slow = connect_many(server.address, scaled(2000), &unfinished);
    assert_serves_until_all_ended(&server);
    for client in &mut slow {
        let response = client.response();
        assert_eq!((response.status, response.header("Connection")), (408, Some("close")));
        assert!(client.to_end().is_empty());
    }
}

#[test]
fn peers_that_never_read_are_closed_while_others_are_served() {
    let server = Server::http_within(impatient(|_| {}), || site);
    let requests = "GET /large HTTP/1.1\r\nHost: h\r\n\r\n".repeat(100);
    let mut deaf = connect_many(server.address, 20, &[requests]);
    let most = |registry: &mongoose::Registry| {
        let ids = registry.connections().into_iter();
        ids.filter_map(|id| Some(registry.connection(id).ok()?.queued())).max().unwrap_or_default()
    };
    server.wait_until("some output to be stuck", move |registry| most(registry) > 0);
    assert!(server.ask(most) <= 2 * LARGE.len() + 1000, "more waits than one reply past the limit");
    assert_serves_until_all_ended(&server);
    for client in &mut deaf {
        assert!(client.to_end().len() < 100 * LARGE.len(), "it was owed more");
    }
}

#[test]
fn slow_heads_that_take_all_places_give_them_up() {
    const PLACES: usize = 50;
    let server = Server::http_within(impatient(|limits| limits.connections = PLACES), || site);
    let mut slow = connect_many(server.address, PLACES, &["GET /slow HTTP/1.1\r\nHo"]);
    let end = Instant::now() + PATIENCE;
    loop {
        let mut client = Client::connect(server.address);
        match client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").response().status {
            200 => break,
            status => assert_eq!(status, 503),
        }
        assert!(Instant::now() < end, "no place for a good client");
    }
    assert!(server.ask(|registry| registry.stats().turned_away) > 0, "all places were taken");
    for client in &mut slow {
        assert_eq!(client.response().status, 408);
    }
}

/// How much memory this process has asked for, in bytes: also what it has not touched.
#[cfg(target_os = "linux")]
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmData:")).expect("a line");
    let kilobytes = line.trim().strip_suffix(" kB").and_then(|number| number.parse::<usize>().ok());
    kilobytes.expect("a number") << 10
}

#[cfg(target_os = "linux")]
#[test]
fn who_claims_to_send_much_holds_no_more_than_a_few_times_what_it_sends() {
    in_own_process(
        "greedy::who_claims_to_send_much_holds_no_more_than_a_few_times_what_it_sends",
        |_| {},
        || {
            const SENT: usize = 5_000;
            let server = Server::http(|| site);
            let count = scaled(400);
            // What starting costs.
            connect_many(server.address, 1, &["GET /large HTTP/1.1\r\nHost: h\r\n\r\n"]);
            let before = memory();
            let head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3000000\r\n\r\n";
            let request = [head.as_bytes(), &[b'x'; SENT]].concat();
            let mut clients = connect_many(server.address, count, &[request]);
            let total = (count * SENT) as u64;
            server.wait_until("the server to have it all", move |registry| registry.stats().received > total);
            let each = (memory() - before) / count;
            // Twenty-odd kilobytes, and what starting more clients costs. They claim three million.
            assert!(each < 40_000 || count < 100, "{each} bytes a connection");
            // Whoever means it gets through.
            let honest = clients.last_mut().expect("one of them");
            honest.send(vec![b'x'; 3_000_000 - SENT]);
            assert_eq!(honest.response().body.len(), 3_000_000);
        },
    );
}
