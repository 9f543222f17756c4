//! Our client in the handlers of a router: a proxy whose responses are passed on while they come.

use std::io::Write;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header::HOST};
use axum::response::Response;
use mongoose::http::{self, Reply};
use mongoose::tokio::{HttpClient, StreamedResponse};
use mongoose_tests::{Client, Server, scaled};

use super::on_both;

async fn forward(
    State((client, origin)): State<(HttpClient, String)>,
    request: Request,
) -> Result<Response, StatusCode> {
    let (mut parts, body) = request.into_parts();
    parts.uri = format!("{origin}{}", parts.uri).parse().expect("a URI");
    parts.headers.remove(HOST);
    let body = to_bytes(body, 1 << 20).await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
    let request = client.request_from(Request::from_parts(parts, body));
    let response = request.gzip().receive().await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    let response: axum::http::Response<StreamedResponse> =
        response.try_into().expect("headers that both take");
    Ok(response.map(Body::new))
}

#[test]
fn a_router_passes_on_what_our_client_gets() {
    let large = scaled(20 << 20) as u64;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all("compressible ".repeat(1000).as_bytes()).expect("to memory");
    let packed = encoder.finish().expect("to memory");
    let origin = Server::http(move || {
        move |request: http::Request<'_>, reply: Reply<'_>| match request.path() {
            "/echo" => reply.status(201).header("X-Origin", "yes").body(request.body()),
            "/sized" => reply.length(large).reader(std::io::Read::take(std::io::repeat(b's'), large)),
            "/chunked" => reply.reader(std::io::Read::take(std::io::repeat(b'c'), large)),
            "/cut" => reply.length(large + 1).reader(std::io::Read::take(std::io::repeat(b'x'), large)),
            "/packed" => reply.header("Content-Encoding", "gzip").body(packed.clone()),
            "/endless" => reply.reader(std::io::repeat(b'e')),
            _ => reply.status(404).text("nothing there"),
        }
    });
    let url = format!("http://{}", origin.address);
    let client = origin.ask(|registry| HttpClient::new(registry, http::Client::new(registry)));
    let router = || Router::new().fallback(forward).with_state((client.clone(), url.clone()));
    on_both(router, |site| {
        let client = &mut Client::connect(site.address);
        client.send("POST /echo?a=b HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nbody");
        let echo = client.response();
        assert_eq!((echo.status, echo.text(), echo.header("X-Origin")), (201, "body", Some("yes")));
        let sized = client.get("/sized");
        assert_eq!(sized.header("Content-Length"), Some(&*large.to_string()));
        assert!(sized.body.len() as u64 == large && sized.body.iter().all(|&byte| byte == b's'));
        let chunked = client.get("/chunked");
        assert!(chunked.body.len() as u64 == large && chunked.body.iter().all(|&byte| byte == b'c'));
        assert_eq!(client.get("/elsewhere").status, 404);
        // What our client has unpacked is not said to be packed, or as short.
        let packed = client.get("/packed");
        assert_eq!((packed.header("Content-Encoding"), packed.header("Content-Length")), (None, None));
        assert_eq!(packed.text(), "compressible ".repeat(1000));

        let mut cut = Client::connect(site.address);
        let received = cut.send("GET /cut HTTP/1.1\r\nHost: test\r\n\r\n").to_end();
        assert!((received.len() as u64) < large + 500, "its end is missing");

        // Who leaves has the rest given up at the origin, too.
        let mut leaving = Client::connect(site.address);
        leaving.send("GET /endless HTTP/1.1\r\nHost: test\r\n\r\n").exactly(100_000);
        let busy = |registry: &mongoose::Registry| {
            let responding = mongoose::State::RESPONDING;
            let ids = registry.connections();
            ids.into_iter()
                .filter(|id| registry.connection(*id).is_ok_and(|one| one.state().contains(responding)))
                .count()
        };
        assert_eq!(origin.ask(busy), 1);
        leaving.reset();
        origin.wait_until("the origin to be told", move |registry| busy(registry) == 0);
    });
}
