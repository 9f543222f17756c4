//! The router.

use mongoose::http::{BodyMode, Params, Reply, Request, Router, Upload};
use mongoose::{Connection, Error};
use mongoose_tests::{Client, Response, Server};

struct Counting(usize);

impl Upload for Counting {
    fn data(&mut self, _: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
        self.0 += piece.len();
        Ok(())
    }

    fn end(&mut self, reply: Reply<'_>) -> Result<(), Error> {
        reply.text(format!("{} bytes", self.0))
    }
}

fn name(
    name: &'static str,
) -> impl FnMut(Request<'_>, &Params<'_>, Reply<'_>) -> Result<(), Error> + 'static {
    move |_, _, reply| reply.text(name)
}

fn router() -> Result<Router, Error> {
    Router::new()
        .get("/", name("root"))?
        .get("/users", name("users"))?
        .get("/users/me", name("me"))?
        .get("/users/{id}", |_, params, reply| match params.parse::<u64>("id") {
            Ok(id) => reply.text(format!("user {id}")),
            Err(error) => reply.status(404).text(error.to_string()),
        })?
        .delete("/users/{id}", |_, params, reply| {
            reply.text(format!("deleted {}", params.get("id").expect("it")))
        })?
        .get("/users/{id}/files/{*path}", |request: Request<'_>, params: &Params<'_>, reply: Reply<'_>| {
            let found = (params.get("id"), params.get("path"), params.get("name"), request.query());
            reply.text(format!("{found:?}"))
        })?
        .post("/users", |request, _, reply| reply.status(201).body(request.body()))?
        .put("/head", name("put"))?
        .route("HEAD", "/both", BodyMode::Buffered, |_, _, reply| reply.header("X-Head", "own").empty())?
        .get("/both", name("get"))?
        .route("OPTIONS", "/both", BodyMode::Buffered, name("own options"))?
        .route("POST", "/upload/{name}", BodyMode::Streamed, |_, _, reply| reply.receive(Counting(0)))?
        .route("PURGE", "/users", BodyMode::Buffered, name("purged"))
}

fn ask(client: &mut Client, method: &str, target: &str) -> Response {
    let request = format!("{method} {target} HTTP/1.1\r\nHost: h\r\n\r\n");
    let client = client.send(request);
    if method == "HEAD" { client.response_to_head() } else { client.response() }
}

