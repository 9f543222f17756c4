//! The cryptography of Mongoose's own TLS. Lengths are types or are checked here, and nothing is parsed: no byte of a
//! peer's is more to these functions than a byte.

use std::fmt;
use std::ptr::null_mut;
use std::sync::Once;
use std::time::UNIX_EPOCH;

use mongoose_sys as sys;

/// How much longer than its text a sealed one is.
pub(crate) const TAG: usize = 16;

/// Overwrites what was a secret, in a way that compilers leave in.
pub(crate) fn wipe(bytes: &mut [u8]) {
    // SAFETY: the block is `bytes`.
    unsafe { sys::mg_bzero(bytes.as_mut_ptr(), bytes.len()) }
}

/// The point 9.
const X25519_BASE: [u8; 32] = {
    let mut base = [0; 32];
    base[0] = 9;
    base
};

/// The public key of a secret, which is any 32 bytes.
pub(crate) fn x25519_public(secret: &[u8; 32]) -> [u8; 32] {
    x25519(secret, &X25519_BASE).unwrap_or_default()
}

/// What two sides agree on. `None` for a public key that leads to 0 whatever the secret (RFC 7748 section 6.1).
pub(crate) fn x25519(secret: &[u8; 32], public: &[u8; 32]) -> Option<[u8; 32]> {
    let mut shared = [0; 32];
    // SAFETY: each block is 32 bytes, two to be read and one to be written.
    let failed = unsafe { sys::mg_tls_x25519(shared.as_mut_ptr(), secret.as_ptr(), public.as_ptr(), 1) };
    (failed == 0 && shared != [0; 32]).then_some(shared)
}

/// What protects records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aead {
    ChaCha20Poly1305,
    Aes128Gcm,
}

impl Aead {
    /// Encrypts `text` and a tag for it and `open` into `sealed`.
    ///
    /// # Panics
    /// Unless `sealed` has room for exactly that.
    pub(crate) fn seal(self, key: &[u8; 32], nonce: &[u8; 12], open: &[u8], text: &[u8], sealed: &mut [u8]) {
        assert_eq!(sealed.len(), text.len() + TAG, "room for the text and its tag");
        let (start, body) = (sealed.as_mut_ptr(), text.len());
        match self {
            // SAFETY: key and nonce have the lengths that C reads; it writes text and tag, for which there is room; the
            // blocks do not overlap, because one is borrowed exclusively.
            Self::ChaCha20Poly1305 => unsafe {
                let (key, nonce) = (key.as_ptr(), nonce.as_ptr());
                sys::mg_chacha20_poly1305_encrypt(
                    start,
                    key,
                    nonce,
                    open.as_ptr(),
                    open.len(),
                    text.as_ptr(),
                    body,
                );
            },
            Self::Aes128Gcm => {
                prepare();
                // SAFETY: as above; `open` is only read; the tag's place is the last 16 of the bytes that are there; the
                // tables are made.
                unsafe {
                    let (key, nonce, open_start) = (key.as_ptr(), nonce.as_ptr(), open.as_ptr().cast_mut());
                    let tag = start.add(body);
                    sys::mg_aes_gcm_encrypt(
                        start,
                        text.as_ptr(),
                        body,
                        key,
                        16,
                        nonce,
                        12,
                        open_start,
                        open.len(),
                        tag,
                        TAG,
                    );
                }
            }
        }
    }

    /// Decrypts into `text`, and answers whether the tag was right. If it was not, what is in there means nothing.
    ///
    /// # Panics
    /// Unless `text` has room for exactly what is sealed.
    #[must_use]
    pub(crate) fn open(
        self,
        key: &[u8; 32],
        nonce: &[u8; 12],
        open: &[u8],
        sealed: &[u8],
        text: &mut [u8],
    ) -> bool {
        assert_eq!(sealed.len(), text.len() + TAG, "room for the text without its tag");
        let (start, body) = (text.as_mut_ptr(), text.len());
        match self {
            // SAFETY: as in `seal`; C reads `sealed`, which holds the tag, and writes the text.
            Self::ChaCha20Poly1305 => unsafe {
                let (key, nonce) = (key.as_ptr(), nonce.as_ptr());
                let (from, length) = (sealed.as_ptr(), sealed.len());
                sys::mg_chacha20_poly1305_decrypt(start, key, nonce, open.as_ptr(), open.len(), from, length)
                    == body
            },
            Self::Aes128Gcm => {
                prepare();
                // SAFETY: as above; the tag is the last 16 of the sealed bytes.
                unsafe {
                    let (key, nonce, open_start) = (key.as_ptr(), nonce.as_ptr(), open.as_ptr().cast_mut());
                    let (from, tag) = (sealed.as_ptr(), sealed.as_ptr().add(body));
                    sys::mg_aes_gcm_decrypt(
                        start,
                        from,
                        body,
                        key,
                        16,
                        nonce,
                        12,
                        open_start,
                        open.len(),
                        tag,
                        TAG,
                    ) == 0
                }
            }
        }
    }
}

