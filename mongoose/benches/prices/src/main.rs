//! A small server that uses each feature that it is built with, for `cargo xtask bench --prices`.
//!
//! Without any it answers, serves files and asks another server: what features add to is there already.

use mongoose::http::{Client, Files, Reply, Request, Response};
use mongoose::{Error, Manager};

#[cfg(feature = "include_dir")]
static SITE: include_dir::Dir<'_> = include_dir::include_dir!("$CARGO_MANIFEST_DIR/src");

fn main() -> Result<(), Error> {
    let mut manager = Manager::new()?;
    let client = Client::new(&manager);
    #[cfg(not(any(feature = "tls-rustls", feature = "tls-builtin")))]
    let listener = manager.listener("http://127.0.0.1:8000");
    #[cfg(any(feature = "tls-rustls", feature = "tls-builtin"))]
    let listener = {
        use mongoose::tls::ServerConfig;
        manager.listener("https://127.0.0.1:8443").tls(ServerConfig::from_files("tls.pem", "tls.key")?)
    };
    #[cfg(feature = "tls-rustls")]
    let client = client.with_tls(mongoose::tls::ClientConfig::system_roots().build()?);

    let files = Files::new("site")?;
    #[cfg(feature = "include_dir")]
    let embedded = Files::embedded(&SITE);
    #[cfg(feature = "json-rpc")]
    let methods = {
        use mongoose::jsonrpc::{Call, Server};
        let mut server = Server::new();
        server.method("sum", |call: Call<'_, ()>| Ok(call.params::<Vec<u32>>()?.iter().sum::<u32>()));
        server
    };

    listener.http(move |request: Request<'_>, reply: Reply<'_>| match request.path() {
        "/hello" => reply.text("Hello, World!"),
        "/ask" => {
            let asked = client.get("https://example.org/");
            #[cfg(feature = "gzip")]
            let asked = asked.gzip();
            asked.send(|result: Result<Response<'_>, Error>| {
                println!("{:?}", result.map(|found| found.status()))
            })?;
            reply.empty()
        }
        #[cfg(feature = "bytes")]
        "/bytes" => reply.body(bytes::Bytes::copy_from_slice(request.body())),
        #[cfg(feature = "cookies")]
        "/cookies" => {
            let visits: u32 = request.cookie("visits").and_then(|one| one.value().parse().ok()).unwrap_or(0);
            reply.cookie(&cookie::Cookie::new("visits", (visits + 1).to_string())).empty()
        }
        #[cfg(feature = "http")]
        "/http" => {
            let made = http::Response::builder().status(201).header("x-path", request.path());
            let method = request.to_http()?.method().to_string();
            reply.respond(made.body(method).map_err(Error::handler)?)
        }
        #[cfg(feature = "include_dir")]
        path if path.starts_with("/embedded") => embedded.serve(&request, reply),
        #[cfg(feature = "json-rpc")]
        "/rpc" => methods.http(request, reply, &()),
        #[cfg(feature = "serde")]
        "/sum" => reply.json(&request.json::<Vec<u32>>()?.iter().sum::<u32>()),
        _ => files.serve(&request, reply),
    })?;

    #[cfg(feature = "metrics")]
    mongoose::metrics::Metrics::new(&[]).update(&manager);
    #[cfg(feature = "router")]
    manager.http("http://127.0.0.1:8001", router()?)?;
    #[cfg(feature = "tower")]
    manager.http("http://127.0.0.1:8002", mongoose::tower::Serve::new(service::Hello))?;

    #[cfg(feature = "tokio")]
    return {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(Error::handler)?.block_on(mongoose::tokio::run(&mut manager))
    };
    #[cfg(not(feature = "tokio"))]
    manager.run()
}

#[cfg(feature = "router")]
fn router() -> Result<mongoose::http::Router, Error> {
    mongoose::http::Router::new()
        .get("/users/{id}", |_, params, reply| reply.text(format!("user {}", params.parse::<u64>("id")?)))
}

#[cfg(feature = "tower")]
mod service {
    use std::convert::Infallible;
    use std::future::{Ready, ready};
    use std::task::{Context, Poll};

    use http::{Request, Response};
    use mongoose::tower::Body;

    #[derive(Clone)]
    pub struct Hello;

    impl tower_service::Service<Request<Body>> for Hello {
        type Response = Response<Body>;
        type Error = Infallible;
        type Future = Ready<Result<Response<Body>, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: Request<Body>) -> Self::Future {
            ready(Ok(Response::new(format!("hello, {}", request.uri().path()).into())))
        }
    }
}
