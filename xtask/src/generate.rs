//! Running bindgen over mongoose.h, with the settings that the library is compiled with.

use std::error::Error;
use std::path::Path;
use std::process::Command;

use bindgen::{Builder, RustEdition, RustTarget};

use crate::build::defines::FEATURE_DEFINES;

/// What is bound: all of Mongoose's own names.
const ALLOWED: &str = "mg_.*|MG_.*|WEBSOCKET_.*|MQTT_.*";

/// What is not.
const BLOCKED: &[&str] = &[
    // A `va_list` cannot be made in Rust, so neither can a call of what takes one.
    "va_list|__va_list_tag|__builtin_va_list|__gnuc_va_list",
    "mg_v.*printf|mg_ws_vprintf|mg_rpc_v.*|mg_print_.*|mg_pm_t",
    // Follow the platform; src/config.rs of the crate has them, as it has those that follow a feature.
    "time_t|__time_t|MG_ARCH|MG_DIRSEP|MG_INVALID_SOCKET|MG_ENABLE_EPOLL|MG_ENABLE_POLL",
    // How the bundled elliptic-curve code is tuned for one processor.
    "MG_UECC_PLATFORM|MG_UECC_(ARM|ENABLE|OPTIMIZATION|SQUARE|SUPPORTS?|VLI|WORD)_.*|mg_uecc_(arch_other|x86|x86_64|arm|arm_thumb|arm_thumb2|arm64|avr)",
    // Declared for firmware images that bring their own: a host build has no symbol for them.
    "mg_dash_init|mg_dash_poll|mg_mqtt_init|mg_mqtt_poll|mg_fs_fat|mg_packed_files",
];

/// Types that C keeps pointers into. A copy of one would be a trap.
const PINNED: &str = "mg_mgr|mg_connection";

/// Generates the bindings for the header `mongoose.h` in `include_dir`.
pub fn generate(include_dir: &Path) -> Result<String, Box<dyn Error>> {
    clang_sys::load().map_err(|error| format!("{error}\n\n{WITHOUT_LIBCLANG}"))?;
    let mut builder = Builder::default()
        .header(path(&include_dir.join("mongoose.h"))?)
        .allowlist_item(ALLOWED)
        .no_copy(PINNED)
        .no_debug(PINNED)
        .derive_default(true)
        .prepend_enum_name(false)
        .generate_comments(false)
        // The ABI test checks the layout on the target at hand instead.
        .layout_tests(false)
        .merge_extern_blocks(true)
        .sort_semantically(true)
        .wrap_unsafe_ops(true)
        .use_core()
        .ctypes_prefix("core::ffi")
        .rust_edition(RustEdition::Edition2024)
        .rust_target(RustTarget::stable(85, 0).map_err(|error| error.to_string())?)
        .disable_header_comment();
    for names in BLOCKED.iter().chain(&FEATURE_DEFINES) {
        builder = builder.blocklist_item(names);
    }
    // A libclang that came from pip has no stddef.h and the like of its own. Last in the search order, so
    // that a complete clang keeps using its own.
    if let Some(folder) = compiler_headers() {
        builder = builder.clang_args(["-idirafter", &folder]);
    }
    Ok(builder.generate()?.to_string())
}

const WITHOUT_LIBCLANG: &str = "\
bindgen needs libclang. Either of these brings it:
  - on Debian and Ubuntu: apt install libclang-dev
  - anywhere: pip install libclang, then set LIBCLANG_PATH to the folder that this prints:
      python3 -c 'import clang, os; print(os.path.join(os.path.dirname(clang.__file__), \"native\"))'";

/// The folder of the C compiler's own headers, if there is one.
fn compiler_headers() -> Option<String> {
    let output = Command::new("cc").arg("-print-file-name=include").output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    Path::new(&folder).is_absolute().then_some(folder)
}

fn path(path: &Path) -> Result<&str, String> {
    path.to_str().ok_or_else(|| format!("{} is not valid UTF-8, which bindgen needs", path.display()))
}
