//! One side of a connection, without its socket: records in, bytes out, and the reverse.
//!
//! rustls works on buffers of ours, which are borrowed for each read and write: an idle connection holds none.

use std::fmt;
use std::io::{self, IoSlice, Read, Write};
use std::mem;

use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{
    ConnectionState, EncodeError, InsufficientSizeError, UnbufferedStatus, WriteTraffic,
};
use rustls::{CommonState, HandshakeKind, ProtocolVersion};

use super::outgoing::{Outgoing, SEALED_MORE};
use super::{ServerConfig, Target, certified, spare};
use crate::ffi::panic;
use crate::tls::session::End;
use crate::tls::{Certificate, Negotiated, Version};

/// The most that a record may say.
const MAX_TEXT: usize = 1 << 14;

/// The longest record that rustls takes, of TLS 1.2, with its head.
const MAX_RECORD: usize = MAX_TEXT + 2048 + 5;

/// What is kept of a message of the handshake that has not come whole. rustls leaves that to us.
const MAX_MESSAGE: usize = 64 << 10;

/// How many records one write seals.
const RECORDS_PER_WRITE: usize = 4;

pub(crate) struct Connection {
    tls: Side,
    /// What has not come whole, some of it perhaps decrypted: rustls knows how far.
    incoming: Vec<u8>,
    /// What was decrypted and found no room: `taken` of it were read since.
    text: Vec<u8>,
    taken: usize,
    outgoing: Outgoing,
    /// What a client asked for.
    server_name: Option<Box<str>>,
    end: Option<End>,
    notified: bool,
}

enum Side {
    Server(UnbufferedServerConnection),
    Client(UnbufferedClientConnection),
}

/// What rustls came to.
enum Step {
    /// There may be more.
    Again,
    /// Nothing happens before more has come.
    Wait,
    Closed,
    Failed(String),
}

/// What was decrypted: as much as there is room for, and the rest.
struct Text<'a> {
    room: &'a mut [u8],
    filled: usize,
    rest: &'a mut Vec<u8>,
}

impl Text<'_> {
    fn append(&mut self, text: &[u8]) {
        let room = &mut self.room[self.filled..];
        let fitting = room.len().min(text.len());
        room[..fitting].copy_from_slice(&text[..fitting]);
        self.filled += fitting;
        self.rest.extend_from_slice(&text[fitting..]);
    }
}

impl Connection {
    pub(crate) fn server(config: &ServerConfig) -> Result<Self, String> {
        let tls = UnbufferedServerConnection::new(config.current());
        tls.map(|tls| Self::new(Side::Server(tls))).map_err(|error| error.to_string())
    }

    pub(crate) fn client(target: &Target) -> Result<Self, String> {
        let tls = target.connection().map_err(|error| error.to_string())?;
        let mut client = Self::new(Side::Client(tls));
        // It speaks first.
        client.open(&mut [], &mut []);
        Ok(client)
    }

    fn new(tls: Side) -> Self {
        Self {
            tls,
            incoming: Vec::new(),
            text: Vec::new(),
            taken: 0,
            outgoing: Outgoing::default(),
            server_name: None,
            end: None,
            notified: false,
        }
    }

    fn common(&self) -> &CommonState {
        match &self.tls {
            Side::Server(tls) => tls,
            Side::Client(tls) => tls,
        }
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        self.common().is_handshaking()
    }

    pub(crate) fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// Takes what was decrypted before. Answers how much that is.
    pub(crate) fn read(&mut self, room: &mut [u8]) -> usize {
        let waiting = &self.text[self.taken..];
        let count = waiting.len().min(room.len());
        room[..count].copy_from_slice(&waiting[..count]);
        self.taken += count;
        if self.taken == self.text.len() {
            (self.text, self.taken) = (Vec::new(), 0);
        }
        count
    }

    /// Whether a read would find something that no socket announces.
    pub(crate) fn has_unread(&self) -> bool {
        self.taken < self.text.len()
    }

    /// Reads records from a socket, once, and decrypts those that are whole. Answers how much that is.
    pub(crate) fn receive(&mut self, socket: &mut impl Read, room: &mut [u8]) -> io::Result<usize> {
        let held = self.incoming.len();
        if held >= MAX_MESSAGE {
            self.fail("a message of the handshake is too long".to_owned());
            return Ok(0);
        }
        let mut buffer = spare::take();
        buffer[..held].copy_from_slice(&self.incoming);
        // No more than there is room for, but for a record that is longer.
        let most = room.len().max(MAX_RECORD).max(held + 4096).min(buffer.len());
        let received = socket.read(&mut buffer[held..most]);
        let filled = match received {
            Ok(0) => {
                self.end = Some(End::of_socket(self.is_handshaking()));
                Ok(0)
            }
            Ok(count) => {
                let records = &mut buffer[..held + count];
                let (used, filled) = self.open(records, room);
                self.keep(&records[used..]);
                Ok(filled)
            }
            Err(error) => Err(error),
        };
        spare::give(buffer);
        filled
    }

