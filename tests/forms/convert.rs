//! Requests and replies as the `http` crate has them.

use http::{Response, StatusCode, Version, header};
use mongoose::Error;
use mongoose::http::{Reply, Request};
use mongoose_tests::{Client, Server};

#[test]
fn a_request_is_the_same_there() {
    let server = Server::http(|| {
        |request: Request<'_>, reply: Reply<'_>| {
            let view = request.to_http()?;
            let copy: http::Request<Vec<u8>> = request.try_into()?;
            assert_eq!(&view.body()[..], &copy.body()[..]);
            assert_eq!(view.body().as_ptr(), request.body().as_ptr(), "a view");
            assert_eq!(
                (view.method(), view.uri(), view.headers()),
                (copy.method(), copy.uri(), copy.headers())
            );
            let values = |name| copy.headers().get_all(name).iter().map(|value| value.as_bytes().to_vec());
            let seen = (
                copy.method().as_str(),
                copy.uri().to_string(),
                copy.version() == Version::HTTP_10,
                values("x-several").collect::<Vec<_>>(),
                copy.headers().len(),
                copy.body(),
            );
            reply.text(format!("{seen:?}"))
        }
    });
    let several = format!("{:?}", [b"1".to_vec(), b"\xff".to_vec(), b"3".to_vec()]);
    for (request, expected) in [
        (
            &b"PATCH /a%20b?c=d HTTP/1.1\r\nHost: h\r\nX-Several: 1\r\nx-several:\xff\r\nX-SEVERAL: 3\r\n\
               Content-Length: 2\r\n\r\nhi"[..],
            format!(r#"("PATCH", "/a%20b?c=d", false, {several}, 5, {:?})"#, b"hi"),
        ),
        (
            b"REPORT http://h:80/x HTTP/1.0\r\nHost: h:80\r\nConnection: keep-alive\r\n\r\n",
            r#"("REPORT", "http://h:80/x", true, [], 2, [])"#.to_owned(),
        ),
        (b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", r#"("OPTIONS", "*", false, [], 1, [])"#.to_owned()),
    ] {
        assert_eq!(Client::connect(server.address).send(request).response().text(), expected);
    }
}

#[test]
fn a_target_that_the_crate_refuses_is_a_typed_error() {
    let mut limits = mongoose::Limits::default();
    limits.head = 1 << 20;
    let server = Server::http_within(limits, || {
        |request: Request<'_>, reply: Reply<'_>| match request.to_http() {
            Ok(_) => reply.text("converted"),
            Err(Error::Convert(_)) => reply.status(400).text("refused"),
            Err(error) => Err(error),
        }
    });
    let mut client = Client::connect(server.address);
    assert_eq!(client.get(&format!("/{}", "a".repeat(60_000))).text(), "converted");
    assert_eq!(client.get(&format!("/{}", "a".repeat(70_000))).text(), "refused");
}

/// Serves what `make` makes of the path.
fn serve(make: fn(&str) -> Response<Vec<u8>>) -> (Server, Client) {
    let server = Server::http(move || {
        move |request: Request<'_>, reply: Reply<'_>| {
            reply.header("X-Ours", "0").respond(make(request.path()))
        }
    });
    let client = Client::connect(server.address);
    (server, client)
}

#[test]
fn a_response_is_sent_with_status_all_headers_and_body() {
    let (_server, mut client) = serve(|_| {
        let builder = Response::builder().status(201).header("x-several", "1").header("X-Several", "2");
        let builder = builder.header(header::CONTENT_TYPE, "a/b").header(header::CONTENT_LENGTH, 4);
        let builder = builder.header(header::TRANSFER_ENCODING, "chunked").header("connection", "keep-alive");
        builder.version(Version::HTTP_2).body(b"a\0%s".to_vec()).expect("valid")
    });
    for _ in 0..2 {
        let response = client.get("/");
        assert_eq!((response.status, &response.body[..]), (201, &b"a\0%s"[..]));
        let lines: Vec<_> = response.head.lines().filter(|line| !line.starts_with("Date")).collect();
        let expected = [
            "HTTP/1.1 201 Created",
            "X-Ours: 0",
            "x-several: 1",
            "x-several: 2",
            "content-type: a/b",
            "Content-Length: 4",
            "",
        ];
        assert_eq!(lines, expected);
    }
}

#[test]
fn framing_is_ours_and_has_to_fit() {
    let (_server, mut client) = serve(|path| {
        let builder = Response::builder();
        let builder = match path {
            "/too-long" => builder.header("content-length", 5),
            "/no-number" => builder.header("content-length", "x"),
            "/1xx" => builder.status(StatusCode::SWITCHING_PROTOCOLS),
            "/304" => builder.status(304).header("content-length", 1000),
            _ => builder.header("connection", "x, Close"),
        };
        builder.body(if path == "/304" { Vec::new() } else { b"body".to_vec() }).expect("valid")
    });
    for path in ["/too-long", "/no-number", "/1xx"] {
        assert_eq!(client.get(path).status, 500, "{path}");
    }
    assert_eq!(client.get("/304").header("Content-Length"), None);
    let response = client.get("/close");
    assert_eq!((response.text(), response.header("Connection")), ("body", Some("close")));
    assert_eq!(client.to_end(), b"");
}

#[test]
fn to_head_a_length_may_stand_for_a_body_that_is_not_there() {
    let (_server, mut client) =
        serve(|_| Response::builder().header("content-length", 1000).body(Vec::new()).expect("valid"));
    let response = client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n").response_to_head();
    assert_eq!((response.status, response.header("Content-Length")), (200, Some("1000")));
    assert_eq!(client.get("/").status, 500, "to GET it has to be there");
}
