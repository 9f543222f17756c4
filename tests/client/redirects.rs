//! Redirects that are followed, and those that are not.

use std::net::TcpListener;

use mongoose::Error;
use mongoose::http::Piece;

use crate::scene::{Scene, ok, redirect};

#[test]
fn relative_locations_are_followed_over_the_same_connection() {
    let mut scene = Scene::new();
    let answer = scene.get("/a/b?c");
    let mut peer = scene.accept();
    assert!(scene.head(&mut peer).starts_with("GET /a/b?c "));
    for (location, target) in
        [("d", "/a/d"), ("?e", "/a/d?e"), ("../f/./g#h", "/f/g"), ("/caf\u{e9} x", "/caf%C3%A9%20x")]
    {
        peer.send(redirect(302, location));
        let head = scene.head(&mut peer);
        assert!(head.starts_with(&format!("GET {target} HTTP/1.1\r\n")), "{location}: {head}");
    }
    peer.send(ok("there"));
    let response = scene.outcome(&answer).expect("an answer");
    assert_eq!((response.body(), response.url()), (&b"there"[..], &*scene.url("/caf%C3%A9%20x")));
    assert_eq!(scene.manager.stats().connections, 1);
}

#[test]
fn a_loop_ends_after_ten() {
    let mut scene = Scene::new();
    let answer = scene.get("/");
    let mut peer = scene.accept();
    for _ in 0..11 {
        scene.head(&mut peer);
        peer.send(redirect(301, "/"));
    }
    match scene.outcome(&answer) {
        Err(Error::Redirect { url, reason: "too many redirects" }) => assert_eq!(url, "/"),
        other => panic!("{other:?}"),
    }
    assert!(peer.received.is_empty());
}

#[test]
fn redirects_are_responses_to_who_wants_none_followed() {
    for status in [301, 302, 303, 307, 308] {
        let mut scene = Scene::new();
        let answer = scene.send(scene.client.get(&scene.url("/")).redirects(0));
        let mut peer = scene.accept();
        scene.head(&mut peer);
        peer.send(redirect(status, "/next"));
        let response = scene.outcome(&answer).expect("an answer");
        assert_eq!(response.status(), status);
        assert_eq!(response.header("location").expect("there"), "/next");
    }
}

#[test]
fn other_statuses_and_redirects_without_a_place_are_responses() {
    for text in [
        "HTTP/1.1 300 Choose\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 304 Same\r\nLocation: /x\r\n\r\n",
        "HTTP/1.1 201 Made\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 302 Somewhere\r\nContent-Length: 0\r\n\r\n",
    ] {
        let (_peer, outcome) = Scene::new().exchange("/", text.as_bytes());
        assert_eq!(outcome.expect("an answer").status().to_string(), text[9..12]);
    }
}

#[test]
fn methods_and_bodies_follow_the_rfc() {
    for (status, method, after) in [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (303, "PUT", "GET"),
        (303, "HEAD", "HEAD"),
        (302, "PUT", "PUT"),
        (307, "POST", "POST"),
        (308, "PATCH", "PATCH"),
    ] {
        let mut scene = Scene::new();
        let request = scene.client.request(method, &scene.url("/")).header("Content-Type", "text/plain");
        let answer = scene.send(request.body("body".to_owned()));
        let mut peer = scene.accept();
        scene.head(&mut peer);
        assert_eq!(scene.bytes(&mut peer, 4), b"body");
        peer.send(redirect(status, "/next"));
        let head = scene.head(&mut peer);
        assert!(head.starts_with(&format!("{after} /next ")), "{status} {method}: {head}");
        let body = if after == method { 4 } else { 0 };
        assert_eq!(head.contains("\r\nContent-Length: 4\r\n"), body == 4, "{status} {method}: {head}");
        assert_eq!(head.contains("\r\nContent-Type: "), body == 4, "{status} {method}: {head}");
        assert_eq!(scene.bytes(&mut peer, body).len(), body);
        peer.send("HTTP/1.1 204 Done\r\n\r\n");
        assert_eq!(scene.outcome(&answer).expect("an answer").status(), 204);
        assert!(peer.received.is_empty());
    }
}

