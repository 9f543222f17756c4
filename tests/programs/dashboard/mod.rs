//! The example dashboard: by raw HTTP, with a broker, and in Chromium.

use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use mongoose_tests::{Client, PATIENCE, Response, Steady, example};
use rustix::process::Signal;
use serde_json::{Value, json};
use tungstenite::{ClientRequestBuilder, Message, WebSocket};

use crate::chromium::find_chromium;
use crate::mosquitto::Mosquitto;
use crate::peers::{find, python_has, run};
use crate::program::HttpServer;
use crate::scratch::Scratch;

static DASHBOARD: LazyLock<String> = LazyLock::new(|| example("dashboard", ""));

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(&*DASHBOARD);
    command.args(["--listen", "http://127.0.0.1:0"]).args(arguments).stdin(Stdio::null());
    command
}

fn start(arguments: &[&str]) -> HttpServer {
    HttpServer::serving(command(arguments), 1)
}

/// Sends a request with a cookie and a body.
fn ask(server: &HttpServer, method: &str, path: &str, cookie: &str, body: &str) -> Response {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: test\r\nCookie: theme=dark; session={cookie}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    Client::connect(server.addresses[0]).send(head).response()
}

fn settings(server: &HttpServer, session: &str) -> Value {
    let response = ask(server, "GET", "/api/settings", session, "");
    assert_eq!(response.status, 200);
    serde_json::from_str(response.text()).expect("JSON")
}

/// Logs in, and answers the session.
fn log_in(server: &HttpServer, user: &str, password: &str) -> String {
    let body = json!({ "user": user, "password": password }).to_string();
    let response = ask(server, "POST", "/api/login", "", &body);
    assert_eq!(response.status, 204, "{response:?}");
    let cookie = response.header("Set-Cookie").expect("a cookie");
    let (pair, attributes) = cookie.split_once("; ").expect("attributes");
    assert_eq!(attributes, "Path=/; HttpOnly; SameSite=Strict; Max-Age=43200");
    pair.strip_prefix("session=").expect("the session").to_owned()
}

type Page = WebSocket<Steady<TcpStream>>;

fn open(server: &HttpServer, session: &str) -> Page {
    let address = server.addresses[0];
    let stream = TcpStream::connect(address).expect("to connect");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let uri = format!("ws://{address}/ws").parse().expect("a URI");
    let request = ClientRequestBuilder::new(uri).with_header("Cookie", format!("session={session}"));
    tungstenite::client(request, Steady(stream)).expect("a handshake").0
}

/// Reads news until some are as wanted.
fn news(page: &mut Page, mut wanted: impl FnMut(&Value) -> bool) -> Value {
    loop {
        if let Message::Text(text) = page.read().expect("news") {
            let news = serde_json::from_str(&text).expect("JSON");
            if wanted(&news) {
                return news;
            }
        }
    }
}

/// Reads until the server closes, and answers with which code.
fn close_code(page: &mut Page) -> u16 {
    loop {
        if let Message::Close(close) = page.read().expect("a close frame") {
            return close.map_or(1005, |close| close.code.into());
        }
    }
}

#[test]
fn without_a_login_there_is_a_page_and_nothing_on_it() {
    let server = start(&[]);
    for path in ["/", "/app.js", "/style.css", "/icon.svg"] {
        let response = ask(&server, "GET", path, "", "");
        assert_eq!(response.status, 200, "{path}");
        assert!(response.header("Content-Security-Policy").is_some_and(|policy| policy.contains("'self'")));
        assert!(!response.text().contains("Greenhouse"), "{path}");
        assert_eq!(ask(&server, "POST", path, "", "").status, 405, "{path}");
    }
    let forged = "0".repeat(64);
    for session in ["", &forged] {
        for (method, path) in [("GET", "/api/settings"), ("PUT", "/api/settings"), ("POST", "/api/logout")] {
            assert_eq!(ask(&server, method, path, session, "{}").status, 401, "{method} {path}");
        }
        let handshake = format!(
            "GET /ws HTTP/1.1\r\nHost: test\r\nCookie: session={session}\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Version: 13\r\n\r\n"
        );
        assert_eq!(Client::connect(server.addresses[0]).send(handshake).response().status, 401);
    }
    assert_eq!(ask(&server, "GET", "/api/nothing", "", "").status, 404);
    assert_eq!(ask(&server, "DELETE", "/api/settings", "", "").header("Allow"), Some("GET, HEAD, PUT"));
}

