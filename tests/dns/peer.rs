//! A name server of our own, which answers what it is told to.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::thread;

use mongoose_tests::{PATIENCE, steadily};

/// A question as it came: its type is `A` or `AAAA`.
pub struct Question<'q> {
    pub message: &'q [u8],
    pub kind: u16,
}

pub const A: u16 = 1;
pub const AAAA: u16 = 28;

/// The name asked for, by a pointer to it.
const ASKED: [u8; 2] = [0xc0, 12];

impl Question<'_> {
    fn read(message: &[u8]) -> Question<'_> {
        assert_eq!(message[2..12], [1, 0, 0, 1, 0, 0, 0, 0, 0, 0], "one question, recursion desired");
        let end = message.len();
        assert_eq!(message[end - 2..], [0, 1], "of the internet");
        Question { message, kind: u16::from_be_bytes([message[end - 4], message[end - 3]]) }
    }

    /// An answer with a code and addresses, those of the type asked for.
    pub fn answer(&self, code: u8, addresses: &[&str]) -> Vec<u8> {
        let addresses = addresses.iter().map(|address| address.parse::<IpAddr>().expect("an address"));
        let records: Vec<Vec<u8>> = addresses
            .filter_map(|address| match address {
                IpAddr::V4(v4) if self.kind == A => Some(v4.octets().to_vec()),
                IpAddr::V6(v6) if self.kind == AAAA => Some(v6.octets().to_vec()),
                _ => None,
            })
            .collect();
        let mut message = self.message.to_vec();
        message[2..4].copy_from_slice(&[0x81, 0x80 | code]);
        message[6..8].copy_from_slice(&(records.len() as u16).to_be_bytes());
        for record in records {
            message.extend(ASKED);
            message.extend(self.kind.to_be_bytes());
            message.extend([0, 1, 0, 0, 0, 60, 0, record.len() as u8]);
            message.extend(record);
        }
        message
    }

    /// One that does not fit.
    pub fn truncated(&self) -> Vec<u8> {
        let mut message = self.answer(0, &[]);
        message[2] |= 2;
        message
    }
}

/// Starts a server that answers each datagram with some, until the test is over.
pub fn start(answer: impl Fn(&Question<'_>) -> Vec<Vec<u8>> + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    start_on(socket, move |socket, question, from| {
        for message in answer(question) {
            socket.send_to(&message, from).expect("to send");
        }
    })
}

pub fn start_on(
    socket: UdpSocket,
    answer: impl Fn(&UdpSocket, &Question<'_>, SocketAddr) + Send + 'static,
) -> SocketAddr {
    let address = socket.local_addr().expect("bound");
    socket.set_read_timeout(Some(PATIENCE)).expect("an option");
    thread::spawn(move || {
        let mut message = [0; 600];
        while let Ok((count, from)) = steadily(|| socket.recv_from(&mut message)) {
            answer(&socket, &Question::read(&message[..count]), from);
        }
    });
    address
}

/// A server whose every datagram is truncated, and which answers by streams.
pub fn start_long(stream: impl Fn(&Question<'_>) -> Vec<u8> + Send + 'static) -> SocketAddr {
    // One port for both.
    let (datagrams, listener) = (0..100)
        .find_map(|_| {
            let datagrams = UdpSocket::bind("127.0.0.1:0").ok()?;
            let listener = TcpListener::bind(datagrams.local_addr().ok()?).ok()?;
            Some((datagrams, listener))
        })
        .expect("a free port");
    thread::spawn(move || {
        while let Ok((mut peer, _)) = listener.accept() {
            peer.set_read_timeout(Some(PATIENCE)).expect("an option");
            let mut length = [0; 2];
            peer.read_exact(&mut length).expect("a length");
            let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
            peer.read_exact(&mut message).expect("a question");
            // In pieces, and closed: the client may have done so before.
            for piece in stream(&Question::read(&message)).chunks(999) {
                let _ = peer.write_all(piece);
            }
        }
    });
    start_on(datagrams, |socket, question, from| {
        socket.send_to(&question.truncated(), from).expect("to send");
    })
}

/// A message as a stream has it.
pub fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u16).to_be_bytes(), message].concat()
}
