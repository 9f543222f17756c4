//! C's log and our warnings through the `log` crate. A program has one logger, and C asks for the level once: so one test
//! after the other, each in a process of its own.

use std::env;
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use log::{Level, LevelFilter, Log, Metadata, Record};
use mongoose::{Manager, sys};
use mongoose_tests::scaled;

/// What was logged.
struct Lines(Mutex<Vec<(Level, String, String)>>);

static LINES: Lines = Lines(Mutex::new(Vec::new()));

impl Log for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let message = record.args().to_string();
        assert!(!message.contains("panic, please"), "as asked");
        self.0.lock().expect("no panic").push((record.level(), record.target().to_owned(), message));
    }

    fn flush(&self) {}
}

fn logged() -> Vec<(Level, String, String)> {
    LINES.0.lock().expect("no panic").clone()
}

fn listen(level: LevelFilter) {
    log::set_logger(&LINES).expect("the first");
    log::set_max_level(level);
}

fn say(level: u32, message: &std::ffi::CStr) {
    // SAFETY: strings that end with a NUL.
    unsafe {
        sys::mg_sys_log(level as i32, c"dir/file.c".as_ptr(), 7, c"function".as_ptr(), message.as_ptr())
    };
}

/// Runs a test in a process of its own, unless this is one, and answers what it printed.
fn alone(test: &str) -> Option<String> {
    if env::var_os("ALONE").is_some() {
        return None;
    }
    let mut child = Command::new(env::current_exe().expect("this test"));
    child.args(["--exact", test, "--nocapture", "--test-threads", "1"]).env("ALONE", "1");
    let output = child.output().expect("to start");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}{stderr}");
    assert!(stdout.contains("1 passed"), "{stdout}");
    Some(stdout.into_owned() + &stderr)
}

#[test]
fn hazard_48_c_logs_whole_lines_of_their_level_from_any_thread() {
    if alone("hazard_48_c_logs_whole_lines_of_their_level_from_any_thread").is_some() {
        return;
    }
    listen(LevelFilter::Debug);
    let _manager = Manager::new().expect("a manager");
    LINES.0.lock().expect("no panic").clear();
    let each = scaled(200);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(move || {
                for _ in 0..each {
                    say(sys::MG_LL_ERROR, c"an error %s %n");
                    say(sys::MG_LL_INFO, c"an information");
                    say(sys::MG_LL_DEBUG, c"something small");
                    say(sys::MG_LL_VERBOSE, c"something that nobody asked for");
                }
            });
        }
    });
    let lines = logged();
    assert_eq!(lines.len(), 3 * 4 * each);
    for (level, message) in
        [(Level::Error, "an error %s %n"), (Level::Info, "an information"), (Level::Debug, "something small")]
    {
        let of_level = lines.iter().filter(|(found, _, _)| *found == level);
        assert_eq!(of_level.clone().count(), 4 * each, "{level}");
        for (_, target, text) in of_level {
            assert_eq!(target, "mongoose::c");
            assert!(text.starts_with("file.c:7:function ") && text.ends_with(message), "{text}");
        }
    }
}

#[test]
fn what_c_says_of_a_connection_is_heard() {
    if alone("what_c_says_of_a_connection_is_heard").is_some() {
        return;
    }
    listen(LevelFilter::Debug);
    let manager = Manager::new().expect("a manager");
    manager
        .tcp("tcp://127.0.0.1:0", |_: &mongoose::Connection<'_>, _: mongoose::Event<'_>| Ok(()))
        .expect("to listen");
    drop(manager);
    assert!(
        logged().iter().any(|(level, _, text)| *level == Level::Debug && text.ends_with("closed")),
        "{:?}",
        logged()
    );
}

#[test]
fn a_long_line_comes_in_parts_and_a_logger_that_panics_loses_its_own() {
    if alone("a_long_line_comes_in_parts_and_a_logger_that_panics_loses_its_own").is_some() {
        return;
    }
    listen(LevelFilter::Info);
    let _manager = Manager::new().expect("a manager");
    let long = std::ffi::CString::new("x".repeat(10_000)).expect("no NUL");
    say(sys::MG_LL_INFO, &long);
    say(sys::MG_LL_INFO, c"panic, please");
    say(sys::MG_LL_INFO, c"and on it goes");
    let lines = logged();
    let count: usize = lines.iter().map(|(_, _, text)| text.matches('x').count()).sum();
    assert_eq!((count, lines.len()), (10_000, 4), "{lines:?}");
    assert!(lines[3].2.ends_with("and on it goes"));
}

#[test]
fn hazard_45_a_dump_is_logged_and_never_printed() {
    let bytes = b"password=secret!";
    if let Some(printed) = alone("hazard_45_a_dump_is_logged_and_never_printed") {
        assert!(!printed.contains("secret") && !printed.contains("70 61 73 73"), "{printed}");
        return;
    }
    listen(LevelFilter::Trace);
    let _manager = Manager::new().expect("a manager");
    // SAFETY: as many bytes as it is told there are.
    unsafe { sys::mg_hexdump(bytes.as_ptr().cast(), bytes.len()) };
    let last = logged().pop().expect("a line");
    assert!(last.0 == Level::Trace && last.2.ends_with("password=secret!"), "{last:?}");
}

#[test]
fn hazard_45_without_a_logger_nothing_is_printed() {
    let bytes = b"password=secret!";
    if let Some(printed) = alone("hazard_45_without_a_logger_nothing_is_printed") {
        assert!(!printed.contains("secret") && !printed.contains("an error"), "{printed}");
        return;
    }
    let _manager = Manager::new().expect("a manager");
    say(sys::MG_LL_ERROR, c"an error");
    // SAFETY: as many bytes as it is told there are.
    unsafe { sys::mg_hexdump(bytes.as_ptr().cast(), bytes.len()) };
}

#[cfg(any(feature = "tls-rustls", feature = "tls-builtin"))]
mod warnings {
    use super::*;
    use mongoose::tls;

    #[test]
    fn a_client_that_believes_anybody_warns_by_the_logger() {
        if let Some(printed) = alone("warnings::a_client_that_believes_anybody_warns_by_the_logger") {
            assert!(!printed.contains("certificate"), "{printed}");
            return;
        }
        listen(LevelFilter::Warn);
        tls::ClientConfig::dangerous().accept_any_certificate().build().expect("a configuration");
        let lines = logged();
        assert!(matches!(&lines[..], [(Level::Warn, target, _)] if target == "mongoose"), "{lines:?}");
    }

    #[test]
    fn without_a_logger_it_warns_on_the_standard_error() {
        if let Some(printed) = alone("warnings::without_a_logger_it_warns_on_the_standard_error") {
            assert!(printed.contains("mongoose: a TLS"), "{printed}");
            return;
        }
        tls::ClientConfig::dangerous().accept_any_certificate().build().expect("a configuration");
    }
}
