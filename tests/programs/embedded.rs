//! The site in one binary, with nothing beside it.

use std::fs;
use std::process::{Command, Stdio};

use mongoose_tests::Client;
use rustix::process::Signal;

use crate::program::{EMBEDDED, HttpServer};
use crate::scratch::Scratch;

#[test]
fn the_site_needs_the_binary_alone() {
    let empty = Scratch::new();
    let binary = empty.join("site");
    fs::copy(&*EMBEDDED, &binary).expect("to copy the binary");
    let mut command = Command::new(&binary);
    command.arg("http://127.0.0.1:0").current_dir(empty.path()).stdin(Stdio::null());
    let server = HttpServer::serving(command, 1);
    let mut client = Client::connect(server.addresses[0]);

    let page = client.get("/");
    assert_eq!((page.status, page.header("Content-Type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.text().contains("<h1>In one binary</h1>"));
    assert_eq!(page.header("Cache-Control"), Some("no-cache"));
    let tag = page.header("ETag").expect("a tag").to_owned();
    client.send(format!("GET / HTTP/1.1\r\nHost: test\r\nIf-None-Match: {tag}\r\n\r\n"));
    assert_eq!(client.response().status, 304);

    let style = client.get("/style.css");
    assert_eq!((style.status, style.header("Content-Type")), (200, Some("text/css; charset=utf-8")));
    client.send("GET /style.css HTTP/1.1\r\nHost: test\r\nRange: bytes=0-3\r\n\r\n");
    let part = client.response();
    assert_eq!((part.status, part.text()), (206, "body"));
    assert!(client.get("/version").text().contains(mongoose::MONGOOSE_VERSION));
    let missing = client.get("/nowhere");
    assert_eq!(missing.status, 404);
    assert!(missing.text().contains("To the front page"));

    server.signal(Signal::TERM);
    drop(client);
    assert_eq!(server.end().0.code(), Some(0));
}

#[test]
fn what_is_wrong_is_said_and_status_2() {
    for arguments in [&["nonsense"][..], &["http://127.0.0.1:0", "more"]] {
        let output = Command::new(&*EMBEDDED).args(arguments).output().expect("to start");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
    let output = Command::new(&*EMBEDDED).arg("--help").output().expect("to start");
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty() && output.stdout.starts_with(b"Serves"));
}
