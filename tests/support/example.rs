//! The example programs of the crate, built as the tests are.

use std::env;
use std::process::Command;

/// Builds an example, with features of choice, and answers where it is.
///
/// # Panics
/// When it does not build.
pub fn example(name: &str, features: &str) -> String {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--package", "mongoose", "--example", name, "--features", features]);
    // By default it has another TLS, which would go before it.
    if features == "tls-builtin" {
        build.arg("--no-default-features");
    }
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    let built = build.args(["--message-format", "json"]).output().expect("to start cargo");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    // One line a crate; the last that names an executable is the example's.
    let messages = String::from_utf8(built.stdout).expect("JSON");
    let (_, after) = messages.rsplit_once("\"executable\":\"").expect("cargo to name what it built");
    after.split_once('"').expect("a string").0.to_owned()
}
