//! Folders for one test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

/// An empty folder that is gone at the end.
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    pub fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("programs-{}-{number}", process::id()));
        fs::create_dir_all(&path).expect("to make a folder");
        Self { path }
    }

    /// The folder.
    pub fn path(&self) -> &str {
        self.path.to_str().expect("a path of text")
    }

    /// The path of a name in it.
    pub fn join(&self, name: &str) -> String {
        format!("{}/{name}", self.path())
    }

    /// Writes a file, and answers its path.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.join(name);
        fs::write(&path, content).expect("to write");
        path
    }

    /// What is in it.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.path).expect("to read the folder");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left over lies in cargo's folder.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Bytes that no line-by-line or text handling gives back.
pub fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 / 7 % 256) as u8).collect()
}
