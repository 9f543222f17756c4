//! What can be chosen.

use mongoose::Error;
use mongoose::http::{Files, Reply, Request};
use mongoose_tests::{Client, Server};

use crate::ask;
use crate::folder::{Folder, SECRET, pattern};

#[test]
fn hazard_38_the_page_for_what_is_missing_comes_with_404() {
    let folder = Folder::new();
    folder.file("404.html", "<p>gone").file("big.html", pattern(300_000));
    let server = folder.serve_with(|files| files.not_found_page("404.html"));
    let mut client = Client::connect(server.address);
    for target in ["/nothing", "/nothing/", "/.hidden", "/%2e%2e/secret.txt"] {
        let response = ask(&mut client, "GET", target, &[("Range", "bytes=0-1"), ("If-None-Match", "*")]);
        assert_eq!((response.status, response.text()), (404, "<p>gone"), "{target}");
        assert_eq!(response.header("Content-Type"), Some("text/html; charset=utf-8"));
        assert_eq!(response.header("ETag"), None, "a peer must not take it for the file");
    }
    let head = ask(&mut client, "HEAD", "/nothing", &[]);
    assert_eq!((head.status, head.header("Content-Length")), (404, Some("7")));
    assert_eq!(client.get("/404.html").status, 200);

    let server = folder.serve_with(|files| files.not_found_page("/big.html"));
    let response = Client::connect(server.address).get("/nothing");
    assert!(response.status == 404 && response.body == pattern(300_000));
    let server = folder.serve_with(|files| files.not_found_page("missing.html"));
    assert_eq!(Client::connect(server.address).get("/nothing").text(), "not found\n");
}

#[test]
fn headers_are_added_to_every_reply() {
    let folder = Folder::new();
    folder.file("a.txt", "a").file("dir/x", "x");
    let server = folder.serve_with(|files| {
        files
            .header("Cache-Control", "max-age=60")
            .and_then(|files| files.header("X-B", b"\xff"))
            .expect("valid")
    });
    let mut client = Client::connect(server.address);
    for target in ["/a.txt", "/nothing", "/dir", "/dir/", "/%zz"] {
        // The head is no text with that byte in it.
        client.send(format!("HEAD {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"));
        let response = String::from_utf8_lossy(&client.to_end()).into_owned();
        assert!(response.contains("Cache-Control: max-age=60\r\nX-B: \u{fffd}\r\n"), "{target}: {response}");
        client = Client::connect(server.address);
    }
    for (name, value) in [("X", "a\r\nY: b"), ("", "a"), ("Content-Length", "5")] {
        assert!(matches!(folder.files().header(name, value), Err(Error::Header { .. })), "{name}");
    }
}

#[test]
fn content_types_can_be_added_and_changed() {
    let folder = Folder::new();
    folder.file("a.glb", "a").file("b.HTML", "b").file("README", "c").file("d.unknown", "d");
    let server = folder.serve_with(|files| {
        let files =
            files.content_type("glb", "model/x").and_then(|files| files.content_type("html", "text/x"));
        files.and_then(|files| files.content_type("glb", "model/y")).expect("valid")
    });
    let mut client = Client::connect(server.address);
    for (target, kind) in [
        ("/a.glb", "model/y"),
        ("/b.HTML", "text/x"),
        ("/README", "application/octet-stream"),
        ("/d.unknown", "application/octet-stream"),
    ] {
        assert_eq!(client.get(target).header("Content-Type"), Some(kind), "{target}");
    }
    assert!(matches!(folder.files().content_type("a", "b\r\n"), Err(Error::Header { .. })));
}

#[test]
fn the_first_index_that_is_there_answers() {
    let folder = Folder::new();
    folder
        .file("one/main.htm", "main")
        .file("two/index.html", "index")
        .file("two/main.htm", "main")
        .file("three/x", "x");
    std::fs::create_dir_all(folder.root().join("four/index.html")).expect("to make a folder");
    folder.file("four/main.htm", "main");
    let server = folder.serve_with(|files| files.index(["index.html", "main.htm"]));
    let mut client = Client::connect(server.address);
    for (target, status, body) in [
        ("/one/", 200, "main"),
        ("/two/", 200, "index"),
        ("/three/", 403, "forbidden\n"),
        ("/four/", 200, "main"),
    ] {
        let response = client.get(target);
        assert_eq!((response.status, response.text()), (status, body), "{target}");
    }
    let server = folder.serve_with(|files| files.index(Vec::<String>::new()));
    assert_eq!(Client::connect(server.address).get("/two/").status, 403);
}

#[test]
fn a_root_has_to_be_a_folder() {
    let folder = Folder::new();
    folder.file("a.txt", "a");
    for root in [folder.root().join("a.txt"), folder.root().join("nothing")] {
        let error = Files::new(&root).expect_err("no folder");
        assert!(matches!(&error, Error::File { path, .. } if *path == root), "{error}");
    }
}

#[test]
fn a_file_that_the_program_names_is_sent_as_it_is() {
    let folder = Folder::new();
    folder.file("report.csv", "a,b").file("404.html", "gone").link("link", "../secret.txt");
    let root = folder.root();
    let server = Server::http(move || {
        move |request: Request<'_>, reply: Reply<'_>| match request.path() {
            "/report" => reply.file(&request, root.join("report.csv")),
            "/typed" => reply.header("Content-Type", "x/y").file(&request, root.join("report.csv")),
            "/link" => reply.file(&request, root.join("link")),
            "/folder" => reply.file(&request, &root),
            "/nothing" => reply.file(&request, root.join("nothing")),
            _ => reply.status(404).file(&request, root.join("404.html")),
        }
    });
    let mut client = Client::connect(server.address);
    let response = client.get("/report");
    assert_eq!((response.text(), response.header("Content-Type")), ("a,b", Some("text/csv; charset=utf-8")));
    assert_eq!(client.get("/typed").header("Content-Type"), Some("x/y"));
    let response = ask(&mut client, "GET", "/report", &[("Range", "bytes=-1")]);
    assert_eq!((response.status, response.text()), (206, "b"));
    assert_eq!(ask(&mut client, "GET", "/report", &[("If-None-Match", "*")]).status, 304);
    // A path of the program's own may lead anywhere.
    assert_eq!(client.get("/link").text(), SECRET);
    assert_eq!((client.get("/folder").status, client.get("/nothing").status), (404, 404));
    let response = ask(&mut client, "GET", "/other", &[("Range", "bytes=0-0"), ("If-None-Match", "*")]);
    assert_eq!((response.status, response.text()), (404, "gone"));
    // The answer to a form may be a file too: no conditions, no ranges.
    client.send("POST /report HTTP/1.1\r\nHost: test\r\nRange: bytes=0-0\r\nContent-Length: 1\r\n\r\nx");
    let response = client.response();
    assert_eq!((response.status, response.text()), (200, "a,b"));
}

#[test]
fn all_workers_can_have_the_same_files() {
    fn shared<T: Clone + Send + Sync + 'static>(_: &T) {}
    let folder = Folder::new();
    folder.file("a.txt", "a");
    let files = folder.files();
    shared(&files);
    let servers: Vec<_> = (0..3).map(|_| files.clone()).map(|files| Server::http(move || files)).collect();
    for server in &servers {
        assert_eq!(Client::connect(server.address).get("/a.txt").text(), "a");
    }
}
