//! What tower-http brings.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderName, Method, StatusCode};
use axum::routing::{get, post};
use mongoose_tests::{Client, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::CorsLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::services::ServeDir;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use super::on_both;

fn get_with(client: &mut Client, target: &str, header: &str) -> Response {
    client.send(format!("GET {target} HTTP/1.1\r\nHost: test\r\n{header}\r\n\r\n")).response()
}

#[test]
fn layers_do_as_they_do_elsewhere() {
    let traced = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&traced);
    let router = move || {
        let counter = Arc::clone(&counter);
        let id = HeaderName::from_static("x-request-id");
        let never = || async { std::future::pending::<&str>().await };
        let panics = || async { panic!("on purpose") as &'static str };
        Router::new()
            .route("/text", get(|| async { "compressible ".repeat(1000) }))
            .route("/never", get(never))
            .route("/panics", get(panics))
            .route("/upload", post(|body: Bytes| async move { body.len().to_string() }))
            .layer(CatchPanicLayer::new())
            .layer(RequestBodyLimitLayer::new(1000))
            .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_millis(50)))
            .layer(CompressionLayer::new())
            .layer(
                CorsLayer::new()
                    .allow_origin("https://one.example".parse::<axum::http::HeaderValue>().expect("a value"))
                    .allow_methods([Method::GET, Method::PUT]),
            )
            .layer(PropagateRequestIdLayer::new(id.clone()))
            .layer(TraceLayer::new_for_http().on_request(move |_: &Request, _: &tracing::Span| {
                counter.fetch_add(1, Ordering::Relaxed);
            }))
            .layer(SetRequestIdLayer::new(id, MakeRequestUuid))
    };
    on_both(router, |site| {
        let before = traced.load(Ordering::Relaxed);
        let client = &mut Client::connect(site.address);
        // Compression.
        let reply = get_with(client, "/text", "Accept-Encoding: gzip");
        assert_eq!(reply.header("Content-Encoding"), Some("gzip"));
        let mut text = String::new();
        flate2::read::GzDecoder::new(&*reply.body).read_to_string(&mut text).expect("gzip");
        assert_eq!(text, "compressible ".repeat(1000));
        assert_eq!(client.get("/text").header("Content-Encoding"), None);
        // Request ids, made and taken over.
        assert_eq!(client.get("/text").header("X-Request-Id").map(str::len), Some(36));
        assert_eq!(get_with(client, "/text", "X-Request-Id: mine").header("X-Request-Id"), Some("mine"));
        // CORS.
        client.send(
            "OPTIONS /text HTTP/1.1\r\nHost: test\r\nOrigin: https://one.example\r\n\
             Access-Control-Request-Method: PUT\r\n\r\n",
        );
        let reply = client.response();
        assert_eq!(reply.header("Access-Control-Allow-Methods"), Some("GET,PUT"));
        assert_eq!(reply.header("Access-Control-Allow-Origin"), Some("https://one.example"));
        // Limits, by the announced length and without.
        client.send("POST /upload HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n").send([b'x'; 1000]);
        assert_eq!(client.response().text(), "1000");
        let body = "x".repeat(1001);
        client.send(format!("POST /upload HTTP/1.1\r\nHost: test\r\nContent-Length: 1001\r\n\r\n{body}"));
        assert_eq!(client.response().status, 413);
        let mut other = Client::connect(site.address);
        let chunk = "x".repeat(2000);
        other.send(format!(
            "POST /upload HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n{chunk}\r\n0\r\n\r\n"
        ));
        assert_eq!(other.response().status, 413);
        // Time-outs.
        let mut other = Client::connect(site.address);
        assert_eq!(other.get("/never").status, 408);
        assert_eq!(other.get("/text").status, 200);
        // Panics.
        assert_eq!(other.get("/panics").status, 500);
        assert_eq!(other.get("/text").status, 200);
        assert_eq!(traced.load(Ordering::Relaxed) - before, 12);
    });
}

#[test]
fn static_files_are_served() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tower");
    let main = std::fs::read(format!("{folder}/main.rs")).expect("a file");
    let router = || Router::new().nest_service("/files", ServeDir::new(folder));
    on_both(router, |site| {
        let client = &mut Client::connect(site.address);
        let reply = client.get("/files/main.rs");
        assert_eq!((reply.status, &reply.body), (200, &main));
        let modified = reply.header("Last-Modified").expect("a date").to_owned();
        let reply = get_with(client, "/files/main.rs", &format!("If-Modified-Since: {modified}"));
        assert_eq!(reply.status, 304);
        let reply = get_with(client, "/files/main.rs", "Range: bytes=4-9");
        assert_eq!((reply.status, &*reply.body), (206, &main[4..10]));
        assert_eq!(client.get("/files/none").status, 404);
        assert_eq!(client.get("/files/../Cargo.toml").status, 404);
        client.send("HEAD /files/main.rs HTTP/1.1\r\nHost: test\r\n\r\n");
        let length = main.len().to_string();
        assert_eq!(client.response_to_head().header("Content-Length"), Some(&*length));
        assert_eq!(client.get("/files/main.rs").body, main, "on the same connection");
    });
}
