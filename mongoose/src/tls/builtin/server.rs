//! A server's handshake (RFC 8446 appendix A.2).

use std::mem;
use std::sync::Arc;

use super::alert::{Alert, Failure};
use super::connection::Channel;
use super::hello::{
    self, CERTIFICATE_VERIFY, CLIENT_HELLO, ClientHello, ENCRYPTED_EXTENSIONS, FINISHED, Suite,
};
use super::keys::{Secret, TrafficKeys};
use super::reader::vector;
use super::server_config::Identity;
use crate::ffi::{Sha256, random, x25519, x25519_public};
use crate::http::constant_time_eq;

/// How much data is passed over that a client sends on its own authority: who issued its session is not us, and allowed as
/// much, say.
const EARLY_DATA_MAX: usize = 64 << 10;

const MESSAGE_HASH: u8 = 254;
const ECDSA_P256_SHA256: u16 = 0x0403;

/// What a server waits for.
#[derive(Debug)]
pub(super) enum Server {
    /// A ClientHello, or the second one, with what was agreed on in the first.
    Hello { identity: Arc<Identity>, retried: Option<(Sha256, Suite)> },
    /// The client's Finished: its MAC, and the client's keys behind it.
    Finished { mac: [u8; 32], then: TrafficKeys },
    /// Nothing: it is done.
    Done,
    /// Nothing any more: it failed.
    Failed,
}

impl Server {
    /// Whether nothing has come yet.
    pub(super) fn is_at_the_beginning(&self) -> bool {
        matches!(self, Self::Hello { retried: None, .. })
    }

    /// Takes a message, whose header is with it.
    pub(super) fn take(&mut self, message: &[u8], channel: &mut Channel) -> Result<(), Failure> {
        *self = match (mem::replace(self, Self::Failed), message[0]) {
            (Self::Hello { identity, retried }, CLIENT_HELLO) => {
                answer_hello(identity, retried, message, channel)?
            }
            (Self::Finished { mac, then }, FINISHED) => {
                // C compares nothing.
                if !constant_time_eq(mac, &message[4..]) {
                    return Err(Failure::new(
                        Alert::DECRYPT_ERROR,
                        "the client's Finished is not of this handshake",
                    ));
                }
                channel.reader = Some(then);
                Self::Done
            }
            (_, kind) => {
                let reason = format!("handshake message {kind} where another was due");
                return Err(Failure::new(Alert::UNEXPECTED_MESSAGE, reason));
            }
        };
        Ok(())
    }
}

fn answer_hello(
    identity: Arc<Identity>,
    retried: Option<(Sha256, Suite)>,
    message: &[u8],
    channel: &mut Channel,
) -> Result<Server, Failure> {
    let hello = ClientHello::parse(&message[4..])?;
    let mut transcript = match &retried {
        None => Sha256::new(),
        Some((transcript, suite)) if *suite == hello.suite => transcript.clone(),
        Some(_) => {
            let reason = "the second ClientHello offers other suites";
            return Err(Failure::new(Alert::ILLEGAL_PARAMETER, reason));
        }
    };
    transcript.update(message);
    channel.early_data = if hello.early_data { EARLY_DATA_MAX } else { 0 };
    let Some(theirs) = hello.share else {
        if retried.is_some() {
            return Err(Failure::new(Alert::ILLEGAL_PARAMETER, "no X25519 key though it was asked for"));
        }
        let retry = hello::retry_request(&hello);
        let mut after = Sha256::new();
        after.update(&[MESSAGE_HASH, 0, 0, 32]);
        after.update(&transcript.finish());
        after.update(&retry);
        channel.say_plainly(&retry, !hello.session_id.is_empty());
        return Ok(Server::Hello { identity, retried: Some((after, hello.suite)) });
    };

    channel.server_name = hello.server_name.map(Into::into);
    let mut secret: [u8; 32] = random();
    let shared = x25519(&secret, &theirs);
    let ours = x25519_public(&secret);
    crate::ffi::wipe(&mut secret);
    let shared = shared
        .ok_or_else(|| Failure::new(Alert::ILLEGAL_PARAMETER, "the client's key leads to no secret"))?;
    let handshake = Secret::of_handshake(shared);
    // Of our own: C sends the client's back (hazard 46).
    let answer = hello::server_hello(&random(), &hello, &ours);
    transcript.update(&answer);
    channel.say_plainly(&answer, !hello.session_id.is_empty() && retried.is_none());

    let aead = hello.suite.0;
    let hash = transcript.clone().finish();
    let mut writer = TrafficKeys::new(aead, handshake.derive("s hs traffic", &hash));
    let reader = TrafficKeys::new(aead, handshake.derive("c hs traffic", &hash));
    let mut flight = hello::message(ENCRYPTED_EXTENSIONS, |out| vector(out, 2, |_| {}));
    flight.extend(&identity.certificate);
    transcript.update(&flight);
    let verify = certificate_verify(&identity, &transcript.clone().finish())?;
    transcript.update(&verify);
    flight.extend(&verify);
    let finished = hello::message(FINISHED, |out| out.extend(writer.finished(&transcript.clone().finish())));
    transcript.update(&finished);
    flight.extend(&finished);
    channel.seal(&mut writer, &flight);

    let hash = transcript.clone().finish();
    let master = handshake.master();
    channel.writer = Some(TrafficKeys::new(aead, master.derive("s ap traffic", &hash)));
    let mac = reader.finished(&hash);
    channel.reader = Some(reader);
    Ok(Server::Finished { mac, then: TrafficKeys::new(aead, master.derive("c ap traffic", &hash)) })
}