#[test]
fn routes_by_method_and_path() {
    let server = Server::http(|| router().expect("a router"));
    let mut client = Client::connect(server.address);
    for (method, target, status, text) in [
        ("GET", "/", 200, "root"),
        ("GET", "/?a=b", 200, "root"),
        ("GET", "http://h/users", 200, "users"),
        ("GET", "/users/me", 200, "me"),
        ("GET", "/users/42", 200, "user 42"),
        ("GET", "/users/%34%32", 200, "user 42"),
        ("GET", "/users/18446744073709551616", 404, "id in the path is not what it has to be"),
        ("DELETE", "/users/a%2Fb%20%C3%BC+", 200, "deleted a/b \u{fc}+"),
        ("GET", "/users/1/files/a/b%20c/", 200, r#"(Some("1"), Some("a/b c/"), None, "")"#),
        ("GET", "/users/x/files/%2e%2e/y?q", 200, r#"(Some("x"), Some("../y"), None, "q")"#),
        ("POST", "/users", 201, ""),
        ("PURGE", "/users", 200, "purged"),
        ("OPTIONS", "/both", 200, "own options"),
        ("GET", "/users/", 404, "Not Found\n"),
        ("GET", "/users/42/", 404, "Not Found\n"),
        ("GET", "/users/42/files/", 404, "Not Found\n"),
        ("GET", "/Users", 404, "Not Found\n"),
        ("GET", "//", 404, "Not Found\n"),
        ("GET", "/users/%", 400, "not a percent-encoded text: a % at the end\n"),
        ("GET", "/users/%ff", 400, "not a percent-encoded text: not UTF-8\n"),
    ] {
        let response = ask(&mut client, method, target);
        assert_eq!((response.status, response.text()), (status, text), "{method} {target}");
    }
}

#[test]
fn answers_405_and_options_with_what_is_allowed() {
    let server = Server::http(|| router().expect("a router"));
    let mut client = Client::connect(server.address);
    for (method, target, status, allow) in [
        ("POST", "/", 405, "GET, HEAD, OPTIONS"),
        ("get", "/", 405, "GET, HEAD, OPTIONS"),
        ("PUT", "/users/7", 405, "DELETE, GET, HEAD, OPTIONS"),
        ("GET", "/head", 405, "OPTIONS, PUT"),
        ("HEAD", "/head", 405, "OPTIONS, PUT"),
        ("OPTIONS", "/", 204, "GET, HEAD, OPTIONS"),
        ("OPTIONS", "/users", 204, "GET, HEAD, OPTIONS, POST, PURGE"),
        ("OPTIONS", "*", 204, "DELETE, GET, HEAD, OPTIONS, POST, PURGE, PUT"),
    ] {
        let response = ask(&mut client, method, target);
        assert_eq!((response.status, response.header("Allow")), (status, Some(allow)), "{method} {target}");
    }
}

#[test]
fn head_runs_the_route_of_get_unless_it_has_its_own() {
    let server = Server::http(|| router().expect("a router"));
    let mut client = Client::connect(server.address);
    let response = ask(&mut client, "HEAD", "/users/42");
    assert_eq!((response.status, response.header("Content-Length")), (200, Some("7")));
    let response = ask(&mut client, "HEAD", "/both");
    assert_eq!((response.header("X-Head"), response.header("Content-Length")), (Some("own"), Some("0")));
    assert_eq!(ask(&mut client, "HEAD", "/nowhere").status, 404);
}

#[test]
fn a_streamed_route_takes_more_than_the_limit_of_bodies() {
    let mut limits = mongoose::Limits::default();
    limits.body = 1000;
    let server = Server::http_within(limits, || router().expect("a router"));
    let post = |path, size: usize| {
        let head = format!("POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n\r\n");
        Client::connect(server.address).send([head.into_bytes(), vec![b'x'; size]].concat()).response()
    };
    assert_eq!(post("/upload/a", 5000).text(), "5000 bytes");
    assert_eq!(post("/users", 1000).body.len(), 1000);
    assert_eq!(post("/users", 1001).status, 413);
    assert_eq!(post("/nowhere", 1001).status, 413);
}

#[test]
fn a_fallback_takes_what_no_path_matches_and_nothing_else() {
    let server = Server::http(|| {
        router().expect("a router").fallback(|request, params, reply| {
            assert_eq!(params.get("id"), None);
            reply.status(404).text(format!("{} {}", request.method(), request.path()))
        })
    });
    let mut client = Client::connect(server.address);
    assert_eq!(ask(&mut client, "GET", "/nowhere").text(), "GET /nowhere");
    assert_eq!(ask(&mut client, "OPTIONS", "/nowhere").text(), "OPTIONS /nowhere");
    assert_eq!(ask(&mut client, "POST", "/").status, 405);
    assert_eq!(ask(&mut client, "OPTIONS", "*").status, 204);
}

#[test]
fn routes_that_conflict_or_are_malformed_are_errors_when_they_are_added() {
    for (method, path) in [
        ("GET", "/users"),
        ("GET", "/users/{id}"),
        ("POST", "/users/{name}"),
        ("GET", "/users/{*rest}"),
        ("GET", ""),
        ("GET", "users"),
        ("GET", "/a/{"),
        ("GET", "/a/{}"),
        ("GET", "/a/{*}"),
        ("GET", "/a/{*b}/c"),
    ] {
        let added = router().expect("a router").route(method, path, BodyMode::Buffered, name("x"));
        let error = added.err().unwrap_or_else(|| panic!("{method} {path} was added"));
        assert!(matches!(error, Error::Route { .. }));
        assert!(error.to_string().starts_with(&format!("cannot route {method} {path}: ")), "{error}");
    }
    let added = router().expect("a router").put("/users/{id}", name("x"));
    assert!(added.is_ok(), "another method of a known path");
}
