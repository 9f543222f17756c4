//! The client, as tasks reach it from any thread (feature `tokio`).

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
#[cfg(feature = "tower")]
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use ::tokio::sync::oneshot;

use super::destination::Trust;
use super::{Client, Download, Pending, RequestBuilder, Response, ResponseBuf};
use crate::engine::Moored;
use crate::http::request_span::RequestSpan;
use crate::tokio::inbox::{Feeder, Inbox, inbox};
use crate::{Connection, Error, Handle, Registry};

/// Makes HTTP requests for the tasks of a runtime, over the connections of a [`Client`](crate::http::Client) on a
/// manager's loop. Clones are the same client, and go to any thread.
///
/// Requests are made by the same [`RequestBuilder`](crate::http::RequestBuilder), and have the same limits and deadlines.
/// Dropping the future of one gives the request up: its connection is closed. The manager has to be
/// [run](crate::tokio::run()), by whatever thread; once it was dropped, everything is [`Error::Gone`].
///
/// ```
/// use mongoose::{Error, Manager, http, tokio::HttpClient};
///
/// let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::handler)?;
/// runtime.block_on(async {
///     let mut manager = Manager::new()?;
///     let server = manager.http("http://127.0.0.1:0", |_: http::Request<'_>, reply: http::Reply<'_>| {
///         reply.text("hello")
///     })?;
///     let url = format!("http://{}/", server.local_addr());
///     let client = HttpClient::new(&manager, http::Client::new(&manager));
///     let handle = manager.handle();
///     let task = tokio::spawn(async move {
///         let response = client.get(&url).send().await?;
///         assert_eq!(response.body_str(), Ok("hello"));
///         handle.stop();
///         Ok::<(), Error>(())
///     });
///     mongoose::tokio::run(&mut manager).await?;
///     task.await.map_err(Error::handler)?
/// })?;
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct HttpClient {
    desk: Arc<Moored<Desk>>,
    trust: Trust,
}

/// Where the loop has what tasks ask for.
struct Desk {
    client: Client,
    /// Requests that somebody waits for.
    pending: RefCell<HashMap<u64, Pending>>,
}

/// Who waits for an answer, until it is told.
struct Asker<T> {
    key: u64,
    desk: Rc<Desk>,
    answer: Cell<Option<oneshot::Sender<Result<T, Error>>>>,
}

/// Gives a request up when it is dropped, unless that is over.
struct Hold {
    /// `None`: it is over.
    desk: Option<Arc<Moored<Desk>>>,
    key: u64,
}

impl HttpClient {
    /// Has tasks use a client of this manager's: its configuration of TLS, its limits and its idle connections.
    pub fn new(registry: &Registry, client: Client) -> Self {
        let trust = client.trust.clone();
        let desk = Desk { client, pending: RefCell::default() };
        Self { desk: Arc::new(Moored::new(registry, desk)), trust }
    }

    /// A request with GET.
    pub fn get(&self, url: &str) -> RequestBuilder<Self> {
        self.request("GET", url)
    }

    /// A request with POST.
    pub fn post(&self, url: &str) -> RequestBuilder<Self> {
        self.request("POST", url)
    }

    /// A request with a method of choice. What is wrong with it or the URL is said when it is sent.
    pub fn request(&self, method: &str, url: &str) -> RequestBuilder<Self> {
        RequestBuilder::new(self.clone(), method, url, self.trust.clone())
    }

    /// The manager's handle: what [`http::channel`](crate::http::channel) asks for to make a body.
    pub fn handle(&self) -> &Handle {
        self.desk.handle()
    }

    /// Has a request begun on the loop.
    fn ask<T: Send + 'static>(
        &self,
        begin: impl FnOnce(Client, Rc<Asker<T>>) -> Result<Pending, Error> + Send + 'static,
    ) -> Result<(Hold, oneshot::Receiver<Result<T, Error>>), Error> {
        static KEYS: AtomicU64 = AtomicU64::new(1);
        let key = KEYS.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        let caller = RequestSpan::current();
        self.desk.run(move |desk| {
            if answer.is_closed() {
                return;
            }
            let client = desk.client.clone();
            let asker = Rc::new(Asker { key, desk, answer: Cell::new(Some(answer)) });
            match caller.in_scope(|| begin(client, Rc::clone(&asker))) {
                // It is never called back before.
                Ok(pending) => drop(asker.desk.pending.borrow_mut().insert(key, pending)),
                Err(error) => asker.tell(Err(error)),
            }
        })?;
        Ok((Hold { desk: Some(Arc::clone(&self.desk)), key }, answered))
    }
}

