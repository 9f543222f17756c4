//! One side of a connection, without its socket: records in, bytes out, and the reverse.

use std::io::{self, IoSlice, Read, Write};

use super::alert::{Alert, Failure};
use super::client::Client;
use super::hello::{FINISHED, SERVER_HELLO};
use super::keys::TrafficKeys;
use super::records::{Content, Incoming, MAX_TEXT, Outgoing, gather, open};
use super::server::Server;
use super::{ServerConfig, Target};
use crate::ffi::Aead;
use crate::tls::session::End;
use crate::tls::{Negotiated, Version};

/// The longest handshake message that a server puts together: a ClientHello with every key that is known takes 3 KB.
const MAX_MESSAGE_FOR_SERVER: usize = 16 << 10;

/// And a client, which is shown certificates.
const MAX_MESSAGE_FOR_CLIENT: usize = 64 << 10;

const NEW_SESSION_TICKET: u8 = 4;

/// How many records or messages in a row may say nothing: each costs work, and new keys more than most.
const EMPTY_MAX: u8 = 32;

/// How many records one write seals.
const RECORDS_PER_WRITE: usize = 4;

const KEY_UPDATE: u8 = 24;

/// What both directions have: keys, once they are agreed on, and what waits to leave.
#[derive(Debug, Default)]
pub(super) struct Channel {
    pub(super) reader: Option<TrafficKeys>,
    pub(super) writer: Option<TrafficKeys>,
    /// What a client asked for.
    pub(super) server_name: Option<Box<str>>,
    /// How much may still come that no keys of ours fit: what a client sent before it knew better (section 4.2.10).
    pub(super) early_data: usize,
    outgoing: Outgoing,
}

impl Channel {
    /// Sends a handshake message as it is; and, to whoever wants it to look like TLS 1.2, a message that means nothing.
    pub(super) fn say_plainly(&mut self, message: &[u8], compatible: bool) {
        for piece in message.chunks(MAX_TEXT) {
            self.outgoing.plain(Content::Handshake, piece);
        }
        if compatible {
            self.outgoing.plain(Content::ChangeCipherSpec, &[1]);
        }
    }

    /// Sends handshake messages, sealed.
    pub(super) fn seal(&mut self, keys: &mut TrafficKeys, messages: &[u8]) {
        for piece in messages.chunks(MAX_TEXT) {
            self.outgoing.sealed(keys, Content::Handshake, &mut piece.to_vec());
        }
    }

    fn alert(&mut self, alert: Alert) {
        match &mut self.writer {
            Some(keys) => self.outgoing.sealed(keys, Content::Alert, &mut alert.bytes().to_vec()),
            None => self.outgoing.plain(Content::Alert, &alert.bytes()),
        }
    }

    /// Goes over to the next keys of ours, and says so; and asks for the same.
    fn update_writer(&mut self, asks: bool) {
        if let Some(keys) = &mut self.writer {
            self.outgoing.sealed(keys, Content::Handshake, &mut vec![KEY_UPDATE, 0, 0, 1, asks.into()]);
            keys.update();
        }
    }
}

/// Whose side it is, and what it waits for.
#[derive(Debug)]
enum Handshake {
    Server(Server),
    Client(Client),
}

impl Handshake {
    fn is_done(&self) -> bool {
        matches!(self, Self::Server(Server::Done) | Self::Client(Client::Done))
    }

    /// Whether a record may come that is there to look like TLS 1.2 (section 5): behind the first hello, before the end.
    fn takes_pretence(&self) -> bool {
        !self.is_done() && !matches!(self, Self::Server(server) if server.is_at_the_beginning())
    }

    fn max_message(&self) -> usize {
        match self {
            Self::Server(_) => MAX_MESSAGE_FOR_SERVER,
            Self::Client(_) => MAX_MESSAGE_FOR_CLIENT,
        }
    }

