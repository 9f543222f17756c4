//! Messages, as programs see them.

use super::{Properties, PropertiesBuf, Publish, QoS};

/// A message: a view of the receive buffer where it was received, of whatever it was made from where it is to be sent.
///
/// ```
/// use mongoose::mqtt::{Message, QoS};
///
/// let message = Message { qos: QoS::AtLeastOnce, ..Message::new("house/door", b"open") };
/// assert!(!message.retain);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Message<'a> {
    /// Where it is published.
    pub topic: &'a str,
    /// What it says.
    pub payload: &'a [u8],
    /// How it is delivered.
    pub qos: QoS,
    /// To be sent: the server keeps it for those who come later. Received: it was kept.
    pub retain: bool,
    /// Received: it may have come before.
    pub duplicate: bool,
    /// Of MQTT 5.
    pub properties: Properties<'a>,
}

impl<'a> Message<'a> {
    /// At QoS 0, not retained, without properties.
    pub fn new(topic: &'a str, payload: &'a [u8]) -> Self {
        Self { topic, payload, ..Self::default() }
    }

    /// The payload as text, where it is UTF-8.
    pub fn text(&self) -> Option<&'a str> {
        std::str::from_utf8(self.payload).ok()
    }

    /// A copy to keep.
    pub fn to_buf(self) -> MessageBuf {
        MessageBuf {
            topic: self.topic.to_owned(),
            payload: self.payload.to_vec(),
            qos: self.qos,
            retain: self.retain,
            duplicate: self.duplicate,
            properties: self.properties.into(),
        }
    }

    /// As a packet's, under another topic where an alias stood for it.
    pub(crate) fn received(publish: &Publish<'a>, topic: &'a str) -> Self {
        Self {
            topic,
            payload: publish.payload,
            qos: publish.qos,
            retain: publish.retain,
            duplicate: publish.duplicate,
            properties: publish.properties,
        }
    }

    pub(crate) fn publish(&self) -> Publish<'a> {
        Publish {
            duplicate: false,
            qos: self.qos,
            retain: self.retain,
            topic: self.topic,
            packet_id: None,
            properties: self.properties,
            payload: self.payload,
        }
    }
}

/// A message to keep: what [`Message::to_buf`] gives.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct MessageBuf {
    /// As [`Message::topic`].
    pub topic: String,
    /// As [`Message::payload`].
    pub payload: Vec<u8>,
    /// As [`Message::qos`].
    pub qos: QoS,
    /// As [`Message::retain`].
    pub retain: bool,
    /// As [`Message::duplicate`].
    pub duplicate: bool,
    /// As [`Message::properties`].
    pub properties: PropertiesBuf,
}

impl MessageBuf {
    /// The message, as it is published.
    pub fn view(&self) -> Message<'_> {
        Message {
            topic: &self.topic,
            payload: &self.payload,
            qos: self.qos,
            retain: self.retain,
            duplicate: self.duplicate,
            properties: self.properties.view(),
        }
    }
}

impl From<Message<'_>> for MessageBuf {
    fn from(message: Message<'_>) -> Self {
        message.to_buf()
    }
}
