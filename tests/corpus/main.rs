//! Requests, valid and hostile, each with the RFC's verdict. Each is sent whole, byte by byte and at random splits, and
//! the answer is the same each time: statuses, all that the handler saw, and whether the connection stays. Behind each
//! comes another request, which shows where the one before ended. A handler that takes bodies in pieces sees the same.

mod case;
mod exchange;

use std::collections::HashSet;

use case::{Answer, Case, End};
use exchange::{Outcome, Server, Told};
use mongoose::http::BodyMode;
use mongoose_tests::raw::{self, Message};
use mongoose_tests::{Random, scaled};

/// The files of the corpus.
const FAMILIES: [(&str, &str); 11] = [
    ("valid", include_str!("requests/valid.txt")),
    ("request_line", include_str!("requests/request_line.txt")),
    ("target", include_str!("requests/target.txt")),
    ("host", include_str!("requests/host.txt")),
    ("headers", include_str!("requests/headers.txt")),
    ("content_length", include_str!("requests/content_length.txt")),
    ("transfer_encoding", include_str!("requests/transfer_encoding.txt")),
    ("chunked", include_str!("requests/chunked.txt")),
    ("connection", include_str!("requests/connection.txt")),
    ("pipelining", include_str!("requests/pipelining.txt")),
    ("limits", include_str!("requests/limits.txt")),
];

/// What is sent behind each request that is whole.
const NEXT: &[u8] = b"GET /next HTTP/1.1\r\nHost: next\r\nConnection: close\r\n\r\n";

fn family(name: &str) -> Vec<Case> {
    let (_, file) = FAMILIES.iter().find(|(found, _)| *found == name).expect("a family of that name");
    case::parse(file)
}

fn bytes_of(case: &Case) -> Vec<u8> {
    let next = if case.end == End::Truncated { b"" } else { NEXT };
    [&case.bytes, next].concat()
}

/// Checks what became of a case against its verdict.
fn check(case: &Case, outcome: &Outcome) {
    let Outcome { told, responses } = outcome;
    let statuses: Vec<_> = responses.iter().map(|response| response.status).collect();
    let mut expected_statuses = Vec::new();
    let mut rest = told.iter();
    for answer in &case.answers {
        match (answer, rest.next()) {
            (Answer::Refused(status), Some(Told::Refused(refused))) => {
                assert_eq!(refused, status, "{}", case.name);
                expected_statuses.push(*status);
            }
            (Answer::Seen(expected), Some(Told::Request(seen))) => {
                check_request(&case.name, expected, seen);
                expected_statuses.push(200);
            }
            (expected, found) => panic!("{}: {found:?} instead of {expected:?}", case.name),
        }
    }
    match (case.end, rest.next()) {
        (End::Kept, Some(Told::Request(next))) if next.path == "/next" => expected_statuses.push(200),
        (End::Truncated, Some(Told::Truncated)) | (End::Closed, None) => {}
        (end, found) => panic!("{}: {found:?} where it is to be {end:?}", case.name),
    }
    assert_eq!(rest.next(), None, "{}", case.name);
    assert_eq!(statuses, expected_statuses, "{}", case.name);
    if let Some(last) = responses.last()
        && case.end != End::Truncated
    {
        assert!(last.head.iter().any(|line| line == "Connection: close"), "{}: {last:?}", case.name);
    }
}

fn check_request(name: &str, expected: &case::Request, seen: &exchange::Request) {
    let case::Request { method, target, body, path, query, host, headers } = expected;
    assert_eq!((&seen.method, &seen.target, &seen.body), (method, target, body), "{name}");
    for (found, expected) in [(&seen.path, path), (&seen.query, query), (&seen.host, host)] {
        assert_eq!(found, expected.as_ref().unwrap_or(found), "{name}");
    }
    let mut rest = seen.headers.iter();
    for header in headers {
        assert!(rest.any(|found| found == header), "{name}: no {header:?} in {:?}", seen.headers);
    }
}

