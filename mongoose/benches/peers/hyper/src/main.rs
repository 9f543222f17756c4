//! hyper on one thread, as a peer of the bench: `peer-hyper PORT`.

use std::convert::Infallible;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
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
    let bodies: &'static [Bytes] =
        vec![[b'x'].repeat(10 << 10), [b'x'].repeat(100 << 10), [b'x'].repeat(1 << 20)]
            .into_iter()
            .map(Bytes::from)
            .collect::<Vec<_>>()
            .leak();
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    loop {
        let Ok((socket, _)) = listener.accept().await else { continue };
        // As the others do.
        let _ = socket.set_nodelay(true);
        let service = service_fn(move |request| answer(request, bodies));
        tokio::task::spawn_local(
            http1::Builder::new().pipeline_flush(true).serve_connection(TokioIo::new(socket), service),
        );
    }
}

async fn answer(request: Request<Incoming>, bodies: &[Bytes]) -> Result<Response<Full<Bytes>>, Infallible> {
    let (status, body) = match request.uri().path() {
        "/hello" => (StatusCode::OK, Bytes::from_static(b"Hello, World!")),
        "/10k" => (StatusCode::OK, bodies[0].clone()),
        "/100k" => (StatusCode::OK, bodies[1].clone()),
        "/1m" => (StatusCode::OK, bodies[2].clone()),
        "/post" => {
            let _ = request.into_body().collect().await;
            (StatusCode::OK, Bytes::from_static(b"Hello, World!"))
        }
        _ => (StatusCode::NOT_FOUND, Bytes::from_static(b"not found")),
    };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    Ok(response)
}