impl RequestBuilder<HttpClient> {
    /// Sends the request and waits for the whole response, whatever its status.
    ///
    /// # Errors
    /// What cannot be sent, as for a [`Client`](RequestBuilder::<Client>::send), and everything that may go wrong until
    /// the response is whole.
    pub async fn send(self) -> Result<ResponseBuf, Error> {
        let (client, request) = self.via(());
        let (hold, answered) = client.ask(|client, asker: Rc<Asker<ResponseBuf>>| {
            request.via(client).1.send(move |result: Result<Response<'_>, Error>| {
                asker.over();
                asker.tell(result.map(|response| response.to_buf()));
            })
        })?;
        let result = answered.await;
        hold.release();
        // Whoever had it to tell was dropped with the manager.
        result.unwrap_or(Err(Error::Gone))
    }

    /// Sends the request and waits for the response's head; the body is read as it comes, of whatever length. While some
    /// 64 KB of it wait to be taken, the connection is not read.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn receive(self) -> Result<StreamedResponse, Error> {
        let (client, request) = self.via(());
        let (hold, answered) = client.ask(|client, asker: Rc<Asker<(ResponseBuf, Inbox<Vec<u8>>)>>| {
            request.via(client).1.receive(Arrival { asker, feeder: None })
        })?;
        let (head, body) = answered.await.unwrap_or(Err(Error::Gone))?;
        Ok(StreamedResponse { head, body, hold: Some(hold) })
    }
}

impl<T> Asker<T> {
    fn tell(&self, result: Result<T, Error>) {
        if let Some(answer) = self.answer.take() {
            // Who does not wait any more has given it up.
            let _ = answer.send(result);
        }
    }

    fn over(&self) {
        self.desk.pending.borrow_mut().remove(&self.key);
    }
}

impl Hold {
    /// It is over: nothing is left to give up.
    fn release(mut self) {
        self.desk = None;
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let Some(desk) = self.desk.take() else { return };
        let key = self.key;
        // A manager that is gone has dropped it.
        let _ = desk.run(move |desk| {
            let pending = desk.pending.borrow_mut().remove(&key);
            if let Some(pending) = pending {
                pending.cancel();
            }
        });
    }
}

/// A response whose body is read as it comes: what `receive` of a request by an [`HttpClient`] gives. Dropping it before
/// the end of the body closes the connection.
///
/// With the feature `tower` it is an `http_body::Body`, and with `http` it converts into a `http::Response` whose body it is:
/// what the handler of a proxy answers with.
#[derive(Debug)]
pub struct StreamedResponse {
    head: ResponseBuf,
    body: Inbox<Vec<u8>>,
    hold: Option<Hold>,
}

impl StreamedResponse {
    /// The head: status, headers, the URL that answered. Its body is empty.
    pub fn head(&self) -> &ResponseBuf {
        &self.head
    }

    /// The next piece of the body, of some 64 KB at most. `None`: that was all of it. What is not taken when this is
    /// dropped comes the next time.
    ///
    /// # Errors
    /// Whatever went wrong before the end of the body, once: [`Error::Truncated`], [`Error::Deadline`] and their like.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Vec<u8>>, Error>> {
        let next = ready!(self.body.poll(context));
        if !matches!(next, Ok(Some(_)))
            && let Some(hold) = self.hold.take()
        {
            hold.release();
        }
        Poll::Ready(next)
    }
}

/// The body: what a proxy answers with.
#[cfg(feature = "tower")]
impl http_body::Body for StreamedResponse {
    type Data = bytes::Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<bytes::Bytes>, Error>>> {
        let piece = ready!(self.poll_next(context)).transpose();
        Poll::Ready(piece.map(|piece| piece.map(|piece| http_body::Frame::data(piece.into()))))
    }
}

/// Takes a response on the loop, piece by piece.
struct Arrival {
    asker: Rc<Asker<(ResponseBuf, Inbox<Vec<u8>>)>>,
    /// `None` until the head is there.
    feeder: Option<Feeder<Vec<u8>>>,
}

impl Arrival {
    fn end(&self, end: Result<(), Error>) {
        self.asker.over();
        match (&self.feeder, end) {
            (Some(feeder), end) => feeder.end(end),
            (None, end) => self.asker.tell(Err(end.err().unwrap_or(Error::Closed))),
        }
    }
}

impl Download for Arrival {
    fn head(&mut self, response: Response<'_>) -> Result<(), Error> {
        let (feeder, body) = inbox(response.connection().handle());
        self.feeder = Some(feeder);
        self.asker.tell(Ok((response.to_buf(), body)));
        Ok(())
    }

    fn data(&mut self, connection: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
        match &self.feeder {
            Some(feeder) => feeder.push(connection, piece.to_vec(), piece.len()),
            None => Ok(()),
        }
    }

    fn end(&mut self, _: &Connection<'_>) {
        Arrival::end(self, Ok(()));
    }

    fn failed(&mut self, error: &Error) {
        Arrival::end(self, Err(error.own()));
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("client", &self.client).finish_non_exhaustive()
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold").field("key", &self.key).finish_non_exhaustive()
    }
}
