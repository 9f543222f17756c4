//! Listening, and what stops it: each error names the URL and has the system's own as its source.

use std::error::Error as _;
use std::io;
use std::net::TcpStream;

use mongoose::http::{Reply, Request};
use mongoose::{Connection, Error, Event, Manager};
use mongoose_tests::{Client, in_own_process, poll_until};

fn hello(_: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
    reply.text("hello")
}

/// The kind of the system's error behind one that names `url`.
fn refused(error: &Error, url: &str) -> io::ErrorKind {
    assert!(matches!(error, Error::Listen { url: named, .. } if named == url), "{error:?}");
    assert!(error.to_string().contains(url), "{error}");
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    source.expect("the system's error").kind()
}

#[test]
fn a_taken_port_is_an_error() {
    let manager = Manager::new().expect("a manager");
    let taken = manager.http("http://127.0.0.1:0", hello).expect("to listen");
    let url = format!("http://{}", taken.local_addr());
    let error = manager.http(&url, hello).expect_err("taken");
    assert_eq!(refused(&error, &url), io::ErrorKind::AddrInUse);
    assert_eq!(manager.connections().len(), 1, "what failed left nothing");
}

#[test]
fn an_address_that_is_not_ours_is_an_error() {
    let manager = Manager::new().expect("a manager");
    // Set apart for documentation: nobody has it.
    let url = "tcp://192.0.2.1:0";
    let error = manager.tcp(url, |_: &Connection<'_>, _: Event<'_>| Ok(())).expect_err("not ours");
    assert_eq!(refused(&error, url), io::ErrorKind::AddrNotAvailable);
}

#[test]
fn a_bad_url_is_an_error_that_says_what_is_wrong() {
    let manager = Manager::new().expect("a manager");
    for (url, why) in [
        ("", "no scheme"),
        ("127.0.0.1:80", "no scheme"),
        ("http://127.0.0.1:99999", "port"),
        ("http://127.0.0.1:http", "port"),
        ("http://", "no host"),
        ("http://h?x=1", "character"),
        ("http://::1:80", "brackets"),
        ("http://127.0.0.1:0/path", "path"),
        ("https://127.0.0.1:0", "TLS"),
        ("tcp://127.0.0.1:0", "scheme"),
    ] {
        let error = manager.http(url, hello).expect_err(url);
        assert!(matches!(&error, Error::Url { url: named, .. } if named == url), "{error:?}");
        assert!(error.to_string().contains(why), "{url}: {error}");
    }
}

#[test]
fn a_port_without_permission_is_an_error() {
    let reserved = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    if reserved.is_ok_and(|first| first.trim().parse::<u32>().is_ok_and(|first| first <= 1)) {
        eprintln!("listen: permission not tried: this system lets everybody listen on every port");
        return;
    }
    let name = "listen::a_port_without_permission_is_an_error";
    let as_nobody = |command: &mut std::process::Command| {
        if rustix::process::geteuid().is_root() {
            use std::os::unix::process::CommandExt;
            command.uid(65_534).gid(65_534).current_dir("/");
        }
    };
    in_own_process(name, as_nobody, || {
        let manager = Manager::new().expect("a manager");
        let url = "http://127.0.0.1:1";
        let error = manager.http(url, hello).expect_err("port 1 is the system's");
        assert_eq!(refused(&error, url), io::ErrorKind::PermissionDenied);
    });
}

#[test]
fn a_listener_that_is_closed_takes_no_more_and_its_connections_live_on() {
    let mut manager = Manager::new().expect("a manager");
    let listener = manager.http("http://127.0.0.1:0", hello).expect("to listen");
    let mut client = Client::connect(listener.local_addr());
    poll_until(&mut manager, "the connection", |manager| manager.stats().accepted == 1);
    listener.close();
    listener.close();
    poll_until(&mut manager, "the listener's end", |manager| manager.connection(listener.id()).is_err());
    // Listening there again would compete with whoever is given a port just now.
    let refused = TcpStream::connect(listener.local_addr()).expect_err("nobody listens");
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    poll_until(&mut manager, "the reply", |manager| manager.stats().sent > 0);
    assert_eq!(client.response().text(), "hello");
}

#[test]
fn a_port_is_shared_where_all_ask_for_it() {
    let manager = Manager::new().expect("a manager");
    let share = |url: &str| manager.listener(url).reuse_port(true).http(hello);
    let first = share("http://127.0.0.1:0").expect("to listen");
    let url = format!("http://{}", first.local_addr());
    let second = share(&url).expect("shared");
    assert_eq!(first.local_addr(), second.local_addr());
    assert_eq!(refused(&manager.http(&url, hello).expect_err("not shared"), &url), io::ErrorKind::AddrInUse);
}
