//! The key schedule (RFC 8446 section 7), and the keys of one direction.
//!
//! In C it is `mg_tls_generate_handshake_keys`, over what C's parsers left in a connection; and its sequence numbers have
//! 32 bits, so that the record behind the last one would reuse the first one's nonce.

use std::fmt;

use crate::digest::hmac_sha256;
use crate::ffi::{Aead, wipe};

/// How many records one key seals. AES-GCM's is the lower bound: 2^24.5 (section 5.5).
const RECORDS_PER_KEY: u64 = 1 << 23;

/// SHA-256 of nothing.
const EMPTY_HASH: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// 32 bytes that are wiped when they are dropped.
pub(super) struct Secret([u8; 32]);

impl Secret {
    pub(super) fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What the handshake's secrets come from.
    pub(super) fn of_handshake(mut shared: [u8; 32]) -> Self {
        let early = Self(hmac_sha256(&[], &[0; 32]));
        let secret = Self(hmac_sha256(&early.derive("derived", &EMPTY_HASH).0, &shared));
        wipe(&mut shared);
        secret
    }

    /// What the secrets of the traffic behind the handshake come from.
    pub(super) fn master(&self) -> Self {
        Self(hmac_sha256(&self.derive("derived", &EMPTY_HASH).0, &[0; 32]))
    }

    /// Derive-Secret, of a transcript whose hash is at hand.
    pub(super) fn derive(&self, label: &str, hash: &[u8; 32]) -> Self {
        Self(self.expand(label, hash))
    }

    /// The MAC of a Finished message.
    pub(super) fn finished(&self, hash: &[u8; 32]) -> [u8; 32] {
        hmac_sha256(&self.derive_key("finished").0, hash)
    }

    fn derive_key(&self, label: &str) -> Self {
        Self(self.expand(label, &[]))
    }

    /// HKDF-Expand-Label, of which one round is always enough.
    fn expand<const N: usize>(&self, label: &str, context: &[u8]) -> [u8; N] {
        const { assert!(N <= 32) };
        let mut info = Vec::with_capacity(64);
        info.extend((N as u16).to_be_bytes());
        info.push((b"tls13 ".len() + label.len()) as u8);
        info.extend(b"tls13 ");
        info.extend(label.as_bytes());
        info.push(context.len() as u8);
        info.extend(context);
        info.push(1);
        let mut block = hmac_sha256(&self.0, &info);
        let mut out = [0; N];
        out.copy_from_slice(&block[..N]);
        wipe(&mut block);
        out
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// What protects the records of one direction.
pub(super) struct TrafficKeys {
    aead: Aead,
    secret: Secret,
    key: Secret,
    iv: [u8; 12],
    sequence: u64,
}

impl TrafficKeys {
    pub(super) fn new(aead: Aead, secret: Secret) -> Self {
        let mut key = Secret([0; 32]);
        match aead {
            Aead::ChaCha20Poly1305 => key = secret.derive_key("key"),
            Aead::Aes128Gcm => {
                let mut half = secret.expand::<16>("key", &[]);
                key.0[..16].copy_from_slice(&half);
                wipe(&mut half);
            }
        }
        let iv = secret.expand("iv", &[]);
        Self { aead, secret, key, iv, sequence: 0 }
    }

    pub(super) fn aead(&self) -> Aead {
        self.aead
    }

    /// Goes over to the keys that follow (section 7.2).
    pub(super) fn update(&mut self) {
        *self = Self::new(self.aead, self.secret.derive_key("traffic upd"));
    }

    /// Whether it is time to.
    pub(super) fn are_worn(&self) -> bool {
        self.sequence >= RECORDS_PER_KEY
    }

    /// The MAC of a Finished message in this direction.
    pub(super) fn finished(&self, hash: &[u8; 32]) -> [u8; 32] {
        self.secret.finished(hash)
    }

    /// Seals what is in a record with this header.
    pub(super) fn seal(&mut self, header: &[u8; 5], text: &[u8], sealed: &mut [u8]) {
        self.aead.seal(&self.key.0, &self.nonce(), header, text, sealed);
        self.sequence += 1;
    }

    /// Opens it. `false` for one that was not sealed so: then nothing in `text` means anything.
    #[must_use]
    pub(super) fn open(&mut self, header: &[u8; 5], sealed: &[u8], text: &mut [u8]) -> bool {
        let opened = self.aead.open(&self.key.0, &self.nonce(), header, sealed, text);
        self.sequence += u64::from(opened);
        opened
    }

    /// Section 5.3.
    fn nonce(&self) -> [u8; 12] {
        let mut nonce = self.iv;
        for (byte, of_sequence) in nonce[4..].iter_mut().zip(self.sequence.to_be_bytes()) {
            *byte ^= of_sequence;
        }
        nonce
    }
}

impl fmt::Debug for TrafficKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrafficKeys")
            .field("aead", &self.aead)
            .field("sequence", &self.sequence)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::Sha256;

    fn bytes<const N: usize>(hex: &str) -> [u8; N] {
        let hex: String = hex.split_whitespace().collect();
        std::array::from_fn(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hexadecimal"))
    }

    /// RFC 8448 section 3: a handshake with X25519 and AES-128-GCM.
    #[test]
    fn derives_what_rfc_8448_does() {
        let shared = bytes("8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d");
        let secret = Secret::of_handshake(shared);
        assert_eq!(secret.0, bytes("1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac"));
        assert_eq!(EMPTY_HASH, Sha256::new().finish());
        assert_eq!(
            secret.master().0,
            bytes("18df06843d13a08bf2a449844c5f8a478001bc4d4c627984d5a41da8d0402919")
        );
        let server = Secret(bytes("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38"));
        let keys = TrafficKeys::new(Aead::Aes128Gcm, server);
        assert_eq!(keys.key.0[..16], bytes::<16>("3fce516009c21727d0f2e4e86ee403bc"));
        assert_eq!(keys.iv, bytes("5d313eb2671276ee13000b30"));
    }

    #[test]
    fn every_record_has_a_nonce_of_its_own() {
        let mut keys = TrafficKeys::new(Aead::ChaCha20Poly1305, Secret([1; 32]));
        let first = keys.nonce();
        let mut sealed = [0; 20];
        keys.seal(&[0; 5], b"text", &mut sealed);
        assert_ne!(keys.nonce(), first);
        // Where C's counter starts again.
        keys.sequence = 1 << 32;
        assert_ne!(keys.nonce(), first);
        assert!(keys.are_worn());
    }

    #[test]
    fn an_update_leads_both_sides_to_the_same_keys() {
        for aead in [Aead::ChaCha20Poly1305, Aead::Aes128Gcm] {
            let mut writer = TrafficKeys::new(aead, Secret([1; 32]));
            let mut reader = TrafficKeys::new(aead, Secret([1; 32]));
            writer.update();
            let (mut sealed, mut text) = ([0; 20], [0; 4]);
            writer.seal(&[0; 5], b"text", &mut sealed);
            assert!(!reader.open(&[0; 5], &sealed, &mut text), "sealed with what the reader has not");
            reader.update();
            assert!(reader.open(&[0; 5], &sealed, &mut text));
            assert_eq!(&text, b"text");
        }
    }
}
