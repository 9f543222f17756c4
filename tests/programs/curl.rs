//! curl, where it is installed.

use std::env;
use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;

/// Whether curl can be run. Says so where it cannot; in CI that is a failure.
pub fn is_there(test: &str) -> bool {
    if Command::new("curl").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return true;
    }
    assert!(env::var_os("CI").is_none(), "curl is missing, and in CI {test} has to run");
    eprintln!("{test}: not run, curl is missing");
    false
}

/// What curl prints for some arguments, with `input` on its standard input.
pub fn curl(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--max-time", "60", "--noproxy", "*"]).args(arguments);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("to start curl");
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_vec();
    let writer = thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("curl to end");
    // It need not read what it was not asked to.
    let _ = writer.join().expect("no panic");
    assert!(output.status.success(), "curl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The same as text.
pub fn curl_text(arguments: &[&str]) -> String {
    String::from_utf8(curl(arguments, b"")).expect("text")
}
