//! One adopted `mg_connection`: made by C, driven by the engine.

use std::cell::Cell;
use std::fmt;
use std::ptr::{NonNull, null_mut};

use mongoose_sys as sys;

use super::{Buffer, Mgr, Views, trampoline};

/// A state bit of a connection, stored where C keeps it, so that C and Rust cannot disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flag {
    Listening,
    Client,
    Accepted,
    Resolving,
    Connecting,
    Draining,
    Closing,
    Full,
    Responding,
    Websocket,
}

/// An `mg_connection` that stays off C's list and whose descriptor C never sees (invariants 6, 10).
///
/// Its memory is released by [`Conn::close`] alone, which needs the exclusive [`Views`]: that is what lets a view
/// outlive every `Conn` borrow as long as the shared `Views` is lent out (invariant 3).
pub(crate) struct Conn {
    raw: Cell<*mut sys::mg_connection>,
}

impl Conn {
    /// Asks C for a connection and makes it ours. `None` when memory is short.
    pub(crate) fn adopt(mgr: &Mgr, token: u64) -> Option<Self> {
        // SAFETY: the manager is initialised and pinned (invariant 2); the struct C answers is zeroed, with `mgr`, `id`
        // and buffer alignments set. `fd` is -1 so that no C function can reach a descriptor; `fn_data` is a number,
        // never a pointer (invariant 7).
        unsafe {
            let raw = NonNull::new(sys::mg_alloc_conn(mgr.as_ptr()))?.as_ptr();
            (*raw).fd = usize::MAX as *mut _;
            (*raw).fn_ = Some(trampoline::event);
            (*raw).fn_data = token as usize as *mut _;
            Some(Self { raw: Cell::new(raw) })
        }
    }

    /// The C struct; null once closed.
    pub(crate) fn as_ptr(&self) -> *mut sys::mg_connection {
        self.raw.get()
    }

    /// Reads a state bit; false once closed.
    #[inline(always)]
    pub(crate) fn is(&self, flag: Flag) -> bool {
        self.is_any([flag])
    }

    /// Whether any of some state bits is set, in one look; false once closed.
    #[inline(always)]
    pub(crate) fn is_any<const N: usize>(&self, flags: [Flag; N]) -> bool {
        let raw = self.raw.get();
        if raw.is_null() {
            return false;
        }
        type C = sys::mg_connection;
        // SAFETY: the struct is alive; the raw accessors make no reference to memory that C changes.
        let bit = |flag| unsafe {
            match flag {
                Flag::Listening => C::is_listening_raw(raw),
                Flag::Client => C::is_client_raw(raw),
                Flag::Accepted => C::is_accepted_raw(raw),
                Flag::Resolving => C::is_resolving_raw(raw),
                Flag::Connecting => C::is_connecting_raw(raw),
                Flag::Draining => C::is_draining_raw(raw),
                Flag::Closing => C::is_closing_raw(raw),
                Flag::Full => C::is_full_raw(raw),
                Flag::Responding => C::is_resp_raw(raw),
                Flag::Websocket => C::is_websocket_raw(raw),
            }
        };
        flags.into_iter().fold(0, |any, flag| any | bit(flag)) != 0
    }

    /// Writes a state bit; nothing once closed.
    pub(crate) fn set(&self, flag: Flag, on: bool) {
        let raw = self.raw.get();
        if raw.is_null() {
            return;
        }
        type C = sys::mg_connection;
        let bit = on.into();
        // SAFETY: as in `is`.
        unsafe {
            match flag {
                Flag::Listening => C::set_is_listening_raw(raw, bit),
                Flag::Client => C::set_is_client_raw(raw, bit),
                Flag::Accepted => C::set_is_accepted_raw(raw, bit),
                Flag::Resolving => C::set_is_resolving_raw(raw, bit),
                Flag::Connecting => C::set_is_connecting_raw(raw, bit),
                Flag::Draining => C::set_is_draining_raw(raw, bit),
                Flag::Closing => C::set_is_closing_raw(raw, bit),
                Flag::Full => C::set_is_full_raw(raw, bit),
                Flag::Responding => C::set_is_resp_raw(raw, bit),
                Flag::Websocket => C::set_is_websocket_raw(raw, bit),
            }
        }
    }

