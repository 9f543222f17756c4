//! A WebSocket for a task.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::tokio::sync::oneshot;

use super::inbox::{Feeder, Inbox, QUEUED_MAX, inbox};
use crate::ws::{self, CloseCode, SharedMessage};
use crate::{ConnectionId, Error, Handle, Registry};

/// One end of a WebSocket, for a task on any thread: [`connect`](Self::connect) makes a client's, [`new`](Self::new) that
/// of a server.
///
/// While some 64 KB of messages wait to be [received](Self::recv), the connection is not read; while as much waits to be
/// sent, [sending](WebSocketSender::send) waits. Pings are answered by themselves, and find out by themselves whether the
/// peer is there. Dropping it closes with [1001](CloseCode::GOING_AWAY), behind what was sent before.
///
/// ```
/// use mongoose::tokio::WebSocket;
/// use mongoose::{Error, Manager, http, ws};
///
/// let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::handler)?;
/// runtime.block_on(async {
///     let mut manager = Manager::new()?;
///     let handle = manager.handle();
///     let server = manager.http("http://127.0.0.1:0", move |request: http::Request<'_>, reply: http::Reply<'_>| {
///         let (mut socket, handler) = WebSocket::new(&handle);
///         tokio::spawn(async move {
///             while let Some(message) = socket.recv().await? {
///                 socket.send(message).await?;
///             }
///             Ok::<(), Error>(())
///         });
///         ws::upgrade(request, reply).accept(handler)
///     })?;
///
///     let (handle, url) = (manager.handle(), format!("ws://{}/", server.local_addr()));
///     let task = tokio::spawn(async move {
///         let mut socket = WebSocket::connect(&handle, move |registry| ws::connect(registry, &url)).await?;
///         socket.send(ws::SharedMessage::text("hello")).await?;
///         let answer = socket.recv().await?.expect("an echo");
///         assert_eq!(answer.view(), ws::Message::Text("hello"));
///         socket.close(ws::CloseCode::NORMAL, "that is all").await?;
///         handle.stop();
///         Ok::<(), Error>(())
///     });
///     mongoose::tokio::run(&mut manager).await?;
///     task.await.map_err(Error::handler)?
/// })?;
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct WebSocket {
    inbox: Inbox<SharedMessage>,
    sender: WebSocketSender,
}

/// Sends on a [`WebSocket`]. Clones are for other tasks.
#[derive(Clone)]
pub struct WebSocketSender {
    line: Arc<Line>,
}

/// What has a connection serve a [`WebSocket`]: for [`ws::Upgrade::accept`] or [`ws::Connect::open`].
pub struct WebSocketHandler {
    feeder: Feeder<SharedMessage>,
    line: Arc<Line>,
    opened: Option<oneshot::Sender<Result<(), Error>>>,
}

/// What both ends share.
struct Line {
    handle: Handle,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Set while it is open.
    id: Option<ConnectionId>,
    protocol: Option<String>,
    /// In the order in which they were asked for.
    waiting: VecDeque<Outgoing>,
    /// How the peer closed.
    close: Option<(CloseCode, String)>,
    /// There is no connection any more.
    over: bool,
    /// There is no task any more.
    gone: bool,
}

/// What is to be sent, and who waits for that.
struct Outgoing {
    what: What,
    taken: oneshot::Sender<Result<(), Error>>,
}

enum What {
    Message(SharedMessage),
    Close(CloseCode, String),
}

impl WebSocket {
    /// Makes both ends: one for a task, and one for the connection that a manager is to have by that handle. What is
    /// sent before the handshake is done waits for that.
    pub fn new(handle: &Handle) -> (Self, WebSocketHandler) {
        let line = Arc::new(Line { handle: handle.clone(), state: Mutex::default() });
        let (feeder, inbox) = inbox(handle.clone());
        let handler = WebSocketHandler { feeder, line: Arc::clone(&line), opened: None };
        (Self { inbox, sender: WebSocketSender { line } }, handler)
    }

