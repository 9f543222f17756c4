//! What the build script and `cargo xtask` share: where the C source comes from, and how it is configured.
//!
//! Nothing here prints a `cargo:` line or reads the environment; `build.rs` does both. So every step can be
//! tested as a plain function, and `xtask` can use it outside a build.

pub mod checksum;
pub mod defines;
pub mod error;
pub mod fetch;
pub mod include;
pub mod source;
pub mod upstream;
pub mod vendor;