    /// The received bytes, for as long as nobody may move them.
    pub(crate) fn received<'v>(&self, views: &'v Views) -> &'v [u8] {
        let raw = self.checked(views);
        if raw.is_null() {
            return &[];
        }
        // SAFETY: invariant 3: `views` covers this connection, and all that moves or frees these bytes takes it
        // exclusively. Invariant 11: `recv` is empty or a block of at least `len` initialised bytes.
        unsafe { slice((*raw).recv.buf, (*raw).recv.len) }
    }

    /// The received bytes, to change in place.
    pub(crate) fn received_mut<'v>(&self, views: &'v mut Views) -> &'v mut [u8] {
        let raw = self.checked(views);
        if raw.is_null() {
            return &mut [];
        }
        // SAFETY: as in `received`, and exclusive.
        unsafe {
            let recv = &raw const (*raw).recv;
            if (*recv).buf.is_null() {
                &mut []
            } else {
                std::slice::from_raw_parts_mut((*recv).buf, (*recv).len)
            }
        }
    }

    /// The room behind the received bytes.
    pub(crate) fn room_mut<'v>(&self, views: &'v mut Views) -> &'v mut [u8] {
        let raw = self.checked(views);
        if raw.is_null() {
            return &mut [];
        }
        // SAFETY: as in `received_mut`; the block holds `size` bytes, all initialised by mg_calloc or a move.
        unsafe {
            let recv = &raw const (*raw).recv;
            if (*recv).buf.is_null() {
                return &mut [];
            }
            let room = (*recv).size.saturating_sub((*recv).len);
            std::slice::from_raw_parts_mut((*recv).buf.add((*recv).len), room)
        }
    }

    /// Counts `count` bytes of the room as received.
    ///
    /// # Panics
    /// When there is not that much room: the engine miscounted.
    pub(crate) fn fill(&self, count: usize, views: &mut Views) {
        let raw = self.checked(views);
        if raw.is_null() {
            return;
        }
        // SAFETY: alive and exclusive; the sum is checked against the block's size.
        unsafe {
            let recv = &raw mut (*raw).recv;
            assert!(count <= (*recv).size.saturating_sub((*recv).len), "filled past the receive buffer");
            (*recv).len += count;
        }
    }

    /// Keeps only the first `length` received bytes.
    pub(crate) fn truncate(&self, length: usize, views: &mut Views) {
        let raw = self.checked(views);
        if raw.is_null() {
            return;
        }
        // SAFETY: alive and exclusive; `len` only shrinks.
        unsafe { (*raw).recv.len = (*raw).recv.len.min(length) };
    }

    /// Gives C a block as `c->recv`, holding `length` received bytes. What was there is answered.
    pub(crate) fn lend(&self, buffer: Buffer, length: usize, views: &mut Views) -> Option<Buffer> {
        let raw = self.checked(views);
        if raw.is_null() {
            return Some(buffer);
        }
        let before = self.take_back(views);
        assert!(length <= buffer.len(), "lent fewer bytes than were received");
        let (start, size) = buffer.into_raw();
        // SAFETY: alive and exclusive; ownership of the block moves into `recv` (invariant 11).
        unsafe {
            (*raw).recv.buf = start.as_ptr();
            (*raw).recv.size = size;
            (*raw).recv.len = length;
        }
        before
    }

    /// Takes the block out of `c->recv`, which is empty then.
    pub(crate) fn take_back(&self, views: &mut Views) -> Option<Buffer> {
        let raw = self.checked(views);
        if raw.is_null() {
            return None;
        }
        // SAFETY: alive and exclusive; invariant 11: the block in `recv` is owned by it, and moves out.
        unsafe {
            let recv = &raw mut (*raw).recv;
            let start = NonNull::new((*recv).buf);
            let size = (*recv).size;
            (*recv).buf = null_mut();
            (*recv).size = 0;
            (*recv).len = 0;
            start.map(|start| Buffer::from_raw(start, size))
        }
    }

    /// How much C code has put into `c->send`.
    pub(crate) fn pending_send(&self) -> usize {
        let raw = self.raw.get();
        // SAFETY: alive unless null.
        if raw.is_null() { 0 } else { unsafe { (*raw).send.len } }
    }

    /// Hands over what C code has put into `c->send`, and empties it.
    pub(crate) fn take_send(&self, sink: impl FnOnce(&[u8])) {
        if self.pending_send() == 0 {
            return;
        }
        let raw = self.raw.get();
        // SAFETY: alive; `send` is C's own block of `len` bytes; C code does not run while `sink` does, and `sink` is
        // the engine's copy, which does not reach this connection. mg_iobuf_free takes what mg_iobuf_add made.
        unsafe {
            sink(slice((*raw).send.buf, (*raw).send.len));
            sys::mg_iobuf_free(&raw mut (*raw).send);
        }
    }

    /// Lets C free the connection (invariants 8, 10). The second time, nothing.
    pub(crate) fn close(&self, views: &mut Views) {
        let raw = self.checked(views);
        if raw.is_null() {
            return;
        }
        self.raw.set(null_mut());
        // SAFETY: the exclusive `views` shows that no handler runs and no view is out (invariants 3, 9). The event
        // handlers are taken away first, because `Closed` was delivered; linked at the head, C's walk ends at the
        // first element. `raw` is not used again.
        unsafe {
            let mgr = (*raw).mgr;
            (*raw).fn_ = None;
            (*raw).pfn = None;
            (*raw).next = (*mgr).conns;
            (*mgr).conns = raw;
            sys::mg_close_conn(raw);
        }
    }

    /// The pointer, after checking that the permission is for this connection's manager.
    fn checked(&self, views: &Views) -> *mut sys::mg_connection {
        let raw = self.raw.get();
        if !raw.is_null() {
            // SAFETY: alive.
            let mgr = unsafe { (*raw).mgr };
            assert!(views.covers(mgr), "the permission of another manager");
        }
        raw
    }
}

