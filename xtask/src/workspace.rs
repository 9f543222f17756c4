//! Where things are in this repository.

use std::env;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

use crate::build::source::Search;

/// The folder of the workspace.
pub fn root() -> PathBuf {
    let xtask = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().expect("xtask lies in the workspace").to_path_buf()
}

/// The folder of mongoose-sys.
pub fn mongoose_sys() -> PathBuf {
    root().join("mongoose-sys")
}

/// The features of `mongoose`, as its manifest has them, but for `default` and those that others ask for.
pub fn features() -> Result<Vec<String>, Box<dyn Error>> {
    let manifest = fs::read_to_string(root().join("mongoose/Cargo.toml"))?;
    let (_, section) = manifest.split_once("\n[features]\n").ok_or("mongoose/Cargo.toml has no features")?;
    let names = section.lines().take_while(|line| !line.starts_with('['));
    let names = names.filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = ["));
    let names = names.map(|(name, _)| name.to_owned());
    Ok(names.filter(|name| name != "default" && !name.starts_with('_')).collect())
}

/// The search for the C source that a build would make, by the same variables.
pub fn search() -> Search {
    let var = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    Search {
        manifest_dir: mongoose_sys(),
        override_dir: var("MONGOOSE_SYS_SOURCE_DIR").map(PathBuf::from),
        allow_version_mismatch: var("MONGOOSE_SYS_ALLOW_VERSION_MISMATCH").is_some_and(|value| value == "1"),
        pythons: Search::pythons(var("PYTHON")),
    }
}