    /// Connects to a server, by what a closure on the loop asks for. It is there once the handshake is done.
    ///
    /// # Errors
    /// As [`ws::Connect::open`]; and whatever goes wrong until the server has agreed, such as [`Error::Connect`] and
    /// [`Error::Handshake`].
    pub async fn connect(
        handle: &Handle,
        connect: impl FnOnce(&Registry) -> ws::Connect<'_> + Send + 'static,
    ) -> Result<Self, Error> {
        let (socket, mut handler) = Self::new(handle);
        let (tell, opened) = oneshot::channel();
        handler.opened = Some(tell);
        let (tell, begun) = oneshot::channel();
        handle.post(move |registry| {
            let line = Arc::clone(&handler.line);
            if line.lock().gone {
                return;
            }
            let begun = connect(registry).open(handler).map(|id| line.begin(registry, id));
            // Who does not wait any more has given it up.
            let _ = tell.send(begun);
        })?;
        begun.await.unwrap_or(Err(Error::Gone))?;
        opened.await.unwrap_or(Err(Error::Closed))?;
        Ok(socket)
    }

    /// The next message. `None` once the peer has closed, or has answered that we did: all came that was sent. What is
    /// not taken when the future is dropped comes the next time.
    ///
    /// # Errors
    /// Whatever ended the connection otherwise, once and behind the messages that came before: [`Error::WebSocket`],
    /// [`Error::Truncated`], [`Error::Io`] and their like; [`Error::Closed`] where it ended without a close frame.
    pub async fn recv(&mut self) -> Result<Option<SharedMessage>, Error> {
        self.inbox.next().await
    }

    /// Sends a message: [`WebSocketSender::send`].
    ///
    /// # Errors
    /// As there.
    pub async fn send(&self, message: impl Into<SharedMessage>) -> Result<(), Error> {
        self.sender.send(message).await
    }

    /// Sends on it from other tasks.
    pub fn sender(&self) -> WebSocketSender {
        self.sender.clone()
    }

    /// Closes behind what was sent before, and waits until the peer has closed, too. Messages that come meanwhile are
    /// dropped: [`WebSocketSender::close`] lets them be received.
    ///
    /// # Errors
    /// [`Error::Frame`] for a code or a reason that cannot be sent; and as [`recv`](Self::recv).
    pub async fn close(mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        match self.sender.close(code, reason).await {
            // The peer was first.
            Ok(()) | Err(Error::Closed) => {}
            Err(error) => return Err(error),
        }
        while self.recv().await?.is_some() {}
        Ok(())
    }

    /// The subprotocol that was agreed on, once it is open.
    pub fn protocol(&self) -> Option<String> {
        self.sender.line.lock().protocol.clone()
    }

    /// How the peer closed, once it did: its code and its reason.
    pub fn close_frame(&self) -> Option<(CloseCode, String)> {
        self.sender.line.lock().close.clone()
    }
}

impl WebSocketSender {
    /// Sends a message. It waits until that goes out or waits for the system with less than 64 KB before it. When the
    /// future is dropped before, it may be sent or not.
    ///
    /// # Errors
    /// [`Error::Closed`] once the connection is closing, [`Error::Gone`] when the manager was dropped.
    pub async fn send(&self, message: impl Into<SharedMessage>) -> Result<(), Error> {
        self.ask(What::Message(message.into())).await
    }

    /// Begins the closing handshake, behind what was sent before. Messages that the peer has on their way still come.
    ///
    /// # Errors
    /// As [`send`](Self::send); [`Error::Frame`] for a code or a reason that cannot be sent.
    pub async fn close(&self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.ask(What::Close(code, reason.to_owned())).await
    }

    async fn ask(&self, what: What) -> Result<(), Error> {
        let (tell, taken) = oneshot::channel();
        let line = Arc::clone(&self.line);
        self.line.handle.post(move |registry| {
            let outgoing = Outgoing { what, taken: tell };
            let mut state = line.lock();
            if state.over {
                drop(state);
                return outgoing.tell(Err(Error::Closed));
            }
            state.waiting.push_back(outgoing);
            let found = state.id.map(|id| registry.websocket(id));
            drop(state);
            if let Some(Ok(connection)) = found {
                line.flush(&connection);
            }
        })?;
        taken.await.unwrap_or(Err(Error::Gone))
    }
}

