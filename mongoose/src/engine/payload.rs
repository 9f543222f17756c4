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
    #[cfg(feature = "bytes")]
    Bytes(bytes::Bytes),
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
            #[cfg(feature = "bytes")]
            Source::Bytes(bytes) => Source::Bytes(bytes),
        })
    }

    /// Makes clones cheap: owned bytes are copied into shared ones, once.
    pub(crate) fn into_shared(self) -> Payload<'static> {
        match self.into_owned().0 {
            Source::Owned(bytes) => Payload(Source::Shared(bytes.into())),
            other => Payload(other),
        }
    }

    /// Its bytes to change, where they belong to nobody else.
    pub(crate) fn try_into_vec(self) -> Result<Vec<u8>, Self> {
        match self.0 {
            Source::Owned(bytes) => Ok(bytes),
            other => Err(Self(other)),
        }
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
            #[cfg(feature = "bytes")]
            Source::Bytes(bytes) => bytes,
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

impl From<Arc<str>> for Payload<'_> {
    fn from(text: Arc<str>) -> Self {
        Self(Source::Shared(text.into()))
    }
}

#[cfg(feature = "bytes")]
impl From<bytes::Bytes> for Payload<'_> {
    fn from(bytes: bytes::Bytes) -> Self {
        Self(Source::Bytes(bytes))
    }
}

/// Without a copy, whatever it is.
#[cfg(feature = "bytes")]
impl From<Payload<'static>> for bytes::Bytes {
    fn from(payload: Payload<'static>) -> Self {
        match payload.0 {
            Source::Borrowed(bytes) | Source::Static(bytes) => Self::from_static(bytes),
            Source::Owned(bytes) => bytes.into(),
            Source::Shared(bytes) => Self::from_owner(bytes),
            Source::Bytes(bytes) => bytes,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeping_copies_what_is_borrowed_and_nothing_else() {
        let vector = vec![1u8; 10];
        let at = vector.as_ptr();
        let kept = [Payload::from(vector), Payload::from_static(b"static")];
        assert!(kept.iter().all(Payload::is_kept) && !Payload::from("borrowed").is_kept());
        let [vector, _] = kept;
        assert_eq!(vector.into_owned().as_ref().as_ptr(), at);
    }

    #[cfg(feature = "bytes")]
    #[test]
    fn becomes_bytes_without_a_copy() {
        let (vector, shared, bytes) =
            (vec![1u8; 10], Arc::<[u8]>::from(&[2; 10][..]), bytes::Bytes::from(vec![3; 10]));
        static STATIC: [u8; 6] = *b"static";
        let lie = [vector.as_ptr(), shared.as_ptr(), STATIC.as_ptr(), STATIC.as_ptr(), bytes.as_ptr()];
        let payloads: [Payload<'static>; 5] =
            [vector.into(), shared.into(), Payload::from_static(&STATIC), (&STATIC).into(), bytes.into()];
        for (payload, at) in payloads.into_iter().zip(lie) {
            let len = payload.len();
            let bytes = bytes::Bytes::from(payload);
            assert_eq!((bytes.as_ptr(), bytes.len()), (at, len));
        }
        let news: Arc<str> = "news".into();
        let at = news.as_ptr();
        assert_eq!(bytes::Bytes::from(crate::ws::SharedMessage::text(news)).as_ptr(), at);
    }

    /// Panics when it is dropped.
    #[cfg(feature = "bytes")]
    struct Owner(Vec<u8>);

    #[cfg(feature = "bytes")]
    impl AsRef<[u8]> for Owner {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }

    #[cfg(feature = "bytes")]
    impl Drop for Owner {
        fn drop(&mut self) {
            panic!("the owner's");
        }
    }

    /// Polls until as many panics came out of it, and then some times more, in which none may.
    #[cfg(feature = "bytes")]
    fn expect_panics(manager: &mut crate::Manager, count: usize) {
        use std::panic::{AssertUnwindSafe, catch_unwind};
        let mut panics = 0;
        for _ in 0..1000 {
            let result = catch_unwind(AssertUnwindSafe(|| manager.poll(std::time::Duration::from_millis(5))));
            match result {
                Ok(polled) => polled.expect("to poll"),
                Err(payload) => {
                    assert_eq!(payload.downcast_ref(), Some(&"the owner's"));
                    panics += 1;
                }
            }
            if panics == count {
                break;
            }
        }
        assert_eq!(panics, count);
        (0..5).for_each(|_| manager.poll(std::time::Duration::ZERO).expect("to poll"));
    }

    #[cfg(feature = "bytes")]
    #[test]
    fn an_owner_that_panics_in_drop_is_resumed_from_poll_wherever_it_is_dropped() {
        use std::net::TcpStream;
        use std::panic::{AssertUnwindSafe, catch_unwind};

        use crate::{Connection, Event, Manager};

        let owned = |size| bytes::Bytes::from_owner(Owner(vec![1; size]));
        let mut manager = Manager::new().expect("a manager");
        let listener =
            manager.tcp("tcp://127.0.0.1:0", |_: &Connection<'_>, _: Event<'_>| Ok(())).expect("a free port");
        let connect = |manager: &mut Manager| {
            let client = TcpStream::connect(listener.local_addr()).expect("to connect");
            let accepted = manager.stats().accepted;
            while manager.stats().accepted == accepted {
                manager.poll(std::time::Duration::from_millis(5)).expect("to poll");
            }
            (client, manager.connections().into_iter().find(|id| *id != listener.id()).expect("it"))
        };

        // It has left: the connection closes, because how much has left of what is behind it is not known.
        let (_client, id) = connect(&mut manager);
        manager.connection(id).expect("alive").send(owned(10_000)).expect("room");
        manager.connection(id).expect("alive").send("behind it").expect("room");
        expect_panics(&mut manager, 1);
        assert!(manager.connection(id).is_err());

        // Two of them wait, and the connection is closed.
        let (_client, id) = connect(&mut manager);
        manager.connection(id).expect("alive").send(vec![0; 12 << 20]).expect("room");
        manager.poll(std::time::Duration::ZERO).expect("to poll");
        manager.connection(id).expect("alive").send(owned(10_000)).expect("room");
        manager.connection(id).expect("alive").send(owned(10_000)).expect("room");
        manager.connection(id).expect("alive").close();
        expect_panics(&mut manager, 2);
        assert_eq!(manager.stats().connections, 1);

        // The connection is gone, and so the bytes are refused; then the manager is, and two are dropped unsent.
        manager.handle().send(id, owned(10)).expect("queued");
        expect_panics(&mut manager, 1);
        let also = Owner(Vec::new());
        manager.handle().send_then(id, owned(10), move |_| drop(also)).expect("queued");
        assert!(catch_unwind(AssertUnwindSafe(|| drop(manager))).is_ok(), "nothing unwinds out of drop");
    }

    #[cfg(feature = "bytes")]
    #[test]
    fn bytes_are_taken_without_a_copy() {
        let bytes = bytes::Bytes::from(vec![7u8; 100]);
        let payload = Payload::from(bytes.clone()).into_owned();
        assert_eq!(payload.as_ref().as_ptr(), bytes.as_ptr());
    }
}
