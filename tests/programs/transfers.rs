//! What curl sends and how it reads: uploads, forms, old versions, long heads.

use mongoose_tests::{Client, scaled};

use crate::curl::{curl, curl_text, is_there};
use crate::program::{HttpServer, http_server};
use crate::scratch::{Scratch, pattern};

/// The checksum's own example: what everybody's CRC-32 makes of these nine bytes.
const DIGITS: (&[u8], &str) = (b"123456789", "{\"bytes\":9,\"crc32\":\"cbf43926\"}\n");

#[test]
fn an_upload_is_asked_for_and_leaves_nothing_behind() {
    if !is_there("an upload by curl") {
        return;
    }
    let folder = Scratch::new();
    let mut command = http_server(&["--listen", "http://127.0.0.1:0"]);
    command.env("TMPDIR", folder.path());
    let server = HttpServer::serving(command, 1);
    let url = server.url("/upload");

    let source = Scratch::new();
    let length = scaled(1 << 20);
    let file = source.file("upload.bin", pattern(length));
    // It sends nothing of the body before it is asked to.
    let expect =
        ["--header", "Expect: 100-continue", "--expect100-timeout", "60", "--include", "--upload-file"];
    let answer = curl_text(&[&expect[..], &[&file, &url]].concat());
    assert!(answer.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains(&format!("{{\"bytes\":{length},")), "{answer}");

    for arguments in [&["--upload-file", "-"][..], &["--data-binary", "@-"]] {
        assert_eq!(curl(&[arguments, &[&url]].concat(), DIGITS.0), DIGITS.1.as_bytes(), "{arguments:?}");
    }
    assert_eq!(curl_text(&["--request", "POST", &url]), "{\"bytes\":0,\"crc32\":\"00000000\"}\n");
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn what_is_left_of_a_broken_upload_is_removed() {
    let folder = Scratch::new();
    let mut command = http_server(&["--listen", "http://127.0.0.1:0"]);
    command.env("TMPDIR", folder.path());
    let mut server = HttpServer::serving(command, 1);
    let mut client = Client::connect(server.addresses[0]);
    client.send("PUT /upload HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(client.response().status, 100);
    assert_eq!(folder.names().len(), 1);
    client.send("1234").end();
    server.line_with("closed in the middle");
    client.to_end();
    // The loop's next turn comes after the end of that connection.
    Client::connect(server.addresses[0]).get("/hello");
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn a_long_upload_of_unknown_length_shows_its_progress() {
    if !is_there("a long upload by curl") {
        return;
    }
    let mut server = HttpServer::start_one();
    // Three steps of 10 MiB, and a little; the sizes are what is shown, so they are not scaled.
    let length = 31 << 20;
    let answer = curl(&["--upload-file", "-", &server.url("/upload")], &vec![0; length]);
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.contains(&format!("{{\"bytes\":{length},")), "{answer}");
    assert!(server.line().ends_with(" PUT /upload"));
    for step in 1..=3 {
        let line = server.line();
        let (_, bytes) = line.split_once(" /upload: ").expect("a line of progress");
        let bytes: usize =
            bytes.strip_suffix(" bytes").and_then(|bytes| bytes.parse().ok()).expect("a number");
        assert_eq!(bytes / (10 << 20), step, "{line}");
    }
}

#[test]
fn what_is_too_large_is_413_and_not_even_sent_when_it_is_announced() {
    if !is_there("--max-body by curl") {
        return;
    }
    let server = HttpServer::start_one_with(&["--max-body", "1000"]);
    let body = pattern(20_000);
    for path in ["/upload", "/echo"] {
        let url = server.url(path);
        let facts = ["--output", "/dev/null", "--write-out", "%{http_code} %{size_upload}"];
        let waiting =
            ["--header", "Expect: 100-continue", "--expect100-timeout", "60", "--data-binary", "@-"];
        let answer = curl(&[&facts[..], &waiting, &[&*url]].concat(), &body);
        assert_eq!(String::from_utf8_lossy(&answer), "413 0", "{path}");
        let chunked =
            ["--header", "Transfer-Encoding: chunked", "--data-binary", "@-", "--write-out", "%{http_code}"];
        let answer = curl(&[&["--output", "/dev/null"][..], &chunked, &[&*url]].concat(), &body);
        assert_eq!(String::from_utf8_lossy(&answer), "413", "{path}, chunked");
        let answer = curl(&["--data-binary", "@-", "--write-out", "%{http_code}", &url], &body[..1000]);
        assert!(answer.ends_with(b"200"), "{path}: {}", String::from_utf8_lossy(&answer));
    }
}

#[test]
fn a_form_is_listed_part_by_part() {
    if !is_there("a form by curl") {
        return;
    }
    let server = HttpServer::start_one();
    let source = Scratch::new();
    let length = scaled(100_000);
    let file = format!("file=@{};filename=\"a \\\"b\\\".bin\"", source.file("file.bin", pattern(length)));
    let url = server.url("/form");
    let answer = curl_text(&["--form", "text=W\u{f6}rld", "--form", &file, "--form", "empty=", &url]);
    let expected = format!(
        "[\n{{\"name\":\"text\",\"filename\":null,\"size\":6}},\n\
         {{\"name\":\"file\",\"filename\":\"a \\\"b\\\".bin\",\"size\":{length}}},\n\
         {{\"name\":\"empty\",\"filename\":null,\"size\":0}}\n]\n"
    );
    assert_eq!(answer, expected);
    let status = |arguments: &[&str]| {
        let facts = ["--output", "/dev/null", "--write-out", "%{http_code}", &*url];
        curl_text(&[&facts[..], arguments].concat())
    };
    assert_eq!(status(&["--data", "a=b"]), "415");
    let kind = "Content-Type: multipart/form-data; boundary=x";
    assert_eq!(status(&["--header", kind, "--data", "--x\r\n"]), "400");
    assert_eq!(status(&["--request", "DELETE"]), "405");
}

#[test]
fn many_urls_share_one_connection() {
    if !is_there("keep-alive by curl") {
        return;
    }
    let server = HttpServer::start_one();
    let paths =
        ["/hello", "/nowhere", "/chunked", "/defer", "/stream?lines=9", "/upload", "/slow?seconds=0.1", "/"];
    let urls: Vec<_> = paths.iter().map(|path| server.url(path)).collect();
    let mut arguments = vec!["--write-out", "\nconnects: %{num_connects}\n"];
    arguments.extend(urls.iter().map(String::as_str));
    let answer = curl_text(&arguments);
    let connects: Vec<_> = answer.lines().filter_map(|line| line.strip_prefix("connects: ")).collect();
    assert_eq!(connects, ["1", "0", "0", "0", "0", "0", "0", "0"]);
}

#[test]
fn hazard_54_http_1_0_gets_whole_answers() {
    if !is_there("HTTP/1.0 by curl") {
        return;
    }
    let server = HttpServer::start_one();
    for keep in [&[][..], &["--header", "Connection: keep-alive"]] {
        let ask = |path: &str| curl_text(&[&["--http1.0"], keep, &[&*server.url(path)]].concat());
        assert_eq!(ask("/hello"), "hello\n");
        assert_eq!(ask("/chunked"), "line 1\nline 2\nline 3\nline 4\nline 5\n");
        assert_eq!(ask("/stream?lines=10000").lines().count(), 10_000);
        assert_eq!(ask("/defer"), "deferred\n");
        let url = server.url("/upload");
        let answer = curl(&[&["--http1.0", "--data-binary", "@-"], keep, &[&*url]].concat(), DIGITS.0);
        assert_eq!(answer, DIGITS.1.as_bytes());
    }
}

#[test]
fn long_targets_and_many_headers_are_taken_up_to_the_limits() {
    if !is_there("long heads by curl") {
        return;
    }
    let server = HttpServer::start_one();
    let facts = ["--output", "/dev/null", "--write-out", "%{http_code} %{size_download}"];
    for (length, expected) in [(65_000, "200 65000"), (66_000, "414")] {
        let url = server.url(&format!("/query?name={}", "x".repeat(length)));
        let answer = curl_text(&[&facts[..], &[&url]].concat());
        assert!(answer.starts_with(expected), "{length}: {answer}");
    }
    let folder = Scratch::new();
    for (count, expected) in [(120, "200"), (1000, "431")] {
        let lines: String = (0..count).map(|number| format!("X-{number}: {number}\n")).collect();
        let file = format!("@{}", folder.file("headers.txt", lines));
        let answer = curl_text(&[&facts[..], &["--header", &file, &server.url("/headers")]].concat());
        assert!(answer.starts_with(expected), "{count}: {answer}");
    }
}
