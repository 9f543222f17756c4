//! From a request to the one that a service takes.

use ::http::header::HeaderValue;
use ::http::{Request, Uri};
use bytes::{Bytes, BytesMut};

use super::Body;
use crate::{Error, http};

/// Heads are copied to behind each other, until so many bytes are full.
const ROOM: usize = 4 << 10;

/// The request, with the body that is there. Its target and the values of its headers share one copy of the head, which `room` is
/// for: one that is kept keeps that, too.
pub(super) fn to_http(request: &http::Request<'_>, room: &mut BytesMut) -> Result<Request<Body>, Error> {
    let len = request.head().len();
    if room.capacity() < len {
        // What nobody has any more is used again.
        room.reserve(len.max(ROOM));
    }
    room.extend_from_slice(request.head());
    let head = room.split().freeze();
    let first = request.head().as_ptr().addr();
    let part = |bytes: &[u8]| {
        let begin = bytes.as_ptr().addr().wrapping_sub(first);
        match begin.checked_add(bytes.len()) {
            Some(end) if end <= head.len() => head.slice(begin..end),
            // It lies elsewhere.
            _ => Bytes::copy_from_slice(bytes),
        }
    };
    let body = match request.body() {
        b"" => Body::empty(),
        body => Bytes::copy_from_slice(body).into(),
    };
    let convert = || {
        let uri = Uri::from_maybe_shared(part(request.target().as_bytes()))?;
        request.convert(uri, |value| Ok(HeaderValue::from_maybe_shared(part(value))?), body)
    };
    convert().map_err(Error::Convert)
}
