//! Both sides in memory, without sockets: what each makes of the other, and of what is not quite it.

use std::io::{self, ErrorKind, IoSlice, Read};

use super::alert::{Alert, Failure};
use super::records::Content;
use super::{Connection, ServerConfig, Target};
use crate::tls::session::End;

/// Made by openssl for this test: a P-256 key and its certificate, of whom nobody asks whether it is valid.
const CHAIN: &str = include_str!("tests/chain.pem");
const KEY: &str = include_str!("tests/key.pem");

fn server() -> Connection {
    let config = ServerConfig::from_pem(CHAIN, KEY).expect("a certificate and its key");
    Connection::server(&config).expect("a server")
}

fn client() -> Connection {
    Connection::client(&Target(Some("localhost".into()))).expect("a client")
}

/// What one side has to send.
fn sent(from: &mut Connection) -> Vec<u8> {
    let mut bytes = Vec::new();
    from.send(&mut bytes).expect("memory to write to");
    bytes
}

/// A socket that has these bytes, and no end.
struct Open<'a>(&'a [u8]);

impl Read for Open<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self.0.read(room)? {
            0 => Err(ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }
}

/// Gives bytes to one side, and answers what it reads of them.
fn give(to: &mut Connection, bytes: &[u8]) -> Vec<u8> {
    let mut socket = Open(bytes);
    let (mut text, mut room) = (Vec::new(), vec![0; 1000]);
    loop {
        let count = match to.read(&mut room) {
            0 if to.end().is_some() => return text,
            0 => match to.receive(&mut socket, &mut room) {
                Ok(count) => count,
                Err(_) => return text,
            },
            count => count,
        };
        text.extend(&room[..count]);
    }
}