/// Makes C's AES tables, which it would make at their first use, on several threads at once; and sets C's clock, which
/// stands at the boot until somebody does (invariant 18).
pub(crate) fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let now = milliseconds_since_1970();
        // SAFETY: once, and before anything of ours reads either.
        unsafe {
            sys::mg_gcm_initialize();
            if sys::mg_boot_timestamp_ms == 0 {
                sys::mg_boot_timestamp_ms = now.saturating_sub(sys::mg_millis());
            }
        }
    });
}

fn milliseconds_since_1970() -> u64 {
    UNIX_EPOCH.elapsed().map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// A private key on the curve P-256.
pub(crate) struct P256Key([u8; 32]);

impl P256Key {
    /// `None` unless the number is a key: 1 or more, and less than the curve's order.
    pub(crate) fn new(number: [u8; 32]) -> Option<Self> {
        let key = Self(number);
        key.public().map(|_| key)
    }

    /// The public key: both coordinates.
    pub(crate) fn public(&self) -> Option<[u8; 64]> {
        let mut public = [0; 64];
        // SAFETY: C reads 32 bytes and writes 64 with this curve.
        let made = unsafe {
            sys::mg_uecc_compute_public_key(self.0.as_ptr(), public.as_mut_ptr(), sys::mg_uecc_secp256r1())
        };
        (made == 1).then_some(public)
    }

    /// Signs a digest in the manner of RFC 6979: with no randomness that could be bad. Answers r and s, each of 32 bytes.
    pub(crate) fn sign(&self, digest: &[u8; 32]) -> Option<[u8; 64]> {
        let mut scratch = [0; 2 * 32 + 64];
        let mut hash = SigningHash {
            base: sys::MG_UECC_HashContext {
                init_hash: Some(init_hash),
                update_hash: Some(update_hash),
                finish_hash: Some(finish_hash),
                block_size: 64,
                result_size: 32,
                tmp: null_mut(),
            },
            sha256: sys::mg_sha256_ctx::default(),
        };
        hash.base.tmp = scratch.as_mut_ptr();
        let mut signature = [0; 64];
        // SAFETY: C reads 32 bytes of the key and the digest, and writes 64 with this curve. The three functions get the
        // pointer to the whole of `hash`, which outlives the call, as does the scratch of the size it asks for.
        let signed = unsafe {
            sys::mg_uecc_sign_deterministic(
                self.0.as_ptr(),
                digest.as_ptr(),
                32,
                (&raw mut hash).cast(),
                signature.as_mut_ptr(),
                sys::mg_uecc_secp256r1(),
            )
        };
        wipe(&mut scratch);
        (signed == 1).then_some(signature)
    }
}

impl Drop for P256Key {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

impl fmt::Debug for P256Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("P256Key").finish_non_exhaustive()
    }
}

/// What C hashes with while it signs. C knows of the first field alone.
#[repr(C)]
struct SigningHash {
    base: sys::MG_UECC_HashContext,
    sha256: sys::mg_sha256_ctx,
}

/// # Safety
/// Of the three: `context` is the start of a whole [`SigningHash`], which nothing else refers to during the call.
unsafe extern "C" fn init_hash(context: *const sys::MG_UECC_HashContext) {
    // SAFETY: the caller's promise; plain data, and C declares what it may change as constant.
    unsafe { sys::mg_sha256_init(&raw mut (*context.cast_mut().cast::<SigningHash>()).sha256) }
}

unsafe extern "C" fn update_hash(context: *const sys::MG_UECC_HashContext, bytes: *const u8, length: u32) {
    // SAFETY: as above, and `length` bytes are there.
    unsafe {
        let sha256 = &raw mut (*context.cast_mut().cast::<SigningHash>()).sha256;
        sys::mg_sha256_update(sha256, bytes, length as usize);
    }
}

