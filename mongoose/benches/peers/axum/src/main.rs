//! axum on one thread, as a peer of the bench: `peer-axum PORT`.

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("usage: peer-axum PORT")?.parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let [ten, hundred, thousand] =
            [10 << 10, 100 << 10, 1 << 20].map(|size| Bytes::from(vec![b'x'; size]));
        let router = Router::new()
            .route("/hello", get(|| async { text(Bytes::from_static(b"Hello, World!")) }))
            .route("/10k", get(|| async { text(ten) }))
            .route("/100k", get(|| async { text(hundred) }))
            .route("/1m", get(|| async { text(thousand) }))
            .route("/post", post(|_: Bytes| async { text(Bytes::from_static(b"Hello, World!")) }));
        let listener = TcpListener::bind(("127.0.0.1", port)).await?.tap_io(|socket| {
            // As the others do.
            let _ = socket.set_nodelay(true);
        });
        Ok(axum::serve(listener, router).await?)
    })
}

fn text(body: Bytes) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; charset=utf-8")], body)
}
