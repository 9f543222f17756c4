//! The only module with `unsafe`: raw calls, raw pointers and raw descriptors, each behind a safe face.
//!
//! Every `unsafe` block names the invariant it stands on. The invariants are written out in
//! `ARCHITECTURE.md`; in short:
//!
//!  1. One thread: a manager and what is borrowed from it are `!Send + !Sync`; `Handle` alone crosses threads.
//!  2. Pinned: `mg_mgr` is boxed and never moves; only `Manager` polls, on `&mut self`.
//!  3. Views live in the event: no received byte moves or is freed while a `&Registry` is lent out.
//!  4. Handles are ids: slot and generation, looked up in O(1); a stale one is `Closed`.
//!  5. No nesting: what C fires inside a call is queued and delivered after the handler returned.
//!  6. Never called: `mg_mgr_poll` (but on empty lists, by `mg_mgr_free`), `mg_close_conn` in a callback,
//!     the resolver, C's sockets, functions that replace `c->fn`.
//!  7. One owner: a connection has one entry, released once, after the user saw `Closed`.
//!  8. A closed descriptor is never touched: `Closed`, then selector, then `close`, then C frees.
//!  9. Nothing is freed inside a batch: closes are flags, reaping is one step after it.
//! 10. Closing is O(1): a connection is linked at the head of C's list just before it is taken out again.
//! 11. Buffers: what C holds as `c->recv` came from `mg_calloc` and is owned by whoever holds the pointer.
//! 12. Drop runs user code first, with no lock held; nothing can be created meanwhile.
//! 13. Panics are caught, parked and resumed from `poll`.
//! 14. No user byte is ever a format.
//! 15. Nothing is truncated silently.
//! 16. Descriptors handed out or in cannot break the loop.
//! 17. A reply is decided by the engine after the handler returned, never by `Drop`.
//! 18. Process globals are set under a `Once`.
//! 19. Lengths and pointers from C are checked where they enter, lengths from users before they reach C.

mod base64;
mod buffer;
mod conn;
mod digest;
mod folder;
mod http_message;
mod inherited;
mod log;
mod manager;
pub(crate) mod panic;
mod random;
#[cfg(all(feature = "tokio", target_os = "linux", not(mongoose_portable)))]
mod runtime;
#[cfg(any(not(target_os = "linux"), mongoose_portable))]
#[path = "selector_polling.rs"]
mod selector;
#[cfg(all(target_os = "linux", not(mongoose_portable)))]
#[path = "selector_epoll.rs"]
mod selector;
mod signal;
mod socket;
mod status;
#[cfg(all(feature = "tls-builtin", not(feature = "tls-rustls")))]
mod tls_crypto;
mod trampoline;
mod uptime;
mod views;

pub(crate) use base64::{base64_encode, base64url_encode};
pub(crate) use buffer::Buffer;
pub(crate) use conn::{Conn, Flag};
pub(crate) use digest::crc32;
pub use digest::{Md5, Sha1, Sha256, Sha384};
pub(crate) use folder::{is_denied, is_missing, may_be_link, open_step, open_to_read, open_trusted};
pub(crate) use http_message::{HttpMessage, MessageFields, MessageView};
pub use inherited::inherited_sockets;
pub(crate) use manager::Mgr;
pub(crate) use random::{random, random_bytes};
#[cfg(all(feature = "tokio", target_os = "linux", not(mongoose_portable)))]
pub(crate) use runtime::watch_readable;
pub(crate) use selector::{Notifier, Selector};
pub(crate) use signal::SignalGuard;
#[cfg(all(target_os = "linux", not(mongoose_portable)))]
pub(crate) use socket::send_file;
pub(crate) use socket::{
    Bind, Connect, Stream, accept, bind_datagrams, connect, connect_datagrams, is_shut_down, listen,
    set_nonblocking, source_of, take_datagrams, take_listener, take_stream,
};
pub(crate) use status::reason_phrase;
#[cfg(all(feature = "tls-builtin", not(feature = "tls-rustls")))]
pub(crate) use tls_crypto::{Aead, P256Key, TAG, prepare, wipe, x25519, x25519_public};
pub(crate) use trampoline::{Nested, NestedEvent};
pub use uptime::uptime;
pub(crate) use views::Views;
