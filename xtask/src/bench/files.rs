//! The files that servers of files have.

use std::fs;
use std::path::PathBuf;

use super::peers::target;
use crate::Outcome;

const FILES: [(&str, usize); 2] = [("1k.txt", 1 << 10), ("10m.txt", 10 << 20)];

/// Where they are.
pub fn folder() -> PathBuf {
    target().join("files")
}

/// Writes them, but where they are: tags of files that were just written are weak.
pub fn make() -> Outcome {
    fs::create_dir_all(folder())?;
    for (name, size) in FILES {
        let file = folder().join(name);
        if fs::metadata(&file).map_or(true, |metadata| metadata.len() != size as u64) {
            fs::write(file, vec![b'x'; size])?;
        }
    }
    Ok(())
}
