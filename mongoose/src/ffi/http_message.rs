//! Mongoose's `mg_http_message`, filled by the gate and viewed by the user.

use std::fmt;
use std::marker::PhantomData;

use mongoose_sys as sys;

/// Room for one parsed message, used again for the next.
pub(crate) struct HttpMessage {
    raw: Box<sys::mg_http_message>,
}

/// What a message is filled with. Text is text by type: it comes out as it went in, without a second check (R9).
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageFields<'m> {
    pub(crate) method: &'m str,
    pub(crate) uri: &'m str,
    pub(crate) query: &'m str,
    pub(crate) protocol: &'m str,
    pub(crate) body: &'m [u8],
    pub(crate) head: &'m [u8],
    pub(crate) message: &'m [u8],
}

impl HttpMessage {
    /// How many headers fit.
    pub(crate) const HEADERS_MAX: usize = sys::MG_MAX_HTTP_HEADERS as usize;

    pub(crate) fn new() -> Self {
        // SAFETY: a struct of pointers and lengths, for which all zero bytes are `{NULL, 0}`: legal (invariant 19).
        Self { raw: Box::new(unsafe { std::mem::zeroed() }) }
    }

    /// Fills the message and lends it out for as long as what it points at.
    ///
    /// # Panics
    /// When there are more than [`HEADERS_MAX`](Self::HEADERS_MAX) headers: the gate refused such a message before.
    pub(crate) fn fill<'m>(
        &'m mut self,
        fields: MessageFields<'m>,
        headers: impl Iterator<Item = (&'m str, &'m [u8])>,
    ) -> MessageView<'m> {
        let raw = &mut *self.raw;
        raw.method = string(fields.method.as_bytes());
        raw.uri = string(fields.uri.as_bytes());
        raw.query = string(fields.query.as_bytes());
        raw.proto = string(fields.protocol.as_bytes());
        raw.body = string(fields.body);
        raw.head = string(fields.head);
        raw.message = string(fields.message);
        let mut count = 0;
        for (name, value) in headers {
            assert!(count < Self::HEADERS_MAX, "more headers than the gate lets through");
            raw.headers[count] = sys::mg_http_header { name: string(name.as_bytes()), value: string(value) };
            count += 1;
        }
        // C stops at the first header without a name.
        if count < Self::HEADERS_MAX {
            raw.headers[count].name = string(b"");
        }
        MessageView { raw: &raw mut *raw, count, lifetime: PhantomData }
    }
}

impl fmt::Debug for HttpMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpMessage").finish_non_exhaustive()
    }
}

/// A filled message: what the gate put in, for as long as it stays.
#[derive(Clone, Copy)]
pub(crate) struct MessageView<'m> {
    raw: *mut sys::mg_http_message,
    count: usize,
    lifetime: PhantomData<&'m [u8]>,
}

impl<'m> MessageView<'m> {
    /// For C functions that take a message.
    pub(crate) fn as_ptr(self) -> *mut sys::mg_http_message {
        self.raw
    }

    pub(crate) fn method(self) -> &'m str {
        // SAFETY: `fill` stored a `&'m str` here, and lent the message for `'m`.
        unsafe { text((*self.raw).method) }
    }

    pub(crate) fn uri(self) -> &'m str {
        // SAFETY: as in `method`.
        unsafe { text((*self.raw).uri) }
    }

    pub(crate) fn query(self) -> &'m str {
        // SAFETY: as in `method`.
        unsafe { text((*self.raw).query) }
    }

    pub(crate) fn protocol(self) -> &'m str {
        // SAFETY: as in `method`.
        unsafe { text((*self.raw).proto) }
    }

    pub(crate) fn body(self) -> &'m [u8] {
        // SAFETY: `fill` stored a `&'m [u8]` here, and lent the message for `'m`.
        unsafe { bytes((*self.raw).body) }
    }

    pub(crate) fn head(self) -> &'m [u8] {
        // SAFETY: as in `body`.
        unsafe { bytes((*self.raw).head) }
    }

    pub(crate) fn message(self) -> &'m [u8] {
        // SAFETY: as in `body`.
        unsafe { bytes((*self.raw).message) }
    }

    /// How many headers there are.
    pub(crate) fn count(self) -> usize {
        self.count
    }

    /// The header at `index`: name and value.
    ///
    /// # Panics
    /// Past the last one, like a slice.
    pub(crate) fn header(self, index: usize) -> (&'m str, &'m [u8]) {
        assert!(index < self.count, "header {index} of {}", self.count);
        // SAFETY: `fill` stored a `&'m str` and a `&'m [u8]` at every index below `count`.
        unsafe {
            let header = &raw const (*self.raw).headers[index];
            (text((*header).name), bytes((*header).value))
        }
    }
}

impl fmt::Debug for MessageView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageView")
            .field("method", &self.method())
            .field("uri", &self.uri())
            .finish_non_exhaustive()
    }
}

fn string(bytes: &[u8]) -> sys::mg_str {
    sys::mg_str { buf: bytes.as_ptr().cast_mut().cast(), len: bytes.len() }
}

/// # Safety
/// The string is `{NULL, 0}` or came from a `&'m [u8]`.
unsafe fn bytes<'m>(string: sys::mg_str) -> &'m [u8] {
    if string.buf.is_null() {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(string.buf.cast::<u8>(), string.len) }
}

/// # Safety
/// The string is `{NULL, 0}` or came from a `&'m str`.
unsafe fn text<'m>(string: sys::mg_str) -> &'m str {
    // SAFETY: the caller's promise.
    unsafe { std::str::from_utf8_unchecked(bytes(string)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(uri: &str) -> MessageFields<'_> {
        MessageFields {
            method: "GET",
            uri,
            query: "",
            protocol: "HTTP/1.1",
            body: b"b\0dy",
            head: b"h",
            message: b"m",
        }
    }

    #[test]
    fn gives_back_what_it_was_filled_with() {
        let mut message = HttpMessage::new();
        let view = message.fill(fields("/a"), [("Host", &b"h"[..]), ("X", b"\xff")].into_iter());
        assert_eq!((view.method(), view.uri(), view.query(), view.protocol()), ("GET", "/a", "", "HTTP/1.1"));
        assert_eq!((view.body(), view.head(), view.message()), (&b"b\0dy"[..], &b"h"[..], &b"m"[..]));
        assert_eq!(
            (view.count(), view.header(0), view.header(1)),
            (2, ("Host", &b"h"[..]), ("X", &b"\xff"[..]))
        );
    }

    #[test]
    fn c_sees_the_same_headers_and_none_of_the_message_before() {
        let mut message = HttpMessage::new();
        message.fill(fields("/a"), [("A", &b"1"[..]), ("B", b"2")].into_iter());
        let view = message.fill(fields("/b"), [("A", &b"3"[..])].into_iter());
        // SAFETY: the view is alive; names are NUL-terminated literals.
        unsafe {
            let a = sys::mg_http_get_header(view.as_ptr(), c"a".as_ptr());
            assert_eq!(bytes(*a), b"3");
            assert!(sys::mg_http_get_header(view.as_ptr(), c"B".as_ptr()).is_null());
        }
    }
}
