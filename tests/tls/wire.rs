//! What passes on the wire: TLS records, and nothing of what they carry.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use mongoose_tests::{PATIENCE, steadily};

use crate::peer::{End, Peer};
use crate::{echo, https};

/// Passes one connection on, and answers what went each way.
pub fn tap(to: SocketAddr) -> (SocketAddr, JoinHandle<[Vec<u8>; 2]>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let thread = thread::spawn(move || {
        let (client, _) = listener.accept().expect("a client");
        let server = TcpStream::connect(to).expect("to connect");
        let (from_client, from_server) = (client.try_clone(), server.try_clone());
        let up = thread::spawn(move || copy(from_client.expect("a handle"), server));
        let down = copy(from_server.expect("a handle"), client);
        [up.join().expect("no panic"), down]
    });
    (address, thread)
}

/// Copies until the end, and answers what it was.
fn copy(mut from: TcpStream, mut to: TcpStream) -> Vec<u8> {
    from.set_read_timeout(Some(PATIENCE)).expect("an option");
    let (mut all, mut piece) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = steadily(|| from.read(&mut piece)) {
        all.extend_from_slice(&piece[..count]);
        if to.write_all(&piece[..count]).is_err() {
            break;
        }
    }
    // The other may be gone already.
    let _ = to.shutdown(std::net::Shutdown::Write);
    all
}

/// The types of the records that bytes consist of, each of which is whole.
pub fn record_types(mut bytes: &[u8]) -> Vec<u8> {
    let mut types = Vec::new();
    while let [kind, 3, _, high, low, rest @ ..] = bytes {
        types.push(*kind);
        let length = usize::from(*high) << 8 | usize::from(*low);
        assert!(length <= rest.len(), "a record of {length} bytes ends after {}", rest.len());
        bytes = &rest[length..];
    }
    assert_eq!(bytes, b"", "behind the last record");
    types
}

#[test]
fn no_plaintext_leaves_or_enters() {
    const MARK: &[u8] = b"a text that nobody on the way may see";
    let server = https(|| echo);
    let (address, tapped) = tap(server.address);
    let mut peer = Peer::connect(address);
    let head = format!("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n", MARK.len());
    for _ in 0..3 {
        peer.send(format!("{head}\r\n")).send(MARK);
        assert_eq!(peer.response().body, MARK);
    }
    peer.send(format!("{head}Connection: close\r\n\r\n")).send(MARK);
    let (last, end) = peer.end();
    assert!(last.ends_with(MARK));
    assert_eq!(end, End::Notified);
    drop(peer);
    for bytes in tapped.join().expect("no panic") {
        let types = record_types(&bytes);
        assert!(types.iter().all(|kind| (20..=23).contains(kind)), "{types:?}");
        for plain in [MARK, b"HTTP/1.1", b"POST"] {
            assert!(!bytes.windows(plain.len()).any(|window| window == plain), "seen on the way");
        }
    }
}

#[test]
fn a_large_reply_leaves_in_full_records() {
    let body = vec![7_u8; 1 << 20];
    let sent = body.clone();
    let server = https(move || {
        move |_: mongoose::http::Request<'_>, reply: mongoose::http::Reply<'_>| reply.body(sent.as_slice())
    });
    let (address, tapped) = tap(server.address);
    let mut peer = Peer::connect(address);
    peer.send("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    let (reply, end) = peer.end();
    assert!(reply.ends_with(&body));
    assert_eq!(end, End::Notified);
    drop(peer);
    let [_, down] = tapped.join().expect("no panic");
    let records = record_types(&down).len();
    // 64 full ones, some that the head and the ends of batches leave short, and the handshake's.
    assert!(records < 64 + 24, "{records} records for 1 MiB");
}
