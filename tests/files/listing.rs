//! What is in a folder, shown by choice.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use mongoose_tests::{Client, scaled};

use crate::folder::Folder;

/// The targets of a page's links.
fn links(page: &str) -> Vec<&str> {
    page.split("href=\"").skip(1).filter_map(|rest| rest.split_once('"')).map(|(link, _)| link).collect()
}

#[test]
fn names_are_escaped_and_sorted_and_lead_where_they_say() {
    let folder = Folder::new();
    let names = [
        "z.txt",
        "a b.txt",
        "<img src=x onerror=alert(1)>",
        "\"quoted\"",
        "50%.txt",
        "?query",
        "#hash",
        "c:d",
        "&amp;",
    ];
    for name in names {
        folder.file(name, name);
    }
    folder.file("sub/x.txt", "x").file(".hidden", "h");
    fs::write(folder.root().join(OsStr::from_bytes(b"\xff.bin")), "bytes").expect("to write");
    let server = folder.serve_with(|files| files.listing(true));
    let mut client = Client::connect(server.address);
    let response = client.get("/");
    assert_eq!((response.status, response.header("Content-Type")), (200, Some("text/html; charset=utf-8")));
    let page = response.text().to_owned();
    assert!(!page.contains("<img") && !page.contains("hidden") && !page.contains("../"), "{page}");
    let links = links(&page);
    assert_eq!(links.len(), names.len() + 2, "{page}");
    assert_eq!(links[0], "./sub/", "folders come first");
    assert!(
        links[1..].is_sorted_by_key(|link| mongoose::url::decode(link).expect("valid").into_owned()),
        "{links:?}"
    );
    for link in &links[1..] {
        let response = client.get(&format!("/{link}").replace("/./", "/"));
        assert_eq!(response.status, 200, "{link}");
        let name = mongoose::url::decode(link).expect("valid");
        assert!(response.body == name[2..] || response.text() == "bytes", "{link}");
    }
    let page = client.get("/sub/").text().to_owned();
    assert!(
        page.contains("Index of /sub/") && page.contains("href=\"../\"") && page.contains(">1<"),
        "{page}"
    );
    assert_eq!(client.get("/sub").status, 301);
    assert_eq!(client.get("/nothing/").status, 404);
}

#[test]
fn a_title_is_escaped_too() {
    let folder = Folder::new();
    folder.file("<script>/x", "x");
    let server = folder.serve_with(|files| files.listing(true));
    let response = Client::connect(server.address).get("/%3Cscript%3E/");
    assert!(response.status == 200 && !response.text().contains("<script>"), "{}", response.text());
}

#[test]
fn hazard_38_a_listing_says_nothing_of_what_is_not_served() {
    let folder = Folder::new();
    folder.file("a.txt", "a").link("out", "../secret.txt").link("out-folder", "/etc").link("in", "a.txt");
    folder.link("dangling", "nothing").link("loop", "loop");
    rustix::fs::mkfifoat(rustix::fs::CWD, folder.root().join("fifo"), 0o600.into()).expect("to make a FIFO");
    let _socket = std::os::unix::net::UnixListener::bind(folder.root().join("socket")).expect("to bind");
    let server = folder.serve_with(|files| files.listing(true));
    let page = Client::connect(server.address).get("/").text().to_owned();
    assert_eq!(links(&page), ["./a.txt", "./in"], "{page}");
}

#[test]
fn an_index_comes_before_a_listing_and_dotfiles_by_choice() {
    let folder = Folder::new();
    folder.file("site/index.html", "index").file("plain/.hidden", "h").file("plain/x", "x");
    let server = folder.serve_with(|files| files.listing(true).dotfiles(true));
    let mut client = Client::connect(server.address);
    assert_eq!(client.get("/site/").text(), "index");
    assert_eq!(links(client.get("/plain/").text()), ["../", "./.hidden", "./x"]);
}

#[test]
fn a_listing_is_bounded_and_says_so() {
    let folder = Folder::new();
    let many = scaled(5_500);
    for number in 0..many {
        fs::write(folder.root().join(format!("{number}")), "").expect("to write");
    }
    let server = folder.serve_with(|files| files.listing(true));
    let response = Client::connect(server.address).get("/");
    let page = response.text();
    assert_eq!(links(page).len(), many.min(5000));
    assert_eq!(page.contains("There are more than these 5000"), many > 5000);
}
