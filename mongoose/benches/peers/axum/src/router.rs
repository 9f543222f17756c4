//! A router with layers on axum's own server, as a peer of the bench: `peer-axum-router PORT`.

mod routes;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("usage: peer-axum-router PORT")?.parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?.tap_io(|socket| {
            // As the others do.
            let _ = socket.set_nodelay(true);
        });
        Ok(axum::serve(listener, routes::router()).await?)
    })
}
