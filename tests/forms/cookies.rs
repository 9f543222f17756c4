//! Cookies, both ways.

use mongoose::http::cookie::{Cookie, SameSite, time};
use mongoose::http::{Reply, Request};
use mongoose_tests::{Client, Server};

#[test]
fn hazard_39_cookies_come_in_order_and_are_found_by_their_whole_name() {
    let server = Server::http(|| {
        |request: Request<'_>, reply: Reply<'_>| {
            let all: Vec<_> =
                request.cookies().map(|cookie| format!("{}={}", cookie.name(), cookie.value())).collect();
            let session = request.cookie("session").map(|cookie| cookie.value().to_owned());
            reply.text(format!("{all:?} {session:?}"))
        }
    });
    let mut client = Client::connect(server.address);
    let mut ask = |headers: &str| {
        let request = format!("GET / HTTP/1.1\r\nHost: h\r\n{headers}\r\n");
        client.send(request).response().text().to_owned()
    };
    assert_eq!(
        ask("Cookie: xsession=1; session=a=b; q=\"c d\"; session=2; Session=3\r\n"),
        r#"["xsession=1", "session=a=b", "q=\"c d\"", "session=2", "Session=3"] Some("a=b")"#
    );
    assert_eq!(
        ask("Cookie: a=1\r\nX: session=0\r\nCookie: session=2\r\n"),
        r#"["a=1", "session=2"] Some("2")"#
    );
    assert_eq!(ask("Cookie: ;;session; =x; a=%20+ ;\r\n"), r#"["a=%20+"] None"#);
    assert_eq!(ask("X-Cookie: session=1\r\n"), "[] None");
    let many: String = (0..1000).map(|number| format!("c{number}=v;")).collect();
    assert!(ask(&format!("Cookie: {many}session=last\r\n")).ends_with(r#""session=last"] Some("last")"#));
}

#[test]
fn cookies_are_set_as_they_were_made() {
    let server = Server::http(|| {
        |_: Request<'_>, reply: Reply<'_>| {
            let session = Cookie::build(("session", "abc"))
                .path("/app")
                .domain("example.com")
                .secure(true)
                .http_only(true)
                .same_site(SameSite::Lax)
                .max_age(time::Duration::hours(1));
            reply.cookie(&session.build()).cookie(&Cookie::new("theme", "dark")).empty()
        }
    });
    let response = Client::connect(server.address).get("/");
    let set: Vec<_> = response.head.lines().filter_map(|line| line.strip_prefix("Set-Cookie: ")).collect();
    assert_eq!(set.len(), 2);
    let mut attributes: Vec<_> = set[0].split("; ").collect();
    attributes[1..].sort_unstable();
    let expected = [
        "session=abc",
        "Domain=example.com",
        "HttpOnly",
        "Max-Age=3600",
        "Path=/app",
        "SameSite=Lax",
        "Secure",
    ];
    assert_eq!(attributes, expected);
    assert_eq!(set[1], "theme=dark");
}

#[test]
fn hazard_43_a_cookie_that_would_set_more_than_it_says_is_refused() {
    let server = Server::http(|| {
        |request: Request<'_>, reply: Reply<'_>| {
            let value = request.query_value("value")?.expect("a value").into_owned();
            reply.cookie(&Cookie::new("a", value)).text("set")
        }
    });
    let mut client = Client::connect(server.address);
    assert_eq!(client.get("/?value=harmless").text(), "set");
    for value in ["a;%20Domain=evil", "a%0d%0aX:%20y", "a%20b", "%22", "%00", "%C3%BC"] {
        let response = client.get(&format!("/?value={value}"));
        assert_eq!((response.status, response.header("Set-Cookie")), (500, None), "{value}");
    }
}
