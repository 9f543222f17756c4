//! SHA-256 of files, compared with what upstream.toml pins.

use std::fs;
use std::path::Path;

use super::error::Error;

/// The SHA-256 of `bytes` in lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hmac_sha256::Hash::hash(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Fails, naming the file and both sums, unless `file` has the SHA-256 `expected`.
pub fn check(file: &Path, expected: &str) -> Result<(), Error> {
    let bytes = fs::read(file).map_err(Error::io("read", file))?;
    let actual = sha256_hex(&bytes);
    if actual == expected {
        Ok(())
    } else {
        Err(Error::Checksum { file: file.to_path_buf(), expected: expected.to_owned(), actual })
    }
}

#[cfg(test)]
mod tests {
    use super::sha256_hex;

    #[test]
    fn sums_are_in_lower_case_hexadecimal() {
        assert_eq!(sha256_hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
