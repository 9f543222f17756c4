//! What `http_server` says to its arguments.

use std::net::TcpListener;

use crate::program::http_server;

/// Runs it to its end, which has to be that of a mistake: status 2 and one line that says what is wrong.
fn complaint(arguments: &[&str]) -> String {
    let output = http_server(arguments).output().expect("to start");
    let stderr = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    assert_eq!(stderr.lines().count(), 1, "{arguments:?}: {stderr}");
    assert!(stderr.starts_with("http_server: "), "{stderr}");
    stderr
}

#[test]
fn a_wrong_flag_is_one_line_and_status_2() {
    for (arguments, named) in [
        (&["--lisen", "http://127.0.0.1:0"][..], "--lisen"),
        (&["http://127.0.0.1:0"], "http://127.0.0.1:0"),
        (&["--listen"], "--listen"),
        (&["--listen", "127.0.0.1:0"], "127.0.0.1:0"),
        (&["--listen", "https://127.0.0.1:0"], "TLS"),
        (&["--listen", "http://127.0.0.1:99999"], "99999"),
        (&["--listen", "http://127.0.0.1:0", "--listen", "nonsense"], "nonsense"),
        (&["-x\u{1b}[2J\n"], "\\u{1b}"),
        (&["--root", "/nowhere/at/all"], "/nowhere/at/all"),
        (&["--root", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")], "Cargo.toml"),
        (&["--list"], "--root"),
        (&["--max-body", "-1"], "\"-1\""),
        (&["--timeout", "0"], "\"0\""),
        (&["--timeout", "1e99"], "1e99"),
        (&["--timeout"], "--timeout"),
    ] {
        let line = complaint(arguments);
        assert!(line.contains(named), "{arguments:?}: {line}");
    }
}

#[test]
fn arguments_that_are_no_text_are_one_line_and_status_2() {
    use std::os::unix::ffi::OsStrExt;
    let output = http_server(&[]).arg(std::ffi::OsStr::from_bytes(b"--\xff")).output().expect("to start");
    let stderr = String::from_utf8(output.stderr).expect("text");
    assert_eq!((output.status.code(), stderr.lines().count()), (Some(2), 1), "{stderr}");
}

#[test]
fn a_taken_port_is_one_line_that_names_it_and_status_2() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", taken.local_addr().expect("bound"));
    let line = complaint(&["--listen", &url]);
    assert!(line.contains(&url) && line.contains("in use"), "{line}");
}

#[test]
fn without_arguments_it_listens_on_port_8000() {
    // Ours or somebody else's: taken it is, and so the line names it.
    let _taken = TcpListener::bind("127.0.0.1:8000");
    let line = complaint(&[]);
    assert!(line.contains("http://127.0.0.1:8000"), "{line}");
}

#[test]
fn help_is_no_mistake() {
    for flag in ["--help", "-h"] {
        let output = http_server(&[flag]).output().expect("to start");
        assert_eq!(output.status.code(), Some(0));
        let text = String::from_utf8(output.stdout).expect("text");
        assert!(text.contains("http://127.0.0.1:8000"), "{text}");
        for option in [
            "--listen URL",
            "--workers N",
            "--root DIR",
            "--list ",
            "--max-body BYTES",
            "--timeout SECONDS",
            "--inspect",
        ] {
            assert!(text.contains(option), "{option} is missing in {text}");
        }
        assert!(output.stderr.is_empty());
    }
}
