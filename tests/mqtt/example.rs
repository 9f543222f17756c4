//! The example `mqtt_client` as a process.

use std::process::{Command, Output};
use std::sync::LazyLock;

use mongoose_tests::example;

use crate::mosquitto::Mosquitto;

static PROGRAM: LazyLock<String> = LazyLock::new(|| example("mqtt_client", ""));

fn run(server: &Mosquitto, arguments: &[&str]) -> Output {
    let mut command = Command::new(&*PROGRAM);
    command.arg(server.url()).args(["--deadline", "60000"]).args(arguments).output().expect("to start")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn it_prints_what_it_published_and_ends_with_0() {
    let server = Mosquitto::start();
    for version in ["4", "5"] {
        for qos in ["0", "1", "2"] {
            let output = run(&server, &["-V", version, "-q", qos, "-t", "a/b", "-m", "hi there", "-n", "3"]);
            assert_eq!(output.status.code(), Some(0), "{output:?}");
            assert_eq!(text(&output.stdout), format!("a/b hi there qos{qos}\n").repeat(3), "{version}");
        }
    }
}

#[test]
fn it_waits_for_others_and_goes_on_with_a_session() {
    let server = Mosquitto::start();
    for version in ["4", "5"] {
        let id = ["-V", version, "-i", "sleeper", "--no-clean", "-q", "1", "-t", "s"];
        let first = run(&server, &[&id[..], &["-m", "one"]].concat());
        assert_eq!(first.status.code(), Some(0), "{first:?}");
        server.publish(&["-t", "s", "-m", "two", "-q", "1"]);
        let second = run(&server, &[&id[..], &["--sub-only"]].concat());
        assert_eq!(text(&second.stdout), "s two qos1\n", "{second:?}");
        let _ = run(&server, &["-V", version, "-i", "sleeper", "-m", "end of the session", "-t", "x"]);
    }
}

#[test]
fn it_ends_with_5_when_refused_and_otherwise_with_another() {
    let server = Mosquitto::start_with("allow_anonymous false\n");
    for version in ["4", "5"] {
        let output = run(&server, &["-V", version, "-u", "me", "-P", "x"]);
        assert_eq!(output.status.code(), Some(5), "{output:?}");
    }
    let open = Mosquitto::start();
    let mut silent = Command::new(&*PROGRAM);
    let output = silent.arg(open.url()).args(["--sub-only", "--deadline", "100"]).output().expect("to start");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let (port, url) = (open.port, open.url());
    drop(open);
    let output = Command::new(&*PROGRAM).arg(url).output().expect("to start");
    assert_eq!(output.status.code(), Some(1), "nobody is at {port}: {output:?}");
    for wrong in [&[][..], &["mqtt://h", "-q", "3"], &["mqtt://h", "-x"], &["mqtt://h", "-V", "3"]] {
        let output = Command::new(&*PROGRAM).args(wrong).output().expect("to start");
        assert_eq!(output.status.code(), Some(2), "{output:?}");
    }
}

#[test]
fn its_will_is_published_when_it_is_killed() {
    let server = Mosquitto::start();
    let mut child = Command::new(&*PROGRAM)
        .arg(server.url())
        .args(["--sub-only", "-i", "doomed", "--will-topic", "w", "--will-msg", "gone", "-q", "1", "-r"])
        .spawn()
        .expect("to start");
    server.wait_for("Sending SUBACK to doomed");
    child.kill().expect("to kill");
    child.wait().expect("to wait");
    server.wait_for("Client doomed closed its connection");
    let seen = server.tool("mosquitto_sub", &["-t", "w", "-C", "1", "-v", "-W", "30"]);
    assert_eq!(text(&seen.stdout), "w gone\n", "{seen:?}");
}
