//! Listeners that somebody else opened.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};

use mongoose::http::{Reply, Request};
use mongoose::{Connection, Event};
use mongoose_tests::{Client, Server};

fn hello(request: Request<'_>, reply: Reply<'_>) -> Result<(), mongoose::Error> {
    let peer = request.connection().remote_addr();
    reply.text(format!("hello {}", if peer.is_some() { "address" } else { "nobody" }))
}

#[test]
fn a_tcp_listener_of_ones_own_is_served() {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = socket.local_addr().expect("bound");
    let server = Server::start(move |manager| manager.listener_on(socket).http(hello));
    assert_eq!(server.address, address);
    assert_eq!(Client::connect(address).get("/").text(), "hello address");
}

#[test]
fn a_unix_socket_is_served_and_its_peers_have_no_address() {
    let folder = std::env::temp_dir().join(format!("mongoose-unix-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("socket");
    let socket = UnixListener::bind(&path).expect("to bind");
    let server = Server::start(move |manager| manager.listener_on(socket).http(hello));
    let mut client = UnixStream::connect(&path).expect("to connect");
    client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("to write");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("to read");
    assert!(answer.ends_with("hello nobody"), "{answer}");
    drop(server);
    std::fs::remove_dir_all(&folder).expect("to clean up");
}

#[test]
fn a_raw_echo_on_a_listener_of_ones_own() {
    let socket = TcpListener::bind("[::1]:0").expect("IPv6 on the loopback");
    let address = socket.local_addr().expect("bound");
    let echo = |connection: &Connection<'_>, event: Event<'_>| {
        if let Event::Read = event {
            connection.send(connection.received())?;
            connection.consume(usize::MAX);
        }
        Ok(())
    };
    let _server = Server::start(move |manager| manager.listener_on(socket).tcp(echo));
    let mut stream = TcpStream::connect(address).expect("to connect");
    stream.write_all(b"echo").expect("to write");
    let mut back = [0; 4];
    stream.read_exact(&mut back).expect("to read");
    assert_eq!(&back, b"echo");
}

#[test]
fn nothing_is_inherited_where_nothing_was_passed_on() {
    assert!(mongoose::inherited_sockets().is_empty());
}
