//! Ranges, as RFC 9110 section 14 has them.

use mongoose_tests::Client;

use crate::ask;
use crate::folder::{Folder, pattern};

#[test]
fn hazard_38_single_ranges_are_what_was_asked_for() {
    let folder = Folder::new();
    let content = pattern(100_000);
    // One that is read whole, and one that is sent from where it lies.
    folder.file("small.bin", &content[..1000]).file("large.bin", &content);
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    for (target, length) in [("/small.bin", 1000), ("/large.bin", 100_000)] {
        let end = length - 1;
        for (range, first, last) in [
            ("bytes=0-0".to_owned(), 0, 0),
            ("bytes=0-9".to_owned(), 0, 9),
            ("bytes=-3".to_owned(), length - 3, end),
            ("bytes=500-".to_owned(), 500, end),
            (format!("bytes={end}-"), end, end),
            (format!("bytes={end}-{end}"), end, end),
            (format!("bytes=0-{end}"), 0, end),
            ("bytes=1-99999999999999999999999".to_owned(), 1, end),
            (format!("bytes=-{length}"), 0, end),
            ("bytes=-99999999999999999999999".to_owned(), 0, end),
            ("Bytes=1-2".to_owned(), 1, 2),
            ("bytes= 1-2 , ".to_owned(), 1, 2),
        ] {
            let response = ask(&mut client, "GET", target, &[("Range", &range)]);
            assert_eq!(response.status, 206, "{range}");
            let expected = format!("bytes {first}-{last}/{length}");
            assert_eq!(response.header("Content-Range"), Some(&*expected), "{range}");
            assert!(response.body == content[first..=last], "{range}");
        }
    }
}

#[test]
fn hazard_38_what_is_not_there_is_416_with_the_length() {
    let folder = Folder::new();
    folder.file("a.txt", "0123456789").file("empty.txt", "");
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    for (target, length, range) in [
        ("/a.txt", 10, "bytes=10-"),
        ("/a.txt", 10, "bytes=10-20"),
        ("/a.txt", 10, "bytes=-0"),
        ("/a.txt", 10, "bytes=18446744073709551615-"),
        ("/a.txt", 10, "bytes=99999999999999999999999-99999999999999999999999"),
        ("/empty.txt", 0, "bytes=0-"),
        ("/empty.txt", 0, "bytes=0-0"),
    ] {
        let response = ask(&mut client, "GET", target, &[("Range", range)]);
        let expected = format!("bytes */{length}");
        assert_eq!((response.status, response.header("Content-Range")), (416, Some(&*expected)), "{range}");
    }
    assert_eq!(ask(&mut client, "GET", "/empty.txt", &[("Range", "bytes=-5")]).status, 200);
    assert_eq!(client.get("/a.txt").text(), "0123456789", "the connection goes on");
}

#[test]
fn hazard_38_many_malformed_and_unknown_ranges_get_the_whole() {
    let folder = Folder::new();
    folder.file("a.txt", "0123456789");
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    let many = format!("bytes={}", vec!["0-"; 1000].join(","));
    for range in [
        "bytes=0-0,2-3",
        "bytes=0-0,-1",
        &many,
        "bytes=5-2",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=1",
        "bytes 1-2",
        "bytes=0x0-5",
        "bytes=1-2-3",
        "lines=1-2",
        "1-2",
        "",
        "bytes=--1",
        "bytes=+1-2",
    ] {
        let response = ask(&mut client, "GET", "/a.txt", &[("Range", range)]);
        assert_eq!((response.status, response.text()), (200, "0123456789"), "{range:.40}");
        assert_eq!(response.header("Content-Range"), None, "{range:.40}");
    }
    let twice = [("Range", "bytes=0-0"), ("Range", "bytes=1-1")];
    assert_eq!(ask(&mut client, "GET", "/a.txt", &twice).status, 200);
}

#[test]
fn head_has_the_headers_of_get_and_no_ranges() {
    let folder = Folder::new();
    folder.file("a.txt", "0123456789").file("large.bin", pattern(1_000_000)).file("empty.txt", "");
    let server = folder.serve_with(|files| files.listing(true));
    let mut client = Client::connect(server.address);
    for target in ["/a.txt", "/large.bin", "/empty.txt", "/", "/nothing", "/%zz"] {
        let get = ask(&mut client, "GET", target, &[]);
        let head = ask(&mut client, "HEAD", target, &[]);
        let without_date = |head: &str| {
            head.lines().filter(|line| !line.starts_with("Date:")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(without_date(&head.head), without_date(&get.head), "{target}");
        let head = ask(&mut client, "HEAD", target, &[("Range", "bytes=1-2")]);
        assert_eq!((head.status, head.header("Content-Range")), (get.status, None), "{target}");
    }
}
