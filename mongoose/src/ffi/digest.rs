//! Digests, by C's functions.

use std::fmt;

use mongoose_sys as sys;

/// How much C is given at once. Its MD5 counts a call's bits in 32 bits.
const AT_ONCE: usize = 1 << 28;

/// A type that makes one digest: C's context, and C's three functions on it.
macro_rules! digest {
    ($(#[$docs:meta])* $name:ident($context:ident, $length:literal): $init:ident, $update:ident, $finish:expr) => {
        $(#[$docs])*
        #[derive(Clone)]
        pub struct $name(sys::$context);

        impl $name {
            /// Of no bytes so far.
            pub fn new() -> Self {
                let mut context = sys::$context::default();
                // SAFETY: it is ours, and plain numbers.
                unsafe { sys::$init(&raw mut context) };
                Self(context)
            }

            /// Appends bytes: how they are split makes no difference.
            pub fn update(&mut self, bytes: &[u8]) {
                for part in bytes.chunks(AT_ONCE) {
                    // SAFETY: the context was initialised; C reads as many bytes as it is told there are (invariant 19).
                    unsafe { sys::$update(&raw mut self.0, part.as_ptr(), part.len()) }
                }
            }

            /// The digest of all of them.
            pub fn finish(mut self) -> [u8; $length] {
                let mut digest = [0; $length];
                let finish: unsafe fn(*mut u8, *mut sys::$context) = $finish;
                // SAFETY: C writes as many bytes as a digest has. It wears the context out, which `self` ends with.
                unsafe { finish(digest.as_mut_ptr(), &raw mut self.0) };
                digest
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        /// Without what it holds, which may follow from a secret.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

digest! {
    /// MD5 (RFC 1321) of bytes that come in parts. For old formats alone: two texts of the same digest are made in
    /// seconds.
    ///
    /// ```
    /// let mut digest = mongoose::digest::Md5::new();
    /// digest.update(b"hello, ");
    /// digest.update(b"world");
    /// assert_eq!(digest.finish(), mongoose::digest::md5(b"hello, world"));
    /// ```
    #[doc(alias = "mg_md5_ctx")]
    #[doc(alias = "mg_md5_init")]
    #[doc(alias = "mg_md5_update")]
    #[doc(alias = "mg_md5_final")]
    Md5(mg_md5_ctx, 16): mg_md5_init, mg_md5_update,
    // SAFETY: the caller's promise: a context, and room for a digest.
    |digest, context| unsafe { sys::mg_md5_final(context, digest) }
}

digest! {
    /// SHA-1 (RFC 3174) of bytes that come in parts. For old formats and WebSocket's handshake alone: two texts of the
    /// same digest can be made.
    ///
    /// ```
    /// let mut digest = mongoose::digest::Sha1::new();
    /// digest.update(b"hello, ");
    /// digest.update(b"world");
    /// assert_eq!(digest.finish(), mongoose::digest::sha1(b"hello, world"));
    /// ```
    #[doc(alias = "mg_sha1_ctx")]
    #[doc(alias = "mg_sha1_init")]
    #[doc(alias = "mg_sha1_update")]
    #[doc(alias = "mg_sha1_final")]
    Sha1(mg_sha1_ctx, 20): mg_sha1_init, mg_sha1_update,
    // SAFETY: the caller's promise: a context, and room for a digest.
    |digest, context| unsafe { sys::mg_sha1_final(digest, context) }
}

digest! {
    /// SHA-256 (RFC 6234) of bytes that come in parts. A clone goes on from the same bytes.
    ///
    /// ```
    /// let mut digest = mongoose::digest::Sha256::new();
    /// digest.update(b"hello, ");
    /// digest.update(b"world");
    /// assert_eq!(digest.finish(), mongoose::digest::sha256(b"hello, world"));
    /// ```
    #[doc(alias = "mg_sha256_ctx")]
    #[doc(alias = "mg_sha256_init")]
    #[doc(alias = "mg_sha256_update")]
    #[doc(alias = "mg_sha256_final")]
    Sha256(mg_sha256_ctx, 32): mg_sha256_init, mg_sha256_update,
    // SAFETY: the caller's promise: a context, and room for a digest.
    |digest, context| unsafe { sys::mg_sha256_final(digest, context) }
}

digest! {
    /// SHA-384 (RFC 6234) of bytes that come in parts.
    ///
    /// ```
    /// let mut digest = mongoose::digest::Sha384::new();
    /// digest.update(b"hello, ");
    /// digest.update(b"world");
    /// assert_eq!(digest.finish(), mongoose::digest::sha384(b"hello, world"));
    /// ```
    #[doc(alias = "mg_sha384_ctx")]
    #[doc(alias = "mg_sha384_init")]
    #[doc(alias = "mg_sha384_update")]
    #[doc(alias = "mg_sha384_final")]
    Sha384(mg_sha384_ctx, 48): mg_sha384_init, mg_sha384_update,
    // SAFETY: the caller's promise: a context, and room for a digest.
    |digest, context| unsafe { sys::mg_sha384_final(digest, context) }
}

/// The CRC-32 of bytes behind others whose CRC-32 is `before`.
pub(crate) fn crc32(before: u32, bytes: &[u8]) -> u32 {
    // SAFETY: C reads as many bytes as it is told there are (invariant 19).
    unsafe { sys::mg_crc32(before, bytes.as_ptr().cast(), bytes.len()) }
}
