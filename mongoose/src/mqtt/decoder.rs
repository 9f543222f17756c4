//! Packets out of a stream of bytes, for who brings the bytes himself.

use super::{Packet, Reason, Version};
use crate::Error;
use crate::gate::mqtt::{Frame, Sender, Violation, decode, frame};

/// Takes packets off the front of bytes, and checks each as a whole.
///
/// [`Client`](super::Client) has one inside; by itself it is for servers, and for MQTT over something else.
///
/// ```
/// use mongoose::mqtt::{Connect, Decoder, Packet, Version};
///
/// let connect = Packet::Connect(Connect { client_id: "me", clean_start: true, ..Connect::default() });
/// let mut bytes = Vec::new();
/// connect.encode(Version::V3, &mut bytes)?;
/// Packet::Pingreq.encode(Version::V3, &mut bytes)?;
///
/// let mut decoder = Decoder::of_client(1 << 20);
/// let (packet, used) = decoder.next(&bytes)?.expect("a whole packet");
/// assert_eq!(packet, connect);
/// let (packet, used_next) = decoder.next(&bytes[used..])?.expect("another");
/// assert_eq!((packet, used + used_next), (Packet::Pingreq, bytes.len()));
/// assert_eq!(decoder.next(&[])?, None);
/// # Ok::<(), mongoose::Error>(())
/// ```
#[derive(Clone, Debug)]
#[doc(alias = "mg_mqtt_parse")]
pub struct Decoder {
    sender: Sender,
    limit: usize,
    /// `None` before CONNECT.
    version: Option<Version>,
    needs: usize,
}

impl Decoder {
    /// For what a client sends, in packets of `limit` bytes at most. The version is what its CONNECT says, which has to
    /// come first and only once.
    pub fn of_client(limit: usize) -> Self {
        Self { sender: Sender::Client, limit, version: None, needs: 0 }
    }

    /// For what a server sends to a client of this version, in packets of `limit` bytes at most.
    pub fn of_server(version: Version, limit: usize) -> Self {
        Self { sender: Sender::Server, limit, version: Some(version), needs: 0 }
    }

    /// What the peer speaks; `None` before its CONNECT.
    pub fn version(&self) -> Option<Version> {
        self.version
    }

    /// The packet at the front, and how many bytes it has. `None`: it is not all there.
    ///
    /// Until more than before is there, asking again answers the same at no cost worth speaking of: a packet is looked at
    /// once it is whole.
    ///
    /// # Errors
    /// [`Error::Mqtt`] with what to tell the peer; nothing can be read behind it.
    #[allow(
        clippy::should_implement_trait,
        reason = "it is given the bytes each time, and lends views of them"
    )]
    pub fn next<'b>(&mut self, bytes: &'b [u8]) -> Result<Option<(Packet<'b>, usize)>, Error> {
        self.split(bytes).map_err(|Violation { reason, what }| Error::Mqtt { reason, what })
    }

    /// How long the packet is that was not all there the last time, where that is known; else 0.
    pub(crate) fn needs(&self) -> usize {
        self.needs
    }

    pub(crate) fn split<'b>(&mut self, bytes: &'b [u8]) -> Result<Option<(Packet<'b>, usize)>, Violation> {
        if let Some(first) = bytes.first()
            && self.sender == Sender::Client
            && (first >> 4 == 1) != self.version.is_none()
        {
            return Err(Violation {
                reason: Reason::PROTOCOL_ERROR,
                what: if self.version.is_none() {
                    "the first packet is not CONNECT"
                } else {
                    "a second CONNECT"
                },
            });
        }
        let (first, body, end, shortest) = match frame(bytes, self.limit)? {
            Frame::Whole { first, body, end, shortest } => (first, body, end, shortest),
            Frame::Incomplete(needs) => {
                self.needs = needs;
                return Ok(None);
            }
        };
        let version = self.version.unwrap_or_default();
        let packet = decode(first, &bytes[body..end], shortest, version, self.sender)?;
        if let Packet::Connect(connect) = &packet {
            self.version = Some(connect.version);
        }
        Ok(Some((packet, end)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_packet_needs_is_known_with_its_header_and_never_past_the_limit() {
        let mut decoder = Decoder::of_server(Version::V3, 1000);
        let packet = [&b"\x30\xad\x02\0\x01t"[..], &[b'x'; 298]].concat();
        assert_eq!(packet.len(), 304);
        for count in 0..packet.len() {
            assert_eq!(decoder.split(&packet[..count]), Ok(None));
            assert_eq!(decoder.needs(), if count < 3 { 0 } else { packet.len() }, "{count}");
        }
        assert!(decoder.split(&packet).is_ok_and(|packet| packet.is_some()));
        assert!(decoder.split(b"\x30\xff\xff\xff\x7f").is_err());
    }
}
