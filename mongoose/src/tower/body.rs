//! The body of a request, as services take it.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::Error;
use crate::http::FeedReader;

/// The body of a request, whole or as it arrives. Services may make their responses of it, too.
#[derive(Default)]
pub struct Body(Kind);

#[derive(Default)]
enum Kind {
    #[default]
    Empty,
    Whole(Bytes),
    Arriving(FeedReader),
}

impl Body {
    /// A body of no bytes.
    pub fn empty() -> Self {
        Self::default()
    }

    pub(super) fn arriving(reader: FeedReader) -> Self {
        Self(Kind::Arriving(reader))
    }
}

impl<B: Into<Bytes>> From<B> for Body {
    fn from(bytes: B) -> Self {
        let bytes = bytes.into();
        Self(if bytes.is_empty() { Kind::Empty } else { Kind::Whole(bytes) })
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    /// [`Error::Truncated`] for a peer that closed before its end, [`Error::Refused`] for one that is malformed or too
    /// slow.
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Kind::Arriving(reader) = &self.0 {
            return reader.poll(context).map(|piece| piece.map(|piece| piece.map(Frame::data)));
        }
        Poll::Ready(match std::mem::take(&mut self.0) {
            Kind::Whole(bytes) => Some(Ok(Frame::data(bytes))),
            Kind::Empty | Kind::Arriving(_) => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Whole(_) => false,
            Kind::Arriving(reader) => reader.is_ended(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Arriving(reader) => reader.left().map_or_else(SizeHint::default, SizeHint::with_exact),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Kind::Empty => "Body::Empty",
            Kind::Whole(_) => "Body::Whole",
            Kind::Arriving(_) => "Body::Arriving",
        })
    }
}
