//! TLS, of whatever kind is built in: peers that are no such thing, and the one that comes after them.

use std::cell::RefCell;
use std::rc::Rc;

use mongoose::fuzzing::{choices, pieces};
use mongoose::{Connection, Error, Event, Manager, tls};

use super::clients::play;
use super::exchange::Site;

/// Made by openssl for the library's own tests: a P-256 key and its certificate, of whom nobody asks whether it is valid.
const CHAIN: &str = include_str!("../../../mongoose/src/tls/builtin/tests/chain.pem");
const KEY: &str = include_str!("../../../mongoose/src/tls/builtin/tests/key.pem");

thread_local! {
    static SERVER: Option<tls::ServerConfig> = where_possible(tls::ServerConfig::from_pem(CHAIN, KEY));
    static CLIENT: Option<tls::ClientConfig> =
        where_possible(tls::ClientConfig::dangerous().accept_any_certificate().build());
}

/// Valgrind's processor, for one, lacks what TLS asks for.
fn where_possible<C>(config: Result<C, Error>) -> Option<C> {
    match config {
        Err(Error::TlsConfig { what, .. }) if what == "this processor" => None,
        config => Some(config.expect("a configuration")),
    }
}

/// The kinds of the records that were sent, which are whole, and what is in those that are not sealed.
fn records(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut found = Vec::new();
    while let Some((&[kind, 3, 1 | 3, high, low], rest)) = bytes.split_first_chunk::<5>() {
        let (body, rest) = rest.split_at(usize::from(u16::from_be_bytes([high, low])));
        found.push((kind, if kind == 21 { body.to_vec() } else { Vec::new() }));
        bytes = rest;
    }
    assert!(bytes.is_empty(), "not a record: {}", bytes.escape_ascii());
    found
}

/// Bytes to a server.
pub fn tls_server(bytes: &[u8]) {
    let Some(config) = SERVER.with(Clone::clone) else { return };
    let ([cuts], input) = choices(bytes);
    let shown = Rc::new(RefCell::new(Vec::new()));
    let events = Rc::clone(&shown);
    let mut site = Site::new(|listener| {
        listener.tls(config).tcp(move |_: &Connection<'_>, event: Event<'_>| {
            let name = match event {
                Event::Error(_) => "error",
                Event::Close => "close",
                _ => "other",
            };
            events.borrow_mut().push(name);
            Ok(())
        })
    });
    let at_once = site.exchange(&[input]);
    assert_eq!(shown.take(), ["error", "close"], "nobody has the keys: nothing of it is told");
    let dripped = site.exchange(&pieces(input, cuts));
    assert_eq!(shown.take(), ["error", "close"], "nor in pieces");
    assert_eq!(records(&at_once), records(&dripped), "whole and in pieces");
}

/// Bytes to a client.
pub fn tls_client(bytes: &[u8]) {
    let Some(config) = CLIENT.with(Clone::clone) else { return };
    let ([cuts], input) = choices(bytes);
    let run = |pieces: &[&[u8]]| {
        let (story, heard) = play(
            |manager: &Manager, address, story| {
                let config = config.clone();
                let url = format!("tls://{address}");
                let connector = manager.connector(&url).tls(config);
                let begun = connector.tcp(move |_: &Connection<'_>, event: Event<'_>| {
                    story.tell(match event {
                        Event::Error(_) => "error",
                        Event::Close => "close",
                        _ => "other",
                    });
                    Ok(())
                });
                begun.expect("a client");
            },
            |manager, peer| pieces.iter().for_each(|piece| peer.feed(manager, piece)),
        );
        assert_eq!(story, ["error", "close"], "nobody has the keys: nothing of it is told");
        records(&heard)
    };
    assert_eq!(run(&[input]), run(&pieces(input, cuts)), "whole and in pieces");
}
