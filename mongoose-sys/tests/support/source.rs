//! Small stand-ins for the C source, for the package that carries it, and for Python.

#![allow(dead_code, reason = "each test that uses this module needs a part of it")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// As much of Mongoose as csrc/unit.c needs to compile.
pub const HEADER: &str = r#"
#define MG_VERSION "7.23"
#define MG_ARCH 1
#define MG_ARCH_WIN32 2
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/types.h>
struct mg_connection;
static int mg_log_level = 0;
void mg_error(struct mg_connection *, const char *, ...);
void mg_log(const char *, ...);
void mg_log_prefix(int, const char *, int, const char *);
"#;

/// See [`HEADER`].
pub const SOURCE: &str = r#"
#include "mongoose.h"
static const char *mg_http_status_code_str(int code) { return code == 200 ? "OK" : ""; }
"#;

/// A folder under the target folder that is removed when this is dropped.
pub struct TempDir(PathBuf);

impl TempDir {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{count}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Writes the two files of a stand-in into `folder`.
pub fn write_source(folder: &Path, source: &str, header: &str) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("mongoose.c"), source).unwrap();
    fs::write(folder.join("mongoose.h"), header).unwrap();
}

/// Packs a stand-in the way the carrier package does.
pub fn write_archive(path: &Path, source: &str, header: &str) {
    let folder = path.with_extension("d");
    write_source(&folder, source, header);
    let script = "import sys, tarfile\n\
                  with tarfile.open(sys.argv[1], 'w:gz') as tar:\n    \
                      tar.add(sys.argv[2], 'carrier-1.0/thirdparty/mongoose')\n";
    let status = Command::new("python3").args(["-c", script]).arg(path).arg(&folder).status();
    assert!(status.expect("the tests of fetching need python3").success());
}

/// Makes an interpreter whose pip "downloads" `archive` instead, and counts its downloads in the file
/// `downloads` beside it, one line of arguments each. All else goes to the real Python.
pub fn write_python(path: &Path, archive: &Path) -> PathBuf {
    let downloads = path.with_extension("downloads");
    let script = format!(
        "#!/bin/sh\n\
         case \"$*\" in\n\
         '-c import sys, pip'*) exit 0 ;;\n\
         '-m pip download '*) ;;\n\
         *) exec python3 \"$@\" ;;\n\
         esac\n\
         echo \"$@\" >>'{}'\n\
         while [ \"$1\" != --dest ]; do [ \"$1\" = -r ] && cat \"$2\" >>'{}'; shift; done\n\
         cp '{}' \"$2/carrier-1.0.tar.gz\" || {{ echo 'no such package'; exit 1; }}\n",
        downloads.display(),
        downloads.display(),
        archive.display(),
    );
    // Copied by another process: were it written by this one, a child forked meanwhile could still hold it
    // open for writing, and what is open for writing cannot be run.
    let staged = path.with_extension("staged");
    fs::write(&staged, script).unwrap();
    fs::set_permissions(&staged, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(Command::new("cp").arg(&staged).arg(path).status().unwrap().success());
    downloads
}

/// The text of an upstream.toml that pins a stand-in.
pub fn upstream_toml(source_sum: &str, header_sum: &str) -> String {
    format!(
        "version = \"7.23\"\n\
         mongoose_c_sha256 = \"{source_sum}\"\n\
         mongoose_h_sha256 = \"{header_sum}\"\n\
         carrier = \"carrier\"\n\
         carrier_version = \"1.0\"\n\
         carrier_sha256 = \"{}\"\n\
         carrier_folder = \"thirdparty/mongoose\"\n",
        "0".repeat(64)
    )
}
