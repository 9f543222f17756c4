//! ClientHello and ServerHello (RFC 8446 section 4.1).
//!
//! C takes the first record for the whole message, reads past it where lengths do not add up, and looks at nothing but
//! the key share: it answers whoever speaks no TLS 1.3, or not the cipher it chose, as if they did.

use super::alert::{Alert, Failure};
use super::reader::{Reader, vector};
use crate::ffi::Aead;

pub(super) const CLIENT_HELLO: u8 = 1;
pub(super) const SERVER_HELLO: u8 = 2;
pub(super) const ENCRYPTED_EXTENSIONS: u8 = 8;
pub(super) const CERTIFICATE: u8 = 11;
pub(super) const CERTIFICATE_VERIFY: u8 = 15;
pub(super) const FINISHED: u8 = 20;

/// What stands for TLS 1.2 where versions stood before 1.3.
pub(super) const LEGACY_VERSION: [u8; 2] = [3, 3];
pub(super) const TLS13: u16 = 0x0304;
pub(super) const X25519: u16 = 0x001d;
pub(super) const ECDSA_P256_SHA256: u16 = 0x0403;

pub(super) const SERVER_NAME: u16 = 0;
pub(super) const SUPPORTED_GROUPS: u16 = 10;
pub(super) const SIGNATURE_ALGORITHMS: u16 = 13;
pub(super) const PRE_SHARED_KEY: u16 = 41;
pub(super) const EARLY_DATA: u16 = 42;
pub(super) const SUPPORTED_VERSIONS: u16 = 43;
pub(super) const PSK_KEY_EXCHANGE_MODES: u16 = 45;
pub(super) const KEY_SHARE: u16 = 51;

/// The random of a ServerHello that asks for another ClientHello.
pub(super) const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
    0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// A cipher suite, by what protects its records: the hash is SHA-256 in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Suite(pub(super) Aead);

impl Suite {
    /// The best of what a client offers. ChaCha20 comes first: C's AES looks up tables with what is secret.
    fn choose(offered: &[u8]) -> Result<Option<Self>, Failure> {
        let numbers = Reader::new(offered).numbers().ok_or_else(malformed)?;
        let known = numbers.filter_map(Self::from_number);
        Ok(known.min_by_key(|suite| suite.0 == Aead::Aes128Gcm))
    }

    pub(super) fn from_number(number: u16) -> Option<Self> {
        match number {
            0x1301 => Some(Self(Aead::Aes128Gcm)),
            0x1303 => Some(Self(Aead::ChaCha20Poly1305)),
            _ => None,
        }
    }

    pub(super) fn number(self) -> u16 {
        match self.0 {
            Aead::Aes128Gcm => 0x1301,
            Aead::ChaCha20Poly1305 => 0x1303,
        }
    }
}

/// What a server goes by.
#[derive(Debug)]
pub(super) struct ClientHello<'a> {
    pub(super) session_id: &'a [u8],
    pub(super) suite: Suite,
    /// The client's X25519 key. A client without can be asked for it.
    pub(super) share: Option<[u8; 32]>,
    /// The name that it asks for.
    pub(super) server_name: Option<&'a str>,
    /// Whether it sends data that we have no keys for, in the hope of a session that we do not resume.
    pub(super) early_data: bool,
}

impl<'a> ClientHello<'a> {
    /// Takes the message without its header.
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, Failure> {
        let mut reader = Reader::new(body);
        let mut fields = || {
            // What is offered is among the extensions.
            let _version = reader.u16()?;
            let _random: [u8; 32] = reader.array()?;
            let (session_id, suites) = (reader.vector8()?, reader.vector16()?);
            let compressions = reader.vector8()?;
            // Before TLS 1.3 there could be none.
            let extensions = if reader.is_empty() { &[] } else { reader.vector16()? };
            reader.is_empty().then_some((session_id, suites, compressions, extensions))
        };
        let (session_id, suites, compressions, extensions) = fields().ok_or_else(malformed)?;
        if session_id.len() > 32 || compressions.is_empty() {
            return Err(malformed());
        }
        let extensions = Extensions::parse(extensions).ok_or_else(malformed)??;
        extensions.check_version()?;
        if compressions != [0] {
            return Err(Failure::new(Alert::ILLEGAL_PARAMETER, "the ClientHello offers compression"));
        }
        let suite = Suite::choose(suites)?.ok_or_else(|| {
            let ours = "neither TLS_CHACHA20_POLY1305_SHA256 nor TLS_AES_128_GCM_SHA256 is offered";
            Failure::new(Alert::HANDSHAKE_FAILURE, ours)
        })?;
        extensions.check_signatures()?;
        let (share, server_name) = (extensions.share()?, extensions.server_name()?);
        Ok(Self { session_id, suite, share, server_name, early_data: extensions.early_data })
    }
}

