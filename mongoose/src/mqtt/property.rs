//! The properties of MQTT 5 packets (section 2.2.2).

use std::fmt;

use crate::Error;
use crate::gate::mqtt::{Fields, PacketSet, split_property};

/// One property. What it means depends on the packet it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(clippy::enum_variant_names, reason = "the specification's names")]
pub enum Property<'a> {
    /// The payload is UTF-8.
    PayloadFormatIndicator(bool),
    /// Seconds for which a message is worth delivering.
    MessageExpiryInterval(u32),
    /// What the payload is, such as `text/plain`.
    ContentType(&'a str),
    /// Where an answer is to be published.
    ResponseTopic(&'a str),
    /// What an answer has to bring back.
    CorrelationData(&'a [u8]),
    /// The number of the subscription that a message came by, 1 to 268,435,455.
    SubscriptionIdentifier(u32),
    /// Seconds for which a session outlives its connection; `u32::MAX`: for ever.
    SessionExpiryInterval(u32),
    /// The name that the server chose for the client.
    AssignedClientIdentifier(&'a str),
    /// The keep-alive that the server wants, in seconds.
    ServerKeepAlive(u16),
    /// How the peers authenticate.
    AuthenticationMethod(&'a str),
    /// What the method calls for.
    AuthenticationData(&'a [u8]),
    /// Whether failures may come with texts and user properties.
    RequestProblemInformation(bool),
    /// Seconds between the loss of a connection and its will.
    WillDelayInterval(u32),
    /// Whether the server is to say where responses may go.
    RequestResponseInformation(bool),
    /// What response topics are to begin with.
    ResponseInformation(&'a str),
    /// Another server.
    ServerReference(&'a str),
    /// What went wrong, for people.
    ReasonString(&'a str),
    /// How many messages above QoS 0 may be in flight, 1 or more.
    ReceiveMaximum(u16),
    /// The largest topic alias that may be sent; 0: none.
    TopicAliasMaximum(u16),
    /// A number for the topic, 1 or more.
    TopicAlias(u16),
    /// The highest QoS that the server takes, 0 or 1.
    MaximumQos(u8),
    /// Whether the server retains messages.
    RetainAvailable(bool),
    /// A name and a value of the user's own. There may be several, of one name too.
    UserProperty(&'a str, &'a str),
    /// Bytes of the largest packet that is taken.
    MaximumPacketSize(u32),
    /// Whether the server takes wildcards.
    WildcardSubscriptionAvailable(bool),
    /// Whether the server takes subscription identifiers.
    SubscriptionIdentifierAvailable(bool),
    /// Whether the server takes shared subscriptions.
    SharedSubscriptionAvailable(bool),
}

impl Property<'_> {
    /// Its number on the wire.
    pub fn id(&self) -> u8 {
        match self {
            Self::PayloadFormatIndicator(_) => 1,
            Self::MessageExpiryInterval(_) => 2,
            Self::ContentType(_) => 3,
            Self::ResponseTopic(_) => 8,
            Self::CorrelationData(_) => 9,
            Self::SubscriptionIdentifier(_) => 11,
            Self::SessionExpiryInterval(_) => 17,
            Self::AssignedClientIdentifier(_) => 18,
            Self::ServerKeepAlive(_) => 19,
            Self::AuthenticationMethod(_) => 21,
            Self::AuthenticationData(_) => 22,
            Self::RequestProblemInformation(_) => 23,
            Self::WillDelayInterval(_) => 24,
            Self::RequestResponseInformation(_) => 25,
            Self::ResponseInformation(_) => 26,
            Self::ServerReference(_) => 28,
            Self::ReasonString(_) => 31,
            Self::ReceiveMaximum(_) => 33,
            Self::TopicAliasMaximum(_) => 34,
            Self::TopicAlias(_) => 35,
            Self::MaximumQos(_) => 36,
            Self::RetainAvailable(_) => 37,
            Self::UserProperty(..) => 38,
            Self::MaximumPacketSize(_) => 39,
            Self::WildcardSubscriptionAvailable(_) => 40,
            Self::SubscriptionIdentifierAvailable(_) => 41,
            Self::SharedSubscriptionAvailable(_) => 42,
        }
    }

    /// Appends it as it is on the wire. An error is what is wrong with it.
    fn write(&self, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let begin = out.len();
        out.push(self.id());
        let written = match *self {
            Self::PayloadFormatIndicator(on)
            | Self::RequestProblemInformation(on)
            | Self::RequestResponseInformation(on)
            | Self::RetainAvailable(on)
            | Self::WildcardSubscriptionAvailable(on)
            | Self::SubscriptionIdentifierAvailable(on)
            | Self::SharedSubscriptionAvailable(on) => {
                out.push(u8::from(on));
                Ok(())
            }
            Self::MaximumQos(qos) => {
                out.push(qos);
                Ok(())
            }
            Self::ServerKeepAlive(value)
            | Self::ReceiveMaximum(value)
            | Self::TopicAliasMaximum(value)
            | Self::TopicAlias(value) => {
                out.extend(value.to_be_bytes());
                Ok(())
            }
            Self::MessageExpiryInterval(value)
            | Self::SessionExpiryInterval(value)
            | Self::WillDelayInterval(value)
            | Self::MaximumPacketSize(value) => {
                out.extend(value.to_be_bytes());
                Ok(())
            }
            Self::SubscriptionIdentifier(value) => write_varint(value, out),
            Self::ContentType(text)
            | Self::ResponseTopic(text)
            | Self::AssignedClientIdentifier(text)
            | Self::AuthenticationMethod(text)
            | Self::ResponseInformation(text)
            | Self::ServerReference(text)
            | Self::ReasonString(text) => write_text(text, out),
            Self::CorrelationData(bytes) | Self::AuthenticationData(bytes) => write_binary(bytes, out),
            Self::UserProperty(name, value) => write_text(name, out).and_then(|()| write_text(value, out)),
        };
        // What the gate would refuse of a peer's is not sent either.
        let written = written.and_then(|()| match split_property(&mut Fields::new(&out[begin..])) {
            Ok(_) => Ok(()),
            Err(violation) => Err(violation.what),
        });
        if written.is_err() {
            out.truncate(begin);
        }
        written
    }
}

/// Appends a number of 28 bits at most in one to four bytes.
pub(crate) fn write_varint(mut value: u32, out: &mut Vec<u8>) -> Result<(), &'static str> {
    if value > VARINT_MAX {
        return Err("a number is above 268,435,455");
    }
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return Ok(());
        }
        out.push(low | 0x80);
    }
}

/// The greatest number of variable length.
pub(crate) const VARINT_MAX: u32 = 268_435_455;

pub(crate) fn write_binary(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), &'static str> {
    let Ok(len) = u16::try_from(bytes.len()) else { return Err("more than 65,535 bytes in one field") };
    out.extend(len.to_be_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}

pub(crate) fn write_text(text: &str, out: &mut Vec<u8>) -> Result<(), &'static str> {
    if text.as_bytes().contains(&0) {
        return Err("a text has a NUL");
    }
    write_binary(text.as_bytes(), out)
}

/// The properties of a packet: a view, checked before.
///
/// ```
/// use mongoose::mqtt::{PropertiesBuf, Property};
///
/// let mut properties = PropertiesBuf::new();
/// properties.push(Property::ContentType("text/plain"))?;
/// properties.push(Property::UserProperty("origin", "sensor 7"))?;
/// let view = properties.view();
/// assert_eq!(view.content_type(), Some("text/plain"));
/// assert_eq!(view.user_properties().collect::<Vec<_>>(), [("origin", "sensor 7")]);
/// # Ok::<(), mongoose::Error>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Properties<'a> {
    /// As on the wire, without the length before; each has passed the gate.
    bytes: &'a [u8],
}

impl<'a> Properties<'a> {
    /// Of bytes that [`split_property`] has taken, all of them.
    pub(crate) fn of_checked(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// As they are on the wire, without the length before them.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Each, in their order.
    #[doc(alias = "mg_mqtt_next_prop")]
    pub fn iter(&self) -> impl Iterator<Item = Property<'a>> + use<'a> {
        let mut fields = Fields::new(self.bytes);
        std::iter::from_fn(move || if fields.is_empty() { None } else { split_property(&mut fields).ok() })
    }

    /// The payload is UTF-8, says who sent it.
    pub fn is_text(&self) -> bool {
        self.iter().any(|property| property == Property::PayloadFormatIndicator(true))
    }

    /// Seconds for which the message is worth delivering.
    pub fn message_expiry_interval(&self) -> Option<u32> {
        self.find(|property| match property {
            Property::MessageExpiryInterval(seconds) => Some(seconds),
            _ => None,
        })
    }

    /// What the payload is.
    pub fn content_type(&self) -> Option<&'a str> {
        self.find(|property| match property {
            Property::ContentType(text) => Some(text),
            _ => None,
        })
    }

    /// Where an answer is to be published.
    pub fn response_topic(&self) -> Option<&'a str> {
        self.find(|property| match property {
            Property::ResponseTopic(topic) => Some(topic),
            _ => None,
        })
    }

    /// What an answer has to bring back.
    pub fn correlation_data(&self) -> Option<&'a [u8]> {
        self.find(|property| match property {
            Property::CorrelationData(data) => Some(data),
            _ => None,
        })
    }

    /// The numbers of the subscriptions that a message came by.
    pub fn subscription_identifiers(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.iter().filter_map(|property| match property {
            Property::SubscriptionIdentifier(number) => Some(number),
            _ => None,
        })
    }

    /// Names and values of the user's own.
    pub fn user_properties(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.iter().filter_map(|property| match property {
            Property::UserProperty(name, value) => Some((name, value)),
            _ => None,
        })
    }

    /// What went wrong, for people.
    pub fn reason_string(&self) -> Option<&'a str> {
        self.find(|property| match property {
            Property::ReasonString(text) => Some(text),
            _ => None,
        })
    }

    /// The first that a closure takes.
    pub fn find<T>(&self, take: impl FnMut(Property<'a>) -> Option<T>) -> Option<T> {
        self.iter().find_map(take)
    }

    /// Appends them with their length, where a packet of this kind may have them.
    pub(crate) fn write(&self, packet: PacketSet, out: &mut Vec<u8>) -> Result<(), &'static str> {
        crate::gate::mqtt::check_properties(self.bytes, packet).map_err(|violation| violation.what)?;
        let Ok(len) = u32::try_from(self.bytes.len()) else { return Err("too many properties") };
        write_varint(len, out)?;
        out.extend_from_slice(self.bytes);
        Ok(())
    }
}

