//! Folders for the time of a test.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use mongoose::http::Files;
use mongoose_tests::Server;

/// What no test may be sent.
pub const SECRET: &str = "a secret outside of the root";

/// A folder with a root in it, and a secret beside that. It is gone when this is dropped.
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("mongoose-files-{}-{number}", std::process::id()));
        fs::create_dir_all(path.join("root")).expect("to make a folder");
        fs::write(path.join("secret.txt"), SECRET).expect("to write");
        Self { path }
    }

    /// What is served.
    pub fn root(&self) -> PathBuf {
        self.path.join("root")
    }

    /// Beside it.
    pub fn outside(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Makes a file in the root, and the folders that lead there. It was last changed long ago, so that its tag is strong.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.root().join(name);
        fs::create_dir_all(path.parent().expect("below the root")).expect("to make folders");
        fs::write(&path, content).expect("to write");
        age(&path, Duration::from_secs(1_000_000));
        self
    }

    /// Makes a link in the root.
    pub fn link(&self, name: &str, target: impl AsRef<Path>) -> &Self {
        std::os::unix::fs::symlink(target, self.root().join(name)).expect("to make a link");
        self
    }

    /// A `Files` of the root.
    pub fn files(&self) -> Files {
        Files::new(self.root()).expect("a folder")
    }

    /// Serves the root as it is by default.
    pub fn serve(&self) -> Server {
        self.serve_with(|files| files)
    }

    /// Serves the root.
    pub fn serve_with(&self, change: impl FnOnce(Files) -> Files) -> Server {
        let files = change(self.files());
        Server::http(move || files)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // It may hold what a test made unreadable.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Has a file be so old.
pub fn age(path: &Path, age: Duration) {
    let file = File::options().write(true).open(path).expect("a file");
    file.set_modified(SystemTime::now() - age).expect("to set its time");
}

/// Bytes of which each shows where it was.
pub fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8 ^ (at / 65_536) as u8).collect()
}
