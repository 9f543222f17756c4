//! Every case, against our server and our client, in one piece, byte by byte and at random splits.

use std::collections::BTreeMap;
use std::net::TcpListener;

use mongoose::{http, ws};
use mongoose_tests::{Random, Server};

use crate::cases::{self, Case, Length, Sent};
use crate::echo::{Log, echo};
use crate::peer::{CLOSE, FIN, Peer, close_payload, encode};

/// How the bytes of a case are cut.
#[derive(Clone, Copy, Debug)]
enum Cut {
    Whole,
    Bytes,
    Random,
}

const CUTS: [Cut; 3] = [Cut::Whole, Cut::Bytes, Cut::Random];

/// Byte by byte past this takes long and shows nothing new.
const BYTES_MAX: usize = 3000;

fn limits() -> ws::Limits {
    let mut limits = ws::Limits::default();
    limits.frame = cases::FRAME_MAX;
    limits.message = cases::MESSAGE_MAX;
    limits
}

fn bytes(peer: &Peer, sent: &[Sent]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for one in sent {
        match one {
            Sent::Frame(first, payload) => bytes.extend(peer.encode(*first, payload)),
            Sent::WronglyMasked(first, payload) => {
                let key = if peer.key.is_some() { None } else { Some([9, 8, 7, 6]) };
                bytes.extend(encode(*first, payload, key));
            }
            Sent::Head(first, length) => {
                let bit = if peer.key.is_some() { 0x80 } else { 0 };
                match length {
                    Length::Medium(len) => {
                        bytes.extend([*first, bit | 126]);
                        bytes.extend(len.to_be_bytes());
                    }
                    Length::Long(len) => {
                        bytes.extend([*first, bit | 127]);
                        bytes.extend(len.to_be_bytes());
                    }
                }
                bytes.extend(peer.key.unwrap_or_default());
            }
        }
    }
    bytes
}

fn run(case: &Case, mut peer: Peer, cut: Cut, random: &mut Random) {
    let bytes = bytes(&peer, &case.sent);
    let pieces: Vec<&[u8]> = match cut {
        Cut::Whole => vec![&bytes],
        Cut::Bytes if bytes.len() <= BYTES_MAX => bytes.chunks(1).collect(),
        Cut::Bytes => random.split(&bytes, 1000),
        Cut::Random => random.split(&bytes, (bytes.len() / 4).max(1)),
    };
    for piece in pieces {
        peer.client.send(piece);
    }
    for (first, payload) in &case.answered {
        peer.expect(*first, payload);
    }
    let closes = case.sent.iter().any(|sent| matches!(sent, Sent::Frame(first, _) if *first == FIN | CLOSE));
    if case.code == 1000 && !closes {
        peer.send(FIN | CLOSE, close_payload(1000, ""));
    }
    assert_eq!(peer.expect_close(), case.code);
    peer.client.end();
    peer.expect_end();
}

/// Runs all cases, and prints how many there are by section.
fn run_all(role: &str, mut connect: impl FnMut() -> Peer) {
    let mut random = Random::new(6455);
    let mut counts = BTreeMap::<_, usize>::new();
    for case in cases::all() {
        for cut in CUTS {
            println!("section {} {}: {} ({cut:?})", case.section, role, case.title);
            run(&case, connect(), cut, &mut random);
        }
        *counts.entry(case.section).or_default() += 1;
    }
    let total: usize = counts.values().sum();
    for (section, count) in counts {
        println!("RFC 6455 section {section}, {role}: {count} cases, each in {} cuts", CUTS.len());
    }
    println!("RFC 6455, {role}: {total} cases");
    assert!(total > 250, "{total}");
}

#[test]
fn hazard_29_a_server_passes_every_case() {
    let (tell, _log) = Log::new();
    let server = Server::http(move || {
        move |request: http::Request<'_>, reply: http::Reply<'_>| {
            ws::upgrade(request, reply).limits(limits()).accept(echo(tell.clone()))
        }
    });
    run_all("server", || Peer::connect(server.address));
}

#[test]
fn a_client_passes_every_case() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("ws://{}/", listener.local_addr().expect("bound"));
    let (tell, _log) = Log::new();
    // Its loop is what counts: nobody asks it for anything.
    let server = Server::http(|| |_: http::Request<'_>, reply: http::Reply<'_>| reply.empty());
    run_all("client", || {
        let (url, tell) = (url.clone(), tell.clone());
        server
            .ask(move |registry| ws::connect(registry, &url).limits(limits()).open(echo(tell)))
            .expect("a URL to connect to");
        Peer::accept(&listener, b"")
    });
}
