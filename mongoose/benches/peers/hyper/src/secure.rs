//! hyper over TLS by rustls and graviola, on one thread, as a peer of the bench: `peer-hyper-secure PORT FOLDER`.

mod site;

use std::path::Path;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(port), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("usage: peer-hyper-secure PORT FOLDER".into());
    };
    let config = configuration(Path::new(&folder))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, serve(port.parse()?, config))
}

/// As ours: the same cryptography, and tickets that the clients keep.
fn configuration(folder: &Path) -> Outcome<ServerConfig> {
    let chain = vec![CertificateDer::from_pem_file(folder.join("tls.pem"))?];
    let key = PrivateKeyDer::from_pem_file(folder.join("tls.key"))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls_graviola::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.ticketer = rustls_graviola::Ticketer::new()?;
    Ok(config)
}

async fn serve(port: u16, config: ServerConfig) -> Outcome<()> {
    let bodies = site::bodies();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    loop {
        let Ok((socket, _)) = listener.accept().await else { continue };
        // As the others do.
        let _ = socket.set_nodelay(true);
        let acceptor = acceptor.clone();
        tokio::task::spawn_local(async move {
            let Ok(stream) = acceptor.accept(socket).await else { return };
            let service = service_fn(move |request| site::answer(request, bodies));
            // The client may be gone.
            let _ = http1::Builder::new()
                .pipeline_flush(true)
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}
