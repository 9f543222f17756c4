//! hyper on one thread, as a peer of the bench: `peer-hyper PORT`.

mod site;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let port = std::env::args().nth(1).ok_or("usage: peer-hyper PORT")?.parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, serve(port))
}

async fn serve(port: u16) -> Outcome<()> {
    let bodies = site::bodies();
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    loop {
        let Ok((socket, _)) = listener.accept().await else { continue };
        // As the others do.
        let _ = socket.set_nodelay(true);
        let service = service_fn(move |request| site::answer(request, bodies));
        tokio::task::spawn_local(
            http1::Builder::new().pipeline_flush(true).serve_connection(TokioIo::new(socket), service),
        );
    }
}