fn malformed() -> Failure {
    Failure::malformed("ClientHello")
}

/// Those of a ClientHello that a server has to look at: their contents, where they are there.
#[derive(Debug, Default)]
struct Extensions<'a> {
    versions: Option<&'a [u8]>,
    groups: Option<&'a [u8]>,
    signatures: Option<&'a [u8]>,
    shares: Option<&'a [u8]>,
    names: Option<&'a [u8]>,
    early_data: bool,
}

impl<'a> Extensions<'a> {
    /// `None` where lengths do not add up; an error for one that is there twice.
    fn parse(bytes: &'a [u8]) -> Option<Result<Self, Failure>> {
        let (mut found, mut has_modes) = (Self::default(), false);
        let mut reader = Reader::new(bytes);
        while !reader.is_empty() {
            let (kind, contents) = (reader.u16()?, reader.vector16()?);
            found.early_data |= kind == EARLY_DATA;
            has_modes |= kind == PSK_KEY_EXCHANGE_MODES;
            // No session is resumed, but these are told (sections 4.2.9 and 4.2.11).
            if kind == PRE_SHARED_KEY && !reader.is_empty() {
                let reason = "the ClientHello goes on behind pre_shared_key";
                return Some(Err(Failure::new(Alert::ILLEGAL_PARAMETER, reason)));
            }
            if kind == PRE_SHARED_KEY && !has_modes {
                return Some(Err(missing("psk_key_exchange_modes")));
            }
            let place = match kind {
                SUPPORTED_VERSIONS => &mut found.versions,
                SUPPORTED_GROUPS => &mut found.groups,
                SIGNATURE_ALGORITHMS => &mut found.signatures,
                KEY_SHARE => &mut found.shares,
                SERVER_NAME => &mut found.names,
                _ => continue,
            };
            if place.replace(contents).is_some() {
                let reason = format!("extension {kind} of the ClientHello is there twice");
                return Some(Err(Failure::new(Alert::ILLEGAL_PARAMETER, reason)));
            }
        }
        Some(Ok(found))
    }

    fn check_version(&self) -> Result<(), Failure> {
        let old = || Failure::new(Alert::PROTOCOL_VERSION, "TLS 1.3 is not offered");
        let mut reader = Reader::new(self.versions.ok_or_else(old)?);
        let list = reader.vector8().filter(|_| reader.is_empty()).ok_or_else(malformed)?;
        let mut versions = Reader::new(list).numbers().ok_or_else(malformed)?;
        if versions.any(|version| version == TLS13) { Ok(()) } else { Err(old()) }
    }

    /// `None` for a name that is no text either: nothing depends on it.
    fn server_name(&self) -> Result<Option<&'a str>, Failure> {
        let Some(contents) = self.names else { return Ok(None) };
        let mut reader = Reader::new(contents);
        let mut list = Reader::new(reader.vector16().filter(|_| reader.is_empty()).ok_or_else(malformed)?);
        let (kind, name) = list.u8().zip(list.vector16()).ok_or_else(malformed)?;
        Ok(str::from_utf8(name).ok().filter(|_| kind == 0))
    }

    fn check_signatures(&self) -> Result<(), Failure> {
        if list16(self.signatures, "signature_algorithms")?.any(|scheme| scheme == ECDSA_P256_SHA256) {
            return Ok(());
        }
        Err(Failure::new(Alert::HANDSHAKE_FAILURE, "ecdsa_secp256r1_sha256 is not offered"))
    }

    /// The X25519 key. `None` when it is not there, but can be asked for.
    fn share(&self) -> Result<Option<[u8; 32]>, Failure> {
        let knows_group = list16(self.groups, "supported_groups")?.any(|group| group == X25519);
        let mut reader = Reader::new(self.shares.ok_or_else(|| missing("key_share"))?);
        let shares = reader.vector16().filter(|_| reader.is_empty()).ok_or_else(malformed)?;
        let mut reader = Reader::new(shares);
        let mut ours = None;
        while !reader.is_empty() {
            let (group, key) = reader.u16().zip(reader.vector16()).ok_or_else(malformed)?;
            if group == X25519 && ours.is_none() {
                ours = Some(key.try_into().map_err(|_| {
                    Failure::new(Alert::ILLEGAL_PARAMETER, "the X25519 key has not 32 bytes")
                })?);
            }
        }
        if ours.is_none() && !knows_group {
            return Err(Failure::new(Alert::HANDSHAKE_FAILURE, "X25519 is not offered"));
        }
        Ok(ours)
    }
}