/// The proof that the key is ours: a signature of the transcript so far (section 4.4.3).
fn certificate_verify(identity: &Identity, hash: &[u8; 32]) -> Result<Vec<u8>, Failure> {
    let mut content = Sha256::new();
    content.update(&[b' '; 64]);
    content.update(b"TLS 1.3, server CertificateVerify\0");
    content.update(hash);
    let signature = identity
        .key
        .sign(&content.finish())
        .ok_or_else(|| Failure::new(Alert::INTERNAL_ERROR, "nothing could be signed"))?;
    Ok(hello::message(CERTIFICATE_VERIFY, |out| {
        out.extend(ECDSA_P256_SHA256.to_be_bytes());
        vector(out, 2, |out| signature_der(out, &signature));
    }))
}

/// A signature as DER has it: two numbers, each as short as it can be.
///
/// C leaves zeros in front of them, and what verifies strictly refuses 1 handshake in 256 (hazard 50).
fn signature_der(out: &mut Vec<u8>, signature: &[u8; 64]) {
    const SEQUENCE: u8 = 0x30;
    const INTEGER: u8 = 2;
    out.push(SEQUENCE);
    vector(out, 1, |out| {
        for number in signature.as_chunks::<32>().0 {
            let zeros = number.iter().take(31).take_while(|&&byte| byte == 0).count();
            let digits = &number[zeros..];
            out.push(INTEGER);
            vector(out, 1, |out| {
                // What starts with a bit would be negative.
                out.extend((digits[0] & 0x80 != 0).then_some(0));
                out.extend(digits);
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
        let mut signature = [0; 64];
        signature[32 - r.len()..32].copy_from_slice(r);
        signature[64 - s.len()..].copy_from_slice(s);
        let mut out = Vec::new();
        signature_der(&mut out, &signature);
        out
    }

    #[test]
    fn hazard_61_a_finished_of_another_handshake_is_refused() {
        let keys = || TrafficKeys::new(crate::ffi::Aead::ChaCha20Poly1305, Secret::new([1; 32]));
        let finished = |mac: &[u8]| hello::message(FINISHED, |out| out.extend(mac));
        for (mac, is_right) in [([7; 32], true), ([8; 32], false)] {
            let mut server = Server::Finished { mac: [7; 32], then: keys() };
            let taken = server.take(&finished(&mac), &mut Channel::default());
            assert_eq!(taken.is_ok(), is_right);
            assert_eq!(matches!(server, Server::Done), is_right);
        }
        let mut server = Server::Finished { mac: [7; 32], then: keys() };
        let failure = server.take(&finished(&[7; 31]), &mut Channel::default()).expect_err("cut");
        assert_eq!(failure.alert, Some(Alert::DECRYPT_ERROR));
    }

    #[test]
    fn hazard_50_numbers_of_a_signature_are_as_short_as_can_be() {
        assert_eq!(der(&[1], &[0x7f, 2]), b"\x30\x07\x02\x01\x01\x02\x02\x7f\x02");
        assert_eq!(der(&[0x80], &[0xff, 0, 3]), b"\x30\x0a\x02\x02\0\x80\x02\x04\0\xff\0\x03");
        assert_eq!(der(&[], &[1]), b"\x30\x06\x02\x01\0\x02\x01\x01", "0 has a digit");
        let longest = der(&[0x81; 32], &[0x82; 32]);
        assert_eq!((longest.len(), longest[1]), (72, 70));
        assert_eq!(der(&[0x71; 32], &[0x72; 32])[..4], [0x30, 68, 2, 32]);
    }
}
