//! What holds for whatever comes: any split, any content, there and back.

use std::cell::RefCell;

use mongoose::http::{Credentials, Reply, Request, basic_authorization};
use mongoose::url;
use mongoose_tests::{Client, Server, scaled};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::form_server::{Field, parse, write};

const BOUNDARY: &str = "-a-ab";

/// Bytes among which delimiters are likely to begin, and none is complete at the start of a line.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            &b"\r\n"[..], b"\r", b"\n", b"-", b"--", b"\r\n--", b"\r\n---a-a", b"---a-ab", b"\r\n---a-", b"\r\r\n---a-aB",
        ])
        .prop_map(<[u8]>::to_vec),
        2 => vec(any::<u8>(), 0..20),
    ];
    vec(piece, 0..12).prop_map(|pieces| pieces.concat()).prop_filter("a delimiter", |content| {
        let delimiter = format!("\r\n--{BOUNDARY}").into_bytes();
        let lines = [b"\r\n", &content[..], b"\r\n"].concat();
        !lines.windows(delimiter.len()).any(|window| window == delimiter)
    })
}

/// Any text that stays in one header line and has no escape of its own.
fn name() -> impl Strategy<Value = String> {
    // What the escapes stand for is text too: percent signs and backslashes are left out where they would be one.
    "[^\\x00-\\x1f\\x7f%\\\\]{0,20}"
}

fn field() -> impl Strategy<Value = Field> {
    let file = prop::option::of((name(), "[a-z]{1,5}/[a-z]{1,5}"));
    (name(), file, content()).prop_map(|(name, file, body)| match file {
        Some((filename, content_type)) => Field::file(&name, &filename, &content_type, body),
        None => Field::text(&name, body),
    })
}

/// Cuts bytes at places that are drawn.
fn cut<'b>(bytes: &'b [u8], places: &[prop::sample::Index]) -> Vec<&'b [u8]> {
    let mut places: Vec<_> = places.iter().map(|place| place.index(bytes.len() + 1)).collect();
    places.sort_unstable();
    let ends = places.iter().copied().chain([bytes.len()]);
    let mut start = 0;
    ends.map(|end| &bytes[std::mem::replace(&mut start, end)..end]).collect()
}

fn cases(count: usize) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(scaled(count) as u32) }
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn a_form_comes_back_from_any_split(
        fields in vec(field(), 0..5),
        places in vec(any::<prop::sample::Index>(), 0..30),
    ) {
        let form = write(BOUNDARY, &fields);
        prop_assert_eq!(parse(BOUNDARY, cut(&form, &places)), Ok(fields));
    }

    #[test]
    fn hostile_bytes_are_understood_the_same_from_any_split_and_never_panic(
        pieces in vec(prop_oneof![
            content(),
            Just(format!("--{BOUNDARY}").into_bytes()),
            Just(format!("\r\n--{BOUNDARY}\r\n").into_bytes()),
            Just(b"Content-Disposition: form-data; name=\"a\"\r\n\r\n".to_vec()),
            Just(format!("\r\n--{BOUNDARY}--").into_bytes()),
        ], 0..10),
        places in vec(any::<prop::sample::Index>(), 0..30),
    ) {
        let form = pieces.concat();
        prop_assert_eq!(parse(BOUNDARY, cut(&form, &places)), parse(BOUNDARY, [&form[..]]));
    }

    #[test]
    fn a_cut_off_form_is_never_whole(fields in vec(field(), 0..4), at in any::<prop::sample::Index>()) {
        let form = write(BOUNDARY, &fields);
        // The line end behind the last delimiter need not be there.
        let end = at.index(form.len() - 2);
        prop_assert!(parse(BOUNDARY, [&form[..end]]).is_err());
    }

    #[test]
    fn percent_encoding_comes_back(bytes in vec(any::<u8>(), 0..100), escaped in vec(any::<bool>(), 100)) {
        let mut encoded = String::new();
        for (&byte, escaped) in bytes.iter().zip(escaped) {
            if escaped || !byte.is_ascii() || matches!(byte, b'%' | b'+') {
                encoded.push_str(&format!("%{byte:02x}"));
            } else {
                encoded.push(char::from(byte));
            }
        }
        prop_assert_eq!(&*url::decode(&encoded).expect("valid"), &bytes[..]);
        let encoded = encoded.replace(' ', "+");
        prop_assert_eq!(&*url::decode_form(&encoded).expect("valid"), &bytes[..]);
    }
}

#[test]
fn credentials_come_back_from_any_client() {
    let server = Server::http(|| {
        |request: Request<'_>, reply: Reply<'_>| match request.credentials() {
            Some(Credentials::Basic { user, password }) => reply.body([user, password].join(&b'\n')),
            _ => reply.status(401).empty(),
        }
    });
    let client = RefCell::new(Client::connect(server.address));
    let mut runner = proptest::test_runner::TestRunner::new(cases(500));
    // C encodes them.
    let bytes = |forbidden: &'static [u8]| {
        let allowed = any::<u8>().prop_filter("in credentials", |byte| !byte.is_ascii_control());
        vec(allowed.prop_filter("here", move |byte| !forbidden.contains(byte)), 0..60)
    };
    let result = runner.run(&(bytes(b":"), bytes(b"")), |(user, password)| {
        let value = basic_authorization(&user, &password).expect("valid");
        let request = format!("GET / HTTP/1.1\r\nHost: h\r\nAuthorization: {value}\r\n\r\n");
        prop_assert_eq!(client.borrow_mut().send(request).response().body, [user, password].join(&b'\n'));
        Ok(())
    });
    assert!(result.is_ok(), "{result:?}");
}
