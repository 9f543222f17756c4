//! Tests that need a process of their own: because they change what belongs to the whole of it, or are to be killed.

use std::env;
use std::process::Command;

/// Says to a test that it is the child.
const CHILD: &str = "MONGOOSE_TESTS_CHILD";

/// Runs `body` in a process of its own: the test binary once more, with the calling test alone. `name` is the test's
/// path, `prepare` may change how the process is started.
///
/// # Panics
/// When the child fails, or there is no test of that name.
pub fn in_own_process(name: &str, prepare: impl FnOnce(&mut Command), body: impl FnOnce()) {
    if env::var_os(CHILD).is_some_and(|child| child == name) {
        body();
        return;
    }
    let mut command = Command::new(env::current_exe().expect("the test binary's path"));
    command.args([name, "--exact", "--nocapture", "--test-threads=1"]).env(CHILD, name);
    prepare(&mut command);
    let output = command.output().expect("to start the test binary again");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{name} failed in its own process:\n{stdout}\n{stderr}");
    assert!(stdout.contains("1 passed"), "there is no test {name}:\n{stdout}");
}
