//! Compiling and linking the C library, for the target that cargo builds for.

use std::env;
use std::path::Path;

/// Compiles `csrc/unit.c`, which takes in mongoose.c, into a static library that cargo links.
pub fn compile(csrc_dir: &Path, source_dir: &Path, include_dir: &Path) {
    let mut unit = cc::Build::new();
    unit.file(csrc_dir.join("unit.c"))
        // Ours first: an upstream checkout may hold a mongoose_config.h of its own.
        .include(include_dir)
        .include(source_dir)
        // The library is optimised in debug builds too: nobody steps through it, and it is the hot path.
        .opt_level_str(&opt_level())
        // Not our code: its warnings are upstream's to mend.
        .warnings(false)
        .flag_if_supported("-w")
        // A shared object that links this crate must not offer Mongoose's functions to other objects, nor
        // have them replaced by another copy of Mongoose in the process.
        .flag_if_supported("-fvisibility=hidden")
        // The library reads and writes socket addresses and integers through pointers of other types.
        .flag_if_supported("-fno-strict-aliasing");
    unit.compile("mongoose");
    if env::var_os("CARGO_CFG_WINDOWS").is_some() {
        println!("cargo:rustc-link-lib=ws2_32");
        println!("cargo:rustc-link-lib=bcrypt");
    }
}

/// The profile's own level, but never an unoptimised one.
fn opt_level() -> String {
    match env::var("OPT_LEVEL").as_deref() {
        Ok("0" | "1") | Err(_) => "2".to_owned(),
        Ok(level) => level.to_owned(),
    }
}
