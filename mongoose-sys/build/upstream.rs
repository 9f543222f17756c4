//! upstream.toml: which version of Mongoose is pinned, and which package carries it.

use std::fs;
use std::path::Path;

use super::error::Error;

/// The contents of upstream.toml.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// The version of Mongoose that the bindings are for, as in `MG_VERSION`.
    pub version: String,
    /// SHA-256 of mongoose.c.
    pub mongoose_c_sha256: String,
    /// SHA-256 of mongoose.h.
    pub mongoose_h_sha256: String,
    /// Name of the Python package whose source distribution ships the two files.
    pub carrier: String,
    /// Version of that package.
    pub carrier_version: String,
    /// SHA-256 of its source distribution.
    pub carrier_sha256: String,
    /// The folder in it that holds the two files.
    pub carrier_folder: String,
}

impl Upstream {
    /// Reads `upstream.toml` of the package in `manifest_dir`.
    pub fn read(manifest_dir: &Path) -> Result<Self, Error> {
        let path = manifest_dir.join("upstream.toml");
        let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        Self::parse(&text).map_err(|what| Error::Pin { path, what })
    }

    /// Parses `key = "value"` lines; blank lines and comments are skipped.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pairs = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let pair = line.split_once('=').and_then(|(key, value)| {
                let value = value.trim().strip_prefix('"')?.strip_suffix('"')?;
                Some((key.trim(), value))
            });
            pairs.push(pair.ok_or_else(|| format!("not a line of the form key = \"value\": {line}"))?);
        }
        let get = |key: &str| {
            let found = pairs.iter().find(|(name, _)| *name == key);
            found.map(|(_, value)| (*value).to_owned()).ok_or_else(|| format!("the key `{key}` is missing"))
        };
        Ok(Self {
            version: get("version")?,
            mongoose_c_sha256: get("mongoose_c_sha256")?,
            mongoose_h_sha256: get("mongoose_h_sha256")?,
            carrier: get("carrier")?,
            carrier_version: get("carrier_version")?,
            carrier_sha256: get("carrier_sha256")?,
            carrier_folder: get("carrier_folder")?,
        })
    }

    /// The two files of the library, each with its pinned SHA-256.
    pub fn files(&self) -> [(&'static str, &str); 2] {
        [("mongoose.c", &self.mongoose_c_sha256), ("mongoose.h", &self.mongoose_h_sha256)]
    }
}

#[cfg(test)]
mod tests {
    use super::Upstream;

    #[test]
    fn the_file_of_this_package_is_understood() {
        let upstream = Upstream::parse(include_str!("../upstream.toml")).unwrap();
        assert!(upstream.files().iter().all(|(_, sum)| sum.len() == 64));
        assert!(
            env!("CARGO_PKG_NAME") != "mongoose-sys"
                || env!("CARGO_PKG_VERSION").ends_with(&upstream.version)
        );
    }

    #[test]
    fn a_missing_key_and_a_strange_line_are_named() {
        assert_eq!(Upstream::parse("# only a comment").unwrap_err(), "the key `version` is missing");
        assert!(Upstream::parse("version = 7.23").unwrap_err().contains("version = 7.23"));
    }
}