    /// Keeps what has not come whole, unless nothing behind it means anything.
    fn keep(&mut self, rest: &[u8]) {
        if rest.is_empty() || self.end.is_some() {
            self.incoming = Vec::new();
        } else {
            self.incoming.clear();
            self.incoming.extend_from_slice(rest);
        }
    }

    /// Has rustls take records. Answers how many bytes of them are done with, and how much was decrypted.
    fn open(&mut self, records: &mut [u8], room: &mut [u8]) -> (usize, usize) {
        let mut text = Text { room, filled: 0, rest: &mut self.text };
        let mut used = 0;
        let reason = loop {
            let (tls, outgoing) = (&mut self.tls, &mut self.outgoing);
            // In a build with debug assertions rustls panics where an alert would follow our close_notify.
            let stepped = panic::catch(|| match tls {
                Side::Server(tls) => step(tls.process_tls_records(&mut records[used..]), &mut text, outgoing),
                Side::Client(tls) => step(tls.process_tls_records(&mut records[used..]), &mut text, outgoing),
            });
            if let Some(name) = certified::asked_for() {
                self.server_name = Some(name);
            }
            match stepped {
                Err(payload) => {
                    panic::discard(payload);
                    break Some("a bad record behind our close_notify".to_owned());
                }
                Ok((discard, step)) => {
                    used += discard;
                    match step {
                        Step::Again => {}
                        Step::Wait => break None,
                        Step::Closed => {
                            self.end = Some(End::Notified);
                            break None;
                        }
                        Step::Failed(reason) => break Some(reason),
                    }
                }
            }
        };
        let filled = text.filled;
        if let Some(reason) = reason {
            self.fail(reason);
        }
        (used, filled)
    }

    /// Nothing is taken any more. What rustls has to say of it is sent: an alert.
    fn fail(&mut self, reason: String) {
        self.end = Some(End::Failed(reason));
        self.incoming = Vec::new();
        let mut none = Text { room: &mut [], filled: 0, rest: &mut Vec::new() };
        while self.common().wants_write() {
            match &mut self.tls {
                Side::Server(tls) => step(tls.process_tls_records(&mut []), &mut none, &mut self.outgoing),
                Side::Client(tls) => step(tls.process_tls_records(&mut []), &mut none, &mut self.outgoing),
            };
        }
    }

    fn has_failed(&self) -> bool {
        matches!(self.end, Some(End::Failed(_)))
    }

