//! A client's handshake (RFC 8446 appendix A.1), with whoever answers: nothing is asked of the server's certificate.
//!
//! C's client believes certificates for reasons that are none (hazards 1 and 2). What is not verified is not parsed here
//! either: the certificate and the signature are hashed as part of the transcript, which the Finished then has to fit.

use std::mem;

use super::alert::{Alert, Failure};
use super::client_hello::{client_hello, parse_server_hello};
use super::connection::Channel;
use super::hello::{CERTIFICATE, CERTIFICATE_VERIFY, ENCRYPTED_EXTENSIONS, FINISHED, SERVER_HELLO, message};
use super::keys::{Secret, TrafficKeys};
use super::reader::{Reader, vector};
use crate::ffi::{Sha256, random, x25519, x25519_public};
use crate::http::constant_time_eq;

const CERTIFICATE_REQUEST: u8 = 13;

/// What a client waits for.
#[derive(Debug)]
pub(super) enum Client {
    Hello {
        transcript: Sha256,
        secret: Secret,
        session_id: [u8; 32],
    },
    Rest(Box<Rest>),
    /// Nothing: it is done.
    Done,
    /// Nothing any more: it failed.
    Failed,
}

/// What is known once the server has answered.
#[derive(Debug)]
pub(super) struct Rest {
    transcript: Sha256,
    handshake: Secret,
    ours: TrafficKeys,
    /// The message that is due.
    due: u8,
    asked_for_certificate: bool,
}

impl Client {
    /// Says hello to a server of this name.
    pub(super) fn begin(name: Option<&str>, channel: &mut Channel) -> Self {
        let (secret, session_id) = (Secret::new(random()), random());
        let hello = client_hello(&random(), &session_id, name, &x25519_public(secret.bytes()));
        channel.say_plainly(&hello, false);
        let mut transcript = Sha256::new();
        transcript.update(&hello);
        Self::Hello { transcript, secret, session_id }
    }

    /// Takes a message, whose header is with it.
    pub(super) fn take(&mut self, message: &[u8], channel: &mut Channel) -> Result<(), Failure> {
        *self = match (mem::replace(self, Self::Failed), message[0]) {
            (Self::Hello { mut transcript, secret, session_id }, SERVER_HELLO) => {
                let (suite, theirs) = parse_server_hello(&message[4..], &session_id)?;
                transcript.update(message);
                let shared = x25519(secret.bytes(), &theirs).ok_or_else(|| {
                    Failure::new(Alert::ILLEGAL_PARAMETER, "the server's key leads to no secret")
                })?;
                let (handshake, hash) = (Secret::of_handshake(shared), transcript.clone().finish());
                let keys = |label| TrafficKeys::new(suite.0, handshake.derive(label, &hash));
                let ours = keys("c hs traffic");
                channel.reader = Some(keys("s hs traffic"));
                let due = ENCRYPTED_EXTENSIONS;
                Self::Rest(Box::new(Rest { transcript, handshake, ours, due, asked_for_certificate: false }))
            }
            (Self::Rest(mut rest), kind) => {
                if rest.take(kind, message, channel)? {
                    Self::Done
                } else {
                    Self::Rest(rest)
                }
            }
            (_, kind) => return Err(out_of_turn(kind)),
        };
        Ok(())
    }
}

impl Rest {
    /// Whether that was the last.
    fn take(&mut self, kind: u8, message: &[u8], channel: &mut Channel) -> Result<bool, Failure> {
        if kind == FINISHED && self.due == FINISHED {
            self.finish(message, channel)?;
            return Ok(true);
        }
        let mut body = Reader::new(&message[4..]);
        self.due = match (self.due, kind) {
            (ENCRYPTED_EXTENSIONS, ENCRYPTED_EXTENSIONS) => {
                body.vector16()
                    .filter(|_| body.is_empty())
                    .ok_or_else(|| malformed("EncryptedExtensions"))?;
                CERTIFICATE
            }
            (CERTIFICATE, CERTIFICATE_REQUEST) if !self.asked_for_certificate => {
                // The context is for requests behind the handshake.
                body.vector8()
                    .filter(|context| context.is_empty())
                    .ok_or_else(|| malformed("CertificateRequest"))?;
                self.asked_for_certificate = true;
                CERTIFICATE
            }
            (CERTIFICATE, CERTIFICATE) => CERTIFICATE_VERIFY,
            (CERTIFICATE_VERIFY, CERTIFICATE_VERIFY) => FINISHED,
            _ => return Err(out_of_turn(kind)),
        };
        self.transcript.update(message);
        Ok(false)
    }

    fn finish(&mut self, theirs: &[u8], channel: &mut Channel) -> Result<(), Failure> {
        let hash = self.transcript.clone().finish();
        // C compares nothing.
        let is_right =
            channel.reader.as_ref().is_some_and(|keys| constant_time_eq(keys.finished(&hash), &theirs[4..]));
        if !is_right {
            return Err(Failure::new(Alert::DECRYPT_ERROR, "the server's Finished is not of this handshake"));
        }
        self.transcript.update(theirs);
        let (master, hash) = (self.handshake.master(), self.transcript.clone().finish());
        let mut flight = Vec::new();
        if self.asked_for_certificate {
            // None is shown.
            flight = message(CERTIFICATE, |out| {
                out.push(0);
                vector(out, 3, |_| {});
            });
            self.transcript.update(&flight);
        }
        let mac = self.ours.finished(&self.transcript.clone().finish());
        flight.extend(message(FINISHED, |out| out.extend(mac)));
        channel.say_plainly(&[], true);
        channel.seal(&mut self.ours, &flight);
        let keys = |label| TrafficKeys::new(self.ours.aead(), master.derive(label, &hash));
        channel.reader = Some(keys("s ap traffic"));
        channel.writer = Some(keys("c ap traffic"));
        Ok(())
    }
}

fn malformed(what: &str) -> Failure {
    Failure::malformed(what)
}

fn out_of_turn(kind: u8) -> Failure {
    let reason = format!("handshake message {kind} where another was due");
    Failure::new(Alert::UNEXPECTED_MESSAGE, reason)
}
