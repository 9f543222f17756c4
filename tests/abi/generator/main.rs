//! Build script of the ABI test. From the names in the bindings it writes a C file, which is compiled against
//! the real header with the real settings, and a Rust file with the same questions asked of the bindings.

mod bindings;
mod c;
mod rust;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    // mongoose-sys exports the folder with its header and settings; see its documentation.
    let include_dir = env::var_os("DEP_MONGOOSE_INCLUDE").expect("mongoose-sys exports its include folder");
    let include_dir = PathBuf::from(include_dir);
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mongoose-sys/src");

    let mut names = bindings::Names::default();
    for source in ["bindings.rs", "config.rs"] {
        let path = sources.join(source);
        println!("cargo:rerun-if-changed={}", path.display());
        let text = fs::read_to_string(&path).expect("mongoose-sys lies beside this package");
        names.add(&syn::parse_file(&text).expect("the bindings are valid Rust"));
    }
    println!("cargo:rerun-if-changed=abi/generator");
    println!("cargo:rerun-if-changed={}", include_dir.join("mongoose_upstream.h").display());

    let header = fs::read_to_string(include_dir.join("mongoose_upstream.h")).expect("mongoose-sys wrote it");
    let c_file = out_dir.join("abi.c");
    fs::write(&c_file, c::file(&names, &header)).expect("OUT_DIR can be written");
    fs::write(out_dir.join("abi.rs"), rust::file(&names)).expect("OUT_DIR can be written");
    let version = env::var("DEP_MONGOOSE_VERSION").expect("mongoose-sys exports its version");
    println!("cargo:rustc-env=MONGOOSE_VERSION={version}");
    // The test names the library itself, so that the package's other tests are not linked with it.
    println!("cargo:rustc-link-search=native={}", out_dir.display());
    cc::Build::new().file(&c_file).include(&include_dir).warnings(false).cargo_metadata(false).compile("abi");
}
