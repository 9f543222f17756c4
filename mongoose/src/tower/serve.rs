//! From requests to the service, and to what it answers.

use std::error::Error as StdError;
use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use ::http::header::UPGRADE;
use ::http::{Request, Response};
use bytes::BytesMut;
use tower_service::Service;

use super::Body;
use super::request::to_http;
use super::respond::respond;
use super::upgrade::Slot;
use super::waker::Alarm;
use crate::http::{self, BodyMode, Pipe, Reply, Responder};
use crate::{ConnectionId, Error};

/// An [`http::Handler`](crate::http::Handler) that has a service answer: see [the module](super).
pub struct Serve<S> {
    service: S,
    half_close: bool,
    /// The body of the request that comes next is streamed.
    streamed: Option<Announced>,
    /// For the heads of requests.
    room: BytesMut,
    /// Of the last request, which needs it no more.
    spare: Option<Alarm>,
}

/// What a request says about a body that is streamed.
#[derive(Clone, Copy)]
struct Announced {
    length: Option<u64>,
    expects_continue: bool,
}

/// Who sent a request: in its extensions.
///
/// axum's `ConnectInfo` is made of it by a layer:
///
/// ```text
/// router.layer(axum::middleware::map_request(|mut request: axum::extract::Request| async {
///     if let Some(address) = request.extensions().get::<mongoose::tower::Peer>().and_then(|peer| peer.remote_addr()) {
///         request.extensions_mut().insert(ConnectInfo(address));
///     }
///     request
/// }))
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    connection: ConnectionId,
    remote_addr: Option<SocketAddr>,
}

impl Peer {
    /// The connection.
    pub fn connection_id(&self) -> ConnectionId {
        self.connection
    }

    /// Its address and port. `None` where the connection has none, as over a Unix socket.
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        self.remote_addr
    }
}

impl<S> Serve<S> {
    /// Has a clone of the service answer each request.
    pub fn new(service: S) -> Self {
        Self { service, half_close: false, streamed: None, room: BytesMut::new(), spare: None }
    }

    /// Whether a request whose peer has ended its direction is answered nevertheless. Default: no, because it can mostly
    /// not be told from one that is gone, whose future is to be dropped.
    pub fn half_close(mut self, answer: bool) -> Self {
        self.half_close = answer;
        self
    }
}

impl<S, B> http::Handler for Serve<S>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + 'static,
    S::Error: Into<Box<dyn StdError + Send + Sync>>,
    B: http_body::Body + Send + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    fn body_mode(&mut self, request: &http::Request<'_>) -> BodyMode {
        if !request.body().is_empty() {
            // It is all there.
            return BodyMode::UpTo(usize::MAX);
        }
        let length = request.header("Content-Length").and_then(|length| length.to_str().ok()?.parse().ok());
        let expects_continue = request.protocol() != "HTTP/1.0"
            && request
                .header("Expect")
                .is_some_and(|expect| expect.as_bytes().eq_ignore_ascii_case(b"100-continue"));
        self.streamed = Some(Announced { length, expects_continue });
        BodyMode::Streamed
    }

    fn request(&mut self, request: http::Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        let connection = request.connection();
        let streamed = self.streamed.take();
        let peer = Peer { connection: connection.id(), remote_addr: connection.remote_addr() };
        let received = request;
        let mut request = to_http(&received, &mut self.room)?;
        request.extensions_mut().insert(peer);
        let mut upgrade = None;
        if request.headers().contains_key(UPGRADE)
            && streamed.is_none()
            && received.body().is_empty()
            && received.protocol() != "HTTP/1.0"
            && reply.keeps_alive()
        {
            let slot = Slot::new(&received);
            request.extensions_mut().insert(slot.upgrade());
            upgrade = Some(slot);
        }
        let mut unread = None;
        if let Some(Announced { length, expects_continue }) = streamed {
            let (feed, reader, pipe) = http::pipe(connection, length, expects_continue);
            reply.feed(feed);
            *request.body_mut() = Body::arriving(reader);
            unread = Some(pipe);
        }
        let alarm = Alarm::renewed(self.spare.take(), connection);
        let mut service = self.service.clone();
        let progress = match service.poll_ready(&mut Context::from_waker(alarm.set())) {
            Poll::Ready(ready) => {
                ready.map_err(Error::handler)?;
                Progress::Called(Box::pin(service.call(request)))
            }
            Poll::Pending => Progress::Waits(Box::new((service, request))),
        };
        let mut call = Call { progress, alarm, unread, upgrade, half_close: self.half_close };
        match call.progress() {
            Poll::Ready(result) => {
                let answered = call.answer(reply, result);
                self.spare = Some(call.alarm);
                answered
            }
            Poll::Pending => {
                reply.respond_by(Box::new(call));
                Ok(())
            }
        }
    }
}

/// A request on its way through the service.
struct Call<S: Service<Request<Body>>> {
    progress: Progress<S>,
    alarm: Alarm,
    /// The request's body, where it is streamed.
    unread: Option<Arc<Pipe>>,
    /// What it is to become, where it may become something.
    upgrade: Option<Arc<Slot>>,
    half_close: bool,
}

enum Progress<S: Service<Request<Body>>> {
    /// For the service to be ready.
    Waits(Box<(S, Request<Body>)>),
    Called(Pin<Box<S::Future>>),
    Done,
}

impl<S, B> Call<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Error: Into<Box<dyn StdError + Send + Sync>>,
    B: http_body::Body + Send + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    /// Goes on with it. Once it is done nothing of the service's is left.
    fn progress(&mut self) -> Poll<Result<Response<B>, S::Error>> {
        let context = &mut Context::from_waker(self.alarm.set());
        let result = loop {
            match &mut self.progress {
                Progress::Waits(waiting) => {
                    if let Err(error) = ready!(waiting.0.poll_ready(context)) {
                        break Err(error);
                    }
                    if let Progress::Waits(waiting) = std::mem::replace(&mut self.progress, Progress::Done) {
                        let (mut service, request) = *waiting;
                        self.progress = Progress::Called(Box::pin(service.call(request)));
                    }
                }
                Progress::Called(future) => break ready!(future.as_mut().poll(context)),
                Progress::Done => return Poll::Pending,
            }
        };
        self.progress = Progress::Done;
        Poll::Ready(result)
    }

    fn answer(&self, mut reply: Reply<'_>, result: Result<Response<B>, S::Error>) -> Result<(), Error> {
        if self.unread.as_ref().is_some_and(|body| body.is_left_behind()) {
            reply = reply.close();
        }
        let response = result.map_err(Error::handler)?;
        respond(reply, response, &self.alarm, self.upgrade.as_deref(), self.unread.as_deref())
    }
}

impl<S, B> Responder for Call<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Error: Into<Box<dyn StdError + Send + Sync>>,
    B: http_body::Body + Send + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    fn poll(&mut self, reply: Reply<'_>) -> Poll<Result<(), Error>> {
        let result = ready!(self.progress());
        Poll::Ready(self.answer(reply, result))
    }

    fn outlives_peer(&self) -> bool {
        self.half_close
    }
}

impl<S: Clone> Clone for Serve<S> {
    fn clone(&self) -> Self {
        Self { half_close: self.half_close, ..Self::new(self.service.clone()) }
    }
}

impl<S> fmt::Debug for Serve<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve").field("half_close", &self.half_close).finish_non_exhaustive()
    }
}
