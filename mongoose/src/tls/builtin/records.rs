//! The record layer (RFC 8446 section 5): what arrived and is not opened yet, and what is sealed and has not left.
//!
//! In C a record's length is 16 bits whose sum with the header's wraps round, padding makes a record vanish, and an
//! alert is not counted: the record behind it cannot be opened.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::mem;

use super::alert::{Alert, Failure};
use super::keys::TrafficKeys;
use crate::ffi::TAG;

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    ChangeCipherSpec,
    Alert,
    Handshake,
    ApplicationData,
}

impl Content {
    fn from_byte(byte: u8) -> Option<Self> {
        [Self::ChangeCipherSpec, Self::Alert, Self::Handshake, Self::ApplicationData]
            .into_iter()
            .find(|content| content.byte() == byte)
    }

    fn byte(self) -> u8 {
        match self {
            Self::ChangeCipherSpec => 20,
            Self::Alert => 21,
            Self::Handshake => 22,
            Self::ApplicationData => 23,
        }
    }
}

const HEADER: usize = 5;

/// The most that a record may say.
pub(super) const MAX_TEXT: usize = 1 << 14;

/// The most that a sealed one may hold.
const MAX_SEALED: usize = MAX_TEXT + 256;

/// One record as it came.
#[derive(Debug)]
pub(super) struct Record<'a> {
    pub(super) content: Content,
    header: &'a [u8; HEADER],
    pub(super) body: &'a [u8],
}

/// Records as they arrive. Never more than the longest one.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    bytes: Vec<u8>,
    start: usize,
}

impl Incoming {
    /// Reads from a socket, once.
    pub(super) fn read_from(&mut self, socket: &mut impl Read) -> io::Result<usize> {
        self.bytes.drain(..mem::take(&mut self.start));
        // Not there: an idle connection would keep room for a record.
        let mut room = [0; HEADER + MAX_SEALED];
        let room = &mut room[self.bytes.len()..];
        let count = socket.read(room)?;
        self.bytes.extend_from_slice(&room[..count]);
        Ok(count)
    }

    /// The first record, if all of it is there.
    pub(super) fn first(&self) -> Result<Option<Record<'_>>, Failure> {
        let Some((header, rest)) = self.bytes[self.start..].split_first_chunk::<HEADER>() else {
            return Ok(None);
        };
        // Whatever it is that a peer without TLS says, it is told so before it has said much of it.
        let [kind, 3, _, length @ ..] = *header else {
            return Err(Failure::new(Alert::UNEXPECTED_MESSAGE, "this is not TLS"));
        };
        let content = Content::from_byte(kind)
            .ok_or_else(|| Failure::new(Alert::UNEXPECTED_MESSAGE, format!("a record of type {kind}")))?;
        let length = usize::from(u16::from_be_bytes(length));
        let most = if content == Content::ApplicationData { MAX_SEALED } else { MAX_TEXT };
        if length > most {
            return Err(Failure::new(Alert::RECORD_OVERFLOW, format!("a record of {length} bytes")));
        }
        Ok(rest.get(..length).map(|body| Record { content, header, body }))
    }

    /// Lets go of the first record.
    pub(super) fn pop(&mut self, body: usize) {
        self.start += HEADER + body;
        if self.start >= self.bytes.len() {
            *self = Self::default();
        }
    }

    /// Throws all of it away.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Opens a sealed record: what it is, and what it says is left in `text`.
pub(super) fn open(
    keys: &mut TrafficKeys,
    record: &Record<'_>,
    text: &mut Vec<u8>,
) -> Result<Content, Failure> {
    let bad =
        || Failure::new(Alert::BAD_RECORD_MAC, "a record was not sealed with the keys that were agreed on");
    text.clear();
    // A tag, and the type in front of it.
    let length = record.body.len().checked_sub(TAG).filter(|&length| length > 0).ok_or_else(bad)?;
    text.resize(length, 0);
    if !keys.open(record.header, record.body, text) {
        text.clear();
        return Err(bad());
    }
    // Behind the type there may be zeros.
    let end = text.iter().rposition(|&byte| byte != 0);
    let kind = end.map(|end| text.split_off(end)[0]);
    if text.len() > MAX_TEXT {
        return Err(Failure::new(Alert::RECORD_OVERFLOW, "a record says more than 16,384 bytes"));
    }
    match kind.and_then(Content::from_byte) {
        Some(Content::ChangeCipherSpec) | None => {
            Err(Failure::new(Alert::UNEXPECTED_MESSAGE, "a sealed record of an unknown type"))
        }
        Some(content) => Ok(content),
    }
}

/// Records on their way out.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    bytes: Vec<u8>,
    sent: usize,
}

impl Outgoing {
    /// Appends a record that is not sealed.
    pub(super) fn plain(&mut self, content: Content, text: &[u8]) {
        self.bytes.extend(header(content, text.len()));
        self.bytes.extend(text);
    }

    /// Appends a sealed record. `text` is what it says; its type is appended there.
    pub(super) fn sealed(&mut self, keys: &mut TrafficKeys, content: Content, text: &mut Vec<u8>) {
        text.push(content.byte());
        let header = header(Content::ApplicationData, text.len() + TAG);
        self.bytes.extend(header);
        let start = self.bytes.len();
        self.bytes.resize(start + text.len() + TAG, 0);
        keys.seal(&header, text, &mut self.bytes[start..]);
        text.pop();
    }

