//! WebSocket with other people's peers: Python's websockets and wsproto, npm's ws, Chromium.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use mongoose_tests::example;

use crate::chromium::find_chromium;
use crate::peers::{find, python_has, run, skip};
use crate::program::HttpServer;
use crate::scratch::Scratch;

static WS_CLIENT: LazyLock<String> = LazyLock::new(|| example("ws_client", ""));

static WS_CHAT: LazyLock<String> = LazyLock::new(|| example("ws_chat", ""));

fn path(script: &str) -> String {
    format!("{}/programs/websocket/{script}", env!("CARGO_MANIFEST_DIR"))
}

/// Each script fails with a message, and ends well with a count of its checks.
fn expect_checks(said: &str) {
    let last = said.lines().last().unwrap_or_default();
    let checks = last.strip_suffix(" checks").and_then(|count| count.parse::<u32>().ok());
    assert!(checks.is_some_and(|count| count > 0), "{said}");
}

fn port(server: &HttpServer) -> String {
    server.addresses[0].port().to_string()
}

#[test]
fn pythons_websockets_talks_to_the_server() {
    if python_has("websockets", "websockets") {
        let server = HttpServer::start_one();
        expect_checks(&run("python3", &["-B", &path("client_websockets.py"), &port(&server)]));
    }
}

#[test]
fn the_client_plays_a_suite_of_pythons_websockets() {
    if python_has("websockets", "websockets") {
        expect_checks(&run("python3", &["-B", &path("server_websockets.py"), &WS_CLIENT]));
    }
}

#[test]
fn wsproto_talks_to_the_server_and_the_client() {
    if python_has("wsproto", "wsproto") {
        let server = HttpServer::start_one();
        expect_checks(&run("python3", &["-B", &path("wsproto_peers.py"), &port(&server), &WS_CLIENT]));
    }
}

/// Where npm keeps what is for everybody.
fn node_modules() -> Option<PathBuf> {
    let root = Command::new("npm").args(["root", "--global"]).output().ok()?;
    let root = PathBuf::from(String::from_utf8(root.stdout).ok()?.trim());
    root.join("ws").is_dir().then_some(root)
}

#[test]
fn npms_ws_talks_to_the_server_and_the_client() {
    let Some(node) = find("node", "npm's ws") else { return };
    let Some(modules) = env::var_os("NODE_PATH").map(PathBuf::from).or_else(node_modules) else {
        return skip("npm's ws", "npm's ws");
    };
    let server = HttpServer::start_one();
    let mut command = Command::new(node);
    command.args([&path("npm_ws.js"), &port(&server), &*WS_CLIENT]).env("NODE_PATH", modules);
    let output = command.stdin(Stdio::null()).output().expect("to start node");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    expect_checks(&String::from_utf8_lossy(&output.stdout));
}

#[test]
fn chromium_chats() {
    let Some(browser) = find_chromium("the chat in chromium") else { return };
    if !python_has("websockets", "the chat in chromium") {
        return;
    }
    let mut command = Command::new(&*WS_CHAT);
    command.arg("http://127.0.0.1:0").stdin(Stdio::null());
    let server = HttpServer::serving(command, 1);
    let profile = Scratch::new();
    let browser = browser.to_str().expect("a path of text");
    let script = path("chat_chromium.py");
    expect_checks(&run("python3", &["-B", &script, browser, profile.path(), &server.url("/")]));
}

#[test]
fn the_clients_command_line_says_what_is_wrong() {
    let run = |arguments: &[&str]| Command::new(&*WS_CLIENT).args(arguments).output().expect("to start");
    assert_eq!(run(&["--help"]).status.code(), Some(0));
    for wrong in [&[][..], &["--suite", "ws://h"], &["--nothing", "ws://h"], &["ws://h", "more"]] {
        assert_eq!(run(wrong).status.code(), Some(2), "{wrong:?}");
    }
    for unreachable in ["ws://127.0.0.1:1/", "http://127.0.0.1:1/"] {
        let output = run(&[unreachable]);
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stderr).contains(unreachable));
    }
}

#[test]
fn the_interactive_client_sends_lines_and_prints_what_comes() {
    use std::io::Write;

    let server = HttpServer::start_one();
    let url = format!("ws://{}/ws", server.addresses[0]);
    let mut command = Command::new(&*WS_CLIENT);
    command.args(["--interactive", &url]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("to start");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all("one\nh\u{e9}llo\n".as_bytes()).expect("to write");
    drop(stdin);
    let output = child.wait_with_output().expect("to end");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // Both echoes were on their way before the close frame was answered.
    assert_eq!(String::from_utf8_lossy(&output.stdout), "one\nh\u{e9}llo\n");
}
