//! A client whose records are at hand before they leave.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, LazyLock};

use mongoose_tests::{PATIENCE, Response, Steady};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use crate::certificates;

static CONFIG: LazyLock<Arc<ClientConfig>> =
    LazyLock::new(|| Arc::new(config_by(rustls_graviola::default_provider())));

/// What peers go by, with cryptography of choice.
pub fn config_by(provider: CryptoProvider) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(certificates::read("ca.pem").as_bytes());
    roots.add(authority.expect("a certificate")).expect("a root");
    ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With a close_notify.
    Notified,
    /// Without.
    Cut,
}

/// A blocking connection over TLS.
pub struct Peer {
    pub socket: TcpStream,
    pub tls: ClientConnection,
    buffered: Vec<u8>,
    ended: Option<End>,
}

impl Peer {
    /// Connects; the handshake is yet to come.
    pub fn new(address: SocketAddr) -> Self {
        Self::by(&CONFIG, address)
    }

    /// The same by a configuration of choice.
    pub fn by(config: &Arc<ClientConfig>, address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).expect("to connect");
        socket.set_read_timeout(Some(PATIENCE)).expect("to set a time-out");
        socket.set_write_timeout(Some(PATIENCE)).expect("to set a time-out");
        socket.set_nodelay(true).expect("to set an option");
        let name = ServerName::try_from("localhost").expect("a name");
        let tls = ClientConnection::new(Arc::clone(config), name).expect("a client");
        Self { socket, tls, buffered: Vec::new(), ended: None }
    }

    /// Connects, and shakes hands.
    pub fn connect(address: SocketAddr) -> Self {
        let mut peer = Self::new(address);
        peer.shake_hands().expect("a handshake");
        peer
    }

    /// The handshake, which fails for what is wrong with the server's side.
    pub fn shake_hands(&mut self) -> Result<(), rustls::Error> {
        while self.tls.is_handshaking() {
            self.flush();
            if self.tls.is_handshaking() {
                assert!(self.ended.is_none(), "ended in the handshake");
                self.try_receive()?;
            }
        }
        self.flush();
        Ok(())
    }

    /// The records that wait to leave.
    pub fn records(&mut self) -> Vec<u8> {
        let mut records = Vec::new();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut records).expect("memory to take it");
        }
        records
    }

    /// Encrypts bytes.
    pub fn encrypt(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut records = self.records();
        for piece in bytes.chunks(16 << 10) {
            self.tls.writer().write_all(piece).expect("room");
            records.extend(self.records());
        }
        records
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        let records = self.encrypt(bytes.as_ref());
        self.socket.write_all(&records).expect("to send");
        self
    }

    /// Sends what waits.
    pub fn flush(&mut self) {
        let records = self.records();
        self.socket.write_all(&records).expect("to send");
    }

    /// Says that nothing follows.
    pub fn notify_close(&mut self) {
        self.tls.send_close_notify();
        self.flush();
    }

    /// Takes what has come, once.
    pub fn receive(&mut self) {
        self.try_receive().expect("records that can be taken");
    }

    fn try_receive(&mut self) -> Result<(), rustls::Error> {
        match self.tls.read_tls(&mut Steady(&self.socket)) {
            Ok(0) if self.ended.is_none() => self.ended = Some(End::Cut),
            Ok(0) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => self.ended = Some(End::Cut),
            Err(error) => panic!("cannot read: {error}"),
            Ok(_) => {
                let state = self.tls.process_new_packets()?;
                let mut bytes = vec![0; state.plaintext_bytes_to_read()];
                self.tls.reader().read_exact(&mut bytes).expect("what is there");
                self.buffered.append(&mut bytes);
                if state.peer_has_closed() {
                    self.ended = Some(End::Notified);
                }
            }
        }
        Ok(())
    }

    /// Reads one response, whose body has the length it says.
    pub fn response(&mut self) -> Response {
        let end = loop {
            if let Some(at) = self.buffered.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            assert!(self.ended.is_none(), "ended in the head: {:?}", String::from_utf8_lossy(&self.buffered));
            self.receive();
        };
        let head = String::from_utf8(self.buffered.drain(..end).collect()).expect("a head of text");
        let status = head[9..12].parse().expect("a status");
        let mut response = Response { status, head, body: Vec::new() };
        let length = response.header("Content-Length").map_or(0, |length| length.parse().expect("a length"));
        response.body = self.exactly(length);
        response
    }

    pub fn get(&mut self, target: &str) -> Response {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: test\r\n\r\n")).response()
    }

    /// Reads exactly `count` bytes.
    pub fn exactly(&mut self, count: usize) -> Vec<u8> {
        while self.buffered.len() < count {
            assert!(self.ended.is_none(), "ended after {} of {count} bytes", self.buffered.len());
            self.receive();
        }
        self.buffered.drain(..count).collect()
    }

    /// Reads until the server ends, and answers how.
    pub fn end(&mut self) -> (Vec<u8>, End) {
        while self.ended.is_none() {
            self.receive();
        }
        (std::mem::take(&mut self.buffered), self.ended.expect("an end"))
    }
}
