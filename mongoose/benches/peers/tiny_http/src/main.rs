//! tiny_http, as a peer of the bench: `peer-tiny_http PORT`.

use std::io::Read;

use tiny_http::{Header, Response, Server};

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let port: u16 = std::env::args().nth(1).ok_or("usage: peer-tiny_http PORT")?.parse()?;
    let server = Server::http(("127.0.0.1", port))?;
    let [ten, hundred, thousand] = [10 << 10, 100 << 10, 1 << 20].map(|size| vec![b'x'; size]);
    let kind: Header = "Content-Type: text/plain; charset=utf-8".parse().map_err(|()| "a header")?;
    for mut request in server.incoming_requests() {
        let body: &[u8] = match request.url() {
            "/hello" | "/post" => b"Hello, World!",
            "/10k" => &ten,
            "/100k" => &hundred,
            "/1m" => &thousand,
            _ => b"",
        };
        std::io::copy(request.as_reader(), &mut std::io::sink())?;
        // Its own way of making a reply sends large ones chunked.
        let reply =
            Response::new(200.into(), vec![kind.clone()], body.take(u64::MAX), Some(body.len()), None)
                .with_chunked_threshold(usize::MAX);
        // A client that has gone is no reason to end.
        let _ = request.respond(reply);
    }
    Ok(())
}
