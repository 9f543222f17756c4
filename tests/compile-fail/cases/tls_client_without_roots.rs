//! A client believes somebody: there is no builder without authorities.

use mongoose::tls::{ClientConfig, ClientConfigBuilder};

fn main() {
    let _: ClientConfig = ClientConfig::default();
    let _: ClientConfigBuilder = ClientConfig::builder();
    let _: ClientConfigBuilder = ClientConfigBuilder::default();
}
