//! Digests and checksums, by C's functions.
//!
//! They are small and plain. For many bytes, other digests, or the traits that other crates ask for, take those of
//! [RustCrypto](https://docs.rs/sha2) (`sha2`, `sha1`, `md-5`, `hmac`) and [crc32fast](https://docs.rs/crc32fast), which
//! use the processor's own instructions: SHA-256 is several times as fast there.
//!
//! ```
//! use mongoose::digest;
//!
//! let hex: String = digest::sha256(b"abc").iter().map(|byte| format!("{byte:02x}")).collect();
//! assert_eq!(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
//! ```

use crate::ffi;

pub use crate::ffi::{Md5, Sha1, Sha256, Sha384};

/// MD5 of bytes (RFC 1321). For old formats alone: two texts of the same digest are made in seconds.
///
/// ```
/// assert_eq!(mongoose::digest::md5(b"")[..4], [0xd4, 0x1d, 0x8c, 0xd9]);
/// ```
#[doc(alias = "mg_md5_final")]
pub fn md5(bytes: &[u8]) -> [u8; 16] {
    let mut digest = Md5::new();
    digest.update(bytes);
    digest.finish()
}

/// SHA-1 of bytes (RFC 3174). For old formats alone: two texts of the same digest can be made.
///
/// ```
/// assert_eq!(mongoose::digest::sha1(b"abc")[..4], [0xa9, 0x99, 0x3e, 0x36]);
/// ```
#[doc(alias = "mg_sha1_final")]
pub fn sha1(bytes: &[u8]) -> [u8; 20] {
    let mut digest = Sha1::new();
    digest.update(bytes);
    digest.finish()
}

/// SHA-256 of bytes (RFC 6234).
///
/// ```
/// assert_eq!(mongoose::digest::sha256(b"abc")[..4], [0xba, 0x78, 0x16, 0xbf]);
/// ```
#[doc(alias = "mg_sha256")]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(bytes);
    digest.finish()
}

/// SHA-384 of bytes (RFC 6234).
///
/// ```
/// assert_eq!(mongoose::digest::sha384(b"abc")[..4], [0xcb, 0x00, 0x75, 0x3f]);
/// ```
#[doc(alias = "mg_sha384")]
pub fn sha384(bytes: &[u8]) -> [u8; 48] {
    let mut digest = Sha384::new();
    digest.update(bytes);
    digest.finish()
}

/// HMAC-SHA-256 of bytes by a key of any length (RFC 2104), where C is wrong about keys of 64 bytes. Compare one with a peer's by
/// [`constant_time_eq`](crate::http::constant_time_eq).
///
/// ```
/// let mac = mongoose::digest::hmac_sha256(b"Jefe", b"what do ya want for nothing?");
/// assert_eq!(mac[..4], [0x5b, 0xdc, 0xc1, 0x46]);
/// ```
#[doc(alias = "mg_hmac_sha256")]
pub fn hmac_sha256(key: &[u8], bytes: &[u8]) -> [u8; 32] {
    let mut block = [0; 64];
    if key.len() <= block.len() {
        block[..key.len()].copy_from_slice(key);
    } else {
        block[..32].copy_from_slice(&sha256(key));
    }
    let mut inner = Sha256::new();
    inner.update(&block.map(|byte| byte ^ 0x36));
    inner.update(bytes);
    let mut outer = Sha256::new();
    outer.update(&block.map(|byte| byte ^ 0x5c));
    outer.update(&inner.finish());
    outer.finish()
}

/// CRC-32 of bytes, as in Ethernet, gzip and PNG. It finds accidents, no intent.
///
/// ```
/// assert_eq!(mongoose::digest::crc32(b"123456789"), 0xcbf4_3926);
/// ```
#[doc(alias = "mg_crc32")]
pub fn crc32(bytes: &[u8]) -> u32 {
    ffi::crc32(0, bytes)
}

/// CRC-32 of bytes behind others, of which it is `before`.
///
/// ```
/// use mongoose::digest;
///
/// assert_eq!(digest::crc32_behind(digest::crc32(b"1234"), b"56789"), 0xcbf4_3926);
/// ```
#[doc(alias = "mg_crc32")]
pub fn crc32_behind(before: u32, bytes: &[u8]) -> u32 {
    ffi::crc32(before, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
    const TWO_BLOCKS: &[u8] = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

    #[test]
    fn md5_is_that_of_rfc_1321_appendix_a5() {
        for (text, digest) in [
            (&b""[..], "d41d8cd98f00b204e9800998ecf8427e"),
            (b"a", "0cc175b9c0f1b6a831c399e269772661"),
            (b"abc", "900150983cd24fb0d6963f7d28e17f72"),
            (b"message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            (ALPHABET, "c3fcd3d76192e4007dfb496cca67e13b"),
        ] {
            assert_eq!(hex(&md5(text)), digest);
        }
        let digits = b"1234567890".repeat(8);
        assert_eq!(hex(&md5(&digits)), "57edf4a22be3c955ac49da2e2107b67a");
    }

    #[test]
    fn sha_is_that_of_rfc_6234_and_fips_180() {
        assert_eq!(hex(&sha1(b"abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(hex(&sha1(TWO_BLOCKS)), "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
        assert_eq!(hex(&sha256(b"abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(
            hex(&sha256(TWO_BLOCKS)),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        );
        assert_eq!(
            hex(&sha384(b"abc")),
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed\
             8086072ba1e7cc2358baeca134c825a7"
        );
        let million = vec![b'a'; 1_000_000];
        assert_eq!(hex(&sha1(&million)), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
        assert_eq!(
            hex(&sha256(&million)),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        );
    }

    #[test]
    fn hmac_is_that_of_rfc_4231() {
        for (key, text, mac) in [
            (
                vec![0x0b; 20],
                b"Hi There".to_vec(),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                vec![0xaa; 20],
                vec![0xdd; 50],
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
            ),
            (
                vec![0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First".to_vec(),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ] {
            assert_eq!(hex(&hmac_sha256(&key, &text)), mac);
        }
        assert_eq!(
            hex(&hmac_sha256(b"", b"")),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"
        );
    }

    #[test]
    fn parts_of_any_length_make_the_same_digest() {
        let bytes: Vec<u8> = (0..300u32).map(|index| (index * 7) as u8).collect();
        for at in 0..bytes.len() {
            let (first, second) = bytes.split_at(at);
            let (mut one, mut two, mut three, mut four) =
                (Md5::new(), Sha1::new(), Sha256::new(), Sha384::new());
            for part in [first, &[], second] {
                one.update(part);
                two.update(part);
                three.update(part);
                four.update(part);
            }
            assert_eq!(one.finish(), md5(&bytes));
            assert_eq!(two.finish(), sha1(&bytes));
            assert_eq!(three.clone().finish(), sha256(&bytes));
            assert_eq!(three.finish(), sha256(&bytes));
            assert_eq!(four.finish(), sha384(&bytes));
            assert_eq!(crc32_behind(crc32(first), second), crc32(&bytes));
        }
    }

    #[test]
    fn crc32_has_its_check_value() {
        assert_eq!(crc32(b""), 0);
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(ALPHABET), 0x4c27_50bd);
    }
}
