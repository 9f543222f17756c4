//! Finds the C source of Mongoose, writes its settings, compiles it and tells cargo how to link it.
//!
//! The steps themselves are in `build/`. Only this file reads the environment and talks to cargo.

#[allow(dead_code, reason = "some of it is for `cargo xtask` alone")]
#[path = "build/mod.rs"]
mod build;
#[path = "build/compile.rs"]
mod compile;

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::exit;

use build::defines::Features;
use build::error::Error;
use build::include;
use build::source::Search;
use build::upstream::Upstream;

fn main() {
    if let Err(error) = run() {
        eprintln!("\nerror: {error}\n");
        exit(1);
    }
}

fn run() -> Result<(), Error> {
    // Documentation links nothing, and where docs.rs makes it there may be neither the source nor a network.
    if user_var("DOCS_RS").is_some() {
        return Ok(());
    }
    let manifest_dir = PathBuf::from(cargo_var("CARGO_MANIFEST_DIR"));
    let out_dir = PathBuf::from(cargo_var("OUT_DIR"));
    let include_dir = out_dir.join("include");
    let csrc_dir = manifest_dir.join("csrc");
    for own in ["build.rs", "build", "csrc", "upstream.toml"] {
        println!("cargo:rerun-if-changed={own}");
    }

    let upstream = Upstream::read(&manifest_dir)?;
    let search = Search {
        manifest_dir,
        override_dir: user_var("MONGOOSE_SYS_SOURCE_DIR").map(PathBuf::from),
        allow_version_mismatch: user_var("MONGOOSE_SYS_ALLOW_VERSION_MISMATCH").is_some_and(|v| v == "1"),
        pythons: Search::pythons(user_var("PYTHON")),
    };
    let source_dir = search.locate(&upstream)?;
    for (name, _) in upstream.files() {
        println!("cargo:rerun-if-changed={}", source_dir.join(name).display());
    }

    include::write(&include_dir, &source_dir, &csrc_dir, features())?;
    compile::compile(&csrc_dir, &source_dir, &include_dir);

    println!("cargo:include={}", include_dir.display());
    println!("cargo:version={}", upstream.version);
    Ok(())
}

/// The cargo features that are on. Cargo gives them as variables, whatever host this runs on.
fn features() -> Features {
    let on = |name: &str| env::var_os(format!("CARGO_FEATURE_{name}")).is_some();
    Features { tls_builtin: on("TLS_BUILTIN"), ssi: on("SSI"), dirlist: on("DIRLIST") }
}

/// A variable that the user may set; cargo runs this script again when it changes. Empty counts as unset.
fn user_var(name: &str) -> Option<OsString> {
    println!("cargo:rerun-if-env-changed={name}");
    env::var_os(name).filter(|value| !value.is_empty())
}

/// A variable that cargo always sets for a build script.
fn cargo_var(name: &str) -> OsString {
    env::var_os(name)
        .unwrap_or_else(|| panic!("cargo did not set {name}; this file only runs as a build script"))
}
