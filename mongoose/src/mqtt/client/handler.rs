//! What a client's user sees.

use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use super::Client;
use crate::mqtt::{Answer, Auth, Connack, Message, Reason};
use crate::{Error, Registry};

/// What happened to a client.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'e> {
    /// The server took the connection, the first or a later one. Subscriptions and messages that it does not know of are
    /// on their way to it.
    #[doc(alias = "MG_EV_MQTT_OPEN")]
    Connected(Connack<'e>),
    /// A message has arrived. The acknowledgement goes out after the handler has returned: C sends it before (hazard 30).
    #[doc(alias = "MG_EV_MQTT_MSG")]
    Message(Message<'e>),
    /// The server has a message of ours above QoS 0, for sure; or it does not want it, where the reason
    /// [is a failure](Reason::is_failure).
    #[doc(alias = "MG_EV_MQTT_CMD")]
    Published(Delivery, Reason),
    /// The server answered a subscription: a reason for each filter. Filters with a failure are forgotten. It comes again
    /// after a reconnect to a server that had forgotten us; for filters of which such a server says beforehand that it does
    /// not take them, without being asked.
    Subscribed(Request, Answer<'e>),
    /// The server answered the end of a subscription.
    Unsubscribed(Request, Answer<'e>),
    /// A step of an authentication: to be answered by [`Client::authenticate`].
    Auth(Auth<'e>),
    /// All that waited to be sent has left, after some of it had to wait.
    Write,
    /// The connection is lost, or could not be made. The next attempt comes after `retry`; without one, the client is at
    /// its end.
    #[doc(alias = "MG_EV_ERROR")]
    Disconnected {
        /// Why.
        error: &'e Error,
        /// When it is tried again.
        retry: Option<Duration>,
    },
    /// The last event: the handler is dropped next.
    #[doc(alias = "MG_EV_CLOSE")]
    Closed,
}

impl Event<'_> {
    /// The event's name, for logs: `Message`, say.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Connected(_) => "Connected",
            Self::Message(_) => "Message",
            Self::Published(..) => "Published",
            Self::Subscribed(..) => "Subscribed",
            Self::Unsubscribed(..) => "Unsubscribed",
            Self::Auth(_) => "Auth",
            Self::Write => "Write",
            Self::Disconnected { .. } => "Disconnected",
            Self::Closed => "Closed",
        }
    }
}

/// Names a message that was published, for [`Event::Published`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Delivery(pub(super) u64);

/// Names a request that was made, for [`Event::Subscribed`] and [`Event::Unsubscribed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request(pub(super) u64);

/// Handles the events of a client. Any `FnMut(&Session<'_>, Event<'_>) -> Result<(), Error>` is one.
///
/// It may publish, subscribe and disconnect: nothing of that waits, and no handler is entered meanwhile.
pub trait Handler: 'static {
    /// Handles one event.
    ///
    /// # Errors
    /// Whatever should break the connection: it is [told](Event::Disconnected), and the client connects again. A message
    /// that was being handled is not acknowledged, and comes again where it was above QoS 0 and the server keeps the
    /// session.
    fn event(&mut self, session: &Session<'_>, event: Event<'_>) -> Result<(), Error>;
}

impl<F> Handler for F
where
    F: FnMut(&Session<'_>, Event<'_>) -> Result<(), Error> + 'static,
{
    fn event(&mut self, session: &Session<'_>, event: Event<'_>) -> Result<(), Error> {
        self(session, event)
    }
}

/// A [`Client`] for as long as an event lasts, with the registry of its manager.
pub struct Session<'r> {
    pub(super) registry: &'r Registry,
    pub(super) client: Client,
}

impl<'r> Session<'r> {
    /// The registry: to listen, connect, find connections, set timers.
    pub fn registry(&self) -> &'r Registry {
        self.registry
    }

    /// The client, to be kept.
    pub fn client(&self) -> Client {
        self.client.clone()
    }
}

impl Deref for Session<'_> {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("client", &self.client).finish_non_exhaustive()
    }
}
