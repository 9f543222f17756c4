//! Extractors, routers, state and errors.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::body::Bytes;
use axum::extract::{
    ConnectInfo, Extension, FromRef, MatchedPath, Multipart, OriginalUri, Path, Query, Request, State,
};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{any, get, post};
use axum::{BoxError, Form, Json, Router};
use mongoose::tower::{Peer, Serve};
use mongoose_tests::Client;
use serde::{Deserialize, Serialize};

use super::on_both;

#[derive(Deserialize, Serialize)]
struct User {
    name: String,
    age: u8,
}

/// Sends a request in one piece: hyper closes where it answers before it has seen the body.
fn post_to(
    client: &mut Client,
    target: &str,
    kind: &str,
    body: impl AsRef<[u8]>,
) -> mongoose_tests::Response {
    let body = body.as_ref();
    let length = body.len();
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: test\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    );
    client.send([head.as_bytes(), body].concat()).response()
}

#[test]
fn extractors_take_requests_apart() {
    let router = || {
        Router::new()
            .route(
                "/path/{id}/{*rest}",
                get(|Path((id, rest)): Path<(u32, String)>| async move { format!("{id} {rest}") }),
            )
            .route(
                "/query",
                get(|Query(user): Query<User>| async move { format!("{} {}", user.name, user.age) }),
            )
            .route(
                "/json",
                post(|Json(user): Json<User>| async move { Json(User { age: user.age + 1, ..user }) }),
            )
            .route(
                "/form",
                post(|Form(user): Form<User>| async move { format!("{} {}", user.name, user.age) }),
            )
            .route("/bytes", post(|body: Bytes| async move { body.len().to_string() }))
            .route("/text", post(|body: String| async move { body }))
            .route(
                "/headers",
                get(|headers: HeaderMap| async move {
                    headers
                        .get_all("x-it")
                        .iter()
                        .map(|value| value.to_str().expect("text"))
                        .collect::<Vec<_>>()
                        .join("|")
                }),
            )
            .route("/page", get(|| async { Html("<p>hi</p>") }))
            .route("/away", get(|| async { Redirect::to("/page") }))
            .route("/tuple", get(|| async { (StatusCode::CREATED, [("x-made", "here")], "made") }))
    };
    on_both(router, |site| {
        let client = &mut Client::connect(site.address);
        assert_eq!(client.get("/path/7/a%20b/c").text(), "7 a b/c");
        assert_eq!(client.get("/path/seven/x").status, 400);
        assert_eq!(client.get("/query?name=J%C3%BCrgen&age=30").text(), "Jürgen 30");
        assert_eq!(client.get("/query?name=x").status, 400);
        let reply = post_to(client, "/json", "application/json", r#"{"name":"a","age":1}"#);
        assert_eq!(
            (reply.text(), reply.header("Content-Type")),
            (r#"{"name":"a","age":2}"#, Some("application/json"))
        );
        for (kind, body, status) in
            [("text/plain", "{}", 415), ("application/json", "{", 400), ("application/json", "{}", 422)]
        {
            assert_eq!(post_to(client, "/json", kind, body).status, status, "{kind} {body}");
        }
        assert_eq!(
            post_to(client, "/form", "application/x-www-form-urlencoded", "name=a+b&age=5").text(),
            "a b 5"
        );
        for size in [0, 1, 100_000, 2_000_000] {
            assert_eq!(post_to(client, "/bytes", "x/y", vec![b'x'; size]).text(), size.to_string());
        }
        assert_eq!(post_to(client, "/text", "text/plain", "grüße").text(), "grüße");
        assert_eq!(post_to(client, "/text", "text/plain", b"\xff").status, 400);
        client.send("GET /headers HTTP/1.1\r\nHost: test\r\nX-It: 1\r\nX-It: 2\r\n\r\n");
        assert_eq!(client.response().text(), "1|2");
        assert_eq!(client.get("/page").header("Content-Type"), Some("text/html; charset=utf-8"));
        let reply = client.get("/away");
        assert_eq!((reply.status, reply.header("Location")), (303, Some("/page")));
        let reply = client.get("/tuple");
        assert_eq!((reply.status, reply.header("X-Made"), reply.text()), (201, Some("here"), "made"));
        // Past axum's own limit of 2 MB: the answer does not wait for the rest.
        let mut other = Client::connect(site.address);
        other.send("POST /bytes HTTP/1.1\r\nHost: test\r\nContent-Length: 3000000\r\n\r\n");
        other.send(vec![b'x'; (2 << 20) + 1]);
        assert_eq!(other.response().status, 413);
    });
}

#[test]
fn multipart_forms_are_taken_apart() {
    let router = || {
        let upload = |mut form: Multipart| async move {
            let mut told = Vec::new();
            while let Some(field) = form.next_field().await.map_err(|error| error.into_response())? {
                let name = field.name().unwrap_or_default().to_owned();
                let file = field.file_name().unwrap_or_default().to_owned();
                let bytes = field.bytes().await.map_err(|error| error.into_response())?;
                told.push(format!("{name}:{file}:{}", bytes.len()));
            }
            Ok::<_, Response>(told.join(" "))
        };
        Router::new().route("/", post(upload))
    };
    on_both(router, |site| {
        let client = &mut Client::connect(site.address);
        let kind = "multipart/form-data; boundary=XX";
        let mut body = b"--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nhello\r\n\
            --XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.bin\"\r\n\r\n"
            .to_vec();
        body.extend(vec![b'-'; 500_000]);
        body.extend(b"\r\n--XX--\r\n");
        assert_eq!(post_to(client, "/", kind, &body).text(), "a::5 f:x.bin:500000");
        assert_eq!(post_to(client, "/", kind, b"--XX\r\nnonsense").status, 400);
        assert_eq!(post_to(client, "/", "text/plain", b"x").status, 400);
    });
}

#[test]
fn routers_are_nested_layered_and_merged() {
    async fn mark(request: Request, next: Next) -> Response {
        let mut response = next.run(request).await;
        response.headers_mut().append("x-layer", "api".parse().expect("a value"));
        response
    }
    let router = || {
        let where_am_i =
            |uri: OriginalUri, path: MatchedPath| async move { format!("{} {}", uri.0, path.as_str()) };
        let api = Router::new()
            .route("/users/{id}", get(where_am_i))
            .route("/any", any(|| async { "any" }))
            .layer(middleware::from_fn(mark));
        Router::new()
            .nest("/api", api)
            .merge(Router::new().route("/merged", get(|| async { "merged" })))
            .fallback(|uri: axum::http::Uri| async move { (StatusCode::NOT_FOUND, format!("no {uri}")) })
    };
    on_both(router, |site| {
        let client = &mut Client::connect(site.address);
        let reply = client.get("/api/users/7?x=y");
        assert_eq!(
            (reply.text(), reply.header("X-Layer")),
            ("/api/users/7?x=y /api/users/{id}", Some("api"))
        );
        assert_eq!(client.get("/merged").header("X-Layer"), None);
        let reply = client.get("/nowhere");
        assert_eq!((reply.status, reply.text()), (404, "no /nowhere"));
        assert_eq!(post_to(client, "/api/any", "x/y", "body").text(), "any");
        let reply = post_to(client, "/merged", "x/y", "body");
        assert_eq!((reply.status, reply.header("Allow")), (405, Some("GET,HEAD")));
        client.send("HEAD /merged HTTP/1.1\r\nHost: test\r\n\r\n");
        let reply = client.response_to_head();
        assert_eq!((reply.status, reply.header("Content-Length")), (200, Some("6")));
        assert_eq!(client.get("/merged").text(), "merged", "on the same connection");
    });
}

#[test]
fn state_is_shared_by_all_requests() {
    #[derive(Clone)]
    struct App {
        count: Arc<AtomicU32>,
        name: Name,
    }
    #[derive(Clone)]
    struct Name(&'static str);
    impl FromRef<App> for Name {
        fn from_ref(app: &App) -> Self {
            app.name.clone()
        }
    }
    let router = || {
        let count = |State(app): State<App>, Extension(step): Extension<u32>| async move {
            (app.count.fetch_add(step, Ordering::Relaxed) + step).to_string()
        };
        Router::new()
            .route("/count", get(count))
            .route("/name", get(|State(name): State<Name>| async move { name.0 }))
            .layer(Extension(2_u32))
            .with_state(App { count: Arc::default(), name: Name("app") })
    };
    on_both(router, |site| {
        for round in 1..=10 {
            assert_eq!(Client::connect(site.address).get("/count").text(), (2 * round).to_string());
        }
        assert_eq!(Client::connect(site.address).get("/name").text(), "app");
    });
}

/// As the documentation of `Peer` has it; axum's own server is asked by `into_make_service_with_connect_info`.
#[test]
fn who_connects_is_made_of_the_peer() {
    let server = mongoose_tests::Server::http(|| {
        let tell = |ConnectInfo(address): ConnectInfo<SocketAddr>| async move { address.to_string() };
        let router = Router::new().route("/", get(tell)).layer(middleware::map_request(
            |mut request: Request| async {
                if let Some(address) = request.extensions().get::<Peer>().and_then(Peer::remote_addr) {
                    request.extensions_mut().insert(ConnectInfo(address));
                }
                request
            },
        ));
        Serve::new(router)
    });
    let mut client = Client::connect(server.address);
    let address = client.stream().local_addr().expect("an address").to_string();
    assert_eq!(client.get("/").text(), address);
}

#[test]
fn errors_become_responses() {
    struct Refused(u16);
    impl IntoResponse for Refused {
        fn into_response(self) -> Response {
            (StatusCode::from_u16(self.0).expect("a status"), format!("refused with {}", self.0))
                .into_response()
        }
    }
    #[derive(Clone)]
    struct Fails;
    impl tower_service::Service<Request> for Fails {
        type Response = Response;
        type Error = BoxError;
        type Future = std::future::Ready<Result<Response, BoxError>>;
        fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), BoxError>> {
            std::task::Poll::Ready(Ok(()))
        }
        fn call(&mut self, _: Request) -> Self::Future {
            std::future::ready(Err("it failed".into()))
        }
    }
    let router = || {
        let answer = |Path(status): Path<u16>| async move { Err::<&str, _>(Refused(status)) };
        let told = |error: BoxError| async move { (StatusCode::BAD_GATEWAY, error.to_string()) };
        let fails = axum::error_handling::HandleError::new(Fails, told);
        Router::new().route("/{status}", get(answer)).route_service("/service/fails", fails)
    };
    on_both(router, |site| {
        let client = &mut Client::connect(site.address);
        for status in [400, 404, 418, 503] {
            let reply = client.get(&format!("/{status}"));
            assert_eq!((reply.status, reply.text()), (status, &*format!("refused with {status}")));
        }
        let reply = client.get("/service/fails");
        assert_eq!((reply.status, reply.text()), (502, "it failed"));
    });
}
