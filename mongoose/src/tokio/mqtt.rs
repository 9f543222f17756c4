//! An MQTT client for tasks.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::tokio::sync::oneshot;

use super::inbox::{Feeder, Inbox, inbox};
use crate::mqtt::{
    self, Answer, Client, ClientBuilder, Delivery, Event, MessageBuf, QoS, Reason, Remote, Request, Session,
    SubscribeOptions,
};
use crate::{Error, Handle};

/// A client of an MQTT server, for tasks on any thread: an [`mqtt::Client`] on a manager's loop, which connects again and
/// subscribes again by itself. Clones are the same client.
///
/// What is published is kept within the client's [bound](ClientBuilder::queue); past it, [publishing](Self::publish)
/// waits. The client disconnects when all its clones and its [`MqttMessages`] are dropped.
///
/// ```no_run
/// # async fn talk(handle: mongoose::Handle) -> Result<(), mongoose::Error> {
/// use mongoose::mqtt::{Client, QoS};
/// use mongoose::tokio::MqttClient;
///
/// let (client, mut messages) = MqttClient::connect(&handle, Client::builder("mqtt://broker:1883")).await?;
/// client.subscribe("house/+/temperature", QoS::AtLeastOnce).await?;
/// client.publish("house/hello", "I am here", QoS::AtLeastOnce).await?; // the server has it
/// while let Some(message) = messages.recv().await? {
///     println!("{}: {:?}", message.topic, message.view().text());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct MqttClient {
    shared: Arc<Shared>,
}

/// The messages that come to an [`MqttClient`], of all its subscriptions and of the session that the server kept.
///
/// While some 64 KB of them wait to be taken, the connection is not read, so that the server has the rest. A message is
/// acknowledged when it waits here. Once this is dropped, messages are acknowledged and forgotten.
#[derive(Debug)]
pub struct MqttMessages {
    inbox: Inbox<MessageBuf>,
    _shared: Arc<Shared>,
}

/// What the tasks' ends share. The client ends with it.
struct Shared {
    remote: Remote,
    desk: Arc<Desk>,
}

/// What tasks wait for.
#[derive(Default)]
struct Desk {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Messages that found no room, in the order in which they were published.
    waiting: VecDeque<(MessageBuf, Asker)>,
    deliveries: HashMap<Delivery, Asker>,
    requests: HashMap<Request, (&'static str, Asker)>,
    /// Who waits for the end.
    ending: Vec<oneshot::Sender<()>>,
    over: bool,
}

type Asker = oneshot::Sender<Result<(), Error>>;

/// Tells the tasks, on the loop.
struct Handler {
    desk: Arc<Desk>,
    feeder: Feeder<MessageBuf>,
    /// Until the server has taken the first connection.
    opened: Option<Asker>,
}

impl MqttClient {
    /// Connects a client that was built for that, on the manager of a handle, and waits until the server has taken the
    /// connection. A first attempt that fails is the end; later ones are made again, unless the builder
    /// [says otherwise](ClientBuilder::reconnect).
    ///
    /// # Errors
    /// As [`ClientBuilder::connect`]; and what went wrong with the first connection: [`Error::Connect`],
    /// [`Error::ConnectRefused`] and their like.
    pub async fn connect(handle: &Handle, builder: ClientBuilder) -> Result<(Self, MqttMessages), Error> {
        let desk = Arc::<Desk>::default();
        let (feeder, inbox) = inbox(handle.clone());
        let (tell, opened) = oneshot::channel();
        let handler = Handler { desk: Arc::clone(&desk), feeder, opened: Some(tell) };
        let (tell, begun) = oneshot::channel();
        handle.post(move |registry| {
            if tell.is_closed() {
                return;
            }
            let begun = builder.connect(registry, handler);
            let remote = begun.as_ref().ok().map(Client::remote);
            if let Err(Ok(_)) = tell.send(begun.map(|client| client.remote()))
                && let Some(remote) = remote
            {
                // Nobody waits any more. On the loop, which is there.
                let _ = remote.post(Client::disconnect);
            }
        })?;
        let remote = begun.await.unwrap_or(Err(Error::Gone))?;
        let shared = Arc::new(Shared { remote, desk });
        opened.await.unwrap_or(Err(Error::Closed))?;
        let messages = MqttMessages { inbox, _shared: Arc::clone(&shared) };
        Ok((Self { shared }, messages))
    }

    /// Publishes a message, and waits until the server has it, for sure: until it is acknowledged, over as many
    /// connections as that takes. At QoS 0 it waits until the message is sent, or kept for the next connection. When the
    /// future is dropped before, it may be published or not.
    ///
    /// # Errors
    /// [`Error::Declined`] when the server does not take it, [`Error::Packet`] for what is no topic or too large,
    /// [`Error::OutputFull`] for one that is larger than the client's bound by itself, [`Error::Closed`] when the client
    /// ends before, [`Error::Gone`] when the manager was dropped.
    pub async fn publish(
        &self,
        topic: impl Into<String>,
        payload: impl Into<Vec<u8>>,
        qos: QoS,
    ) -> Result<(), Error> {
        let (topic, payload) = (topic.into(), payload.into());
        self.publish_message(MessageBuf { topic, payload, qos, ..MessageBuf::default() }).await
    }

    /// As [`publish`](Self::publish), with everything that a message may have.
    ///
    /// # Errors
    /// As there.
    pub async fn publish_message(&self, message: impl Into<MessageBuf>) -> Result<(), Error> {
        let message = message.into();
        self.ask(move |client, desk, asker| {
            desk.lock().waiting.push_back((message, asker));
            desk.flush(client);
        })
        .await
    }

