//! What the engine asks of a selector, and what it answers.

/// What a descriptor is watched for. Errors and hang-ups are always reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Interest {
    pub(crate) read: bool,
    pub(crate) write: bool,
}

/// A descriptor that is ready.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    /// Slot and generation (invariant 4).
    pub(crate) token: u64,
    pub(crate) readable: bool,
    /// Both directions are over, or the socket has an error.
    pub(crate) hangup: bool,
}
