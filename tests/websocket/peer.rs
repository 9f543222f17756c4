//! A peer that sends exactly the frames it is told to, at either end.

use std::net::{SocketAddr, TcpListener};

use mongoose_tests::Client;

/// A request that every server takes, and the accept that follows from its key.
pub const HANDSHAKE: &str = "GET /ws HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
pub const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Bit and opcodes of a frame's first byte.
pub const FIN: u8 = 0x80;
pub const CONTINUATION: u8 = 0;
pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

/// A frame: its first byte and its payload, unmasked.
pub type Frame = (u8, Vec<u8>);

/// Encodes a frame, with its length in the shortest form.
pub fn encode(first: u8, payload: &[u8], key: Option<[u8; 4]>) -> Vec<u8> {
    let bit = if key.is_some() { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match payload.len() {
        len @ 0..126 => bytes.push(bit | len as u8),
        len @ 126..65_536 => {
            bytes.push(bit | 126);
            bytes.extend((len as u16).to_be_bytes());
        }
        len => {
            bytes.push(bit | 127);
            bytes.extend((len as u64).to_be_bytes());
        }
    }
    let key = key.inspect(|key| bytes.extend(key)).unwrap_or_default();
    bytes.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}

/// What a close frame carries.
pub fn close_payload(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes(), reason.as_bytes()].concat()
}

/// One end of an open WebSocket.
pub struct Peer {
    pub client: Client,
    /// How our frames are masked.
    pub key: Option<[u8; 4]>,
}

impl Peer {
    /// Connects, and has the server upgrade.
    pub fn connect(address: SocketAddr) -> Self {
        let mut client = Client::connect(address);
        let response = client.send(HANDSHAKE).response();
        assert_eq!(response.status, 101, "{response:?}");
        assert_eq!(response.header("Sec-WebSocket-Accept"), Some(ACCEPT));
        Self { client, key: Some([0x37, 0xfa, 0x21, 0x3d]) }
    }

    /// Accepts a connection, and agrees to its handshake with what is in one piece with our answer.
    pub fn accept(listener: &TcpListener, behind: &[u8]) -> Self {
        let (mut client, key) = Self::accept_request(listener);
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\n\r\n",
            accept_of(&key)
        );
        client.send([head.as_bytes(), behind].concat());
        Self { client, key: None }
    }

    /// Accepts a connection and reads its request. Answers its key, too.
    pub fn accept_request(listener: &TcpListener) -> (Client, String) {
        let (stream, _) = listener.accept().expect("a connection");
        let mut client = Client::from(stream);
        let mut key = String::new();
        loop {
            let line = client.line();
            if line.is_empty() {
                return (client, key);
            }
            if let Some((name, value)) = line.split_once(": ")
                && name.eq_ignore_ascii_case("Sec-WebSocket-Key")
            {
                key = value.to_owned();
            }
        }
    }

    /// The bytes of a frame of ours.
    pub fn encode(&self, first: u8, payload: &[u8]) -> Vec<u8> {
        encode(first, payload, self.key)
    }

    pub fn send(&mut self, first: u8, payload: impl AsRef<[u8]>) -> &mut Self {
        let bytes = self.encode(first, payload.as_ref());
        self.client.send(bytes);
        self
    }

    pub fn send_close(&mut self, code: u16, reason: &str) -> &mut Self {
        self.send(FIN | CLOSE, close_payload(code, reason))
    }

    /// Reads a frame.
    pub fn frame(&mut self) -> Frame {
        let head = self.client.exactly(2);
        let masked = head[1] & 0x80 != 0;
        assert_eq!(masked, self.key.is_none(), "a client masks, a server does not");
        let len = match head[1] & 0x7f {
            126 => u16::from_be_bytes(self.client.exactly(2).try_into().expect("two bytes")).into(),
            127 => u64::from_be_bytes(self.client.exactly(8).try_into().expect("eight bytes")),
            len => len.into(),
        };
        let key = if masked { self.client.exactly(4) } else { vec![0] };
        let payload = self.client.exactly(len as usize);
        (head[0], payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect())
    }

    pub fn expect(&mut self, first: u8, payload: impl AsRef<[u8]>) -> &mut Self {
        let payload = payload.as_ref();
        let (got_first, got) = self.frame();
        assert_eq!(got_first, first, "of a frame with {} bytes", got.len());
        assert!(got == payload, "{} bytes instead of {}", got.len(), payload.len());
        self
    }

    /// Reads a close frame and answers its code; 1005 for one without.
    pub fn expect_close(&mut self) -> u16 {
        let (first, payload) = self.frame();
        assert_eq!(first, FIN | CLOSE);
        payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code))
    }

    /// Nothing more comes, and the connection ends.
    pub fn expect_end(mut self) {
        assert_eq!(self.client.to_end(), b"");
    }
}

/// SHA-1 and base64 by C, as a server of other people's would do it.
fn accept_of(key: &str) -> String {
    mongoose_tests::raw::websocket_accept(key)
}
