//! A router as many are: it is served by axum's own server and by ours.

use std::time::Duration;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

#[derive(Serialize)]
struct User {
    id: u64,
    name: &'static str,
    tags: [&'static str; 2],
}

pub fn router() -> Router {
    let user = |Path(id): Path<u64>| async move { Json(User { id, name: "J\u{fc}rgen", tags: ["one", "two"] }) };
    Router::new()
        .route("/hello", get(|| async { "Hello, World!" }))
        .route("/json", get(|| async { Json(User { id: 1, name: "Ada", tags: ["one", "two"] }) }))
        .route("/users/{id}", get(user))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_secs(10)))
        .layer(TraceLayer::new_for_http())
}
