//! What is sent and received.

use crate::engine::Payload;
use crate::gate::ws::{Kind, Opcode};
use crate::sys;

/// A message: text, which is UTF-8, or bytes. One that was received is a view of the receive buffer, for as long as the
/// event lasts; what came in one frame was not copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "mg_ws_message")]
pub enum Message<'m> {
    /// Text.
    Text(&'m str),
    /// Bytes.
    Binary(&'m [u8]),
}

impl<'m> Message<'m> {
    /// The bytes, of text too.
    pub fn as_bytes(&self) -> &'m [u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// The text, where it is one.
    pub fn as_str(&self) -> Option<&'m str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        }
    }

    /// Whether it is text.
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// The message as C has it, for functions that take that. It points at the message's bytes, which C must not change
    /// and must not look at once they are gone.
    pub fn to_raw(self) -> sys::mg_ws_message {
        let bytes = self.as_bytes();
        sys::mg_ws_message {
            data: sys::mg_str { buf: bytes.as_ptr().cast_mut().cast(), len: bytes.len() },
            flags: 0x80 | self.kind().opcode() as u8,
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::Binary(_) => Kind::Binary,
        }
    }
}

impl<'m> From<&'m str> for Message<'m> {
    fn from(text: &'m str) -> Self {
        Self::Text(text)
    }
}

impl<'m> From<&'m [u8]> for Message<'m> {
    fn from(bytes: &'m [u8]) -> Self {
        Self::Binary(bytes)
    }
}

/// A part of a message that is taken [in pieces](super::Upgrade::pieces).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Piece<'m> {
    /// What has come of it; text is cut between characters. It may be empty.
    pub data: Message<'m>,
    /// The message begins with this.
    pub first: bool,
    /// It ends with this.
    pub last: bool,
}

impl<'m> Piece<'m> {
    pub(super) fn new(data: Message<'m>, first: bool, last: bool) -> Self {
        Self { data, first, last }
    }
}

/// A message for many: made once, and [sent](super::Connection::send_shared) to each without a copy of its payload.
///
/// ```
/// # let manager = mongoose::Manager::new()?;
/// use mongoose::ws;
///
/// let news = ws::SharedMessage::text("to all of you");
/// let members: Vec<mongoose::ConnectionId> = Vec::new();
/// for id in members {
///     if let Ok(member) = manager.websocket(id) {
///         member.send_shared(&news)?;
///     }
/// }
/// # Ok::<(), mongoose::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SharedMessage {
    pub(super) opcode: Opcode,
    pub(super) payload: Payload<'static>,
}

impl SharedMessage {
    /// Of text. Owned text is copied once, into memory that is shared; an `Arc<str>` is not.
    pub fn text(text: impl Into<Payload<'static>> + AsRef<str>) -> Self {
        Self { opcode: Opcode::Text, payload: text.into().into_shared() }
    }

    /// Of bytes. Owned ones are copied once, into memory that is shared; an `Arc<[u8]>` (and a `bytes::Bytes`) is not.
    pub fn binary(bytes: impl Into<Payload<'static>>) -> Self {
        Self { opcode: Opcode::Binary, payload: bytes.into().into_shared() }
    }

    /// How many bytes it has.
    #[allow(clippy::len_without_is_empty, reason = "an empty message is one like others")]
    pub fn len(&self) -> usize {
        self.payload.len()
    }

    /// What it says.
    pub fn view(&self) -> Message<'_> {
        let bytes = self.payload.as_ref();
        match std::str::from_utf8(bytes) {
            Ok(text) if self.opcode == Opcode::Text => Message::Text(text),
            _ => Message::Binary(bytes),
        }
    }
}

impl From<Message<'_>> for SharedMessage {
    fn from(message: Message<'_>) -> Self {
        let payload = Payload::from(message.as_bytes()).into_shared();
        Self { opcode: message.kind().opcode(), payload }
    }
}

/// What it says, without a copy.
#[cfg(feature = "bytes")]
impl From<SharedMessage> for bytes::Bytes {
    fn from(message: SharedMessage) -> Self {
        message.payload.into()
    }
}