    /// Seals some of what follows the first `skip` bytes. Answers how much: nothing unless keys are agreed on.
    pub(crate) fn encrypt(&mut self, slices: &[IoSlice<'_>], skip: usize) -> usize {
        if self.has_failed() {
            return 0;
        }
        // It wants to see again what has not come whole.
        let (records, outgoing) = (&mut self.incoming[..], &mut self.outgoing);
        let sealed = match &mut self.tls {
            Side::Server(tls) => {
                traffic(tls.process_tls_records(records)).map(|t| seal(t, slices, skip, outgoing))
            }
            Side::Client(tls) => {
                traffic(tls.process_tls_records(records)).map(|t| seal(t, slices, skip, outgoing))
            }
        };
        match sealed {
            Some(0) => {
                self.fail("no key is left to encrypt with".to_owned());
                0
            }
            sealed => sealed.unwrap_or_default(),
        }
    }

    /// Says that nothing follows, once. In a handshake there is no way to say so.
    pub(crate) fn notify_close(&mut self) {
        if mem::replace(&mut self.notified, true) || self.has_failed() {
            return;
        }
        let (records, outgoing) = (&mut self.incoming[..], &mut self.outgoing);
        match &mut self.tls {
            Side::Server(tls) => traffic(tls.process_tls_records(records)).map(|t| say_end(t, outgoing)),
            Side::Client(tls) => traffic(tls.process_tls_records(records)).map(|t| say_end(t, outgoing)),
        };
    }

    /// Sends the records that wait.
    pub(crate) fn send(&mut self, socket: &mut impl Write) -> io::Result<()> {
        self.outgoing.write_to(socket)
    }

    pub(crate) fn has_unsent(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// What the handshake agreed on, once it is done.
    pub(crate) fn negotiated(&self) -> Option<Negotiated> {
        let common = self.common();
        if common.is_handshaking() {
            return None;
        }
        let version = match common.protocol_version()? {
            ProtocolVersion::TLSv1_3 => Version::Tls13,
            _ => Version::Tls12,
        };
        let certificates = common.peer_certificates().unwrap_or_default();
        Some(Negotiated {
            version,
            cipher_suite: format!("{:?}", common.negotiated_cipher_suite()?.suite()),
            alpn: common.alpn_protocol().map(<[u8]>::to_vec),
            server_name: self.server_name.as_deref().map(str::to_owned),
            resumed: common.handshake_kind() == Some(HandshakeKind::Resumed),
            peer_certificates: certificates.iter().map(|der| Certificate(der.to_vec())).collect(),
        })
    }
}

/// Takes what rustls gives. Answers how many bytes of the records are done with.
fn step<Data>(
    status: UnbufferedStatus<'_, '_, Data>,
    text: &mut Text<'_>,
    outgoing: &mut Outgoing,
) -> (usize, Step) {
    let mut discard = status.discard;
    let step = match status.state {
        Ok(ConnectionState::ReadTraffic(mut traffic)) => loop {
            match traffic.next_record() {
                None => break Step::Again,
                Some(Ok(record)) => {
                    discard += record.discard;
                    text.append(record.payload);
                }
                Some(Err(error)) => break Step::Failed(error.to_string()),
            }
        },
        Ok(ConnectionState::EncodeTlsData(mut record)) => {
            // How long it is says the error.
            if let Err(EncodeError::InsufficientSize(InsufficientSizeError { required_size })) =
                record.encode(&mut [])
            {
                outgoing.append(required_size, |room| record.encode(room).ok());
            }
            Step::Again
        }
        Ok(ConnectionState::TransmitTlsData(transmit)) => {
            transmit.done();
            Step::Again
        }
        Ok(ConnectionState::PeerClosed) => Step::Closed,
        Ok(
            ConnectionState::BlockedHandshake | ConnectionState::WriteTraffic(_) | ConnectionState::Closed,
        ) => Step::Wait,
        // No configuration of ours allows it.
        Ok(_) => Step::Failed("data before the handshake is done".to_owned()),
        Err(error) => Step::Failed(error.to_string()),
    };
    (discard, step)
}

/// What encrypts, where that may be.
fn traffic<'c, Data>(status: UnbufferedStatus<'c, '_, Data>) -> Option<WriteTraffic<'c, Data>> {
    match status.state {
        Ok(ConnectionState::WriteTraffic(traffic)) => Some(traffic),
        _ => None,
    }
}

fn seal<Data>(
    mut traffic: WriteTraffic<'_, Data>,
    slices: &[IoSlice<'_>],
    skip: usize,
    outgoing: &mut Outgoing,
) -> usize {
    let (mut sealed, mut joined) = (0, Vec::new());
    for _ in 0..RECORDS_PER_WRITE {
        let text = next_text(slices, skip + sealed, &mut joined);
        if text.is_empty()
            || !outgoing.append(text.len() + SEALED_MORE, |room| traffic.encrypt(text, room).ok())
        {
            break;
        }
        sealed += text.len();
    }
    sealed
}

fn say_end<Data>(mut traffic: WriteTraffic<'_, Data>, outgoing: &mut Outgoing) {
    outgoing.append(SEALED_MORE, |room| traffic.queue_close_notify(room).ok());
}

/// A record's worth of what follows the first `skip` bytes. `joined` is for what lies in several places.
fn next_text<'a>(slices: &'a [IoSlice<'_>], mut skip: usize, joined: &'a mut Vec<u8>) -> &'a [u8] {
    let mut rest = slices.iter().filter_map(|slice| {
        let from = skip.min(slice.len());
        skip -= from;
        (from < slice.len()).then(|| &slice[from..])
    });
    let Some(first) = rest.next() else { return &[] };
    if first.len() >= MAX_TEXT {
        return &first[..MAX_TEXT];
    }
    let Some(second) = rest.next() else { return first };
    joined.clear();
    for slice in [first, second].into_iter().chain(rest) {
        let room = MAX_TEXT - joined.len();
        joined.extend_from_slice(&slice[..slice.len().min(room)]);
    }
    joined
}

/// Without what it holds: keys are among that.
impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("end", &self.end).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::tls::{ClientConfig, rustls::ServerConfig};

    /// Made by openssl for tests: a P-256 key and its certificate, of whom nobody asks whether it is valid.
    const CHAIN: &str = include_str!("../builtin/tests/chain.pem");
    const KEY: &str = include_str!("../builtin/tests/key.pem");

    /// Both sides. The server's records say at most `most` bytes each.
    fn both(most: usize) -> (Connection, Connection) {
        let config = ServerConfig::from_pem(CHAIN, KEY).expect("a certificate and its key");
        let mut config = (*config.current()).clone();
        config.max_fragment_size = Some(most + 5);
        let server = UnbufferedServerConnection::new(Arc::new(config)).expect("a server");
        let trusting = ClientConfig::dangerous().accept_any_certificate().build().expect("a client");
        let target = trusting.target("localhost").expect("a name");
        (Connection::client(&target).expect("a client"), Connection::new(Side::Server(server)))
    }

    fn sent(from: &mut Connection) -> Vec<u8> {
        let mut bytes = Vec::new();
        from.send(&mut bytes).expect("memory to write to");
        bytes
    }

    /// Gives bytes to one side, and answers what it reads of them, `most` bytes at a time.
    fn give(to: &mut Connection, mut bytes: &[u8], most: usize) -> Vec<u8> {
        let (mut text, mut room) = (Vec::new(), vec![0; most]);
        while !bytes.is_empty() && to.end().is_none() {
            let mut count = to.receive(&mut bytes, &mut room).expect("memory to read from");
            while count > 0 {
                text.extend(&room[..count]);
                count = to.read(&mut room);
            }
        }
        text
    }

    fn shake_hands(client: &mut Connection, server: &mut Connection) {
        give(server, &sent(client), 100);
        give(client, &sent(server), 100);
        give(server, &sent(client), 100);
        assert!(!client.is_handshaking() && !server.is_handshaking());
    }

    fn encrypt(from: &mut Connection, slices: &[IoSlice<'_>]) -> Vec<u8> {
        let total: usize = slices.iter().map(|slice| slice.len()).sum();
        let mut done = 0;
        while done < total {
            done += from.encrypt(slices, done);
        }
        sent(from)
    }

    #[test]
    fn bytes_come_through_whatever_the_room() {
        let (mut client, mut server) = both(MAX_TEXT);
        shake_hands(&mut client, &mut server);
        let pieces = [vec![1; 10], vec![2; 70_000], Vec::new(), vec![3; 20_000]];
        let slices: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
        for most in [1, 1000, 1 << 20] {
            let records = encrypt(&mut client, &slices);
            assert_eq!(give(&mut server, &records, most), pieces.concat(), "{most} at a time");
            let records = encrypt(&mut server, &slices);
            assert_eq!(give(&mut client, &records, most), pieces.concat(), "{most} at a time");
        }
        assert_eq!(client.incoming.capacity() + client.text.capacity() + client.outgoing.capacity(), 0);
    }

    #[test]
    fn a_client_writes_while_it_has_half_a_message_of_the_handshake() {
        let (mut client, mut server) = both(40);
        give(&mut server, &sent(&mut client), 100);
        // Neither its certificate nor any record comes whole.
        for piece in sent(&mut server).chunks(50) {
            assert_eq!(give(&mut client, piece, 100), b"");
        }
        give(&mut server, &sent(&mut client), 100);
        // Tickets, in records of 40 bytes.
        let tickets = sent(&mut server);
        let mut written = 0;
        for piece in tickets.chunks(50) {
            assert_eq!(give(&mut client, piece, 100), b"");
            let records = encrypt(&mut client, &[IoSlice::new(b"hello")]);
            written += give(&mut server, &records, 100).len();
        }
        assert!(tickets.len() > 200, "there are some");
        assert_eq!(written, tickets.chunks(50).len() * 5);
        let records = encrypt(&mut server, &[IoSlice::new(b"the keys are the same still")]);
        assert_eq!(give(&mut client, &records, 100), b"the keys are the same still");
        client.notify_close();
        give(&mut server, &sent(&mut client), 100);
        assert_eq!(server.end(), Some(&End::Notified));
    }

    #[test]
    fn what_fails_says_why_and_takes_no_more() {
        let (mut client, mut server) = both(MAX_TEXT);
        shake_hands(&mut client, &mut server);
        let mut records = encrypt(&mut client, &[IoSlice::new(b"hello")]);
        *records.last_mut().expect("a record") ^= 1;
        give(&mut server, &records, 100);
        assert!(server.has_failed());
        assert_eq!(server.encrypt(&[IoSlice::new(b"hello")], 0), 0);
        server.notify_close();
        give(&mut client, &sent(&mut server), 100);
        let Some(End::Failed(reason)) = client.end() else { panic!("no alert: {:?}", client.end()) };
        assert_eq!(reason, "received fatal alert: BadRecordMac");
    }

    #[test]
    fn no_message_of_the_handshake_is_kept_that_is_too_long() {
        let (_, mut server) = both(MAX_TEXT);
        // A hello of 65,535 bytes, one byte to a record.
        let mut bytes = b"\x16\x03\x01\0\x04\x01\0\xff\xff".to_vec();
        bytes.extend(b"\x16\x03\x01\0\x01\0".repeat(20_000));
        give(&mut server, &bytes, 100);
        let Some(End::Failed(reason)) = server.end() else { panic!("it is kept") };
        assert_eq!(reason, "a message of the handshake is too long");
        assert_eq!(server.incoming.capacity(), 0);
    }
}