    /// Sends what the socket takes, all of it or until it fails.
    pub(super) fn write_to(&mut self, socket: &mut impl Write) -> io::Result<()> {
        while !self.is_empty() {
            match socket.write(&self.bytes[self.sent..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        *self = Self::default();
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.len() == self.sent
    }
}

fn header(content: Content, length: usize) -> [u8; HEADER] {
    // No caller says more than a record may.
    let [high, low] = u16::try_from(length).expect("a record's length").to_be_bytes();
    [content.byte(), 3, 3, high, low]
}

/// Takes up to a record's worth of what follows the first `skip` bytes.
pub(super) fn gather(slices: &[IoSlice<'_>], mut skip: usize, text: &mut Vec<u8>) {
    text.clear();
    for slice in slices {
        let from = skip.min(slice.len());
        skip -= from;
        let room = MAX_TEXT - text.len();
        text.extend(slice[from..].iter().take(room));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::Aead;
    use crate::tls::builtin::keys::Secret;

    fn keys() -> TrafficKeys {
        TrafficKeys::new(Aead::ChaCha20Poly1305, Secret::of_handshake([1; 32]))
    }

    fn incoming(bytes: &[u8]) -> Incoming {
        let mut incoming = Incoming::default();
        incoming.read_from(&mut &bytes[..]).expect("memory to read from");
        incoming
    }

    fn alert_of(bytes: &[u8]) -> Alert {
        incoming(bytes).first().expect_err("refused").alert.expect("an alert")
    }

    #[test]
    fn records_are_whole_or_not_there() {
        let bytes = b"\x16\x03\x01\0\x02ab\x17\x03\x03\0\0";
        for end in 0..7 {
            assert!(incoming(&bytes[..end]).first().expect("no failure").is_none(), "{end}");
        }
        let mut incoming = incoming(bytes);
        let Record { content, body, .. } = incoming.first().expect("no failure").expect("a record");
        assert_eq!((content, body), (Content::Handshake, &b"ab"[..]));
        incoming.pop(2);
        let Record { content, body, .. } = incoming.first().expect("no failure").expect("another");
        assert_eq!((content, body), (Content::ApplicationData, &b""[..]));
        incoming.pop(0);
        assert_eq!(incoming.bytes.capacity(), 0, "nothing is kept");
    }

    #[test]
    fn nothing_is_kept_for_a_socket_that_has_nothing() {
        let mut incoming = Incoming::default();
        incoming.read_from(&mut io::empty()).expect("an end");
        assert_eq!(incoming.bytes.capacity(), 0);
    }

    #[test]
    fn no_length_is_taken_that_no_record_has() {
        // 65,531 and a header make 0 in C's 16 bits.
        assert_eq!(alert_of(b"\x17\x03\x03\xff\xfb"), Alert::RECORD_OVERFLOW);
        assert_eq!(alert_of(b"\x17\x03\x03\x41\x01"), Alert::RECORD_OVERFLOW);
        assert!(incoming(b"\x17\x03\x03\x41\x00").first().is_ok());
        assert_eq!(alert_of(b"\x16\x03\x03\x40\x01"), Alert::RECORD_OVERFLOW);
        assert_eq!(alert_of(b"GET /"), Alert::UNEXPECTED_MESSAGE);
        assert_eq!(alert_of(b"\x18\x03\x03\0\x03"), Alert::UNEXPECTED_MESSAGE);
    }

    #[test]
    fn it_never_holds_more_than_a_record() {
        let flood = vec![0x17; 100_000];
        let mut incoming = Incoming::default();
        let mut source = &flood[..];
        for _ in 0..10 {
            let _ = incoming.read_from(&mut source);
        }
        assert_eq!(incoming.bytes.len(), HEADER + MAX_SEALED);
    }

    #[test]
    fn what_is_sealed_is_opened_without_its_padding() {
        let (mut writer, mut reader) = (keys(), keys());
        for padding in [0, 1, 200] {
            let mut outgoing = Outgoing::default();
            let mut text = b"hello\0".to_vec();
            // Padding is behind the type.
            text.push(Content::ApplicationData.byte());
            text.resize(text.len() + padding, 0);
            let header = header(Content::ApplicationData, text.len() + TAG);
            let mut sealed = vec![0; text.len() + TAG];
            writer.seal(&header, &text, &mut sealed);
            outgoing.bytes.extend(header);
            outgoing.bytes.extend(sealed);
            let incoming = incoming(&outgoing.bytes);
            let record = incoming.first().expect("no failure").expect("a record");
            let mut text = Vec::new();
            let content = open(&mut reader, &record, &mut text).expect("opened");
            assert_eq!((content, &text[..]), (Content::ApplicationData, &b"hello\0"[..]));
        }
    }

    #[test]
    fn a_record_of_nothing_but_padding_is_refused() {
        let (mut writer, mut reader) = (keys(), keys());
        let mut sealed = [0; 8 + TAG];
        let header = header(Content::ApplicationData, sealed.len());
        writer.seal(&header, &[0; 8], &mut sealed);
        let mut alert = |body| {
            let record = Record { content: Content::ApplicationData, header: &header, body };
            open(&mut reader, &record, &mut Vec::new()).expect_err("refused").alert
        };
        assert_eq!(alert(&sealed), Some(Alert::UNEXPECTED_MESSAGE));
        for length in 0..=TAG {
            assert_eq!(alert(&sealed[..length]), Some(Alert::BAD_RECORD_MAC));
        }
    }

    #[test]
    fn a_record_gathers_what_follows() {
        let (one, two) = (vec![1; 10_000], vec![2; 10_000]);
        let slices = [IoSlice::new(&one), IoSlice::new(&two)];
        let mut text = Vec::new();
        gather(&slices, 0, &mut text);
        assert_eq!((text.len(), text[9_999], text[10_000]), (MAX_TEXT, 1, 2));
        gather(&slices, 19_999, &mut text);
        assert_eq!(text, [2]);
        gather(&slices, 20_000, &mut text);
        assert!(text.is_empty());
    }
}
