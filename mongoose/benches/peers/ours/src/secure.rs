//! The mongoose crate over TLS, as a peer of the bench: `peer-ours-secure PORT FOLDER`.

mod site;

use std::path::Path;

use mongoose::{Manager, tls};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(port), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("usage: peer-ours-secure PORT FOLDER".into());
    };
    let folder = Path::new(&folder);
    let config = tls::ServerConfig::from_files(folder.join("tls.pem"), folder.join("tls.key"))?;
    let mut manager = Manager::new()?;
    manager.listener(&format!("https://127.0.0.1:{port}")).tls(config).http(site::handler())?;
    Ok(manager.run()?)
}
