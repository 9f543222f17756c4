//! actix-web with one worker, as a peer of the bench: `peer-actix PORT`.

use std::time::Duration;

use actix_web::http::header::ContentType;
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpResponse, HttpServer};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("usage: peer-actix PORT")?.parse()?;
    let bodies: Vec<Bytes> = [10 << 10, 100 << 10, 1 << 20].map(|size| Bytes::from(vec![b'x'; size])).into();
    let serve = async move {
        HttpServer::new(move || {
            let page = |path: &str, body: &Bytes| {
                let body = body.clone();
                let answer = move || {
                    let body = body.clone();
                    async move { text(body) }
                };
                web::resource(path).route(web::get().to(answer))
            };
            App::new()
                .app_data(web::PayloadConfig::new(3 << 20))
                .service(page("/hello", &Bytes::from_static(b"Hello, World!")))
                .service(page("/10k", &bodies[0]))
                .service(page("/100k", &bodies[1]))
                .service(page("/1m", &bodies[2]))
                .route(
                    "/post",
                    web::post().to(|_: Bytes| async { text(Bytes::from_static(b"Hello, World!")) }),
                )
        })
        .workers(1)
        .backlog(1024)
        // Connections that are held idle stay.
        .keep_alive(Duration::from_secs(3600))
        .bind(("127.0.0.1", port))?
        .run()
        .await
    };
    Ok(actix_web::rt::System::new().block_on(serve)?)
}

fn text(body: Bytes) -> HttpResponse {
    HttpResponse::Ok().insert_header(ContentType::plaintext()).body(body)
}