/// Cuts bytes into single ones; of very many, those at both ends.
fn single_bytes(bytes: &[u8]) -> Vec<&[u8]> {
    let edge = scaled(10_000).max(500) / 2;
    if bytes.len() <= 2 * edge {
        return bytes.chunks(1).collect();
    }
    let (front, rest) = bytes.split_at(edge);
    let (middle, back) = rest.split_at(rest.len() - edge);
    front.chunks(1).chain([middle]).chain(back.chunks(1)).collect()
}

fn check_family(name: &str) {
    let mut server = Server::new(BodyMode::Buffered);
    let mut streaming = Server::new(BodyMode::Streamed);
    let mut random = Random::new(9112);
    for case in family(name) {
        let bytes = bytes_of(&case);
        let whole = server.exchange(&[&bytes]);
        check(&case, &whole);
        // A body that is not kept has no limit.
        let streams = !case.answers.contains(&Answer::Refused(413));
        let mut check_pieces = |pieces: &[&[u8]]| {
            assert_eq!(server.exchange(pieces), whole, "{} in {} pieces", case.name, pieces.len());
            if streams {
                let streamed = streaming.exchange(pieces);
                assert_eq!(streamed, whole, "{} in {} pieces, streamed", case.name, pieces.len());
            }
        };
        check_pieces(&[&bytes]);
        check_pieces(&single_bytes(&bytes));
        for _ in 0..scaled(6) {
            let mean = 1 + random.below(bytes.len().clamp(2, 200) / 2);
            check_pieces(&random.split(&bytes, mean));
        }
    }
}

#[test]
fn valid_requests() {
    check_family("valid");
}

#[test]
fn request_lines() {
    check_family("request_line");
}

#[test]
fn request_targets() {
    check_family("target");
}

#[test]
fn hosts() {
    check_family("host");
}

#[test]
fn header_lines() {
    check_family("headers");
}

#[test]
fn content_lengths() {
    check_family("content_length");
}

#[test]
fn transfer_encodings() {
    check_family("transfer_encoding");
}

#[test]
fn chunked_bodies() {
    check_family("chunked");
}

#[test]
fn persistence_and_expectations() {
    check_family("connection");
}

#[test]
fn pipelines() {
    check_family("pipelining");
}

#[test]
fn limits() {
    check_family("limits");
}

#[test]
fn the_corpus_is_large_and_says_everything_once() {
    let cases: Vec<_> = FAMILIES.iter().flat_map(|(family, _)| self::family(family)).collect();
    assert!(cases.len() >= 150, "{} cases", cases.len());
    let mut seen = HashSet::new();
    for case in &cases {
        assert!(seen.insert((&case.bytes, case.end == End::Truncated)), "{}: there already", case.name);
    }
}

/// What C's parser has to say of a request that we have seen so. It leaves chunks to others.
fn in_terms_of_c(seen: &exchange::Request) -> Message {
    let chunked = seen.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("transfer-encoding"));
    Message {
        result: seen.head_len as i32,
        method: seen.method.clone().into(),
        uri: seen.path.clone().into(),
        query: seen.query.clone().into(),
        headers: seen.headers.iter().map(|(name, value)| (name.clone().into(), value.clone())).collect(),
        body_len: if chunked { 0 } else { seen.body.len() },
    }
}

#[test]
fn c_sees_the_same_but_where_the_corpus_says_otherwise() {
    let mut server = Server::new(BodyMode::Buffered);
    let mut compared = 0;
    for case in FAMILIES.iter().flat_map(|(name, _)| family(name)) {
        let bytes = bytes_of(&case);
        if let Some(Told::Request(seen)) = server.exchange(&[&bytes]).told.first() {
            let (ours, theirs) = (in_terms_of_c(seen), raw::parse(&bytes));
            match case.c_differs {
                None => assert_eq!(ours, theirs, "{}", case.name),
                Some(difference) => assert_ne!(ours, theirs, "{}: {difference}", case.name),
            }
            compared += 1;
        }
    }
    assert!(compared > 100, "{compared} compared");
}