/// Both, with the handshake done.
fn connected() -> (Connection, Connection) {
    let (mut client, mut server) = (client(), server());
    for _ in 0..2 {
        assert_eq!(give(&mut server, &sent(&mut client)), b"");
        assert_eq!(give(&mut client, &sent(&mut server)), b"");
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    (client, server)
}

fn encrypt(from: &mut Connection, text: &[u8]) -> Vec<u8> {
    let mut done = 0;
    while done < text.len() {
        done += from.encrypt(&[IoSlice::new(text)], done);
    }
    sent(from)
}

fn reason(of: &Connection) -> &str {
    match of.end() {
        Some(End::Failed(reason)) => reason,
        other => panic!("no failure: {other:?}"),
    }
}

/// Numbers that only look random, so that a failure comes again.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

#[test]
fn both_sides_understand_each_other() {
    let (mut client, mut server) = connected();
    for text in [b"x".to_vec(), vec![7; 100_000]] {
        let records = encrypt(&mut client, &text);
        assert_eq!(give(&mut server, &records), text);
        let records = encrypt(&mut server, &text);
        assert_eq!(give(&mut client, &records), text);
    }
    client.notify_close();
    client.notify_close();
    give(&mut server, &sent(&mut client));
    assert_eq!(server.end(), Some(&End::Notified));
    assert_eq!(give(&mut client, &encrypt(&mut server, b"more")), b"more", "the other direction goes on");
}

#[test]
fn records_may_come_byte_by_byte() {
    let (mut client, mut server) = (client(), server());
    for _ in 0..2 {
        sent(&mut client).chunks(1).for_each(|byte| drop(give(&mut server, byte)));
        sent(&mut server).chunks(1).for_each(|byte| drop(give(&mut client, byte)));
    }
    let records = encrypt(&mut client, b"hello");
    let text: Vec<u8> = records.chunks(1).flat_map(|byte| give(&mut server, byte)).collect();
    assert_eq!(text, b"hello");
}

#[test]
fn a_message_is_put_together_up_to_a_bound() {
    let mut server = server();
    // A ClientHello of 16 MB, bit by bit.
    let record = |body: &[u8]| [&[22, 3, 1, (body.len() >> 8) as u8, body.len() as u8], body].concat();
    give(&mut server, &record(&[1]));
    give(&mut server, &record(&[0xff, 0xff, 0xff]));
    assert_eq!(reason(&server), "a handshake message of 16777215 bytes");
    assert_eq!(sent(&mut server), [21, 3, 3, 0, 2, 2, 47]);
}

#[test]
fn nothing_else_comes_between_the_halves_of_a_message() {
    let mut server = server();
    give(&mut server, &[22, 3, 1, 0, 2, 1, 0]);
    give(&mut server, &[21, 3, 3, 0, 2, 1, 90]);
    assert_eq!(reason(&server), "half a handshake message, then something else");
}

const PRETENCE: [u8; 6] = [20, 3, 3, 0, 1, 1];

#[test]
fn what_looks_like_tls_12_is_taken_between_the_first_hello_and_the_end_alone() {
    let mut early = server();
    give(&mut early, &PRETENCE);
    assert_eq!(reason(&early), "a record that is not sealed");
    let (mut client, mut server) = (client(), server());
    give(&mut server, &sent(&mut client));
    give(&mut server, &PRETENCE);
    give(&mut client, &PRETENCE);
    give(&mut client, &sent(&mut server));
    give(&mut server, &sent(&mut client));
    assert!(!client.is_handshaking() && !server.is_handshaking());
    for mut side in [client, server] {
        give(&mut side, &PRETENCE);
        assert_eq!(reason(&side), "a record that is not sealed");
        assert_eq!(sent(&mut side).len(), 24, "an alert, sealed");
    }
}

#[test]
fn what_says_nothing_is_taken_32_times_in_a_row() {
    type Say = fn(&mut Connection);
    let nothings: [Say; 3] = [
        |side| side.update_keys(true),
        |side| side.say(Content::ApplicationData, b""),
        |side| side.say(Content::Alert, &[1, 90]),
    ];
    for nothing in nothings {
        let (mut client, mut server) = connected();
        for _ in 0..3 {
            (0..32).for_each(|_| nothing(&mut client));
            assert_eq!(give(&mut server, &sent(&mut client)), b"");
            assert_eq!(give(&mut server, &encrypt(&mut client, b"something")), b"something");
        }
        (0..33).for_each(|_| nothing(&mut client));
        give(&mut server, &sent(&mut client));
        assert_eq!(reason(&server), "33 in a row that say nothing");
    }
    let (mut client, mut server) = (client(), server());
    give(&mut server, &sent(&mut client));
    give(&mut server, &PRETENCE.repeat(33));
    assert_eq!(reason(&server), "33 in a row that say nothing");
}

#[test]
fn new_keys_that_are_not_said_right_are_refused_with_their_alert() {
    for (message, alert) in [
        (&[24, 0, 0, 1, 2][..], Alert::ILLEGAL_PARAMETER),
        (&[24, 0, 0, 0], Alert::DECODE_ERROR),
        (&[24, 0, 0, 2, 0, 0], Alert::DECODE_ERROR),
        (&[24, 0, 0, 1, 0, 24, 0, 0, 1, 0], Alert::UNEXPECTED_MESSAGE),
        (&[24, 0, 0, 1, 0, 24], Alert::UNEXPECTED_MESSAGE),
    ] {
        let (mut client, mut server) = connected();
        client.say(Content::Handshake, message);
        give(&mut server, &sent(&mut client));
        assert!(matches!(server.end(), Some(End::Failed(_))), "{message:?}");
        give(&mut client, &sent(&mut server));
        assert_eq!(reason(&client), Failure::received(alert).reason, "{message:?}");
    }
}

#[test]
fn nothing_follows_a_hello_in_its_record() {
    let mut hello = sent(&mut client());
    hello.push(1);
    let length = hello.len() - 5;
    hello[3..5].copy_from_slice(&(length as u16).to_be_bytes());
    let mut server = server();
    give(&mut server, &hello);
    assert_eq!(reason(&server), "more behind a message than there may be");
}

#[test]
fn records_that_say_nothing_are_not_taken_for_messages() {
    let mut server = server();
    give(&mut server, &[22, 3, 1, 0, 0]);
    assert_eq!(reason(&server), "a handshake record without a message");
}

#[test]
fn a_record_before_its_keys_is_refused() {
    let mut server = server();
    give(&mut server, &[23, 3, 3, 0, 1, 1]);
    assert_eq!(reason(&server), "a record that is not sealed");
    let (_, mut server) = connected();
    give(&mut server, &[22, 3, 3, 0, 1, 1]);
    assert_eq!(reason(&server), "a record that is not sealed", "nor behind them without");
}

#[test]
fn an_end_in_the_handshake_is_a_failure_and_later_a_cut() {
    let mut server = server();
    server.receive(&mut io::empty(), &mut [0; 10]).expect("an end");
    assert_eq!(reason(&server), "the peer closed before the handshake was done");
    let (_, mut server) = connected();
    server.receive(&mut io::empty(), &mut [0; 10]).expect("an end");
    assert_eq!(server.end(), Some(&End::Cut));
}

#[test]
fn keys_are_updated_whenever_the_peer_says_so() {
    let (mut client, mut server) = connected();
    for round in 0..3 {
        // It asks for ours too, twice: once is enough.
        client.update_keys(round != 1);
        client.update_keys(round != 1);
        let records = encrypt(&mut client, b"behind");
        assert_eq!(give(&mut server, &records), b"behind", "{round}");
        assert!(!server.has_unsent(), "an update waits for something to say");
        let records = encrypt(&mut server, b"answer");
        assert_eq!(give(&mut client, &records), b"answer", "{round}");
    }
}

#[test]
fn a_closed_side_takes_nothing_more() {
    let (mut client, mut server) = connected();
    client.notify_close();
    let end = sent(&mut client);
    let behind = encrypt(&mut client, b"behind");
    assert_eq!(give(&mut server, &[end, behind].concat()), b"");
    assert!(!server.has_unread());
}

/// What a peer may do to what it sends.
fn mutate(bytes: &mut Vec<u8>, numbers: &mut Numbers) {
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(bytes.len().max(1)).min(bytes.len());
        match numbers.below(6) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, numbers.below(256) as u8),
            2 => bytes.extend_from_within(at..),
            3 if at < bytes.len() => drop(bytes.remove(at)),
            4 if at < bytes.len() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][numbers.below(5)],
            _ if at < bytes.len() => bytes[at] ^= 1 << numbers.below(8),
            _ => {}
        }
    }
}