    /// Whether the keys change behind a message, so that nothing may follow in its record.
    fn is_followed_by_other_keys(&self, kind: u8) -> bool {
        matches!((self, kind), (Self::Server(_), _) | (Self::Client(_), SERVER_HELLO | FINISHED))
    }

    fn take(&mut self, message: &[u8], channel: &mut Channel) -> Result<(), Failure> {
        match self {
            Self::Server(server) => server.take(message, channel),
            Self::Client(client) => client.take(message, channel),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Connection {
    handshake: Handshake,
    channel: Channel,
    incoming: Incoming,
    /// Of a handshake message that has not come whole.
    message: Vec<u8>,
    /// What was opened and nobody has taken: `taken` of it are.
    text: Vec<u8>,
    taken: usize,
    /// The peer wants new keys of us too, before it sees more.
    update_due: bool,
    /// How many that said nothing came since the last that did.
    empty: u8,
    end: Option<End>,
    notified: bool,
}

impl Connection {
    #[expect(clippy::unnecessary_wraps, reason = "as with other TLS")]
    pub(crate) fn server(config: &ServerConfig) -> Result<Self, String> {
        Ok(Self::new(Handshake::Server(config.handshake()), Channel::default()))
    }

    #[expect(clippy::unnecessary_wraps, reason = "as with other TLS")]
    pub(crate) fn client(target: &Target) -> Result<Self, String> {
        let mut channel = Channel::default();
        let handshake = Client::begin(target.0.as_deref(), &mut channel);
        Ok(Self::new(Handshake::Client(handshake), channel))
    }

    fn new(handshake: Handshake, channel: Channel) -> Self {
        Self {
            handshake,
            channel,
            incoming: Incoming::default(),
            message: Vec::new(),
            text: Vec::new(),
            taken: 0,
            update_due: false,
            empty: 0,
            end: None,
            notified: false,
        }
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        !self.handshake.is_done()
    }

    /// What the handshake agreed on, once it is done.
    pub(crate) fn negotiated(&self) -> Option<Negotiated> {
        let keys = self.channel.reader.as_ref().filter(|_| !self.is_handshaking())?;
        let cipher_suite = match keys.aead() {
            Aead::ChaCha20Poly1305 => "TLS13_CHACHA20_POLY1305_SHA256",
            Aead::Aes128Gcm => "TLS13_AES_128_GCM_SHA256",
        };
        Some(Negotiated {
            version: Version::Tls13,
            cipher_suite: cipher_suite.to_owned(),
            alpn: None,
            server_name: self.channel.server_name.as_deref().map(str::to_owned),
            resumed: false,
            // A client has not verified any.
            peer_certificates: Vec::new(),
        })
    }

    pub(crate) fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// Reads records from a socket, once, and opens those that are whole. Answers how much that is. To be asked for when
    /// none was whole.
    pub(crate) fn receive(&mut self, socket: &mut impl Read, room: &mut [u8]) -> io::Result<usize> {
        if self.incoming.read_from(socket)? == 0 {
            self.end = Some(End::of_socket(self.is_handshaking()));
        }
        Ok(self.read(room))
    }

    /// Takes what was opened, and opens records for as long as there is room. Answers how much that is.
    pub(crate) fn read(&mut self, room: &mut [u8]) -> usize {
        let mut filled = 0;
        loop {
            let waiting = &self.text[self.taken..];
            let count = waiting.len().min(room.len() - filled);
            room[filled..filled + count].copy_from_slice(&waiting[..count]);
            filled += count;
            self.taken += count;
            if self.taken < self.text.len() {
                return filled;
            }
            if self.taken > 0 {
                (self.text, self.taken) = (Vec::new(), 0);
            }
            if filled == room.len() || !self.open_record() {
                return filled;
            }
        }
    }

    /// Whether a read would find something that no socket announces.
    pub(crate) fn has_unread(&self) -> bool {
        let is_whole = !matches!(self.incoming.first(), Ok(None));
        self.taken < self.text.len() || (self.end.is_none() && is_whole)
    }

    /// Takes the first record, if it is there. Whether it was.
    fn open_record(&mut self) -> bool {
        if self.end.is_some() {
            return false;
        }
        let taken = self.take_record();
        if self.end.is_some() || taken.is_err() {
            // Nothing behind it means anything.
            self.incoming.clear();
            self.message = Vec::new();
        }
        match taken {
            Ok(taken) => taken,
            Err(failure) => {
                self.text = Vec::new();
                if let Some(alert) = failure.alert {
                    self.channel.alert(alert);
                }
                self.end = Some(End::Failed(failure.reason));
                false
            }
        }
    }

    fn take_record(&mut self) -> Result<bool, Failure> {
        let Some(record) = self.incoming.first()? else { return Ok(false) };
        let (content, body) = (record.content, record.body);
        let length = body.len();
        let handshaking = !self.handshake.is_done();
        let opened = match (content, &mut self.channel.reader) {
            (Content::ApplicationData, None) if self.channel.early_data > length => {
                return self.pass_over(length);
            }
            (Content::ApplicationData, Some(keys)) => match open(keys, &record, &mut self.text) {
                Err(_) if self.channel.early_data > length => return self.pass_over(length),
                opened => Some(opened?),
            },
            // To look like TLS 1.2 (appendix D.4).
            (Content::ChangeCipherSpec, _) if body == [1] && self.handshake.takes_pretence() => None,
            // A client that cannot take our keys can say so only like this.
            (Content::Alert, _) if handshaking => {
                self.text.extend(body);
                Some(Content::Alert)
            }
            (Content::Handshake, None) => {
                self.text.extend(body);
                Some(Content::Handshake)
            }
            _ => return Err(unexpected("a record that is not sealed")),
        };
        self.incoming.pop(length);
        if content == Content::ApplicationData {
            self.channel.early_data = 0;
        }
        if !self.message.is_empty() && opened != Some(Content::Handshake) {
            return Err(unexpected("half a handshake message, then something else"));
        }
        match opened {
            Some(Content::ApplicationData) if handshaking => {
                Err(unexpected("data before the handshake is done"))
            }
            Some(Content::Alert) => {
                let text = std::mem::take(&mut self.text);
                self.take_alert(&text)
            }
            Some(Content::Handshake) => {
                let text = std::mem::take(&mut self.text);
                self.take_messages(&text)
            }
            Some(Content::ApplicationData) if !self.text.is_empty() => {
                self.empty = 0;
                Ok(())
            }
            _ => self.note_empty(),
        }?;
        Ok(true)
    }

    /// Passes over a record of data that nobody here can read.
    fn pass_over(&mut self, length: usize) -> Result<bool, Failure> {
        // However little is in it, it is not free.
        self.channel.early_data = self.channel.early_data.saturating_sub(length.max(64));
        self.incoming.pop(length);
        Ok(true)
    }

    fn note_empty(&mut self) -> Result<(), Failure> {
        self.empty += 1;
        if self.empty > EMPTY_MAX {
            return Err(unexpected(format!("{} in a row that say nothing", self.empty)));
        }
        Ok(())
    }

    fn take_alert(&mut self, text: &[u8]) -> Result<(), Failure> {
        let &[_, description] = text else { return Err(Failure::malformed("alert")) };
        match Alert(description) {
            // The level means nothing any more (section 6).
            Alert::CLOSE_NOTIFY if self.is_handshaking() => Err(Failure {
                alert: None,
                reason: "the peer closed before the handshake was done".to_owned(),
            }),
            Alert::CLOSE_NOTIFY => {
                self.end = Some(End::Notified);
                Ok(())
            }
            Alert::USER_CANCELED => self.note_empty(),
            alert => Err(Failure::received(alert)),
        }
    }

    fn take_messages(&mut self, text: &[u8]) -> Result<(), Failure> {
        if text.is_empty() {
            return Err(unexpected("a handshake record without a message"));
        }
        self.message.extend(text);
        let mut start = 0;
        while let Some(&[_, a, b, c]) = self.message[start..].first_chunk::<4>() {
            let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
            if length > self.handshake.max_message() {
                let reason = format!("a handshake message of {length} bytes");
                return Err(Failure::new(Alert::ILLEGAL_PARAMETER, reason));
            }
            let end = start + 4 + length;
            let Some(message) = self.message.get(start..end) else { break };
            let is_last = end == self.message.len();
            if self.is_handshaking() {
                if !is_last && self.handshake.is_followed_by_other_keys(message[0]) {
                    return Err(unexpected("more behind a message than there may be"));
                }
                self.handshake.take(message, &mut self.channel)?;
                self.empty = 0;
            } else {
                let (kind, body) = (message[0], message[4..].to_vec());
                self.take_late_message(kind, &body, is_last)?;
            }
            start = end;
        }
        self.message.drain(..start);
        if self.message.is_empty() {
            self.message = Vec::new();
        }
        Ok(())
    }

    /// Behind the handshake. C ignores it, and cannot open what follows.
    fn take_late_message(&mut self, kind: u8, body: &[u8], is_last: bool) -> Result<(), Failure> {
        self.note_empty()?;
        match (kind, body) {
            (KEY_UPDATE, _) if !is_last => Err(unexpected("more behind a KeyUpdate in its record")),
            (KEY_UPDATE, [asked @ (0 | 1)]) => {
                if let Some(keys) = &mut self.channel.reader {
                    keys.update();
                }
                // However often it asks, it is answered before the next bytes.
                self.update_due |= *asked == 1;
                Ok(())
            }
            (KEY_UPDATE, [other]) => {
                Err(Failure::new(Alert::ILLEGAL_PARAMETER, format!("a KeyUpdate that asks for {other}")))
            }
            (KEY_UPDATE, _) => Err(Failure::malformed("KeyUpdate")),
            // Nothing is resumed.
            (NEW_SESSION_TICKET, _) if matches!(self.handshake, Handshake::Client(_)) => Ok(()),
            _ => Err(unexpected(format!("handshake message {kind} behind the handshake"))),
        }
    }

    /// Seals some of what follows the first `skip` bytes. Answers how much: nothing unless keys are agreed on.
    pub(crate) fn encrypt(&mut self, slices: &[IoSlice<'_>], skip: usize) -> usize {
        let mut sealed = 0;
        let mut text = Vec::new();
        for _ in 0..RECORDS_PER_WRITE {
            gather(slices, skip + sealed, &mut text);
            if text.is_empty() {
                break;
            }
            let is_worn = self.channel.writer.as_ref().is_some_and(TrafficKeys::are_worn);
            if std::mem::take(&mut self.update_due) || is_worn {
                self.channel.update_writer(false);
            }
            let Some(keys) = &mut self.channel.writer else { break };
            self.channel.outgoing.sealed(keys, Content::ApplicationData, &mut text);
            sealed += text.len();
        }
        sealed
    }

    #[cfg(test)]
    pub(crate) fn update_keys(&mut self, ask: bool) {
        self.channel.update_writer(ask);
    }

    #[cfg(test)]
    pub(super) fn say(&mut self, content: Content, text: &[u8]) {
        let keys = self.channel.writer.as_mut().expect("a handshake");
        self.channel.outgoing.sealed(keys, content, &mut text.to_vec());
    }

    /// Sends the records that wait.
    pub(crate) fn send(&mut self, socket: &mut impl Write) -> io::Result<()> {
        self.channel.outgoing.write_to(socket)
    }

    pub(crate) fn has_unsent(&self) -> bool {
        !self.channel.outgoing.is_empty()
    }

    /// Says that nothing follows, once.
    pub(crate) fn notify_close(&mut self) {
        if !std::mem::replace(&mut self.notified, true) {
            self.channel.alert(Alert::CLOSE_NOTIFY);
        }
    }
}

fn unexpected(reason: impl Into<String>) -> Failure {
    Failure::new(Alert::UNEXPECTED_MESSAGE, reason)
}
