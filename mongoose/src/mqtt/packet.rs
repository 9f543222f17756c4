//! The packets, as views.

use std::num::NonZeroU16;

use super::{Properties, Reason};
use crate::gate::mqtt::{Fields, split_filter};

/// Which MQTT is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Version {
    /// 3.1.1, which calls itself 4 on the wire.
    #[default]
    V3,
    /// 5.
    V5,
}

/// How hard is tried to deliver a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
#[allow(clippy::enum_variant_names, reason = "the specification's names")]
pub enum QoS {
    /// At most once: it may be lost.
    #[default]
    AtMostOnce = 0,
    /// At least once: it may come twice.
    AtLeastOnce = 1,
    /// Exactly once.
    ExactlyOnce = 2,
}

impl QoS {
    /// Of a number; `None` above 2.
    pub fn new(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }
}

/// What identifies a packet until it is answered: 1 to 65,535.
pub type PacketId = NonZeroU16;

/// Any packet, of either version. What 3.1.1 does not have is empty in it.
///
/// For those who write servers, or a client of their own: see [`Decoder`](super::Decoder) and
/// [`encode`](Self::encode).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each names what it holds")]
pub enum Packet<'a> {
    Connect(Connect<'a>),
    Connack(Connack<'a>),
    Publish(Publish<'a>),
    Puback(Ack<'a>),
    Pubrec(Ack<'a>),
    Pubrel(Ack<'a>),
    Pubcomp(Ack<'a>),
    Subscribe(Subscribe<'a>),
    Suback(Answer<'a>),
    Unsubscribe(Unsubscribe<'a>),
    Unsuback(Answer<'a>),
    Pingreq,
    Pingresp,
    Disconnect(Disconnect<'a>),
    Auth(Auth<'a>),
}

/// A client introduces itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Connect<'a> {
    /// What the client speaks.
    pub version: Version,
    /// Who it is. Empty: the server chooses.
    pub client_id: &'a str,
    /// Nothing of an earlier session is to be left.
    pub clean_start: bool,
    /// Seconds after which a silent client is taken for gone; 0: never.
    pub keep_alive: u16,
    /// The user's name.
    pub user_name: Option<&'a str>,
    /// The password. In 3.1.1 there is none without a name.
    pub password: Option<&'a [u8]>,
    /// What is to be published once the client is gone without a word.
    pub will: Option<Will<'a>>,
    /// Of MQTT 5.
    pub properties: Properties<'a>,
}

/// A message that the server publishes for a client that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Will<'a> {
    /// Where to.
    pub topic: &'a str,
    /// What: 65,535 bytes at most.
    pub payload: &'a [u8],
    /// How.
    pub qos: QoS,
    /// Whether it is to be retained.
    pub retain: bool,
    /// Of MQTT 5.
    pub properties: Properties<'a>,
}

/// The server's answer to CONNECT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Connack<'a> {
    /// The server has a session of the client's.
    pub session_present: bool,
    /// Whether the client is welcome.
    pub reason: Reason,
    /// Of MQTT 5.
    pub properties: Properties<'a>,
}

/// A message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Publish<'a> {
    /// It may have been sent before.
    pub duplicate: bool,
    /// How it is delivered.
    pub qos: QoS,
    /// To the server: keep it for those who come later. From the server: it was kept.
    pub retain: bool,
    /// Where to. In MQTT 5 empty when an alias stands for it.
    pub topic: &'a str,
    /// There is one above QoS 0.
    pub packet_id: Option<PacketId>,
    /// Of MQTT 5.
    pub properties: Properties<'a>,
    /// What.
    pub payload: &'a [u8],
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack<'a> {
    /// Of the message.
    pub packet_id: PacketId,
    /// What became of it; always success in 3.1.1.
    pub reason: Reason,
    /// Of MQTT 5.
    pub properties: Properties<'a>,
}

impl Ack<'_> {
    /// All is well.
    pub fn success(packet_id: PacketId) -> Self {
        Self::new(packet_id, Reason::SUCCESS)
    }

    /// With a reason.
    pub fn new(packet_id: PacketId, reason: Reason) -> Self {
        Self { packet_id, reason, properties: Properties::default() }
    }
}

/// How a subscription is to be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct SubscribeOptions {
    /// The highest QoS that is wanted.
    pub qos: QoS,
    /// MQTT 5: not what this client itself publishes.
    pub no_local: bool,
    /// MQTT 5: the retain flag is to be as it was published.
    pub retain_as_published: bool,
    /// MQTT 5: whether retained messages are sent.
    pub retain_handling: RetainHandling,
}

/// Whether a subscription gets what was retained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum RetainHandling {
    /// Yes, at each SUBSCRIBE.
    #[default]
    Send = 0,
    /// When there was no such subscription before.
    SendIfNew = 1,
    /// No.
    DoNotSend = 2,
}

impl From<QoS> for SubscribeOptions {
    fn from(qos: QoS) -> Self {
        Self { qos, ..Self::default() }
    }
}

impl SubscribeOptions {
    pub(crate) fn to_byte(self) -> u8 {
        self.qos as u8
            | u8::from(self.no_local) << 2
            | u8::from(self.retain_as_published) << 3
            | (self.retain_handling as u8) << 4
    }

    /// `None` for bits that make no sense.
    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        let retain_handling = match byte >> 4 {
            0 => RetainHandling::Send,
            1 => RetainHandling::SendIfNew,
            2 => RetainHandling::DoNotSend,
            _ => return None,
        };
        let (no_local, retain_as_published) = (byte & 4 != 0, byte & 8 != 0);
        Some(Self { qos: QoS::new(byte & 3)?, no_local, retain_as_published, retain_handling })
    }
}

/// A client asks for topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscribe<'a> {
    /// For the answer.
    pub packet_id: PacketId,
    /// Of MQTT 5.
    pub properties: Properties<'a>,
    /// What it asks for.
    pub filters: Filters<'a>,
}

/// Topic filters and how each is to be served: at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filters<'a>(FilterList<'a>);

#[derive(Clone, Copy, Debug)]
enum FilterList<'a> {
    /// Checked before, as on the wire.
    Wire(&'a [u8]),
    Given(&'a [(&'a str, SubscribeOptions)]),
}

impl PartialEq for FilterList<'_> {
    fn eq(&self, other: &Self) -> bool {
        Filters(*self).iter().eq(Filters(*other).iter())
    }
}

