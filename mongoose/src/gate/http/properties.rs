//! What holds for any input and any split of it.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::RngSeed;

use super::reference::chunked as reference;
use super::{Chunked, HeadScan, Progress, scratch};
use crate::Limits;

/// The same cases in every run, as many as `TEST_SCALE` says.
fn config() -> ProptestConfig {
    let scale = std::env::var("TEST_SCALE").ok().and_then(|scale| scale.parse::<f64>().ok()).unwrap_or(1.0);
    ProptestConfig {
        cases: ((3000.0 * scale) as u32).max(20),
        rng_seed: RngSeed::Fixed(9112),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Cuts bytes at some places.
fn pieces<'b>(bytes: &'b [u8], cuts: &[Index]) -> Vec<&'b [u8]> {
    let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    places.push(bytes.len());
    places.sort_unstable();
    let mut from = 0;
    places.into_iter().map(|to| &bytes[std::mem::replace(&mut from, to)..to]).collect()
}

/// Decodes pieces, and takes what is decoded off the front after some of them.
fn decode(text: &[u8], cuts: &[Index], takes: bool) -> (Vec<u8>, Progress, Vec<u8>) {
    let mut chunked = Chunked::streaming(1000);
    let (mut input, mut taken) = (Vec::new(), Vec::new());
    for (round, piece) in pieces(text, cuts).into_iter().enumerate() {
        input.extend_from_slice(piece);
        let left = chunked.decode(&mut input);
        input.truncate(left);
        if takes && round % 2 == 0 {
            let count = chunked.body() / 2 + chunked.body() % 2;
            taken.extend(input.drain(..count));
            chunked.take(count);
        }
    }
    let rest = input.split_off(chunked.body());
    taken.append(&mut input);
    (taken, chunked.progress(), rest)
}

/// A valid body in the coding, and what it decodes to.
fn coded() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let data = vec(any::<u8>(), 1..40);
    let extension = select(vec!["", ";a", " ; name=value", ";q=\"\\\"\t;\"", ";"]);
    let zeros = 0..4usize;
    let chunk = (data, extension, zeros, any::<bool>());
    let trailers = select(vec!["", "A: b\r\n", "A:\r\nContent-Length: 5\r\n"]);
    (vec(chunk, 0..8), trailers).prop_map(|(chunks, trailers)| {
        let (mut coded, mut body) = (Vec::new(), Vec::new());
        for (data, extension, zeros, upper) in chunks {
            let size = if upper { format!("{:X}", data.len()) } else { format!("{:x}", data.len()) };
            coded.extend_from_slice(format!("{}{size}{extension}\r\n", "0".repeat(zeros)).as_bytes());
            coded.extend_from_slice(&data);
            coded.extend_from_slice(b"\r\n");
            body.extend(data);
        }
        coded.extend_from_slice(format!("0\r\n{trailers}\r\n").as_bytes());
        (coded, body)
    })
}

/// Bytes that are mostly the coding's own.
fn almost_coded() -> impl Strategy<Value = Vec<u8>> {
    let noise = vec(select(b"01259aFf;=\"\r\n \tx:\0\xff".to_vec()), 0..60);
    let parts = vec![
        "1\r\nx\r\n",
        "2\r\n\r\n\r\n",
        "0\r\n",
        "\r\n",
        "A: b\r\n",
        "3;x\r\n",
        "\n",
        "\r",
        "x",
        " ",
        "0",
    ];
    let assembled = vec(select(parts), 0..12).prop_map(|parts| parts.concat().into_bytes());
    let mutated = (coded(), vec((any::<Index>(), select(b"\r\n0 ;x\0".to_vec())), 1..3)).prop_map(
        |((mut coded, _), changes)| {
            for (at, byte) in changes {
                let at = at.index(coded.len());
                coded[at] = byte;
            }
            coded
        },
    );
    prop_oneof![noise, assembled, mutated]
}

/// Bytes that are mostly a head's.
fn almost_head() -> impl Strategy<Value = Vec<u8>> {
    let parts = vec![
        "GET / HTTP/1.1\r\n",
        "POST /a?b=%41 HTTP/1.0\r\n",
        "OPTIONS * HTTP/1.1\r\n",
        "GET http://h:1/x HTTP/1.1\r\n",
        "CONNECT h:1 HTTP/1.1\r\n",
        "GET /\r\n",
        "PRI * HTTP/2.0\r\n",
        "HTTP/1.1 200 OK\r\n",
        "Host: h\r\n",
        "Host: h\r\n\r\n",
        "Content-Length: 5\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked, gzip\r\n",
        "Connection: close, x\r\n",
        "Expect: 100-continue\r\n",
        "Expect: x\r\n",
        "A: b\r\n",
        "A : b\r\n",
        " folded\r\n",
        "\r\n",
        "\r",
        "\n",
        "\0",
        "\u{e9}",
        " ",
        "\t",
        ":",
        "a",
        "HTTP/1.1",
    ];
    let assembled = vec(select(parts), 0..12).prop_map(|parts| parts.concat().into_bytes());
    let noise = vec(any::<u8>(), 0..200);
    let valid = "GET /a?b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nX: y\r\nConnection: close\r\n\r\nabc";
    let mutated = vec((any::<Index>(), any::<u8>()), 1..4).prop_map(move |changes| {
        let mut head = valid.as_bytes().to_vec();
        for (at, byte) in changes {
            let at = at.index(head.len());
            head[at] = byte;
        }
        head
    });
    prop_oneof![4 => assembled, 1 => noise, 2 => mutated]
}

/// What the gate says of a head that comes in pieces, with all that it saw.
fn judge(text: &[u8], cuts: &[Index], limits: &Limits) -> Option<String> {
    let mut scan = HeadScan::default();
    let mut end = 0;
    for piece in pieces(text, cuts) {
        end += piece.len();
        match scan.parse(&text[..end], limits, &mut scratch()) {
            Ok(None) => {}
            Ok(Some(head)) => return Some(format!("{head:?}")),
            Err(refusal) => return Some(format!("{refusal:?}")),
        }
    }
    None
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_chunked_body_comes_back_at_any_split(
        (coded, body) in coded(),
        cuts in vec(any::<Index>(), 0..20),
        takes: bool,
        next in vec(any::<u8>(), 0..20),
    ) {
        let text = [&coded[..], &next].concat();
        prop_assert_eq!(decode(&text, &cuts, takes), (body, Progress::Done, next));
    }

    #[test]
    fn the_chunked_decoder_agrees_with_a_naive_one(
        text in almost_coded(),
        cuts in vec(any::<Index>(), 0..20),
        takes: bool,
    ) {
        let (body, progress, rest) = decode(&text, &cuts, takes);
        prop_assert_eq!(&(body.clone(), progress, rest.clone()), &decode(&text, &[], false));
        match reference(&text) {
            Ok(Some((expected, after))) => {
                prop_assert_eq!((progress, &body[..], &rest[..]), (Progress::Done, &expected[..], after));
            }
            // It need not wait for the end of a line to see that it is wrong.
            Ok(None) => prop_assert!(progress != Progress::Done),
            Err(()) => prop_assert!(matches!(progress, Progress::Refused(_)), "{:?}", progress),
        }
    }

    #[test]
    fn a_head_is_judged_alike_at_any_split(text in almost_head(), cuts in vec(any::<Index>(), 0..20)) {
        let limits = Limits { head: 120, headers: 4, ..Limits::default() };
        for limits in [limits, Limits::default()] {
            prop_assert_eq!(judge(&text, &cuts, &limits), judge(&text, &[], &limits));
        }
    }
}
