//! The example as a process.

use std::net::IpAddr;
use std::process::{Command, Output};

use mongoose_tests::example;

use crate::peer::start;

fn resolve(arguments: &[&str]) -> Output {
    Command::new(example("resolve", "")).args(arguments).output().expect("to start")
}

#[test]
fn resolve_prints_addresses_or_a_line_that_begins_with_error() {
    for (name, expected) in [("localhost", None), ("192.0.2.7", Some("192.0.2.7")), ("::1", Some("::1"))] {
        let output = resolve(&[name]);
        let text = String::from_utf8(output.stdout).expect("text");
        assert!(output.status.success(), "{name}: {text}");
        let addresses: Vec<IpAddr> =
            text.lines().map(|line| line.parse().unwrap_or_else(|_| panic!("{line}"))).collect();
        assert!(!addresses.is_empty(), "{name}");
        match expected {
            Some(expected) => assert_eq!(text.trim(), expected),
            None => assert!(addresses.iter().all(IpAddr::is_loopback), "{text}"),
        }
    }
    let server = format!("udp://{}", start(|question| vec![question.answer(0, &["10.0.0.7"])]));
    let output = resolve(&["host.test", "--server", &server]);
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).expect("text"), "10.0.0.7\n");
    let nobody = format!("udp://{}", start(|question| vec![question.answer(3, &[])]));
    for arguments in [
        &["no-such-host.invalid"][..],
        &["host.test", "--server", &nobody],
        &["host.test", "--server", "tcp://127.0.0.1:53"],
        &["host.test", "--server"],
        &[""],
        &[],
    ] {
        let output = resolve(arguments);
        let text = String::from_utf8(output.stdout).expect("text");
        assert!(!output.status.success() && text.starts_with("ERROR"), "{arguments:?}: {text}");
    }
}
