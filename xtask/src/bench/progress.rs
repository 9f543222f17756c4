//! What is being done, on standard error.

use std::io::{IsTerminal, stderr};

/// Shows a line in place of the one before, where somebody may be watching.
pub fn show(text: &str) {
    if stderr().is_terminal() {
        eprint!("\r\x1b[K{text}");
    } else {
        eprintln!("{text}");
    }
}

/// Takes the line away.
pub fn clear() {
    if stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
}