/// A slice of C's: `{NULL, 0}` is an empty one (invariant 19).
///
/// # Safety
/// Unless null, `start` points at `length` initialised bytes that stay for `'v`.
unsafe fn slice<'v>(start: *const u8, length: usize) -> &'v [u8] {
    if start.is_null() || length == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(start, length) }
}

impl fmt::Debug for Conn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Conn").field(&self.raw.get()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lends_fills_and_takes_back_one_block() {
        let (mgr, mut views) = Mgr::new();
        let conn = Conn::adopt(&mgr, 1).expect("memory");
        assert!(conn.received(&views).is_empty());
        assert!(conn.room_mut(&mut views).is_empty());

        let buffer = Buffer::zeroed(8).expect("memory");
        assert!(conn.lend(buffer, 0, &mut views).is_none());
        conn.room_mut(&mut views)[..3].copy_from_slice(b"abc");
        conn.fill(3, &mut views);
        assert_eq!(conn.received(&views), b"abc");
        conn.received_mut(&mut views)[0] = b'x';
        conn.truncate(2, &mut views);
        assert_eq!(conn.received(&views), b"xb");

        let back = conn.take_back(&mut views).expect("the block");
        assert_eq!(&back[..2], b"xb");
        assert!(conn.received(&views).is_empty());
        conn.close(&mut views);
        conn.close(&mut views);
        assert!(conn.as_ptr().is_null());
    }

    #[test]
    fn a_block_still_lent_at_close_is_freed_by_c() {
        let (mgr, mut views) = Mgr::new();
        let conn = Conn::adopt(&mgr, 1).expect("memory");
        conn.lend(Buffer::zeroed(100).expect("memory"), 100, &mut views);
        conn.close(&mut views);
    }

    #[test]
    fn what_c_fires_is_queued_with_its_message() {
        let (mgr, mut views) = Mgr::new();
        let conn = Conn::adopt(&mgr, 77).expect("memory");
        // SAFETY: the connection is alive.
        unsafe { sys::mg_sys_error(conn.as_ptr(), c"100 %s%n%d".as_ptr()) };
        assert!(conn.is(Flag::Closing));
        let event = mgr.nested().pop().expect("one event");
        assert_eq!((event.token, event.message.as_deref()), (77, Some("100 %s%n%d")));
        conn.close(&mut views);
        assert_eq!(mgr.nested().len(), 0, "closing fires nothing");
    }

    #[test]
    #[should_panic(expected = "another manager")]
    fn another_managers_permission_is_refused() {
        let (mgr, mut views) = Mgr::new();
        let (_other, other_views) = Mgr::new();
        let conn = Conn::adopt(&mgr, 1).expect("memory");
        let guard = scope(|| conn.received(&other_views).len());
        conn.close(&mut views);
        if let Err(payload) = guard {
            std::panic::resume_unwind(payload);
        }
    }

    fn scope<R>(code: impl FnOnce() -> R) -> Result<R, super::super::panic::Payload> {
        super::super::panic::catch(code)
    }

    #[test]
    fn state_bits_are_cs_own() {
        let (mgr, mut views) = Mgr::new();
        let conn = Conn::adopt(&mgr, 1).expect("memory");
        let all = [
            Flag::Listening,
            Flag::Client,
            Flag::Accepted,
            Flag::Resolving,
            Flag::Connecting,
            Flag::Draining,
            Flag::Closing,
            Flag::Full,
            Flag::Responding,
        ];
        for flag in all {
            assert!(!conn.is(flag));
            conn.set(flag, true);
            assert!(all.iter().all(|&other| conn.is(other) == (other == flag)), "{flag:?} alone is set");
            conn.set(flag, false);
        }
        conn.close(&mut views);
    }
}