impl Eq for FilterList<'_> {}

impl<'a> Filters<'a> {
    /// Filters to ask for.
    pub fn new(filters: &'a [(&'a str, SubscribeOptions)]) -> Self {
        Self(FilterList::Given(filters))
    }

    pub(crate) fn of_checked(bytes: &'a [u8]) -> Self {
        Self(FilterList::Wire(bytes))
    }

    /// Each, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, SubscribeOptions)> + use<'a> {
        let (wire, given) = match self.0 {
            FilterList::Wire(bytes) => (bytes, &[][..]),
            FilterList::Given(filters) => (&[][..], filters),
        };
        let mut fields = Fields::new(wire);
        let of_wire = std::iter::from_fn(move || {
            if fields.is_empty() { None } else { split_filter(&mut fields, Version::V5).ok() }
        });
        of_wire.chain(given.iter().copied())
    }
}

/// A client gives topics up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsubscribe<'a> {
    /// For the answer.
    pub packet_id: PacketId,
    /// Of MQTT 5.
    pub properties: Properties<'a>,
    /// The filters.
    pub filters: Names<'a>,
}

/// Topic filters alone: at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Names<'a>(NameList<'a>);

#[derive(Clone, Copy, Debug)]
enum NameList<'a> {
    Wire(&'a [u8]),
    Given(&'a [&'a str]),
}

impl PartialEq for NameList<'_> {
    fn eq(&self, other: &Self) -> bool {
        Names(*self).iter().eq(Names(*other).iter())
    }
}

impl Eq for NameList<'_> {}

impl<'a> Names<'a> {
    /// Filters to give up.
    pub fn new(filters: &'a [&'a str]) -> Self {
        Self(NameList::Given(filters))
    }

    pub(crate) fn of_checked(bytes: &'a [u8]) -> Self {
        Self(NameList::Wire(bytes))
    }

    /// Each, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let (wire, given) = match self.0 {
            NameList::Wire(bytes) => (bytes, &[][..]),
            NameList::Given(filters) => (&[][..], filters),
        };
        let mut fields = Fields::new(wire);
        let of_wire = std::iter::from_fn(move || if fields.is_empty() { None } else { fields.text().ok() });
        of_wire.chain(given.iter().copied())
    }
}

/// SUBACK or UNSUBACK: a reason for each filter that was asked for, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// Of the question.
    pub packet_id: PacketId,
    /// Of MQTT 5.
    pub properties: Properties<'a>,
    /// For SUBACK the granted QoS, or a failure. UNSUBACK of 3.1.1 has none.
    pub codes: &'a [u8],
}

impl<'a> Answer<'a> {
    /// The codes, as reasons.
    pub fn reasons(&self) -> impl Iterator<Item = Reason> + use<'a> {
        self.codes.iter().map(|code| Reason(*code))
    }
}

/// The connection ends. In 3.1.1 only clients say so, and never why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Disconnect<'a> {
    /// Why.
    pub reason: Reason,
    /// Of MQTT 5.
    pub properties: Properties<'a>,
}

/// A step of an authentication, of MQTT 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Auth<'a> {
    /// What this step is.
    pub reason: Reason,
    /// Method and data.
    pub properties: Properties<'a>,
}
