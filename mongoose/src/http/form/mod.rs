//! Forms: `application/x-www-form-urlencoded`, and `multipart/form-data` (RFC 7578) whole or in pieces.

mod boundary;
mod disposition;
mod multipart;
mod multipart_parser;
mod part_head;
mod urlencoded;

pub use multipart::{Multipart, Part};
pub use multipart_parser::{MultipartEvent, MultipartParser};
pub use part_head::PartHead;
pub use urlencoded::Form;

use super::parameters::Parameters;
use super::{HeaderValue, Request};
use crate::Error;

/// The `Content-Type`, if it is what is expected.
pub(super) fn media_type<'r>(
    request: &Request<'r>,
    expected: &'static str,
) -> Result<HeaderValue<'r>, Error> {
    let is_expected = |kind: &[u8]| kind.eq_ignore_ascii_case(expected.as_bytes());
    media_type_where(request, expected, is_expected)
}

/// The `Content-Type`, if its type and subtype suit. Where there are two of them, nobody knows what is meant.
pub(super) fn media_type_where<'r>(
    request: &Request<'r>,
    expected: &'static str,
    suits: impl FnOnce(&[u8]) -> bool,
) -> Result<HeaderValue<'r>, Error> {
    let headers = request.headers();
    let mut found = headers.get_all("Content-Type");
    match (found.next(), found.next()) {
        (Some(one), None) if suits(Parameters::behind_first(one.as_bytes()).0) => Ok(one),
        _ => Err(Error::MediaType { expected }),
    }
}