impl Outgoing {
    fn tell(self, result: Result<(), Error>) {
        // Who does not wait any more does not mind.
        let _ = self.taken.send(result);
    }
}

impl Line {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the connection; one that nobody has a use for any more closes.
    fn begin(&self, registry: &Registry, id: ConnectionId) {
        let mut state = self.lock();
        if state.gone {
            drop(state);
            close(registry, id);
        } else {
            state.id = Some(id);
        }
    }

    /// Sends what waits, for as long as there is room. On the loop.
    fn flush(&self, connection: &ws::Connection<'_>) {
        loop {
            let Some(outgoing) = self.lock().waiting.pop_front() else { return };
            if outgoing.taken.is_closed() {
                continue;
            }
            let sent = match &outgoing.what {
                What::Message(message) => {
                    let waits = connection.queued();
                    if waits > 0 && waits.saturating_add(message.len()) > QUEUED_MAX {
                        connection.connection().wait_for_room();
                        Err(Error::OutputFull { limit: QUEUED_MAX })
                    } else {
                        connection.send_shared(message)
                    }
                }
                What::Close(code, reason) => connection.close(*code, reason),
            };
            match sent {
                // It is told when that has left.
                Err(Error::OutputFull { .. }) => return self.lock().waiting.push_front(outgoing),
                sent => outgoing.tell(sent),
            }
        }
    }
}

/// Closes a connection that nobody is at any more.
fn close(registry: &Registry, id: ConnectionId) {
    match registry.websocket(id) {
        // Fails where it is closing.
        Ok(connection) => drop(connection.close(CloseCode::GOING_AWAY, "")),
        // The handshake is not done, or all is over.
        Err(_) => drop(registry.connection(id).map(|connection| connection.close())),
    }
}

impl Drop for WebSocket {
    fn drop(&mut self) {
        let line = &self.sender.line;
        let mut state = line.lock();
        state.gone = true;
        let id = state.id.filter(|_| !state.over);
        drop(state);
        if let Some(id) = id {
            // A manager that is gone has closed it.
            let _ = line.handle.post(move |registry| close(registry, id));
        }
    }
}

impl ws::Handler for WebSocketHandler {
    fn event(&mut self, connection: &ws::Connection<'_>, event: ws::Event<'_>) -> Result<(), Error> {
        match event {
            ws::Event::Open => {
                self.line.lock().protocol = connection.protocol().map(str::to_owned);
                self.line.begin(connection.registry(), connection.id());
                self.line.flush(connection);
                if let Some(opened) = self.opened.take() {
                    // Who does not wait any more has closed it.
                    let _ = opened.send(Ok(()));
                }
            }
            ws::Event::Message(message) => {
                let size = message.as_bytes().len();
                // Where nobody takes it any more, the connection is being closed.
                let _ = self.feeder.push(connection.connection(), message.into(), size);
            }
            ws::Event::Write => self.line.flush(connection),
            ws::Event::Error(error) => {
                if let Some(opened) = self.opened.take() {
                    let _ = opened.send(Err(error.own()));
                }
                self.feeder.end(Err(error.own()));
            }
            ws::Event::Close(close) => {
                let abnormal = close.code == CloseCode::ABNORMAL;
                if !abnormal {
                    self.line.lock().close = Some((close.code, close.reason.to_owned()));
                }
                self.feeder.end(if abnormal { Err(Error::Closed) } else { Ok(()) });
            }
            _ => {}
        }
        Ok(())
    }
}

impl Drop for WebSocketHandler {
    fn drop(&mut self) {
        let mut state = self.line.lock();
        state.over = true;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(|outgoing| outgoing.tell(Err(Error::Closed)));
    }
}

impl fmt::Debug for WebSocketSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.line.lock();
        f.debug_struct("WebSocketSender")
            .field("connection", &state.id)
            .field("over", &state.over)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for WebSocketHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketHandler").finish_non_exhaustive()
    }
}