#[test]
fn a_login_needs_both_words_and_is_a_cookie_that_scripts_do_not_see() {
    let server = start(&["--user", "ada", "--password", "l\u{f6}ve"]);
    for (body, status) in [
        (r#"{"user":"ada","password":"wrong"}"#, 401),
        (r#"{"user":"admin","password":"löve"}"#, 401),
        (r#"{"user":"admin","password":"mongoose"}"#, 401),
        (r#"{"user":"","password":""}"#, 401),
        (r#"{"user":"ada"}"#, 400),
        (r#"{"user":"ada","password":7}"#, 400),
        ("user=ada&password=l%C3%B6ve", 400),
        ("", 400),
        (&"[".repeat(4000), 400),
        (&" ".repeat(5000), 413),
    ] {
        let response = ask(&server, "POST", "/api/login", "", body);
        assert_eq!(response.status, status, "{body:?}");
        assert_eq!(response.header("Set-Cookie"), None);
    }
    let (one, two) = (log_in(&server, "ada", "l\u{f6}ve"), log_in(&server, "ada", "l\u{f6}ve"));
    assert!(one.len() == 64 && one != two, "{one} {two}");
    assert_eq!(ask(&server, "POST", "/api/logout", &one, "").status, 204);
    assert_eq!(ask(&server, "GET", "/api/settings", &one, "").status, 401);
    assert_eq!(ask(&server, "GET", "/api/settings", &two, "").status, 200);
    // The 64 that came last stay.
    for _ in 0..64 {
        log_in(&server, "ada", "l\u{f6}ve");
    }
    assert_eq!(ask(&server, "GET", "/api/settings", &two, "").status, 401);
}

#[test]
fn settings_are_taken_whole_and_right_or_not_at_all() {
    let server = start(&[]);
    let session = log_in(&server, "admin", "mongoose");
    let before = settings(&server, &session);
    let with = |name: &str, value: Value| {
        let mut changed = before.clone();
        changed[name] = value;
        changed.to_string()
    };
    let new = json!({ "name": "K\u{fc}che \"2\"", "interval_ms": 200, "watch": "power", "limit": -1.5, "fan": true });
    let put = |body: &str| ask(&server, "PUT", "/api/settings", &session, body);
    let response = put(&new.to_string());
    assert_eq!((response.status, response.text()), (200, &*new.to_string()));
    assert_eq!(settings(&server, &session), new);
    for (body, status) in [
        (String::new(), 400),
        ("{".to_owned(), 400),
        ("null".to_owned(), 400),
        (with("more", json!(1)), 400),
        (with("fan", json!("on")), 400),
        (with("interval_ms", json!(-1)), 400),
        (with("limit", json!(null)), 400),
        (before.to_string() + "x", 400),
        (with("interval_ms", json!(99)), 422),
        (with("interval_ms", json!(10_001)), 422),
        (with("limit", json!(1_000_001)), 422),
        (with("name", json!("")), 422),
        (with("name", json!("a\nb")), 422),
        (with("name", json!("\u{e9}".repeat(41))), 422),
        (with("watch", json!(" ")), 422),
    ] {
        let response = put(&body);
        assert_eq!(response.status, status, "{body}");
        let why: Value = serde_json::from_str(response.text()).expect("JSON");
        assert!(why["error"].as_str().is_some_and(|reason| !reason.is_empty()), "{why}");
    }
    assert_eq!(settings(&server, &session), new);
    // What a form of another site could send.
    let form = format!(
        "PUT /api/settings HTTP/1.1\r\nHost: test\r\nCookie: session={session}\r\nContent-Type: text/plain\r\n\
         Content-Length: {}\r\n\r\n{before}",
        before.to_string().len()
    );
    assert_eq!(Client::connect(server.addresses[0]).send(form).response().status, 415);
}

#[test]
fn a_page_hears_of_values_and_settings_until_its_session_is_over() {
    let server = start(&[]);
    let session = log_in(&server, "admin", "mongoose");
    let (mut one, mut other) =
        (open(&server, &session), open(&server, &log_in(&server, "admin", "mongoose")));
    let everything = news(&mut one, |news| news["curves"].is_array());
    assert_eq!(everything["curves"][0][0], "temperature");
    assert!(everything["curves"][0][1].as_array().is_some_and(|points| points.len() > 100));
    let values = news(&mut one, |news| news["points"].is_array());
    assert_eq!(values["points"].as_array().map(Vec::len), Some(3), "{values}");
    let mut changed = settings(&server, &session);
    changed["limit"] = json!(-100);
    assert_eq!(ask(&server, "PUT", "/api/settings", &session, &changed.to_string()).status, 200);
    for page in [&mut one, &mut other] {
        let told = news(page, |news| news["settings"]["limit"] == json!(-100.0));
        assert_eq!(told["status"]["alarm"], true, "{told}");
    }
    assert_eq!(ask(&server, "POST", "/api/logout", &session, "").status, 204);
    assert_eq!(close_code(&mut one), 1008);
    news(&mut other, |news| news["points"].is_array());

    // A page of another site has the cookie where a browser is old, and is not let in all the same.
    let (session, address) = (log_in(&server, "admin", "mongoose"), server.addresses[0]);
    let handshake = format!(
        "GET /ws HTTP/1.1\r\nHost: {address}\r\nOrigin: https://evil.example\r\nCookie: session={session}\r\n\
         Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Version: 13\r\n\r\n"
    );
    assert_eq!(Client::connect(address).send(handshake).response().status, 403);
}

#[test]
fn values_come_from_a_broker_and_settings_go_there() {
    if find("mosquitto", "the dashboard with a broker").is_none() {
        return;
    }
    let broker = Mosquitto::start();
    let (url, port) = (broker.url(), broker.port);
    let server = start(&["--mqtt", &url, "--topic", "house/+", "--settings-topic", "house/set/all"]);
    broker.wait_for("Sending SUBACK");
    let session = log_in(&server, "admin", "mongoose");
    let mut page = open(&server, &session);
    let everything = news(&mut page, |news| news["curves"].is_array());
    assert_eq!(everything["curves"], json!([]));
    for (topic, message) in [("house/kitchen", "21.5"), ("house/kitchen", "no number"), ("yard/x", "1")] {
        broker.publish(&["-t", topic, "-m", message, "-q", "1"]);
    }
    let values = news(&mut page, |news| news["points"] != json!([]) && news["points"].is_array());
    assert_eq!(
        (&values["points"][0][0], &values["points"][0][1][0][1]),
        (&json!("house/kitchen"), &json!(21.5))
    );
    news(&mut page, |news| news["status"]["received"] == 2 && news["status"]["ignored"] == 1);

    let mut changed = settings(&server, &session);
    changed["fan"] = json!(true);
    assert_eq!(ask(&server, "PUT", "/api/settings", &session, &changed.to_string()).status, 200);
    // What is retained there becomes what was set.
    let retained = || {
        let seen = broker.tool("mosquitto_sub", &["-t", "house/set/all", "-C", "1", "-W", "60"]);
        serde_json::from_slice::<Value>(&seen.stdout).expect("JSON")
    };
    assert!((0..100).any(|_| retained() == changed), "{}", retained());

    // A broker that goes away and comes back is missed meanwhile, and no longer.
    drop(broker);
    let lost =
        |news: &Value| news["status"]["source"].as_str().is_some_and(|text| text.starts_with("no conn"));
    news(&mut page, lost);
    let broker = Mosquitto::at(port, "allow_anonymous true\n").expect("its port is still free");
    broker.wait_for("Sending SUBACK");
    broker.publish(&["-t", "house/kitchen", "-m", "22.5"]);
    news(&mut page, |news| news["points"][0][1][0][1] == 22.5);
}

#[test]
fn pages_are_told_when_it_ends() {
    let server = start(&[]);
    let mut page = open(&server, &log_in(&server, "admin", "mongoose"));
    news(&mut page, |news| news["curves"].is_array());
    server.signal(Signal::TERM);
    assert_eq!(close_code(&mut page), 1001);
    // tungstenite has answered when it reads on.
    assert!(page.read().is_err());
    let (status, _) = server.end();
    assert!(status.success(), "{status}");
}

#[test]
fn the_demos_password_is_for_this_machine_alone() {
    let beyond = ["--listen", "http://0.0.0.0:0"];
    let output = command(&beyond).output().expect("to start");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--password"), "{output:?}");
    let open = command(&[&beyond[..], &["--password", "a better one"]].concat());
    let server = HttpServer::serving(open, 1);
    assert!(server.addresses[0].ip().is_unspecified());
    for (wrong, code) in [
        (&["--nothing"][..], 2),
        (&["--user"], 2),
        (&["--settings-topic", "t"], 2),
        (&["--mqtt", "http://h"], 1),
    ] {
        assert_eq!(command(wrong).output().expect("to start").status.code(), Some(code), "{wrong:?}");
    }
}

/// `PICTURE=FILE` keeps the picture that is taken: `mongoose/examples/dashboard/picture.png` is one.
#[test]
fn chromium_logs_in_and_watches() {
    let Some(browser) = find_chromium("the dashboard in chromium") else { return };
    if !python_has("websockets", "the dashboard in chromium") {
        return;
    }
    let (server, profile) = (start(&[]), Scratch::new());
    let script = format!("{}/programs/dashboard/chromium.py", env!("CARGO_MANIFEST_DIR"));
    let picture = std::env::var("PICTURE").unwrap_or_else(|_| profile.join("picture.png"));
    let browser = browser.to_str().expect("a path of text");
    let said = run("python3", &["-B", &script, browser, profile.path(), &server.url("/"), &picture]);
    assert!(said.trim_end().ends_with(" checks"), "{said}");
}
