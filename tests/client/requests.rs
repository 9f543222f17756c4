//! What goes out: request lines, headers, and what is refused at the call.

use std::sync::Arc;

use mongoose::http::{self, Client, RequestBuilder, Response};
use mongoose::{Error, Manager, Payload};

use crate::scene::{Scene, ok};

fn head_of(build: impl FnOnce(&Scene) -> RequestBuilder<Client>) -> String {
    let mut scene = Scene::new();
    let answer = scene.send(build(&scene));
    let mut peer = scene.accept();
    let head = scene.head(&mut peer);
    peer.send("HTTP/1.1 204 Done\r\n\r\n");
    assert!(scene.outcome(&answer).is_ok());
    let place = scene.address().to_string();
    let version = concat!("mongoose-rust/", env!("CARGO_PKG_VERSION"));
    head.replace(&place, "PLACE").replace(version, "VERSION")
}

#[test]
fn heads_say_what_they_have_to() {
    assert_eq!(
        head_of(|scene| scene.client.get(&scene.url("/a%20b?c=d#e"))),
        "GET /a%20b?c=d HTTP/1.1\r\nHost: PLACE\r\nUser-Agent: VERSION\r\n\r\n"
    );
    assert_eq!(
        head_of(|scene| scene.client.get(&scene.url("?x=1"))),
        "GET /?x=1 HTTP/1.1\r\nHost: PLACE\r\nUser-Agent: VERSION\r\n\r\n",
        "hazard 42: the query is no part of the host"
    );
    assert_eq!(
        head_of(|scene| scene.client.post(&scene.url(""))),
        "POST / HTTP/1.1\r\nHost: PLACE\r\nUser-Agent: VERSION\r\nContent-Length: 0\r\n\r\n"
    );
    assert_eq!(
        head_of(|scene| {
            let request = scene.client.request("DELETE", &scene.url("/"));
            request.header("User-Agent", "mine").header("HOST", "virtual").header("X-Format", b"%s%n\xff")
        }),
        "DELETE / HTTP/1.1\r\nHost: virtual\r\nUser-Agent: mine\r\nX-Format: %s%n\u{fffd}\r\n\r\n"
    );
}

#[test]
fn bodies_come_from_whatever_holds_bytes() {
    let bodies: Vec<Payload<'static>> = vec![
        "static".into(),
        "owned".to_owned().into(),
        vec![1, 2, 3].into(),
        Arc::<[u8]>::from(vec![0; 100_000]).into(),
        Payload::from_static(b""),
    ];
    let mut scene = Scene::new();
    let mut peer = None;
    for body in bodies {
        let expected = body.as_ref().to_vec();
        let answer = scene.send(scene.client.request("PUT", &scene.url("/")).body(body));
        let mut connection = peer.take().unwrap_or_else(|| scene.accept());
        let head = scene.head(&mut connection);
        assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", expected.len())), "{head}");
        assert!(scene.bytes(&mut connection, expected.len()) == expected);
        connection.send(ok(""));
        assert!(scene.outcome(&answer).is_ok());
        peer = Some(connection);
    }
}

/// What the call answers; the handler must not be called.
fn refused(request: RequestBuilder<Client>) -> Error {
    let handler = |_: Result<Response<'_>, Error>| panic!("the call said so already");
    request.send(handler).expect_err("it cannot be sent")
}

#[test]
fn hazard_42_bad_urls_are_errors_at_the_call() {
    let manager = Manager::new().expect("a manager");
    let client = Client::new(&manager);
    for url in [
        "",
        "127.0.0.1",
        "http://",
        "http://:80/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:port/",
        "http://[::1/",
        "http://a b/",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/\r\nX: y",
        "http://127.0.0.1/\0",
        "http://127.0.0.1/\u{e9}",
        "ftp://127.0.0.1/",
    ] {
        match refused(client.get(url)) {
            Error::Url { url: named, .. } => assert_eq!(named, url),
            other => panic!("{url:?}: {other}"),
        }
        assert!(matches!(http::get(url), Err(Error::Url { .. })), "{url:?}");
    }
    match refused(client.get("https://127.0.0.1/")) {
        Error::Url { reason, .. } => assert!(reason.contains("TLS"), "{reason}"),
        other => panic!("{other}"),
    }
    assert_eq!(manager.stats().connections, 0);
}

#[test]
fn hazard_43_what_would_split_a_request_is_an_error_at_the_call() {
    let manager = Manager::new().expect("a manager");
    let client = Client::new(&manager);
    let url = "http://127.0.0.1:1/";
    for method in ["", "G T", "GET /x HTTP/1.1\r\nX:", "GET\r", "G\0T", "G:T", "\u{e9}", "CONNECT"] {
        match refused(client.request(method, url)) {
            Error::Method(named) => assert_eq!(named, method),
            other => panic!("{method:?}: {other}"),
        }
    }
    for (name, value) in [
        ("", "x"),
        ("a b", "x"),
        ("a:", "x"),
        ("A\r\nB", "x"),
        ("A", "x\r\nB: y"),
        ("A", "x\ny"),
        ("A", "x\ry"),
        ("A", "\0"),
        ("Host", "a\r\nB: c"),
        ("Content-Length", "5"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "close"),
        ("Expect", "100-continue"),
        ("Upgrade", "x"),
    ] {
        assert!(
            matches!(refused(client.get(url).header(name, value)), Error::Header { .. }),
            "{name:?} {value:?}"
        );
    }
    assert!(matches!(refused(client.get(url).upgrade("x\r\nY: z")), Error::Header { .. }));
    assert!(matches!(refused(client.get(url).length(5)), Error::Body(_)), "a length of nothing");
    assert_eq!(manager.stats().connections, 0);
}

#[test]
fn addresses_of_six_are_in_brackets() {
    let Ok(listener) = std::net::TcpListener::bind("[::1]:0") else {
        eprintln!("addresses_of_six_are_in_brackets: not run, there is no ::1 here");
        return;
    };
    let mut scene = Scene::new();
    let place = listener.local_addr().expect("bound");
    let answer = scene.send(scene.client.get(&format!("http://{place}/")));
    let mut peer = scene.accept_at(&listener);
    assert!(scene.head(&mut peer).contains(&format!("\r\nHost: [::1]:{}\r\n", place.port())));
    peer.send(ok("hi"));
    assert!(scene.outcome(&answer).is_ok());
}

#[test]
fn a_host_name_is_looked_up_and_every_address_tried() {
    // At localhost there may be a ::1 first, where nobody listens.
    let mut scene = Scene::new();
    let url = format!("http://LocalHost:{}/", scene.address().port());
    let answer = scene.send(scene.client.get(&url));
    let mut peer = scene.accept();
    assert!(scene.head(&mut peer).contains("\r\nHost: localhost:"));
    peer.send(ok("hi"));
    assert_eq!(scene.outcome(&answer).expect("an answer").url(), url.to_lowercase());
}