/// Records without what means nothing: those that look like TLS 1.2, and the version of those that are not sealed.
fn meaning(mut bytes: &[u8]) -> Vec<u8> {
    let mut meaning = Vec::new();
    while let Some((&[kind, _, _, high, low], rest)) = bytes.split_first_chunk::<5>() {
        let length = usize::from(u16::from_be_bytes([high, low]));
        let (body, rest) = rest.split_at(length.min(rest.len()));
        if kind != 20 {
            meaning.push(kind);
            meaning.extend(body);
        }
        bytes = rest;
    }
    meaning
}

/// How often, by the environment's `TEST_SCALE`: 200 makes a night's work of it.
fn rounds() -> usize {
    let scale = std::env::var("TEST_SCALE").ok().and_then(|scale| scale.parse::<f64>().ok());
    (300.0 * scale.unwrap_or(1.0)).max(20.0) as usize
}

#[test]
fn hellos_that_are_not_quite_right_are_refused_or_waited_for() {
    let mut numbers = Numbers(1);
    let hello = sent(&mut client());
    for _ in 0..rounds() {
        let mut bytes = hello.clone();
        mutate(&mut bytes, &mut numbers);
        let mut server = server();
        assert_eq!(give(&mut server, &bytes), b"");
        assert!(server.is_handshaking());
        // Whatever it is, it is answered in records.
        let answer = sent(&mut server);
        assert!(answer.is_empty() || [21, 22].contains(&answer[0]), "{answer:?}");
    }
}

#[test]
fn flights_that_are_not_quite_right_never_finish_a_handshake() {
    let mut numbers = Numbers(2);
    for _ in 0..rounds() / 10 {
        let (mut client, mut server) = (client(), server());
        give(&mut server, &sent(&mut client));
        let mut flight = sent(&mut server);
        let right = flight.clone();
        mutate(&mut flight, &mut numbers);
        assert_eq!(give(&mut client, &flight), b"");
        if !meaning(&flight).starts_with(&meaning(&right)) {
            assert!(client.is_handshaking(), "what is not the server's flight was taken for it");
            continue;
        }
        if client.is_handshaking() {
            continue;
        }
        let mut finished = sent(&mut client);
        // What means nothing, and the Finished. Behind it the client may complain of what follows the server's flight.
        let right = meaning(&finished[..6 + 58]);
        mutate(&mut finished, &mut numbers);
        assert_eq!(give(&mut server, &finished), b"");
        assert!(server.is_handshaking() || meaning(&finished).starts_with(&right));
    }
}

#[test]
fn records_that_are_not_quite_right_say_nothing() {
    let mut numbers = Numbers(3);
    for _ in 0..rounds() / 10 {
        let (mut client, mut server) = connected();
        let mut records = encrypt(&mut client, b"one");
        let first = records.len();
        records.extend(encrypt(&mut client, b"two"));
        let right = records.clone();
        mutate(&mut records, &mut numbers);
        let text = give(&mut server, &records);
        let expected: &[u8] = match &records {
            all if all.starts_with(&right) => b"onetwo",
            some if some.starts_with(&right[..first]) => b"one",
            _ => b"",
        };
        assert_eq!(text, expected);
    }
}