fn missing(extension: &str) -> Failure {
    Failure::new(Alert::MISSING_EXTENSION, format!("the ClientHello has no {extension}"))
}

/// The numbers in an extension that is a list of them.
fn list16<'a>(contents: Option<&'a [u8]>, name: &str) -> Result<impl Iterator<Item = u16> + 'a, Failure> {
    let mut reader = Reader::new(contents.ok_or_else(|| missing(name))?);
    let list = reader.vector16().filter(|_| reader.is_empty()).ok_or_else(malformed)?;
    Reader::new(list).numbers().ok_or_else(malformed)
}

/// The answer to a ClientHello, as a message.
pub(super) fn server_hello(random: &[u8; 32], hello: &ClientHello<'_>, share: &[u8; 32]) -> Vec<u8> {
    answer(random, hello, |out| {
        out.extend(X25519.to_be_bytes());
        vector(out, 2, |out| out.extend(share));
    })
}

/// The answer that asks for a ClientHello with an X25519 key, as a message.
pub(super) fn retry_request(hello: &ClientHello<'_>) -> Vec<u8> {
    answer(&RETRY_RANDOM, hello, |out| out.extend(X25519.to_be_bytes()))
}

fn answer(random: &[u8; 32], hello: &ClientHello<'_>, share: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    message(SERVER_HELLO, |out| {
        out.extend(LEGACY_VERSION);
        out.extend(random);
        vector(out, 1, |out| out.extend(hello.session_id));
        out.extend(hello.suite.number().to_be_bytes());
        out.push(0);
        vector(out, 2, |out| {
            extension(out, SUPPORTED_VERSIONS, |out| out.extend(TLS13.to_be_bytes()));
            extension(out, KEY_SHARE, share);
        });
    })
}

/// A handshake message with its header.
pub(super) fn message(kind: u8, body: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut message = vec![kind];
    vector(&mut message, 3, body);
    message
}