#[test]
fn a_streamed_body_cannot_be_sent_twice() {
    let mut scene = Scene::new();
    let answer = scene.send(scene.client.request("PUT", &scene.url("/")).length(4).reader(&b"body"[..]));
    let mut peer = scene.accept();
    scene.head(&mut peer);
    scene.bytes(&mut peer, 4);
    peer.send(redirect(307, "/next"));
    assert!(matches!(scene.outcome(&answer), Err(Error::Redirect { .. })));

    // But need not be where the rules drop it.
    let mut pieces = vec![Piece::End, Piece::Data("body".into())];
    let source = move || Ok(pieces.pop().unwrap_or(Piece::End));
    let answer = scene.send(scene.client.post(&scene.url("/")).stream(source));
    assert!(scene.head(&mut peer).contains("\r\nTransfer-Encoding: chunked\r\n"));
    assert_eq!(scene.bytes(&mut peer, 14), b"4\r\nbody\r\n0\r\n\r\n");
    peer.send(redirect(303, "/next"));
    assert!(scene.head(&mut peer).starts_with("GET /next "));
    peer.send(ok("there"));
    assert!(scene.outcome(&answer).is_ok());
}

#[test]
fn another_host_gets_no_credentials() {
    let mut scene = Scene::new();
    let elsewhere = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let place = elsewhere.local_addr().expect("bound");
    let url = scene.url("/").replace("http://", "http://ada:secret@");
    let request = scene.client.get(&url).header("Cookie", "secret=1").header("X-Mine", "yes");
    let answer = scene.send(request);
    let mut peer = scene.accept();
    let head = scene.head(&mut peer);
    assert!(head.contains("\r\nAuthorization: Basic YWRhOnNlY3JldA==\r\n"), "{head}");
    peer.send(redirect(302, "/same"));
    let head = scene.head(&mut peer);
    assert!(head.contains("\r\nAuthorization: ") && head.contains("\r\nCookie: "), "{head}");
    peer.send(redirect(302, &format!("http://{place}/other")));
    let mut other = scene.accept_at(&elsewhere);
    let head = scene.head(&mut other);
    assert!(!head.contains("Authorization") && !head.contains("ecret"), "{head}");
    assert!(
        head.contains("\r\nX-Mine: yes\r\n") && head.contains(&format!("\r\nHost: {place}\r\n")),
        "{head}"
    );
    // And back: what was taken away stays away.
    other.send(redirect(302, &scene.url("/back")));
    let head = scene.head(&mut peer);
    assert!(head.starts_with("GET /back ") && !head.contains("ecret"), "{head}");
    peer.send(ok("there"));
    assert!(scene.outcome(&answer).is_ok());
}

#[test]
fn places_that_cannot_be_gone_to_are_errors() {
    for location in [
        "https://127.0.0.1/",
        "ftp://h/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://h:99999/",
        "http://",
        "//a@b/",
    ] {
        let (_peer, outcome) = Scene::new().exchange("/", &redirect(302, location));
        match outcome {
            Err(Error::Redirect { url, .. }) => assert_eq!(url, location),
            other => panic!("{location}: {other:?}"),
        }
    }
}

#[test]
fn a_body_of_a_redirect_is_no_obstacle() {
    // All there, chunked, not all there: the request goes on at once.
    for (head, body) in [
        ("Content-Length: 5\r\n", "moved"),
        ("Transfer-Encoding: chunked\r\n", "5\r\nmoved\r\n0\r\n\r\n"),
        ("Content-Length: 1000000000\r\n", "moved"),
        ("", "moved"),
    ] {
        let mut scene = Scene::new();
        let answer = scene.get("/");
        let mut peer = scene.accept();
        scene.head(&mut peer);
        peer.send(format!("HTTP/1.1 302 Elsewhere\r\nLocation: /next\r\n{head}\r\n{body}"));
        let mut next = if head.ends_with(": 5\r\n") { peer } else { scene.accept() };
        assert!(scene.head(&mut next).starts_with("GET /next "));
        next.send(ok("there"));
        assert_eq!(scene.outcome(&answer).expect("an answer").body(), b"there");
    }
}
