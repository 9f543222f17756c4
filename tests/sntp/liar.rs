//! Answers that are believed, and those that are not.

use std::io;
use std::net::UdpSocket;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use mongoose::{Error, Manager, Registry, sys};
use mongoose_tests::poll_until;

use crate::peer::{honest, now, start, start_with};
use crate::{Answer, ask, ask_within, reason};

/// Changes some bytes of a packet.
fn patched(mut packet: Vec<u8>, at: usize, bytes: &[u8]) -> Vec<u8> {
    packet[at..at + bytes.len()].copy_from_slice(bytes);
    packet
}

#[test]
fn an_honest_answer_tells_offset_round_trip_and_stratum() {
    for ahead in [0, 3600, -86_400, 40 * 365 * 86_400] {
        let url = start(move |question| vec![honest(question, ahead)]);
        let reply = ask(&url).expect("an answer");
        assert_eq!(reply.stratum, 3);
        let error = (i128::from(reply.offset) - i128::from(ahead) * 1_000_000_000).unsigned_abs();
        // It took its time when it was asked, so that is what the offset can be wrong by.
        assert!(error <= reply.round_trip.as_nanos() + 1000, "{ahead}: {reply:?}");
    }
}

#[test]
fn hazard_51_an_answer_to_another_question_is_passed_over() {
    let url = start(|question| {
        let good = honest(question, 0);
        let lie = honest(question, 1_000_000);
        vec![
            Vec::new(),
            lie[..47].to_vec(),
            question.to_vec(),
            patched(lie.clone(), 24, &[0; 8]),
            patched(lie.clone(), 24, &now().to_be_bytes()),
            patched(lie.clone(), 31, &[lie[31] ^ 1]),
            patched(lie, 0, &[0x25]),
            good,
        ]
    });
    let reply = ask(&url).expect("the last one");
    assert!(reply.offset.abs() < 900_000_000_000_000, "a lie: {reply:?}");
}

#[test]
fn hazard_51_a_server_that_cannot_know_is_refused() {
    type Lie = fn(Vec<u8>) -> Vec<u8>;
    let lies: [(&str, Lie); 7] = [
        ("clock is not set", |answer| patched(answer, 0, &[0xe4])),
        ("clock is not set", |answer| patched(answer, 1, &[16])),
        ("another version", |answer| patched(answer, 0, &[0x1c])),
        ("no time", |answer| patched(answer, 40, &[0; 8])),
        ("before the question", |answer| patched(answer, 32, &(now() + (9 << 32)).to_be_bytes())),
        ("longer than we waited", |answer| patched(answer, 40, &(now() + (99 << 32)).to_be_bytes())),
        ("too far from", |answer| patched(answer, 8, &[0xff; 4])),
    ];
    for (expected, lie) in lies {
        let url = start(move |question| vec![lie(honest(question, 0)), honest(question, 0)]);
        let reason = reason(ask(&url));
        assert!(reason.contains(expected), "{expected}: {reason}");
    }
}

#[test]
fn a_kiss_of_death_is_told_with_its_code() {
    for (code, shown) in [(b"RATE", "RATE"), (b"DENY", "DENY"), (b"\n\x1b[m", "\\n\\x1b[m")] {
        let url = start(move |question| vec![patched(patched(honest(question, 0), 0, &[0xe4, 0]), 12, code)]);
        assert_eq!(reason(ask(&url)), format!("the server wants to be left alone: {shown}"));
    }
}

#[test]
fn hazard_51_nobody_but_the_server_is_heard() {
    let url = start_with(|socket, question, from| {
        let stranger = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        for _ in 0..10 {
            stranger.send_to(&honest(question, 1_000_000), from).expect("to send");
        }
        socket.send_to(&honest(question, 0), from).expect("to send");
    });
    let reply = ask(&url).expect("the server's");
    assert!(reply.offset.abs() < 900_000_000_000_000, "the stranger's: {reply:?}");
}

#[test]
fn two_questions_are_never_the_same() {
    let (told, questions) = std::sync::mpsc::channel();
    for _ in 0..2 {
        let told = told.clone();
        let url = start(move |question| {
            told.send(question.to_vec()).expect("the test listens");
            vec![honest(question, 0)]
        });
        ask(&url).expect("an answer");
    }
    assert_ne!(questions.recv(), questions.recv());
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let silent = start(|_| Vec::new());
    assert_eq!(reason(ask_within(&silent, Duration::from_millis(50))), "no answer in time");
    // Nobody discards what comes any more.
    let nobody = ask("udp://127.0.0.1:9");
    let Err(Error::Sntp { url, reason }) = nobody else { panic!("{nobody:?}") };
    assert_eq!(url, "udp://127.0.0.1:9");
    assert!(reason.contains("refused"), "{reason}");
    let host = format!("{}.invalid", "x".repeat(64));
    assert!(matches!(ask(&format!("udp://{host}")), Err(Error::Sntp { url, .. }) if url.contains(&host)));
}

#[test]
fn a_url_that_is_none_is_an_error_at_once() {
    let manager = Manager::new().expect("a manager");
    for url in ["", "127.0.0.1", "tcp://127.0.0.1", "udp://", "udp://h:0x1", "udp://h/path"] {
        let asked = manager.sntp(url, Duration::ZERO, |_: &Registry, answer: Answer| panic!("{answer:?}"));
        assert!(matches!(asked, Err(Error::Url { .. })), "{url}");
    }
    assert!(manager.connections().is_empty());
}

#[test]
fn a_query_that_is_dropped_is_never_answered() {
    let mut manager = Manager::new().expect("a manager");
    let kept = Rc::new(());
    for url in ["udp://127.0.0.1:9", "udp://localhost", &start(|question| vec![honest(question, 0)])] {
        let in_closure = Rc::clone(&kept);
        let then = move |_: &Registry, answer: Answer| panic!("{in_closure:?} {answer:?}");
        drop(manager.sntp(url, mongoose_tests::PATIENCE, then).expect("to begin"));
    }
    poll_until(&mut manager, "all to be gone", |manager| manager.stats().connections == 0);
    assert_eq!(Rc::strong_count(&kept), 1);
    // And one that goes with its manager.
    let in_closure = Rc::clone(&kept);
    let then = move |_: &Registry, answer: Answer| drop((in_closure, answer));
    let query = manager.sntp("udp://127.0.0.1:9", mongoose_tests::PATIENCE, then).expect("to begin");
    drop(manager);
    assert_eq!(Rc::strong_count(&kept), 1);
    drop(query);
}

#[test]
fn hazard_26_no_answer_moves_a_clock() {
    // C's time, by which its TLS judges certificates.
    // SAFETY: reads two numbers.
    let c_says = || unsafe { sys::mg_now() };
    let (before, ours) = (c_says(), SystemTime::now());
    let url = start(|question| vec![honest(question, 40 * 365 * 86_400)]);
    let reply = ask(&url).expect("an answer");
    assert!(reply.now() > ours + Duration::from_secs(39 * 365 * 86_400));
    let moved = Duration::from_millis(c_says().saturating_sub(before));
    assert!(moved < Duration::from_secs(365 * 86_400), "C's clock went {moved:?} ahead");
    assert!(ours.elapsed().expect("no clock was moved back") < Duration::from_secs(365 * 86_400));
}

#[test]
fn errors_of_the_system_are_the_reason() {
    let refused = io::Error::from_raw_os_error(111).to_string();
    let reason = reason(ask("udp://127.0.0.1:9"));
    assert!(cfg!(not(target_os = "linux")) || reason == refused, "{reason}");
}
