//! Every route of `http_server`, asked by curl.

use mongoose_tests::scaled;

use crate::curl::{curl, curl_text, is_there};
use crate::program::HttpServer;

const LINKS: &[&str] = &[
    "/hello",
    "/echo",
    "/query?name=",
    "/headers",
    "/defer",
    "/slow",
    "/chunked",
    "/stream",
    "/sse",
    "/upload",
    "/form",
    "/stats",
];

/// Status, content type and body.
fn get(server: &HttpServer, path: &str) -> (String, String, String) {
    let answer = curl_text(&["--write-out", "\n%{http_code} %{content_type}", &server.url(path)]);
    let (body, facts) = answer.rsplit_once('\n').expect("what was asked for");
    let (status, kind) = facts.split_once(' ').expect("both");
    (status.to_owned(), kind.to_owned(), body.to_owned())
}

#[test]
fn every_route_answers_curl() {
    if !is_there("every route by curl") {
        return;
    }
    let server = HttpServer::start_one();

    let (status, kind, page) = get(&server, "/");
    assert_eq!((&*status, &*kind), ("200", "text/html; charset=utf-8"));
    assert!(page.contains(mongoose::MONGOOSE_VERSION) && page.contains("<h1>mongoose "), "{page}");
    for link in LINKS {
        assert!(page.contains(&format!("href=\"{link}")), "{link} is not linked");
    }

    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "REPORT"] {
        assert_eq!(curl_text(&["--request", method, &server.url("/hello")]), "hello\n", "{method}");
    }
    let head = curl_text(&["--head", &server.url("/hello")]);
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("Content-Length: 6\r\n"), "{head}");

    assert_eq!(get(&server, "/query?name=W%C3%B6rld+%26%20more").2, "W\u{f6}rld & more");
    let long = "x".repeat(20_000);
    assert_eq!(get(&server, &format!("/query?name={long}")).2, long);
    assert_eq!(get(&server, "/query?nam=x").0, "400");
    assert_eq!(get(&server, "/query?name=%zz").0, "400");

    assert_eq!(get(&server, "/defer").2, "deferred\n");
    assert_eq!(get(&server, "/slow?seconds=0.25").2, "after 0.25 seconds\n");
    for wrong in ["-1", "61", "NaN", "1e300", "x", "%zz"] {
        assert_eq!(get(&server, &format!("/slow?seconds={wrong}")).0, "400", "{wrong}");
    }
    let lines = "line 1\nline 2\nline 3\nline 4\nline 5\n";
    assert_eq!(get(&server, "/chunked"), ("200".to_owned(), "text/plain".to_owned(), lines.to_owned()));
    assert_eq!(get(&server, "/stream?lines=5").2, lines);
    assert_eq!(get(&server, "/stream?lines=0").2, "");
    assert_eq!(get(&server, "/stream?lines=x").0, "400");
    for page in ["/upload", "/form"] {
        let (status, kind, text) = get(&server, page);
        assert_eq!((&*status, &*kind), ("200", "text/html; charset=utf-8"), "{page}");
        assert!(text.contains("<input "), "{page}: {text}");
    }
    assert_eq!(get(&server, "/nowhere").0, "404");
    assert_eq!(get(&server, "/hello/").0, "404");
}

#[test]
fn echo_gives_the_body_back_with_its_type() {
    if !is_there("echo by curl") {
        return;
    }
    let server = HttpServer::start_one();
    let body: Vec<u8> = (0..scaled(2_000_000)).map(|n| (n % 256) as u8).collect();
    let url = server.url("/echo");
    for framing in ["Content-Type: image/x-own", "Transfer-Encoding: chunked"] {
        let arguments = ["--header", "Content-Type: image/x-own", "--header", framing, "--data-binary", "@-"];
        let answer = curl(&[&arguments[..], &["--write-out", "%{content_type}", &*url]].concat(), &body);
        assert!(answer == [&*body, b"image/x-own"].concat(), "{framing}: {} bytes came back", answer.len());
    }
    assert_eq!(curl(&["--request", "POST", &url], b""), b"");
}

#[test]
fn headers_come_back_as_json_in_their_order() {
    if !is_there("headers by curl") {
        return;
    }
    let server = HttpServer::start_one();
    let arguments = [
        "-H",
        "User-Agent:",
        "-H",
        "Accept:",
        "-H",
        "X-Quote: a\"b\\c\td",
        "-H",
        "x-quote: 2",
        "-H",
        "X: \u{fc}",
    ];
    let url = server.url("/headers");
    let json = curl_text(&[&arguments[..], &[&*url]].concat());
    let host = server.addresses[0];
    let expected = format!(
        "[\n[\"Host\",\"{host}\"],\n[\"X-Quote\",\"a\\\"b\\\\c\\u0009d\"],\n[\"x-quote\",\"2\"],\n[\"X\",\"\u{fc}\"]\n]\n"
    );
    assert_eq!(json, expected);
    assert_eq!(get(&server, "/headers").1, "application/json");
}

#[test]
fn stats_count_requests_and_connections() {
    if !is_there("stats by curl") {
        return;
    }
    let server = HttpServer::start_one();
    let field = |json: &str, name: &str| -> u64 {
        let (_, after) =
            json.split_once(&format!("\"{name}\":")).unwrap_or_else(|| panic!("{name} in {json}"));
        after.split([',', '}']).next().and_then(|number| number.parse().ok()).expect("a number")
    };
    let first = get(&server, "/stats").2;
    curl_text(&[&server.url("/hello"), &server.url("/hello"), &server.url("/nowhere")]);
    let second = get(&server, "/stats").2;
    assert_eq!(field(&second, "requests"), field(&first, "requests") + 4);
    assert_eq!(
        field(&second, "accepted"),
        field(&first, "accepted") + 2,
        "three requests of one curl, then one"
    );
    assert!(field(&second, "connections") >= 1, "the one that asks: {second}");
    assert!(field(&second, "uptime_seconds") >= field(&first, "uptime_seconds"));
}

#[test]
fn one_thousand_requests_64_at_a_time_are_all_answered() {
    if !is_there("1,000 requests by curl") {
        return;
    }
    let server = HttpServer::start_one();
    let count = scaled(1000);
    for (path, size) in [("/hello", 6), ("/defer", 9)] {
        let url = server.url(&format!("{path}?[1-{count}]"));
        let arguments = ["--parallel", "--parallel-max", "64", "--output", "/dev/null", "--write-out"];
        let answers = curl_text(&[&arguments[..], &["%{http_code} %{size_download}\n", &url]].concat());
        assert_eq!(answers.lines().count(), count, "{path}");
        let expected = format!("200 {size}");
        assert!(answers.lines().all(|answer| answer == expected), "{path}: {answers}");
    }
}

#[test]
fn workers_serve_one_port_and_count_together() {
    if !is_there("workers by curl") {
        return;
    }
    let server = HttpServer::start_with(&["http://127.0.0.1:0"], &["--workers", "2"]);
    let count = scaled(200);
    let url = server.url(&format!("/hello?[1-{count}]"));
    let arguments = ["--no-keepalive", "--header", "Connection: close", "--output", "/dev/null"];
    curl_text(&[&arguments[..], &[&url]].concat());
    let stats = get(&server, "/stats").2;
    assert!(stats.contains(&format!("\"requests\":{}", count + 1)), "{stats}");
}
