//! Is this MQTT, 3.1.1 or 5? Every packet is checked as a whole before anybody sees a field of it.
//!
//! `frame` finds where a packet ends, from its first bytes alone; `decode` takes it apart once it is there. So the
//! verdict does not depend on how the bytes arrive, and each byte is looked at once.

mod decode;
mod fields;
mod frame;
mod properties;

pub(crate) use decode::{decode, split_filter};
pub(crate) use fields::Fields;
pub(crate) use frame::{Frame, frame};
pub(crate) use properties::{PacketSet, check_properties, split_property};

use crate::mqtt::Reason;

/// What a peer did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// What it is told, where the version has words for it.
    pub(crate) reason: Reason,
    pub(crate) what: &'static str,
}

impl Violation {
    pub(crate) fn malformed(what: &'static str) -> Self {
        Self { reason: Reason::MALFORMED_PACKET, what }
    }

    pub(crate) fn protocol(what: &'static str) -> Self {
        Self { reason: Reason::PROTOCOL_ERROR, what }
    }
}

/// Which side the peer is on: who may send what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    Client,
    Server,
}
