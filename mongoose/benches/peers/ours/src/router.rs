//! axum's router on the mongoose crate within tokio, as a peer of the bench: `peer-ours-router PORT`.

#[path = "../../axum/src/routes.rs"]
mod routes;

use mongoose::{Manager, tower};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).ok_or("usage: peer-ours-router PORT")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    runtime.block_on(async {
        let mut manager = Manager::new()?;
        manager.http(&format!("http://127.0.0.1:{port}"), tower::Serve::new(routes::router()))?;
        Ok(mongoose::tokio::run(&mut manager).await?)
    })
}