pub(super) fn extension(out: &mut Vec<u8>, kind: u16, contents: impl FnOnce(&mut Vec<u8>)) {
    out.extend(kind.to_be_bytes());
    vector(out, 2, contents);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello() -> Vec<u8> {
        let share: (u16, &[u8]) = (KEY_SHARE, &[&[0, 36, 0, 29, 0, 32][..], &[3; 32]].concat());
        with(&[0x1301, 0x1303], &[VERSIONS, GROUPS, SIGNATURES, (0xff01, b"other"), share])
    }

    fn parse(message: &[u8]) -> Result<ClientHello<'_>, Failure> {
        ClientHello::parse(&message[4..])
    }

    /// A ClientHello whose extensions are these.
    fn with(suites: &[u16], extensions: &[(u16, &[u8])]) -> Vec<u8> {
        message(CLIENT_HELLO, |out| {
            out.extend(LEGACY_VERSION);
            out.extend([1; 32]);
            out.push(0);
            vector(out, 2, |out| suites.iter().for_each(|suite| out.extend(suite.to_be_bytes())));
            out.extend([1, 0]);
            vector(out, 2, |out| {
                for (kind, contents) in extensions {
                    extension(out, *kind, |out| out.extend(*contents));
                }
            });
        })
    }

    const VERSIONS: (u16, &[u8]) = (SUPPORTED_VERSIONS, &[4, 0x7f, 0, 3, 4]);
    const GROUPS: (u16, &[u8]) = (SUPPORTED_GROUPS, &[0, 4, 0, 23, 0, 29]);
    const SIGNATURES: (u16, &[u8]) = (SIGNATURE_ALGORITHMS, &[0, 4, 8, 4, 4, 3]);
    const P256_SHARE: (u16, &[u8]) = (KEY_SHARE, &[0, 6, 0, 23, 0, 2, 9, 9]);

    #[test]
    fn a_hello_that_is_cut_anywhere_is_refused() {
        let hello = hello();
        let whole = parse(&hello).expect("a hello");
        assert_eq!((whole.suite, whole.share), (Suite(Aead::ChaCha20Poly1305), Some([3; 32])));
        for end in 4..hello.len() {
            parse(&hello[..end]).expect_err("half a hello");
        }
        let mut longer = hello;
        longer.push(0);
        assert_eq!(parse(&longer).expect_err("too long").alert, Some(Alert::DECODE_ERROR));
    }

    #[test]
    fn what_stands_where_versions_stood_says_nothing() {
        let mut hello = hello();
        for legacy in [[3, 1], [2, 0], [3, 4], [0x7f, 0x1c]] {
            hello[4..6].copy_from_slice(&legacy);
            parse(&hello).expect("section 4.2.1: only supported_versions counts");
        }
    }

    #[test]
    fn a_client_without_our_share_can_be_asked() {
        let hello = with(&[0x1301], &[VERSIONS, GROUPS, SIGNATURES, P256_SHARE]);
        let hello = parse(&hello).expect("a hello");
        assert_eq!((hello.suite, hello.share), (Suite(Aead::Aes128Gcm), None));
        let retry = retry_request(&hello);
        assert_eq!(retry[6..38], RETRY_RANDOM);
    }

    #[test]
    fn what_is_not_ours_is_refused_with_its_alert() {
        let alert = |suites: &[u16], extensions: &[(u16, &[u8])]| {
            parse(&with(suites, extensions)).expect_err("refused").alert.expect("an alert")
        };
        let all = [VERSIONS, GROUPS, SIGNATURES, P256_SHARE];
        assert!(parse(&with(&[0x1303], &all)).is_ok());
        assert_eq!(alert(&[0x1303], &[]), Alert::PROTOCOL_VERSION, "TLS 1.2");
        assert_eq!(alert(&[0x1303], &[(SUPPORTED_VERSIONS, &[2, 3, 3])]), Alert::PROTOCOL_VERSION);
        assert_eq!(
            alert(&[0x1302, 0xc02f], &all),
            Alert::HANDSHAKE_FAILURE,
            "hazard 46: C answers all the same"
        );
        assert_eq!(alert(&[0x1303], &[VERSIONS, GROUPS, P256_SHARE]), Alert::MISSING_EXTENSION);
        assert_eq!(alert(&[0x1303], &[VERSIONS, GROUPS, SIGNATURES]), Alert::MISSING_EXTENSION);
        let rsa: (u16, &[u8]) = (SIGNATURE_ALGORITHMS, &[0, 2, 8, 4]);
        assert_eq!(alert(&[0x1303], &[VERSIONS, GROUPS, rsa, P256_SHARE]), Alert::HANDSHAKE_FAILURE);
        let p256: (u16, &[u8]) = (SUPPORTED_GROUPS, &[0, 2, 0, 23]);
        assert_eq!(alert(&[0x1303], &[VERSIONS, p256, SIGNATURES, P256_SHARE]), Alert::HANDSHAKE_FAILURE);
        let short: (u16, &[u8]) = (KEY_SHARE, &[0, 5, 0, 29, 0, 1, 9]);
        assert_eq!(alert(&[0x1303], &[VERSIONS, GROUPS, SIGNATURES, short]), Alert::ILLEGAL_PARAMETER);
        assert_eq!(alert(&[0x1303], &[VERSIONS, VERSIONS]), Alert::ILLEGAL_PARAMETER, "twice");
        let keys: (u16, &[u8]) = (PRE_SHARED_KEY, b"tickets");
        assert_eq!(alert(&[0x1303], &[VERSIONS, keys, GROUPS]), Alert::ILLEGAL_PARAMETER, "not the last");
        assert_eq!(alert(&[0x1303], &[VERSIONS, keys]), Alert::MISSING_EXTENSION, "resumed how?");
        let modes: (u16, &[u8]) = (PSK_KEY_EXCHANGE_MODES, &[1, 1]);
        let resuming = [VERSIONS, GROUPS, SIGNATURES, P256_SHARE, modes, keys];
        assert!(parse(&with(&[0x1303], &resuming)).is_ok());
        let long: (u16, &[u8]) = (KEY_SHARE, &[0, 6, 0, 29, 0xff, 0xff, 9, 9]);
        assert_eq!(alert(&[0x1303], &[VERSIONS, GROUPS, SIGNATURES, long]), Alert::DECODE_ERROR);
    }
}