impl fmt::Debug for Properties<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Properties to send, in the order they were added.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PropertiesBuf {
    bytes: Vec<u8>,
}

impl PropertiesBuf {
    /// None.
    pub const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// Adds one. Whether the packet may have it, and how often, is checked when it is sent.
    ///
    /// # Errors
    /// [`Error::Packet`] for a text of more than 65,535 bytes or with a NUL in it, and for a number out of range:
    /// a subscription identifier of 2^28 or more, say, which overflows the stack in C (hazard 4).
    pub fn push(&mut self, property: Property<'_>) -> Result<(), Error> {
        property.write(&mut self.bytes).map_err(|what| Error::Packet { what })
    }

    /// Adds all of a packet's.
    pub fn extend(&mut self, properties: Properties<'_>) {
        self.bytes.extend_from_slice(properties.bytes);
    }

    /// What was added.
    pub fn view(&self) -> Properties<'_> {
        Properties { bytes: &self.bytes }
    }
}

impl From<Properties<'_>> for PropertiesBuf {
    fn from(properties: Properties<'_>) -> Self {
        Self { bytes: properties.bytes.to_vec() }
    }
}

impl fmt::Debug for PropertiesBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hazard_4_a_number_of_2_to_the_28_is_refused() {
        let mut properties = PropertiesBuf::new();
        properties.push(Property::SubscriptionIdentifier(VARINT_MAX)).expect("the greatest");
        for bad in [0, VARINT_MAX + 1, u32::MAX] {
            let refused = properties.push(Property::SubscriptionIdentifier(bad));
            assert!(matches!(refused, Err(Error::Packet { .. })), "{bad}");
        }
        assert_eq!(properties.view().iter().count(), 1, "what was refused left nothing");
    }

    #[test]
    fn hazard_30_a_text_of_64_kib_is_refused_not_cut() {
        let mut properties = PropertiesBuf::new();
        properties.push(Property::ReasonString(&"x".repeat(65_535))).expect("the longest");
        properties.push(Property::ReasonString(&"x".repeat(65_536))).expect_err("too long");
        properties.push(Property::CorrelationData(&[0; 65_536])).expect_err("too long");
        properties.push(Property::UserProperty("a", "b\0")).expect_err("a NUL");
        assert_eq!(properties.view().iter().count(), 1);
    }
}
