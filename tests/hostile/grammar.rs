//! What is no HTTP, no header parameter, no URL: hazards 39, 42, 43, 44.

use mongoose::http::{Reply, Request};
use mongoose::url::Url;
use mongoose::{Connection, Error, Event, Manager};
use mongoose_tests::{Client, Server, raw};

fn hello(_: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
    reply.text("hello")
}

#[test]
fn hazard_39_a_parameter_is_found_by_its_whole_name() {
    let server = Server::http(|| {
        |request: Request<'_>, reply: Reply<'_>| {
            let value = request.header("X").expect("a header");
            let found = value.parameter("session").map(|found| String::from_utf8_lossy(&found).into_owned());
            reply.text(found.unwrap_or_else(|| "none".to_owned()))
        }
    });
    let mut client = Client::connect(server.address);
    for (value, in_rust, in_c) in [
        ("a; xsession=evil", "none", Some("evil")),
        ("a; xsession=evil; session=good", "good", Some("evil")),
        ("a; b=\"; session=evil\"; session=good", "good", Some("evil\"")),
        ("a; session=good", "good", Some("good")),
    ] {
        client.send(format!("GET / HTTP/1.1\r\nHost: h\r\nX: {value}\r\n\r\n"));
        assert_eq!(client.response().text(), in_rust, "{value}");
        assert_eq!(raw::header_variable(value, "session").as_deref(), in_c, "{value}");
    }
}

#[test]
fn hazard_42_ports_and_hosts_are_checked() {
    let manager = Manager::new().expect("a manager");
    let refused = |url: &str| matches!(manager.http(url, hello), Err(Error::Url { .. }));
    assert!(refused("http://h:99999"));
    assert_eq!(raw::url_port(c"http://h:99999"), 34_463, "C wraps it");
    assert!(refused("http://h?x=1"));
    assert_eq!(raw::url_host(c"http://h?x=1"), "h?x=1", "C takes the query for the host");
    for url in ["http://h:-1", "http://h:8x", "http://h h:1", "http://u:p@h:1", "http://[::1", "http://h:1:2"]
    {
        assert!(refused(url), "{url}");
    }
    let connect = |url: &str| manager.connect(url, |_: &Connection<'_>, _: Event<'_>| Ok(()));
    assert!(matches!(connect("tcp://h:99999"), Err(Error::Url { .. })));
    assert!(matches!(connect("tcp://h:0x50"), Err(Error::Url { .. })));
}

#[test]
fn hazard_42_a_url_is_what_it_says() {
    let url = Url::parse("http://h?x=1").expect("valid");
    assert_eq!((url.host(), url.path(), url.query()), ("h", "/", Some("x=1")));
    assert_eq!(raw::url_host(c"http://a:b@evil@h/"), "evil@h", "C takes the first @ for the last");
    assert_eq!(Url::parse("http://a:b@evil@h/").expect("valid").host(), "h");
    assert_eq!(raw::url_port(c"http://h:8x"), 8);
    for url in ["http://h:99999", "http://h:8x", "http://h h", "http://", "h:1"] {
        assert!(matches!(Url::parse(url), Err(Error::Url { .. })), "{url}");
    }
    for (url, in_c) in [
        ("http://h", c"http://h"),
        ("https://h.example:8443/a?b", c"https://h.example:8443/a?b"),
        ("mqtts://u:p@127.0.0.1/", c"mqtts://u:p@127.0.0.1/"),
        ("tcp://127.0.0.1:0", c"tcp://127.0.0.1:0"),
    ] {
        let ours = Url::parse(url).expect(url);
        assert_eq!((ours.host(), ours.port()), (&*raw::url_host(in_c), Some(raw::url_port(in_c))), "{url}");
    }
}

#[test]
fn hazard_43_nothing_splits_a_reply() {
    type Answer = fn(Reply<'_>) -> Result<(), Error>;
    let answers: [Answer; 7] = [
        |reply| reply.header("A", "b\r\nX-Evil: 1").text("x"),
        |reply| reply.header("A", "b\nX-Evil: 1").text("x"),
        |reply| reply.header("A", "b\0").text("x"),
        |reply| reply.header("A\r\nX-Evil", "1").text("x"),
        |reply| reply.header("A: b\r\nX-Evil", "1").text("x"),
        |reply| reply.redirect("/\r\nX-Evil: 1"),
        |reply| reply.upgrade("a\r\nX-Evil: 1", |_: &Connection<'_>, _: Event<'_>| Ok(())),
    ];
    for (index, answer) in answers.into_iter().enumerate() {
        for later in [false, true] {
            let server = Server::http(move || {
                move |_: Request<'_>, reply: Reply<'_>| {
                    let error = if later { answer(reply.defer().reply()) } else { answer(reply) };
                    assert!(error.is_err());
                    Ok(())
                }
            });
            let response = Client::connect(server.address).get("/");
            assert_eq!(response.status, 500, "answer {index}");
            assert!(!response.head.contains("X-Evil"), "answer {index}");
        }
    }
}

#[test]
fn hazard_44_what_is_not_http_is_400_or_505() {
    let server = Server::http(|| hello);
    // C's parser takes all that it is asked about here.
    for (request, status, c_takes_it) in [
        ("GET / HTTP/9.9\r\nHost: h\r\n\r\n", 505, true),
        ("GET / HTTP/1.2\r\nHost: h\r\n\r\n", 505, true),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, true),
        ("G@T / HTTP/1.1\r\nHost: h\r\n\r\n", 400, true),
        ("GET / HTTP/1.1\r\nHost: h\r\nX(y: a\r\n\r\n", 400, true),
        ("GET / HTTP/1.1\r\n\r\n", 400, true),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, true),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, true),
        ("GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400, true),
        ("GET / HTTP/1.1\nHost: h\n\n", 400, true),
        ("GET relative HTTP/1.1\r\nHost: h\r\n\r\n", 400, true),
        ("GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n", 400, false),
        ("GET /\r\n\r\n", 400, false),
        ("GET / http/1.1\r\nHost: h\r\n\r\n", 400, true),
        ("GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n", 400, false),
        ("GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n", 400, false),
        ("\x16\x03\x01\x02\x00\x01\x00\x01\x7c\x03\x03\r\n\r\n", 400, false),
    ] {
        let mut client = Client::connect(server.address);
        let response = client.send(request).response();
        assert_eq!((response.status, response.header("Connection")), (status, Some("close")), "{request:?}");
        assert!(client.end().to_end().is_empty(), "{request:?}");
        assert_eq!(raw::parse(request.as_bytes()).result > 0, c_takes_it, "C on {request:?}");
    }
}
