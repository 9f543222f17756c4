//! Services to be served, and what they wait for.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as _, Frame};
use mongoose::tower::{Body, Serve};
use mongoose::{Error, Limits};
use mongoose_tests::Server;
use tower_service::Service;

/// A service made of a function.
#[derive(Clone)]
pub struct Answers<F>(pub F);

impl<F, R, B, E> Service<Request<Body>> for Answers<F>
where
    F: FnMut(Request<Body>) -> R,
    R: Future<Output = Result<Response<B>, E>>,
{
    type Response = Response<B>;
    type Error = E;
    type Future = R;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), E>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> R {
        (self.0)(request)
    }
}

/// Serves a function within limits.
pub fn serve_within<F, R, B>(limits: Limits, answer: F) -> Server
where
    F: FnMut(Request<Body>) -> R + Clone + Send + 'static,
    R: Future<Output = Result<Response<B>, Error>> + 'static,
    B: http_body::Body<Error = Error> + Send + 'static,
{
    Server::http_within(limits, move || Serve::new(Answers(answer)))
}

pub fn serve<F, R, B>(answer: F) -> Server
where
    F: FnMut(Request<Body>) -> R + Clone + Send + 'static,
    R: Future<Output = Result<Response<B>, Error>> + 'static,
    B: http_body::Body<Error = Error> + Send + 'static,
{
    serve_within(Limits::default(), answer)
}

/// A response whose body is there.
pub fn text(text: impl Into<String>) -> Result<Response<Body>, Error> {
    Ok(Response::new(text.into().into()))
}

/// The next piece of a body.
pub async fn piece(body: &mut Body) -> Option<Result<Bytes, Error>> {
    let mut body = pin!(body);
    let frame = poll_fn(|context| body.as_mut().poll_frame(context)).await?;
    Some(frame.map(|frame| frame.into_data().expect("data alone")))
}

/// A body as a whole.
pub async fn whole(mut body: Body) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while let Some(next) = piece(&mut body).await {
        bytes.extend_from_slice(&next?);
    }
    Ok(bytes)
}

/// Opens once, from any thread.
#[derive(Clone, Default)]
pub struct Gate(Arc<Mutex<(bool, Vec<Waker>)>>);

impl Gate {
    pub fn open(&self) {
        let mut state = self.0.lock().expect("no panic");
        state.0 = true;
        let waiting = std::mem::take(&mut state.1);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }

    pub fn poll(&self, context: &Context<'_>) -> Poll<()> {
        let mut state = self.0.lock().expect("no panic");
        if state.0 {
            return Poll::Ready(());
        }
        state.1.push(context.waker().clone());
        Poll::Pending
    }

    pub async fn opened(&self) {
        poll_fn(|context| self.poll(context)).await
    }

    /// Who waits.
    pub fn wakers(&self) -> Vec<Waker> {
        self.0.lock().expect("no panic").1.clone()
    }
}

/// Says when it is dropped.
pub struct Dropped(pub std::sync::mpsc::Sender<&'static str>);

impl Drop for Dropped {
    fn drop(&mut self) {
        // Nobody listens once the test has failed.
        let _ = self.0.send("dropped");
    }
}

/// A body made by a function: data, an error, or the end.
pub struct Made<F>(pub F);

impl<F> http_body::Body for Made<F>
where
    F: FnMut(&mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> + Unpin,
{
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        (self.0)(context)
    }
}
