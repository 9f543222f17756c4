//! Hazard 58: where the system gives no random bytes, nothing guessable goes out in their place.

use std::env;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use mongoose::sys;

const NAME: &str = "randomness::hazard_58_without_random_bytes_the_process_ends";

/// Says to the test that it is the child.
const CHILD: &str = "MONGOOSE_TESTS_WITHOUT_RANDOMNESS";

#[test]
fn hazard_58_without_random_bytes_the_process_ends() {
    if env::var_os(CHILD).is_some() {
        // SAFETY: the kernel alone is given the pointer, and refuses to write there.
        unsafe { sys::mg_random(std::ptr::without_provenance_mut(8), 16) };
        println!("it went on");
        return;
    }
    let mut command = Command::new(env::current_exe().expect("the test binary's path"));
    let output = command.args([NAME, "--exact", "--nocapture"]).env(CHILD, "1").output();
    let output = output.expect("to start the test binary again");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{stdout}");
    assert!(stdout.contains("running 1 test") && !stdout.contains("it went on"), "{stdout}");
}
