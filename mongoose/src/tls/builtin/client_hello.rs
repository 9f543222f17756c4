//! A client's side of the hellos (RFC 8446 section 4.1).

use super::alert::{Alert, Failure};
use super::hello::{
    CLIENT_HELLO, ECDSA_P256_SHA256, KEY_SHARE, LEGACY_VERSION, RETRY_RANDOM, SERVER_NAME,
    SIGNATURE_ALGORITHMS, SUPPORTED_GROUPS, SUPPORTED_VERSIONS, Suite, TLS13, X25519, extension, message,
};
use super::reader::{Reader, vector};
use crate::ffi::Aead;

const COOKIE: u16 = 44;

/// A client's first message.
pub(super) fn client_hello(
    random: &[u8; 32],
    session_id: &[u8; 32],
    name: Option<&str>,
    share: &[u8; 32],
) -> Vec<u8> {
    // Whatever a server may sign with: nobody verifies it.
    const SIGNATURES: [u16; 12] = [
        ECDSA_P256_SHA256,
        0x0503,
        0x0603,
        0x0807,
        0x0804,
        0x0805,
        0x0806,
        0x0809,
        0x080a,
        0x080b,
        0x0401,
        0x0501,
    ];
    message(CLIENT_HELLO, |out| {
        out.extend(LEGACY_VERSION);
        out.extend(random);
        vector(out, 1, |out| out.extend(session_id));
        vector(out, 2, |out| {
            for aead in [Aead::ChaCha20Poly1305, Aead::Aes128Gcm] {
                out.extend(Suite(aead).number().to_be_bytes());
            }
        });
        out.extend([1, 0]);
        vector(out, 2, |out| {
            if let Some(name) = name {
                extension(out, SERVER_NAME, |out| {
                    vector(out, 2, |out| {
                        out.push(0);
                        vector(out, 2, |out| out.extend(name.as_bytes()));
                    });
                });
            }
            extension(out, SUPPORTED_GROUPS, |out| vector(out, 2, |out| out.extend(X25519.to_be_bytes())));
            extension(out, SIGNATURE_ALGORITHMS, |out| {
                vector(out, 2, |out| SIGNATURES.iter().for_each(|scheme| out.extend(scheme.to_be_bytes())));
            });
            extension(out, SUPPORTED_VERSIONS, |out| vector(out, 1, |out| out.extend(TLS13.to_be_bytes())));
            extension(out, KEY_SHARE, |out| {
                vector(out, 2, |out| {
                    out.extend(X25519.to_be_bytes());
                    vector(out, 2, |out| out.extend(share));
                });
            });
        });
    })
}

/// What a client goes by: the suite, and the server's X25519 key.
pub(super) fn parse_server_hello(body: &[u8], session_id: &[u8; 32]) -> Result<(Suite, [u8; 32]), Failure> {
    let malformed = || Failure::malformed("ServerHello");
    let illegal = |reason: &str| Failure::new(Alert::ILLEGAL_PARAMETER, reason);
    let mut reader = Reader::new(body);
    let mut fields = || {
        let (version, random): (_, [u8; 32]) = (reader.u16()?, reader.array()?);
        let (echo, suite, compression) = (reader.vector8()?, reader.u16()?, reader.u8()?);
        let extensions = if reader.is_empty() { &[] } else { reader.vector16()? };
        reader.is_empty().then_some((version, random, echo, suite, compression, extensions))
    };
    let (version, random, echo, suite, compression, extensions) = fields().ok_or_else(malformed)?;
    let (mut chosen, mut share) = (None, None);
    let mut reader = Reader::new(extensions);
    while !reader.is_empty() {
        let (kind, contents) = reader.u16().zip(reader.vector16()).ok_or_else(malformed)?;
        let before = match kind {
            SUPPORTED_VERSIONS => chosen.replace(contents),
            KEY_SHARE => share.replace(contents),
            COOKIE if random == RETRY_RANDOM => None,
            _ => {
                let reason = format!("the ServerHello has extension {kind}");
                return Err(Failure::new(Alert(110), reason));
            }
        };
        if before.is_some() {
            return Err(illegal("an extension of the ServerHello is there twice"));
        }
    }
    if version != 0x0303 || chosen.is_none() {
        return Err(Failure::new(Alert::PROTOCOL_VERSION, "the server speaks no TLS 1.3"));
    }
    if chosen != Some(&TLS13.to_be_bytes()) || echo != session_id || compression != 0 {
        return Err(illegal("the ServerHello answers what was not offered"));
    }
    if random == RETRY_RANDOM {
        return Err(illegal("the server wants a key other than X25519"));
    }
    let suite = Suite::from_number(suite).ok_or_else(|| illegal("the server chose what was not offered"))?;
    let mut reader =
        Reader::new(share.ok_or_else(|| Failure::new(Alert::MISSING_EXTENSION, "no key of the server's"))?);
    match (reader.u16(), reader.vector16().and_then(|key| key.try_into().ok()), reader.is_empty()) {
        (Some(X25519), Some(key), true) => Ok((suite, key)),
        _ => Err(illegal("the server's key is not one of X25519")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::builtin::hello::{ClientHello, retry_request, server_hello};

    fn hello() -> Vec<u8> {
        client_hello(&[1; 32], &[2; 32], Some("localhost"), &[3; 32])
    }

    fn parse(message: &[u8]) -> Result<ClientHello<'_>, Failure> {
        ClientHello::parse(&message[4..])
    }

    #[test]
    fn the_hello_of_our_own_client_is_understood() {
        let hello = hello();
        let parsed = parse(&hello).expect("a hello");
        assert_eq!((parsed.session_id, parsed.share), (&[2; 32][..], Some([3; 32])));
        assert_eq!(parsed.server_name, Some("localhost"));
        assert_eq!(parsed.suite, Suite(Aead::ChaCha20Poly1305));
        let answer = server_hello(&[4; 32], &parsed, &[5; 32]);
        assert_eq!(parse_server_hello(&answer[4..], &[2; 32]).expect("an answer"), (parsed.suite, [5; 32]));
    }

    #[test]
    fn a_server_that_answers_what_was_not_asked_is_refused() {
        let hello = hello();
        let parsed = parse(&hello).expect("a hello");
        let good = server_hello(&[4; 32], &parsed, &[5; 32]);
        assert!(parse_server_hello(&good[4..], &[9; 32]).is_err(), "another session");
        let retry = retry_request(&parsed);
        assert!(parse_server_hello(&retry[4..], &[2; 32]).is_err(), "we have no other key");
        for end in 4..good.len() {
            assert!(parse_server_hello(&good[4..end], &[2; 32]).is_err(), "{end}");
        }
        for at in [4, 5, 39, 71, 72, 73, 76, 80, 82, 87] {
            let mut bad = good.clone();
            bad[at] ^= 0x40;
            assert!(parse_server_hello(&bad[4..], &[2; 32]).is_err(), "{at}");
        }
    }
}
