//! What names a connection once its event is over.

use std::fmt;

/// Names one connection for ever: once that is gone, the id finds nothing, never another connection.
///
/// It may be copied, sent to other threads, kept in maps. [`Registry::connection`](crate::Registry::connection) finds
/// the connection in O(1).
///
/// C's counterpart is the number `c->id`, which [`mg_wakeup`](mongoose_sys::mg_wakeup) looks for along the list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId {
    pub(super) manager: u32,
    pub(super) slot: u32,
    pub(super) generation: u32,
}

impl ConnectionId {
    /// What the selector carries: slot and generation.
    pub(crate) fn token(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.slot)
    }

    /// Whether both are of one manager.
    #[cfg(feature = "tower")]
    pub(crate) fn is_beside(self, other: Self) -> bool {
        self.manager == other.manager
    }

    pub(super) fn from_token(manager: u32, token: u64) -> Self {
        Self { manager, slot: token as u32, generation: (token >> 32) as u32 }
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.manager, self.slot, self.generation)
    }
}

impl fmt::Debug for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectionId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_holds_slot_and_generation() {
        let id = ConnectionId { manager: 7, slot: u32::MAX - 3, generation: 9 };
        assert_eq!(ConnectionId::from_token(7, id.token()), id);
        assert_eq!(id.to_string(), "7.4294967292.9");
    }
}
