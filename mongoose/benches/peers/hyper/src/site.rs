//! What is served where.

use std::convert::Infallible;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response, StatusCode};

/// The larger bodies, made once.
pub fn bodies() -> &'static [Bytes] {
    [10 << 10, 100 << 10, 1 << 20].map(|size| Bytes::from([b'x'].repeat(size))).to_vec().leak()
}

pub async fn answer(
    request: Request<Incoming>,
    bodies: &[Bytes],
) -> Result<Response<Full<Bytes>>, Infallible> {
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