unsafe extern "C" fn finish_hash(context: *const sys::MG_UECC_HashContext, digest: *mut u8) {
    // SAFETY: as above, and there is room for 32 bytes.
    unsafe {
        let sha256 = &raw mut (*context.cast_mut().cast::<SigningHash>()).sha256;
        sys::mg_sha256_final(digest, sha256);
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::ffi::random;

    fn bytes<const N: usize>(hex: &str) -> [u8; N] {
        let hex: String = hex.split_whitespace().collect();
        let byte = |at: usize| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hexadecimal");
        std::array::from_fn(byte)
    }

    #[test]
    fn agrees_as_rfc_7748_has_it() {
        let secret = bytes("77076d0a7318a57d3c16c17251b26645c6c2f6b8f7f54a0a3a5a1e5a8a5a5a5a");
        let other = random();
        let ours = x25519(&secret, &x25519_public(&other));
        assert_eq!(ours, x25519(&other, &x25519_public(&secret)));
        let scalar = bytes("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4");
        let point = bytes("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c");
        let product = bytes("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
        assert_eq!(x25519(&scalar, &point), Some(product));
    }

    #[test]
    fn a_public_key_of_small_order_agrees_on_nothing() {
        let secret = random();
        let mut one = [0; 32];
        one[0] = 1;
        assert_eq!(x25519(&secret, &[0; 32]), None);
        assert_eq!(x25519(&secret, &one), None);
    }

    #[test]
    fn seals_with_chacha_as_rfc_8439_has_it() {
        let key = std::array::from_fn(|at| 0x80 + at as u8);
        let nonce = bytes("070000004041424344454647");
        let open: [u8; 12] = bytes("50515253c0c1c2c3c4c5c6c7");
        let text = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
        let mut sealed = [0; 114 + TAG];
        Aead::ChaCha20Poly1305.seal(&key, &nonce, &open, text, &mut sealed);
        assert_eq!(sealed[..8], bytes::<8>("d31a8d34648e60db"));
        assert_eq!(sealed[114..], bytes::<16>("1ae10b594f09e26a7e902ecbd0600691"));
    }

    #[test]
    fn seals_with_aes_as_the_gcm_specification_has_it() {
        let mut key = [0; 32];
        key[..16].copy_from_slice(&bytes::<16>("feffe9928665731c6d6a8f9467308308"));
        let nonce = bytes("cafebabefacedbaddecaf888");
        let open: [u8; 20] = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let text: [u8; 60] = bytes(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72
             1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        );
        let mut sealed = [0; 60 + TAG];
        Aead::Aes128Gcm.seal(&key, &nonce, &open, &text, &mut sealed);
        assert_eq!(sealed[..8], bytes::<8>("42831ec221777424"));
        assert_eq!(sealed[60..], bytes::<16>("5bc94fbc3221a5db94fae95ae7121a47"));
    }

    #[test]
    fn opens_what_was_sealed_and_nothing_else() {
        let (key, nonce) = (random(), random());
        for aead in [Aead::ChaCha20Poly1305, Aead::Aes128Gcm] {
            for length in [0, 1, 15, 16, 17, 63, 64, 65, 1000] {
                let text: Vec<u8> = (0..length).map(|at| at as u8).collect();
                let mut sealed = vec![0; length + TAG];
                aead.seal(&key, &nonce, b"open", &text, &mut sealed);
                let mut opened = vec![0; length];
                assert!(aead.open(&key, &nonce, b"open", &sealed, &mut opened));
                assert_eq!(opened, text);
                assert!(!aead.open(&key, &nonce, b"opem", &sealed, &mut opened), "another open part");
                for at in [0, length / 2, length, length + TAG - 1] {
                    sealed[at] ^= 1;
                    assert!(!aead.open(&key, &nonce, b"open", &sealed, &mut opened), "{at} changed");
                    sealed[at] ^= 1;
                }
            }
        }
    }

    #[test]
    fn hazard_63_the_tables_are_made_once_whatever_the_thread() {
        let (key, nonce) = (random(), random());
        let seal = move || {
            let mut sealed = [0; 100 + TAG];
            Aead::Aes128Gcm.seal(&key, &nonce, b"", &[7; 100], &mut sealed);
            sealed
        };
        let threads: Vec<_> = (0..8).map(|_| thread::spawn(seal)).collect();
        for thread in threads {
            assert_eq!(thread.join().expect("no panic"), seal());
        }
    }

    #[test]
    fn cs_clock_tells_the_systems_time() {
        prepare();
        // SAFETY: it reads C's clock, which nothing sets any more.
        let now = unsafe { sys::mg_now() };
        assert!(milliseconds_since_1970().abs_diff(now) < 3_600_000, "{now}");
    }

    #[test]
    fn signs_what_its_public_key_verifies() {
        let number = bytes("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
        let key = P256Key::new(number).expect("a key");
        assert_eq!(
            key.public().expect("a public key")[..32],
            bytes::<32>("60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6")
        );
        let digest = random();
        let signature = key.sign(&digest).expect("a signature");
        assert_eq!(key.sign(&digest), Some(signature), "no randomness");
        assert!(verifies(&key, &digest, &signature));
        assert!(!verifies(&key, &random(), &signature));
    }

    fn verifies(key: &P256Key, digest: &[u8; 32], signature: &[u8; 64]) -> bool {
        let public = key.public().expect("a public key");
        // SAFETY: C reads 64 bytes, 32 and 64 with this curve.
        let verified = unsafe {
            let curve = sys::mg_uecc_secp256r1();
            sys::mg_uecc_verify(public.as_ptr(), digest.as_ptr(), 32, signature.as_ptr(), curve)
        };
        verified == 1
    }

    #[test]
    fn a_number_off_the_curves_range_is_no_key() {
        assert!(P256Key::new([0; 32]).is_none());
        let order = bytes("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
        assert!(P256Key::new(order).is_none());
        assert!(P256Key::new([0xff; 32]).is_none());
    }

    #[test]
    fn secrets_are_wiped() {
        let mut secret: [u8; 32] = random();
        assert_ne!(secret, [0; 32]);
        wipe(&mut secret);
        assert_eq!(secret, [0; 32]);
    }
}
