//! Conditional requests, as RFC 9110 section 13 has them.

use std::time::Duration;

use mongoose_tests::Client;

use crate::ask;
use crate::folder::{Folder, age};

const LONG_AGO: &str = "Sat, 01 Jan 2000 00:00:00 GMT";
const LATER: &str = "Fri, 01 Jan 2100 00:00:00 GMT";

#[test]
fn a_peer_that_has_the_file_gets_304_and_a_changed_one_412() {
    let folder = Folder::new();
    folder.file("a.txt", "content");
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    let whole = client.get("/a.txt");
    let header = |name| whole.header(name).expect("a validator").to_owned();
    let (tag, date) = (header("ETag"), header("Last-Modified"));
    assert!(tag.starts_with('"') && tag.ends_with('"'), "an old file's tag is strong: {tag}");
    let weak = format!("W/{tag}");
    let listed = format!("\"x\", {weak} , \"y,z\"");
    let unlisted = "\"x\", W/\"y\"";
    // The date in the two obsolete forms.
    let [_, day, month, year, time, _] = date.split(' ').collect::<Vec<_>>()[..] else { panic!("{date}") };
    let rfc850 = format!("Monday, {day}-{month}-{} {time} GMT", &year[2..]);
    let asctime = format!("Mon {month} {:>2} {time} {year}", day.trim_start_matches('0'));
    for (headers, status) in [
        (vec![("If-None-Match", tag.as_str())], 304),
        (vec![("If-None-Match", &weak)], 304),
        (vec![("If-None-Match", &listed)], 304),
        (vec![("If-None-Match", "\"x\""), ("If-None-Match", &tag)], 304),
        (vec![("If-None-Match", "*")], 304),
        (vec![("If-None-Match", unlisted)], 200),
        (vec![("If-None-Match", "")], 200),
        (vec![("If-None-Match", tag.trim_matches('"'))], 200),
        (vec![("If-Modified-Since", &date)], 304),
        (vec![("If-Modified-Since", LATER)], 304),
        (vec![("If-Modified-Since", LONG_AGO)], 200),
        (vec![("If-Modified-Since", &rfc850)], 304),
        (vec![("If-Modified-Since", &asctime)], 304),
        (vec![("If-Modified-Since", "yesterday")], 200),
        // The tag is the better word.
        (vec![("If-None-Match", unlisted), ("If-Modified-Since", &date)], 200),
        (vec![("If-None-Match", &tag), ("If-Modified-Since", LONG_AGO)], 304),
        (vec![("If-Match", &tag)], 200),
        (vec![("If-Match", "*")], 200),
        (vec![("If-Match", "\"x\""), ("If-Match", &tag)], 200),
        (vec![("If-Match", &weak)], 412),
        (vec![("If-Match", unlisted)], 412),
        (vec![("If-Match", "")], 412),
        (vec![("If-Unmodified-Since", &date)], 200),
        (vec![("If-Unmodified-Since", LATER)], 200),
        (vec![("If-Unmodified-Since", LONG_AGO)], 412),
        (vec![("If-Unmodified-Since", "never")], 200),
        (vec![("If-Match", &tag), ("If-Unmodified-Since", LONG_AGO)], 200),
        (vec![("If-Match", unlisted), ("If-None-Match", &tag)], 412),
        (vec![("If-Match", &tag), ("If-None-Match", &tag)], 304),
        (vec![("If-Unmodified-Since", &date), ("If-Modified-Since", &date)], 304),
    ] {
        for method in ["GET", "HEAD"] {
            let response = ask(&mut client, method, "/a.txt", &headers);
            assert_eq!(response.status, status, "{method} {headers:?}");
            match status {
                304 => {
                    assert_eq!(response.header("ETag"), Some(&*tag));
                    assert_eq!(response.header("Vary"), Some("Accept-Encoding"));
                    assert_eq!(response.header("Content-Length"), None);
                }
                200 if method == "GET" => assert_eq!(response.text(), "content", "{headers:?}"),
                _ => {}
            }
        }
    }
}

#[test]
fn a_file_that_changes_gets_other_validators() {
    let folder = Folder::new();
    folder.file("a.txt", "content");
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    let before = client.get("/a.txt").header("ETag").expect("a tag").to_owned();
    // As long as before, and a day older.
    folder.file("a.txt", "CONTENT");
    age(&folder.root().join("a.txt"), Duration::from_secs(86_400));
    let response = ask(&mut client, "GET", "/a.txt", &[("If-None-Match", &before)]);
    assert_eq!((response.status, response.text()), (200, "CONTENT"));
}

#[test]
fn the_tag_of_a_file_that_has_just_changed_is_weak() {
    let folder = Folder::new();
    folder.file("a.txt", "content");
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    age(&folder.root().join("a.txt"), Duration::ZERO);
    let response = client.get("/a.txt");
    let tag = response.header("ETag").expect("a tag").to_owned();
    assert!(tag.starts_with("W/\""), "it may change again in the same tick: {tag}");
    // Good enough to say that nothing changed, not to put parts together.
    assert_eq!(ask(&mut client, "GET", "/a.txt", &[("If-None-Match", &tag)]).status, 304);
    let date = response.header("Last-Modified").expect("a date");
    for condition in [&tag, tag.trim_start_matches("W/"), date] {
        let response = ask(&mut client, "GET", "/a.txt", &[("Range", "bytes=0-2"), ("If-Range", condition)]);
        assert_eq!((response.status, response.text()), (200, "content"), "{condition}");
    }
}

#[test]
fn a_file_of_the_future_was_changed_now() {
    let folder = Folder::new();
    folder.file("a.txt", "content");
    let path = folder.root().join("a.txt");
    let file = std::fs::File::options().write(true).open(path).expect("a file");
    file.set_modified(std::time::SystemTime::now() + Duration::from_secs(1_000_000))
        .expect("to set its time");
    let server = folder.serve();
    let response = Client::connect(server.address).get("/a.txt");
    assert_eq!(response.header("Last-Modified"), response.header("Date"));
    assert!(response.header("ETag").is_some_and(|tag| tag.starts_with("W/")));
}

#[test]
fn a_part_is_sent_only_to_who_has_the_same_version() {
    let folder = Folder::new();
    folder.file("a.txt", "content");
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    let whole = client.get("/a.txt");
    let header = |name| whole.header(name).expect("a validator").to_owned();
    let (tag, date) = (header("ETag"), header("Last-Modified"));
    for (condition, status) in [
        (tag.as_str(), 206),
        (&date, 206),
        ("\"x\"", 200),
        (&format!("W/{tag}"), 200),
        (LONG_AGO, 200),
        (LATER, 200),
        ("*", 200),
        ("", 200),
    ] {
        let response = ask(&mut client, "GET", "/a.txt", &[("Range", "bytes=1-3"), ("If-Range", condition)]);
        let body = if status == 206 { "ont" } else { "content" };
        assert_eq!((response.status, response.text()), (status, body), "{condition}");
    }
    // The other conditions come first.
    let headers = [("Range", "bytes=1-3"), ("If-None-Match", tag.as_str())];
    assert_eq!(ask(&mut client, "GET", "/a.txt", &headers).status, 304);
    let headers = [("Range", "bytes=1-3"), ("If-Match", "\"x\"")];
    assert_eq!(ask(&mut client, "GET", "/a.txt", &headers).status, 412);
    // Not of the version that it asks for: no 416 either.
    let headers = [("Range", "bytes=100-"), ("If-Range", "\"x\"")];
    assert_eq!(ask(&mut client, "GET", "/a.txt", &headers).status, 200);
}
