//! Python's idea of HTTP: http.client and h11 as clients, http.server as another server.

use std::fs;

use crate::peers::{python_has, run};
use crate::program::HttpServer;
use crate::scratch::{Scratch, pattern};

/// Runs a script of this folder against a server. It fails with a traceback, and ends well with a count of its checks.
pub fn script(name: &str, arguments: &[&str]) {
    let path = format!("{}/programs/python/{name}.py", env!("CARGO_MANIFEST_DIR"));
    let said = run("python3", &[&["-B", &*path], arguments].concat());
    let checks = said.trim().strip_suffix(" checks").and_then(|count| count.parse::<u32>().ok());
    assert!(checks.is_some_and(|count| count > 0), "{said}");
}

/// A server with a file, and its port.
fn server_with_file(folder: &Scratch) -> (HttpServer, String) {
    fs::create_dir(folder.join("below")).expect("to make a folder");
    folder.file("file.bin", pattern(200_000));
    let server = HttpServer::start_one_with(&["--root", folder.path()]);
    let port = server.addresses[0].port().to_string();
    (server, port)
}

#[test]
fn h11_finds_nothing_wrong_in_what_is_sent() {
    if !python_has("h11", "h11") {
        return;
    }
    let folder = Scratch::new();
    let (_server, port) = server_with_file(&folder);
    script("h11_client", &[&port]);
}

#[test]
fn http_client_reads_every_route() {
    if !python_has("http.client", "http.client") {
        return;
    }
    let folder = Scratch::new();
    let (_server, port) = server_with_file(&folder);
    script("http_client", &[&port]);
}

#[test]
fn requests_are_understood_as_http_server_understands_them() {
    if !python_has("http.server", "http.server") {
        return;
    }
    let server = HttpServer::start_one_with(&["--inspect"]);
    script("understood", &[&server.addresses[0].port().to_string()]);
}