    /// Subscribes to the topics of a filter, now and after each reconnect, and waits until the server has agreed.
    ///
    /// # Errors
    /// As [`publish`](Self::publish), for what is no filter.
    pub async fn subscribe(
        &self,
        filter: impl Into<String>,
        options: impl Into<SubscribeOptions>,
    ) -> Result<(), Error> {
        let (filter, options) = (filter.into(), options.into());
        self.ask(move |client, desk, asker| {
            desk.note("subscription", client.subscribe(&filter, options), asker);
        })
        .await
    }

    /// Gives a filter up, and waits until the server has agreed.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub async fn unsubscribe(&self, filter: impl Into<String>) -> Result<(), Error> {
        let filter = filter.into();
        self.ask(move |client, desk, asker| {
            desk.note("end of a subscription", client.unsubscribe(&[&filter]), asker);
        })
        .await
    }

    /// Ends the client in order, and waits for that. The server publishes no will; what was not acknowledged is lost, and
    /// [`Error::Closed`] to who waits for it.
    pub async fn disconnect(&self) {
        let (tell, ended) = oneshot::channel();
        {
            let mut state = self.shared.desk.lock();
            if state.over {
                return;
            }
            state.ending.push(tell);
        }
        // A client or a manager that is gone has ended it.
        if self.shared.remote.post(Client::disconnect).is_ok() {
            // Whoever had it to tell is gone at the end.
            let _ = ended.await;
        }
    }

    /// Has the loop do something, and waits for what comes of it.
    async fn ask(&self, ask: impl FnOnce(&Client, &Desk, Asker) + Send + 'static) -> Result<(), Error> {
        let (tell, told) = oneshot::channel();
        let desk = Arc::clone(&self.shared.desk);
        self.shared.remote.post(move |client| ask(client, &desk, tell))?;
        told.await.unwrap_or(Err(Error::Closed))
    }
}

impl MqttMessages {
    /// The next message. `None` once the client was [disconnected](MqttClient::disconnect). What is not taken when the
    /// future is dropped comes the next time.
    ///
    /// # Errors
    /// What ended the client otherwise, once.
    pub async fn recv(&mut self) -> Result<Option<MessageBuf>, Error> {
        self.inbox.next().await
    }
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes who waits for the answer to a request.
    fn note(&self, what: &'static str, request: Result<Request, Error>, asker: Asker) {
        match request {
            Ok(request) => drop(self.lock().requests.insert(request, (what, asker))),
            Err(error) => tell(asker, Err(error)),
        }
    }

    /// Publishes what waits, for as long as there is room.
    fn flush(&self, client: &Client) {
        loop {
            let Some((message, asker)) = self.lock().waiting.pop_front() else { return };
            if asker.is_closed() {
                continue;
            }
            let goes_at_once = message.qos == QoS::AtMostOnce && client.is_connected();
            match client.publish_message(&message.view()) {
                Ok(delivery) if message.qos > QoS::AtMostOnce => {
                    self.lock().deliveries.insert(delivery, asker);
                }
                // It is told when there is some: where nothing is in the way, there never will be.
                Err(Error::OutputFull { .. }) if client.pending() > 0 || goes_at_once => {
                    return self.lock().waiting.push_front((message, asker));
                }
                result => tell(asker, result.map(drop)),
            }
        }
    }

    fn answered(&self, request: Request, answer: &Answer<'_>) {
        let asked = self.lock().requests.remove(&request);
        if let Some((what, asker)) = asked {
            let failure = answer.reasons().find(|reason| reason.is_failure());
            tell(asker, failure.map_or(Ok(()), |reason| Err(Error::Declined { what, reason })));
        }
    }

    fn delivered(&self, delivery: Delivery, reason: Reason) {
        let asker = self.lock().deliveries.remove(&delivery);
        if let Some(asker) = asker {
            let what = "message";
            tell(asker, if reason.is_failure() { Err(Error::Declined { what, reason }) } else { Ok(()) });
        }
    }
}

/// Who does not wait any more does not mind.
fn tell(asker: Asker, result: Result<(), Error>) {
    let _ = asker.send(result);
}

impl mqtt::Handler for Handler {
    fn event(&mut self, session: &Session<'_>, event: Event<'_>) -> Result<(), Error> {
        let connection = || session.connection_id().and_then(|id| session.registry().connection(id).ok());
        match event {
            Event::Connected(_) => {
                if let Some(connection) = connection() {
                    self.feeder.moved_to(&connection);
                }
                if let Some(opened) = self.opened.take() {
                    tell(opened, Ok(()));
                }
                self.desk.flush(session);
            }
            Event::Message(message) => {
                if let Some(connection) = connection() {
                    let size = message.topic.len() + message.payload.len();
                    // Fails where nobody wants any.
                    let _ = self.feeder.push(&connection, message.to_buf(), size);
                }
            }
            Event::Published(delivery, reason) => {
                self.desk.delivered(delivery, reason);
                self.desk.flush(session);
            }
            Event::Write => self.desk.flush(session),
            Event::Subscribed(request, answer) | Event::Unsubscribed(request, answer) => {
                self.desk.answered(request, &answer);
            }
            Event::Disconnected { error, retry } => {
                if let Some(opened) = self.opened.take() {
                    tell(opened, Err(error.own()));
                    session.disconnect();
                }
                if retry.is_none() {
                    self.feeder.end(Err(error.own()));
                }
            }
            Event::Closed => self.feeder.end(Ok(())),
            Event::Auth(_) => {}
        }
        Ok(())
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        let ended = {
            let mut state = self.desk.lock();
            let ended = std::mem::take(&mut *state);
            state.over = true;
            ended
        };
        // Whoever waits is told that it is closed.
        drop(ended);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // A manager that is gone has ended it.
        let _ = self.remote.post(Client::disconnect);
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("remote", &self.remote).finish_non_exhaustive()
    }
}
