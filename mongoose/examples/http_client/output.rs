//! Where the body goes.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Standard output, or a file that appears under its name once it is whole.
pub struct Output {
    to: Box<dyn Write>,
    /// Where it is meanwhile, and where it belongs.
    replacing: Option<(PathBuf, PathBuf)>,
}

impl Output {
    pub fn open(path: Option<&Path>) -> io::Result<Self> {
        let Some(path) = path else { return Ok(Self { to: Box::new(io::stdout()), replacing: None }) };
        // Something like /dev/null stays what it is.
        if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
            return Ok(Self { to: Box::new(File::create(path)?), replacing: None });
        }
        let mut meanwhile = path.as_os_str().to_owned();
        meanwhile.push(".part");
        let meanwhile = PathBuf::from(meanwhile);
        Ok(Self { to: Box::new(File::create(&meanwhile)?), replacing: Some((meanwhile, path.to_owned())) })
    }

    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(bytes)
    }

    /// All of it has come.
    pub fn finish(&mut self) -> io::Result<()> {
        self.to.flush()?;
        match self.replacing.take() {
            Some((meanwhile, path)) => fs::rename(meanwhile, path),
            None => Ok(()),
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Some((meanwhile, _)) = &self.replacing {
            // What is not whole is of no use; if it cannot be removed, its name still says so.
            let _ = fs::remove_file(meanwhile);
        }
    }
}
