//! Where things are in this repository.

use std::env;
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
