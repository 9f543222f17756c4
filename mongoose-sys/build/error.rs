//! What can go wrong before the first line of C is compiled. Each message is an instruction.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why no usable C source was found.
#[derive(Debug)]
pub enum Error {
    /// A file is not the one that upstream.toml pins.
    Checksum { file: PathBuf, expected: String, actual: String },
    /// The source is another version than the one the bindings were made from.
    Version { folder: PathBuf, expected: String, actual: String },
    /// A folder that should hold the source lacks one of its files.
    Missing { file: PathBuf, wanted_by: String },
    /// The carrier package could not be fetched or unpacked.
    Fetch { what: String },
    /// None of the places holds the source; one line for each that was tried.
    NotFound { tried: Vec<String>, manifest_dir: PathBuf },
    /// A file could not be read or written.
    Io { what: &'static str, path: PathBuf, source: io::Error },
    /// upstream.toml lacks a key, or has a line that is not understood.
    Pin { path: PathBuf, what: String },
}

impl Error {
    /// Makes the closure for `map_err` that says what was being done to which file.
    pub fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_path_buf();
        move |source| Error::Io { what, path, source }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Checksum { file, expected, actual } => write!(
                f,
                "{} is not the file that mongoose-sys pins.\n  expected SHA-256: {expected}\n  actual SHA-256:   {actual}\n\
                 It was changed, cut short or belongs to another version. To get it anew: remove it and build\n\
                 again, or run `cargo xtask vendor`. To build a source of your own on purpose, set\n\
                 MONGOOSE_SYS_SOURCE_DIR to its folder.",
                file.display()
            ),
            Error::Version { folder, expected, actual } => write!(
                f,
                "{} holds Mongoose {actual}, but these bindings are for Mongoose {expected}.\n\
                 Structs may be laid out differently, which is undefined behaviour. Take the {expected} source, or\n\
                 set MONGOOSE_SYS_ALLOW_VERSION_MISMATCH=1 if you know that the two agree.",
                folder.display()
            ),
            Error::Missing { file, wanted_by } => {
                write!(f, "{wanted_by}, but there is no file {}.", file.display())
            }
            Error::Fetch { what } => f.write_str(what),
            Error::NotFound { tried, manifest_dir } => {
                writeln!(f, "the C source of Mongoose was not found. Tried:")?;
                for line in tried {
                    writeln!(f, "  - {}", line.replace('\n', "\n    "))?;
                }
                write!(f, "{}", remedy(manifest_dir))
            }
            Error::Io { what, path, source } => write!(f, "cannot {what} {}: {source}", path.display()),
            Error::Pin { path, what } => write!(f, "{}: {what}", path.display()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// The commands that mend a missing source, ready to be pasted.
fn remedy(manifest_dir: &Path) -> String {
    let vendor = manifest_dir.join("vendor");
    format!(
        "Any one of these mends it:\n  \
         - with a folder that holds mongoose.c and mongoose.h (an upstream checkout, say):\n      \
             MONGOOSE_SYS_SOURCE_DIR=/path/to/that/folder cargo build\n  \
         - or copy the two files in by hand:\n      \
             mkdir -p '{vendor}' && cp mongoose.c mongoose.h '{vendor}'\n  \
         - or, in a clone of the repository, with Python 3, pip and a network:\n      \
             cargo xtask vendor",
        vendor = vendor.display()
    )
}
