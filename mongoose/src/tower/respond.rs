//! From a service's response to the reply.

use std::error::Error as StdError;
use std::pin::Pin;
use std::task::{Context, Poll};

use ::http::{Response, StatusCode};
use bytes::{Buf, Bytes};
use http_body::Body;

use super::upgrade::Slot;
use super::waker::Alarm;
use crate::Error;
use crate::engine::Payload;
use crate::http::{BodySource, Piece, Pipe, Reply};

/// Sends a response: whole, where its body is there at once.
pub(super) fn respond<B>(
    reply: Reply<'_>,
    response: Response<B>,
    alarm: &Alarm,
    upgrade: Option<&Slot>,
    unread: Option<&Pipe>,
) -> Result<(), Error>
where
    B: Body + Send + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let (parts, body) = response.into_parts();
    if parts.status == StatusCode::SWITCHING_PROTOCOLS
        && let Some(slot) = upgrade
    {
        return slot.switch(reply, &parts);
    }
    let reply = reply.with_parts(&parts)?;
    let exact = body.size_hint().exact();
    if reply.is_bodiless() {
        // Of nothing it is not known whether it was taken out because of the method.
        return reply.bodiless(exact.filter(|&length| length > 0));
    }
    if body.is_end_stream() {
        return reply.body(Payload::from_static(b""));
    }
    let mut source = Frames { body: Box::pin(body), alarm: alarm.clone(), first: None };
    let first = match source.poll() {
        Poll::Ready(Some(piece)) => Some(piece?),
        Poll::Ready(None) => return reply.body(Payload::from_static(b"")),
        Poll::Pending => None,
    };
    if unread.is_some_and(Pipe::take_wish) {
        // The response is made of the request's body, which the peer may wait to send: behind the head of the final
        // response there could be no 100 any more (RFC 9110 section 10.1.1).
        reply.tell_to_continue();
    }
    match (first, exact) {
        (Some(bytes), Some(length)) if bytes.len() as u64 == length => reply.body(bytes),
        (Some(bytes), _) if source.body.is_end_stream() => reply.body(bytes),
        (first, exact) => {
            source.first = first;
            match exact {
                Some(length) if !reply.has_length() => reply.length(length).stream(source),
                _ => reply.stream(source),
            }
        }
    }
}

/// The data of a body's frames; its trailers are not sent.
struct Frames<B> {
    body: Pin<Box<B>>,
    alarm: Alarm,
    /// What was taken out before the head was sent.
    first: Option<Bytes>,
}

impl<B> Frames<B>
where
    B: Body,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    fn poll(&mut self) -> Poll<Option<Result<Bytes, Error>>> {
        let context = &mut Context::from_waker(self.alarm.set());
        loop {
            return match self.body.as_mut().poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(mut data) => Poll::Ready(Some(Ok(data.copy_to_bytes(data.remaining())))),
                    Err(_trailers) => continue,
                },
                Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(Error::handler(error)))),
                Poll::Ready(None) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            };
        }
    }
}

impl<B> BodySource for Frames<B>
where
    B: Body + Send + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    fn next(&mut self) -> Result<Piece, Error> {
        if let Some(first) = self.first.take() {
            return Ok(Piece::Data(first.into()));
        }
        Ok(match self.poll() {
            Poll::Ready(Some(data)) => Piece::Data(data?.into()),
            Poll::Ready(None) => Piece::End,
            Poll::Pending => Piece::Wait,
        })
    }
}
