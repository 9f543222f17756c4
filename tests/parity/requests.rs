//! What a handler sees of a request.

use mongoose::http::{Reply, Request};
use mongoose::{Error, url};
use mongoose_tests::{Client, Server};

/// Serves one handler, which checks its request, and answers "checked".
fn check(request: &str, check: fn(Request<'_>)) {
    let server = Server::http(move || {
        move |request: Request<'_>, reply: Reply<'_>| {
            check(request);
            reply.text("checked")
        }
    });
    assert_eq!(Client::connect(server.address).send(request).response().text(), "checked");
}

#[test]
fn method_path_query_and_protocol() {
    check("PATCH /a%20b/c?d=e&f HTTP/1.1\r\nHost: h\r\n\r\n", |request| {
        assert_eq!(request.method(), "PATCH");
        assert_eq!(request.target(), "/a%20b/c?d=e&f");
        assert_eq!((request.path(), request.query()), ("/a%20b/c", "d=e&f"));
        assert_eq!(request.protocol(), "HTTP/1.1");
        assert_eq!(&*url::decode(request.path()).expect("valid"), b"/a b/c");
    });
    check("GET http://h:80/x?y HTTP/1.0\r\n\r\n", |request| {
        assert_eq!((request.target(), request.path(), request.query()), ("http://h:80/x?y", "/x", "y"));
        assert_eq!(request.protocol(), "HTTP/1.0");
    });
    check("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", |request| {
        assert_eq!((request.method(), request.path(), request.query()), ("OPTIONS", "*", ""));
    });
}

#[test]
fn headers_one_all_and_a_parameter() {
    let request = "GET / HTTP/1.1\r\nHost: h\r\nAccept: a\r\nX-Empty:\r\nACCEPT: b, c\r\nX-Raw:  \u{e9} \t\r\n\
                   Content-Type: multipart/form-data; Boundary=\"a;b\"; charset = utf-8\r\n\r\n";
    check(request, |request| {
        let headers = request.headers();
        assert_eq!((headers.len(), headers.is_empty()), (6, false));
        assert_eq!(headers.get("accept").expect("there"), "a");
        let all: Vec<_> = headers.get_all("Accept").map(|value| value.to_str().expect("text")).collect();
        assert_eq!(all, ["a", "b, c"]);
        assert_eq!(request.header("X-Empty").expect("there"), "");
        assert_eq!(request.header("X-Raw").expect("there").as_bytes(), "\u{e9}".as_bytes(), "trimmed");
        assert!(request.header("X").is_none() && request.header("").is_none());
        let names: Vec<_> = headers.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["Host", "Accept", "X-Empty", "ACCEPT", "X-Raw", "Content-Type"]);
        let kind = request.header("content-type").expect("there");
        assert_eq!(kind.parameter("boundary").as_deref(), Some(&b"a;b"[..]));
        assert_eq!(kind.parameter("CHARSET").as_deref(), Some(&b"utf-8"[..]));
        assert_eq!(kind.parameter("bound"), None);
    });
}

#[test]
fn header_values_that_are_not_utf_8_are_bytes() {
    let server = Server::http(|| {
        |request: Request<'_>, reply: Reply<'_>| {
            let value = request.header("X").expect("there");
            assert!(value.to_str().is_err());
            reply.header("X", value.as_bytes()).body(value.as_bytes())
        }
    });
    let mut client = Client::connect(server.address);
    client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX: ").send(b"\xff\xfe").send("\r\n\r\n");
    let all = client.to_end();
    assert!(all.ends_with(b"\r\n\r\n\xff\xfe"));
    assert!(all.windows(7).any(|window| window == b"X: \xff\xfe\r\n"));
}

#[test]
fn body_head_and_message() {
    check("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nb\0dy\u{7f}", |request| {
        let head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n";
        assert_eq!(request.head(), head.as_bytes());
        assert_eq!(request.body(), b"b\0dy\x7f");
        assert_eq!(request.body_str(), Ok("b\0dy\u{7f}"));
        assert_eq!(request.message(), [head.as_bytes(), b"b\0dy\x7f"].concat());
    });
    check("GET / HTTP/1.1\r\nHost: h\r\n\r\n", |request| {
        assert!(request.body().is_empty());
        assert_eq!(request.message(), request.head());
    });
}

#[test]
fn query_variables_are_decoded() {
    let target =
        "/?a=1&b=x+y%2B%26%3d&a=2&empty=&flag&%C3%A4=umlaut&nul=%00&n%61me=v&bytes=%ff&bad=%zz&=nameless";
    check(&format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n"), |request| {
        let value = |name| request.query_value(name).expect("valid").map(|value| value.into_owned());
        assert_eq!(value("a").as_deref(), Some("1"), "the first of a name");
        assert_eq!(value("b").as_deref(), Some("x y+&="));
        assert_eq!(value("empty").as_deref(), Some(""));
        assert_eq!(value("flag").as_deref(), Some(""));
        assert_eq!(value("\u{e4}").as_deref(), Some("umlaut"));
        assert_eq!(value("nul").as_deref(), Some("\0"));
        assert_eq!(value("name").as_deref(), Some("v"));
        assert_eq!(value("").as_deref(), Some("nameless"));
        assert_eq!(value("A"), None, "names have a case");
        assert_eq!(value("missing"), None);
        assert!(matches!(request.query_value("bytes"), Err(Error::Decode(_))), "not UTF-8");
        assert_eq!(request.query_bytes("bytes").expect("valid").as_deref(), Some(&b"\xff"[..]));
        assert!(matches!(request.query_bytes("bad"), Err(Error::Decode(_))));
        let a: Vec<_> =
            request.query_pairs().filter(|(name, _)| *name == "a").map(|(_, value)| value).collect();
        assert_eq!(a, ["1", "2"]);
    });
}

#[test]
fn http_each_gives_every_connection_a_handler_of_its_own() {
    let server = Server::start(|manager| {
        manager.http_each("http://127.0.0.1:0", || {
            let mut requests = 0;
            move |_: Request<'_>, reply: Reply<'_>| {
                requests += 1;
                reply.text(format!("{requests}"))
            }
        })
    });
    let (mut one, mut two) = (Client::connect(server.address), Client::connect(server.address));
    assert_eq!((one.get("/").text(), one.get("/").text()), ("1", "2"));
    assert_eq!((two.get("/").text(), one.get("/").text()), ("1", "3"));
}
