//! From a request to the one that a service takes.

use ::http::header::HeaderValue;
use ::http::{Request, Uri};
use bytes::Bytes;

use crate::{Error, http};

/// The request without its body. Its target and the values of its headers share one copy of the head: one that is kept
/// keeps that, too.
pub(super) fn to_http(request: &http::Request<'_>) -> Result<Request<()>, Error> {
    let head = Bytes::copy_from_slice(request.head());
    let first = request.head().as_ptr().addr();
    let part = |bytes: &[u8]| {
        let begin = bytes.as_ptr().addr().wrapping_sub(first);
        match begin.checked_add(bytes.len()) {
            Some(end) if end <= head.len() => head.slice(begin..end),
            // It lies elsewhere.
            _ => Bytes::copy_from_slice(bytes),
        }
    };
    let convert = || {
        let uri = Uri::from_maybe_shared(part(request.target().as_bytes()))?;
        request.convert(uri, |value| Ok(HeaderValue::from_maybe_shared(part(value))?))
    };
    convert().map_err(Error::Convert)
}
