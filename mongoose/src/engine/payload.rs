//! Bytes on their way out.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Bytes to send: borrowed, owned or shared. Whatever [`send`](crate::Connection::send) and
/// [`body`](crate::http::Reply::body) take converts into one.
///
/// Owned and shared bytes are sent from where they lie, however many; borrowed ones are copied when the socket does not
/// take them at once.
///
/// ```
/// use mongoose::Payload;
/// let greeting: Payload<'_> = "hello".into();
/// assert_eq!(greeting.len(), 5);
/// let picture = Payload::from(vec![0u8; 1000]);
/// assert_eq!(picture.as_ref(), [0u8; 1000]);
/// ```
#[derive(Clone)]
pub struct Payload<'a>(Source<'a>);

#[derive(Clone)]
enum Source<'a> {
    Borrowed(&'a [u8]),
    Static(&'static [u8]),
    Owned(Vec<u8>),
    Shared(Arc<[u8]>),
}

impl<'a> Payload<'a> {
    /// Bytes that live as long as the program: never copied.
    pub const fn from_static(bytes: &'static [u8]) -> Payload<'static> {
        Payload(Source::Static(bytes))
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.as_ref().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.as_ref().is_empty()
    }

    /// Copies borrowed bytes, so that the payload may wait or go to another thread.
    pub fn into_owned(self) -> Payload<'static> {
        Payload(match self.0 {
            Source::Borrowed(bytes) => Source::Owned(bytes.to_vec()),
            Source::Static(bytes) => Source::Static(bytes),
            Source::Owned(bytes) => Source::Owned(bytes),
            Source::Shared(bytes) => Source::Shared(bytes),
        })
    }

    /// Whether keeping it costs no copy.
    pub(super) fn is_kept(&self) -> bool {
        !matches!(self.0, Source::Borrowed(_))
    }
}

impl AsRef<[u8]> for Payload<'_> {
    fn as_ref(&self) -> &[u8] {
        match &self.0 {
            Source::Borrowed(bytes) => bytes,
            Source::Static(bytes) => bytes,
            Source::Owned(bytes) => bytes,
            Source::Shared(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl<'a> From<&'a [u8]> for Payload<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self(Source::Borrowed(bytes))
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Payload<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self(Source::Borrowed(bytes))
    }
}

impl<'a> From<&'a str> for Payload<'a> {
    fn from(text: &'a str) -> Self {
        Self(Source::Borrowed(text.as_bytes()))
    }
}

impl<'a> From<&'a String> for Payload<'a> {
    fn from(text: &'a String) -> Self {
        Self(Source::Borrowed(text.as_bytes()))
    }
}

impl<'a> From<&'a Vec<u8>> for Payload<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Self(Source::Borrowed(bytes))
    }
}

impl From<Vec<u8>> for Payload<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Source::Owned(bytes))
    }
}

impl From<String> for Payload<'_> {
    fn from(text: String) -> Self {
        Self(Source::Owned(text.into_bytes()))
    }
}

impl From<Arc<[u8]>> for Payload<'_> {
    fn from(bytes: Arc<[u8]>) -> Self {
        Self(Source::Shared(bytes))
    }
}

impl<'a> From<Cow<'a, [u8]>> for Payload<'a> {
    fn from(bytes: Cow<'a, [u8]>) -> Self {
        match bytes {
            Cow::Borrowed(bytes) => bytes.into(),
            Cow::Owned(bytes) => bytes.into(),
        }
    }
}

impl<'a> From<Cow<'a, str>> for Payload<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        match text {
            Cow::Borrowed(text) => text.into(),
            Cow::Owned(text) => text.into(),
        }
    }
}
